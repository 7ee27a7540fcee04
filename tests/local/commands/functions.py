"""Drives Lambda, CloudWatch Logs, DynamoDB and API Gateway of the local target with the AWS CLI: every operation that has a
command.

Usage: functions.py ENDPOINT_URL. Ends with 0 when every command did, with a traceback otherwise.
"""

import io
import pathlib
import sys
import time
import uuid
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import websocket
from aws import Aws, folder, write

run = uuid.uuid4().hex[:8]
work = folder()
aws = Aws(sys.argv[1], work.name)


def archive(name, text):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as out:
        out.writestr(name, text)
    return content.getvalue()


def template():
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = {"Fn::GetAtt": ["Function", "Arn"]}
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
        },
        "Layer": {
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {"LayerName": f"layer-{run}", "Content": {"S3Bucket": f"code-{run}", "S3Key": "layer.zip"}},
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": f"greet-{run}", "Runtime": "python3.13", "Handler": "index.handler", "Timeout": 20,
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": "def handler(event, context):\n    return 'Hello, ' + event['name']\n"},
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {"Name": "live", "FunctionName": arn, "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]}},
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {"FunctionName": arn, "Action": "lambda:InvokeFunction", "Principal": "bedrock.amazonaws.com"},
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST", "TableName": f"accounts-{run}",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            },
        },
    }
    return {"Resources": resources, "Outputs": {"Layer": {"Value": {"Ref": "Layer"}}, "Function": {"Value": arn}}}


def functions(made):
    name = f"greet-{run}"
    answer = aws(f"lambda invoke --function-name {name} --payload {{event}} out.json", event={"name": "Ada"})
    assert answer["StatusCode"] == 200 and pathlib.Path("out.json").read_text() == '"Hello, Ada"', answer
    assert aws(f"lambda get-function --function-name {name}")["Code"]["Location"]
    assert aws(f"lambda get-function-configuration --function-name {name}")["Timeout"] == 20
    assert name in aws("lambda list-functions --query Functions[].FunctionName")
    assert len(aws(f"lambda list-versions-by-function --function-name {name}")["Versions"]) == 2
    assert aws(f"lambda list-aliases --function-name {name}")["Aliases"][0]["Name"] == "live"
    assert "bedrock.amazonaws.com" in aws(f"lambda get-policy --function-name {name}")["Policy"]
    assert f"layer-{run}" in aws("lambda list-layers --query Layers[].LayerName")
    assert len(aws(f"lambda list-layer-versions --layer-name layer-{run}")["LayerVersions"]) == 1
    assert aws(f"lambda get-layer-version --layer-name layer-{run} --version-number 1")["Version"] == 1
    assert aws(f"lambda get-layer-version-by-arn --arn {made['Layer']}")["LayerVersionArn"] == made["Layer"]
    write("new.zip", archive("index.py", "def handler(event, context):\n    return 'Bye'\n"))
    aws(f"lambda update-function-code --function-name {name} --zip-file fileb://new.zip")
    aws(f"lambda invoke --function-name {name} out.json")
    assert pathlib.Path("out.json").read_text() == '"Bye"'
    aws.refused("NotImplemented", f"lambda delete-function --function-name {name}")


def logs():
    group, now = f"/own/{run}", int(time.time() * 1000)
    aws(f"logs create-log-group --log-group-name {group}")
    aws(f"logs put-retention-policy --log-group-name {group} --retention-in-days 3")
    aws(f"logs create-log-stream --log-group-name {group} --log-stream-name s")
    events = [{"timestamp": now, "message": "one"}, {"timestamp": now + 1, "message": "two"}]
    aws(f"logs put-log-events --log-group-name {group} --log-stream-name s --log-events {{events}}", events=events)
    assert aws(f"logs describe-log-groups --log-group-name-prefix {group}")["logGroups"][0]["retentionInDays"] == 3
    assert aws(f"logs describe-log-streams --log-group-name {group}")["logStreams"][0]["logStreamName"] == "s"
    assert len(aws(f"logs get-log-events --log-group-name {group} --log-stream-name s")["events"]) == 2
    found = aws(f"logs filter-log-events --log-group-name {group} --filter-pattern two")["events"]
    assert [event["message"] for event in found] == ["two"]
    aws(f"logs delete-log-group --log-group-name {group}")


def items():
    table = f"accounts-{run}"
    named = f"--table-name {table}"
    assert table in aws("dynamodb list-tables")["TableNames"]
    assert aws(f"dynamodb describe-table {named}")["Table"]["TableStatus"] == "ACTIVE"
    aws(f"dynamodb wait table-exists {named}")
    key = {"id": {"S": "7777"}}
    aws(f"dynamodb put-item {named} --item {{item}}", item={**key, "status": {"S": "Pending"}})
    assert aws(f"dynamodb get-item {named} --key {{key}}", key=key)["Item"]["status"] == {"S": "Pending"}
    aws(f"dynamodb update-item {named} --key {{key}} --update-expression {{set}} --expression-attribute-values {{values}}",
        key=key, set="SET balance = :b", values={":b": {"N": "1.5"}})
    ask = f"dynamodb query {named} --key-condition-expression {{is}} --expression-attribute-values {{values}}"
    assert aws(ask, **{"is": "id = :i", "values": {":i": {"S": "7777"}}})["Items"][0]["balance"] == {"N": "1.5"}
    put = [{"PutRequest": {"Item": {"id": {"S": str(number)}}}} for number in range(3)]
    aws("dynamodb batch-write-item --request-items {items}", items={table: put})
    assert aws(f"dynamodb scan {named}")["Count"] == 4
    got = aws("dynamodb batch-get-item --request-items {items}", items={table: {"Keys": [key, {"id": {"S": "1"}}]}})
    assert len(got["Responses"][table]) == 2, got
    aws(f"dynamodb delete-item {named} --key {{key}}", key=key)
    aws.refused("NotImplemented", f"dynamodb describe-continuous-backups {named}")


def apis():
    made = aws.deploy(f"apis-{run}", websocket.template())
    assert "value" not in aws(f"apigateway get-api-key --api-key {made['Key']}")
    listed = aws("apigateway get-api-keys --include-values")["items"]
    assert any(one["id"] == made["Key"] and len(one["value"]) >= 20 for one in listed), listed
    socket, me = websocket.connected(sys.argv[1], made["Api"])
    call = f"--connection-id={me}"
    assert aws(f"apigatewaymanagementapi get-connection {call}")["Identity"]["SourceIp"] == "127.0.0.1"
    aws(f"apigatewaymanagementapi post-to-connection {call} --data hello")
    assert socket.receive() == "hello"
    aws(f"apigatewaymanagementapi delete-connection {call}")
    assert socket.receive() is None


write("layer.zip", archive("python/greeting.py", "WORD = 'Hello'\n"))
aws(f"s3api create-bucket --bucket code-{run} --create-bucket-configuration LocationConstraint=us-west-2")
aws(f"s3api put-object --bucket code-{run} --key layer.zip --body layer.zip")
functions(aws.deploy(f"functions-{run}", template()))
logs()
items()
apis()
print("Lambda, Logs, DynamoDB and API Gateway are as the AWS CLI expects them")
