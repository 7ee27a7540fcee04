"""Drives the parts of API Gateway's own API that the local target has with boto3: keys, and connections of WebSocket APIs.

Usage: apis.py ENDPOINT_URL. Ends with 0 and one line when all is as on AWS, with a traceback otherwise.
"""

import json
import pathlib
import sys
import uuid

import boto3
import botocore
from botocore.config import Config

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import websocket

endpoint = sys.argv[1]
session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="us-west-2")


def client(service):
    return session.client(service, endpoint_url=endpoint, config=Config(retries={"max_attempts": 1}))


def refused(code, call, **arguments):
    """Asserts that a call is refused with a code."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, (code, error.response)
        return
    raise AssertionError(f"{call.__name__} was not refused with {code}")


stacks, gateway, connections = (client(name) for name in ["cloudformation", "apigateway", "apigatewaymanagementapi"])
stack = f"apis-{uuid.uuid4().hex[:8]}"
stacks.create_stack(StackName=stack, TemplateBody=json.dumps(websocket.template()))
stacks.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
outputs = {one["OutputKey"]: one["OutputValue"] for one in stacks.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]}

key = gateway.get_api_key(apiKey=outputs["Key"])
assert key["name"] == "class-of-2026" and key["enabled"] and "value" not in key, key
value = gateway.get_api_key(apiKey=outputs["Key"], includeValue=True)["value"]
assert len(value) >= 20, value
listed = gateway.get_api_keys(nameQuery="class-of-", includeValues=True)["items"]
assert [(one["id"], one["value"]) for one in listed] == [(outputs["Key"], value)], listed
assert gateway.get_api_keys(nameQuery="nobody")["items"] == []
refused("NotFoundException", gateway.get_api_key, apiKey="nobody")
refused("NotImplemented", gateway.get_rest_apis)

socket, me = websocket.connected(endpoint, outputs["Api"])
told = connections.get_connection(ConnectionId=me)
assert told["Identity"]["SourceIp"] == "127.0.0.1" and told["ConnectedAt"] <= told["LastActiveAt"], told
connections.post_to_connection(ConnectionId=me, Data=b"your poster is ready")
assert socket.receive() == "your poster is ready"
connections.delete_connection(ConnectionId=me)
assert socket.receive() is None
socket.socket.close()
refused("GoneException", connections.post_to_connection, ConnectionId="nobody", Data=b"x")
stacks.delete_stack(StackName=stack)
stacks.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
print("API Gateway's own API is as on AWS, as far as it is simulated")
