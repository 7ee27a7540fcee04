"""As much of a WebSocket client as it takes to be connected and told something."""

import base64
import json
import os
import socket
import urllib.parse


class WebSocket:
    """A connection to an API of the local target, by its address there."""

    def __init__(self, url):
        address = urllib.parse.urlparse(url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {address.path} HTTP/1.1", f"Host: {address.netloc}", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", "",
        ]
        self.socket.sendall("\r\n".join(lines).encode())
        self.reader = self.socket.makefile("rb")
        status = self.reader.readline()
        assert b" 101 " in status, status
        while self.reader.readline().strip():
            pass

    def send(self, text):
        mask, data = os.urandom(4), text.encode()
        assert len(data) < 126
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self.socket.sendall(bytes([0x81, 0x80 | len(data)]) + mask + masked)

    def receive(self):
        """The next message; `None` when the connection is closed."""
        first, length = self.reader.read(2)
        if length == 126:
            length = int.from_bytes(self.reader.read(2), "big")
        data = self.reader.read(length)
        return None if first & 0x0F == 8 else data.decode()


def template():
    """A WebSocket API that knows no message, an API key and an output for each."""
    of_api = {"ApiId": {"Ref": "Api"}}
    integration = {"Fn::Join": ["/", ["integrations", {"Ref": "Nothing"}]]}
    return {
        "Resources": {
            "Api": {
                "Type": "AWS::ApiGatewayV2::Api",
                "Properties": {
                    "Name": "told", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"
                },
            },
            "Nothing": {
                "Type": "AWS::ApiGatewayV2::Integration",
                "Properties": {
                    **of_api, "IntegrationType": "MOCK", "TemplateSelectionExpression": "200",
                    "RequestTemplates": {"200": json.dumps({"statusCode": 200})},
                },
            },
            "Connect": {
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {**of_api, "RouteKey": "$connect", "Target": integration},
            },
            "Stage": {
                "Type": "AWS::ApiGatewayV2::Stage", "DependsOn": "Connect",
                "Properties": {**of_api, "StageName": "dev", "AutoDeploy": True},
            },
            "Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Name": "class-of-2026", "Enabled": True}},
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}, "Key": {"Value": {"Ref": "Key"}}},
    }


def connected(endpoint, api):
    """A connection to the API of [`template`], and its id."""
    socket = WebSocket(f"{endpoint}/_aws/execute-api/{api}/dev/")
    # Whoever says what no route is for is told which connection it was.
    socket.send("Who am I?")
    return socket, json.loads(socket.receive())["connectionId"]
