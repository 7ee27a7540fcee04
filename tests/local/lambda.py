"""Drives Lambda, CloudWatch Logs and IAM of the local target with boto3, on functions that a stack makes.

Usage: lambda.py ENDPOINT_URL. Ends with 0 and one line when all is as on AWS, with a traceback otherwise.
"""

import base64
import concurrent.futures
import io
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile

import boto3
import botocore
from botocore.config import Config

endpoint = sys.argv[1]
region = "us-west-2"
account = "123456789012"
config = Config(retries={"max_attempts": 1})
run = uuid.uuid4().hex[:8]
# The Python that runs this has the SDK, and so has the one that runs the functions.
runtime = "python%d.%d" % sys.version_info[:2]


def client(service, credentials=None, **arguments):
    keys = credentials or {"AccessKeyId": "local", "SecretAccessKey": "local"}
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=arguments.get("config", config),
    )


functions, logs, s3, stacks, sts = (client(name) for name in ["lambda", "logs", "s3", "cloudformation", "sts"])


def refused(code, words, call, **arguments):
    """Asserts that a call is refused with a code and words; gives the error."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, (code, error.response)
        assert words in error.response["Error"]["Message"], (words, error.response)
        return error.response
    raise AssertionError(f"{call.__name__} was not refused with {code}")


CODE = '''
import json
import logging
import os
import sys
import time

import boto3
import greeting

logging.getLogger().setLevel(logging.INFO)
s3 = boto3.client("s3")
BUCKET = os.environ["BUCKET"]
print("imported")


def greet(event, context):
    print("an event", json.dumps(event))
    logging.info("greeted")
    return {"text": greeting.of(event["name"]), "context": [
        context.function_name, context.memory_limit_in_mb, context.function_version, context.invoked_function_arn,
        context.log_group_name, context.aws_request_id, 0 < context.get_remaining_time_in_millis() <= 3000,
        context.client_context and context.client_context.custom,
    ]}


def store(event, context):
    """What the course's poster function does: an object, and a link to it that is valid for whoever has it."""
    s3.put_object(Bucket=BUCKET, Key=event["key"], Body=event["text"].encode())
    link = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": event["key"]}, ExpiresIn=600)
    secret = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "secret/" + event["key"]})
    return {"link": link, "secret": secret}


def call(event, context):
    """Carries out what it is asked, with its own rights; answers the error's code and message."""
    try:
        getattr(boto3.client(event["service"]), event["operation"])(**event["arguments"])
        return None
    except Exception as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]


def meet(event, context):
    """Ends when as many calls as asked for are under way at the same time."""
    s3.put_object(Bucket=BUCKET, Key="meet/" + context.aws_request_id, Body=b"")
    while s3.list_objects_v2(Bucket=BUCKET, Prefix="meet/")["KeyCount"] < event["calls"]:
        time.sleep(0.02)
    return os.getpid()


def misbehave(event, context):
    how = event["how"]
    if how == "raise":
        raise ValueError("no such poster")
    if how == "exit":
        print("leaving")
        sys.exit(7)
    if how == "hang":
        print("before")
        while True:
            pass
    if how == "set":
        return {1, 2}
    if how == "large":
        return "x" * (7 << 20)
    os.write(2, "bytes \\\\xff of a child\\n".encode("latin-1"))
    os.system("echo from a shell")
    return "tidy"


def whoami(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
'''


def archive(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as out:
        for name, text in files.items():
            out.writestr(name, text)
    return content.getvalue()


code_bucket, bucket = f"code-{run}", f"posters-{run}"
s3.create_bucket(Bucket=code_bucket, CreateBucketConfiguration={"LocationConstraint": region})
s3.put_object(Bucket=code_bucket, Key="app.zip", Body=archive({"pkg/app.py": CODE}))
layer = archive({"python/greeting.py": "def of(name):\n    return 'Hello, ' + name\n"})
s3.put_object(Bucket=code_bucket, Key="layer.zip", Body=layer)


def trust(service):
    principal = {"Service": service} if "." in service else {"AWS": service}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }


def role(statements, service="lambda.amazonaws.com", **more):
    document = {"Version": "2012-10-17", "Statement": statements}
    policies = [{"PolicyName": "grants", "PolicyDocument": document}] if statements else []
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": trust(service), "Policies": policies, **more},
    }


def allow(actions, resource):
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


WRITE_LOG = allow(
    ["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::Sub": "arn:aws:logs:*:*:log-group:/aws/lambda/*"}
)


def function(handler, role="Role", **properties):
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": f"{handler.rpartition('.')[2]}-{run}",
            "Runtime": runtime,
            "Handler": handler,
            "Role": {"Fn::GetAtt": [role, "Arn"]},
            "Timeout": 30,
            "Code": {"S3Bucket": code_bucket, "S3Key": "app.zip"},
            "Layers": [{"Ref": "Layer"}],
            "Environment": {"Variables": {"BUCKET": bucket}},
            **properties,
        },
    }


RESOURCES = {
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}},
    "BucketPolicy": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    },
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:PutObject",
                        "Resource": {"Fn::Sub": "${Bucket.Arn}/closed/*"},
                    },
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": {"Fn::GetAtt": ["Reader", "Arn"]}},
                        "Action": "s3:GetObject",
                        "Resource": {"Fn::Sub": "${Bucket.Arn}/shared/*"},
                    },
                ],
            },
        },
    },
    "Table": {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": f"table-{run}",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        },
    },
    "Layer": {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {"LayerName": f"greeting-{run}", "Content": {"S3Bucket": code_bucket, "S3Key": "layer.zip"}},
    },
    "Role": role(
        [
            WRITE_LOG,
            allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{bucket}/*"),
            {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/secret/*"},
            {**allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"), "Condition": {"StringLike": {"s3:prefix": "meet/*"}}},
        ]
    ),
    "ReadRole": role([allow("s3:GetObject", f"arn:aws:s3:::{bucket}/open/*"), WRITE_LOG]),
    "MuteRole": role([]),
    "Basic": role(
        [], ManagedPolicyArns=["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
    ),
    "Reader": role([], service=f"arn:aws:iam::{account}:root"),
    "Greet": function("pkg.app.greet", Timeout=3, MemorySize=256),
    "Store": function("pkg.app.store"),
    "Call": function("pkg.app.call", role="ReadRole"),
    "Meet": function("pkg.app.meet"),
    "Misbehave": function("pkg.app.misbehave", Timeout=3),
    "Whoami": function("pkg.app.whoami", role="Basic"),
    "Mute": function("pkg.app.greet", role="MuteRole", FunctionName=f"mute-{run}"),
    "Lost": function("pkg.lost.handler"),
    "Nameless": function("pkg.app.nobody"),
    "Node": function("index.handler", Runtime="nodejs22.x", FunctionName=f"node-{run}"),
    "Inline": function(
        "index.handler",
        FunctionName=f"inline-{run}",
        Code={"ZipFile": "def handler(event, context):\n    return event\n"},
        ReservedConcurrentExecutions=0,
    ),
    "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Greet"}}},
    "Live": {
        "Type": "AWS::Lambda::Alias",
        "Properties": {
            "Name": "live",
            "FunctionName": {"Ref": "Greet"},
            "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
        },
    },
    "Permission": {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "FunctionName": {"Ref": "Greet"},
            "Action": "lambda:InvokeFunction",
            "Principal": {"Fn::GetAtt": ["Reader", "Arn"]},
        },
    },
}
for name in ["Greet", "Store", "Call", "Meet", "Misbehave", "Mute", "Lost", "Nameless"]:
    full = RESOURCES[name]["Properties"]["FunctionName"]
    RESOURCES[f"{name}Log"] = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/aws/lambda/{full}"}}
RESOURCES["GreetLog"]["Properties"]["RetentionInDays"] = 7

stack = f"lambda-{run}"
stacks.create_stack(
    StackName=stack, TemplateBody=json.dumps({"Resources": RESOURCES}), Capabilities=["CAPABILITY_IAM"]
)
stacks.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
ids = {
    resource["LogicalResourceId"]: resource["PhysicalResourceId"]
    for resource in stacks.list_stack_resources(StackName=stack)["StackResourceSummaries"]
}
# A function keeps its code when the object goes.
s3.delete_object(Bucket=code_bucket, Key="app.zip")


def invoke(name, event=None, **arguments):
    """The answer, the kind of error and the end of the log of a call."""
    answer = functions.invoke(
        FunctionName=arguments.pop("FunctionName", f"{name}-{run}"),
        Payload=json.dumps(event or {}),
        LogType="Tail",
        **arguments,
    )
    assert answer["StatusCode"] == 200, answer
    log = base64.b64decode(answer["LogResult"]).decode()
    return json.loads(answer["Payload"].read()), answer.get("FunctionError"), log


def messages(name, **arguments):
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}-{run}", **arguments)["events"]
    return [event["message"] for event in events]


# A call: the answer, the context, the log.
arn = f"arn:aws:lambda:{region}:{account}:function:greet-{run}"
context = base64.b64encode(json.dumps({"custom": {"app": "test"}}).encode()).decode()
answer, error, tail = invoke("greet", {"name": "Ada"}, ClientContext=context)
assert error is None and answer["text"] == "Hello, Ada", answer
request_id = answer["context"][5]
assert answer["context"] == [
    f"greet-{run}", "256", "$LATEST", arn, f"/aws/lambda/greet-{run}", request_id, True, {"app": "test"}
], answer["context"]
assert tail.startswith(f"START RequestId: {request_id} Version: $LATEST\n"), tail
assert "imported\n" in tail and 'an event {"name": "Ada"}\n' in tail and f"{request_id}\tgreeted\n" in tail, tail
assert "[INFO]\t" in tail and f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: " in tail, tail
assert "Memory Size: 256 MB" in tail and "Init Duration: " in tail, tail
answer, error, tail = invoke("greet", {"name": "Bob"})
assert "imported" not in tail and "Init Duration" not in tail, "the same process takes the next event"
assert "an event" in "".join(messages("greet")) and len(messages("greet", filterPattern="START")) == 2

# Versions and aliases, by name and by ARN; what is not there.
for name in [f"greet-{run}:live", f"{arn}:1", f"{account}:function:greet-{run}:live"]:
    answer, _, tail = invoke("", {"name": "Eve"}, FunctionName=name)
    assert answer["context"][2] == "1", answer
assert functions.invoke(FunctionName=f"greet-{run}", Qualifier="live", Payload="{}")["ExecutedVersion"] == "1"
refused(
    "ResourceNotFoundException", f"Function not found: {arn}:9", functions.invoke, FunctionName=arn, Qualifier="9"
)
refused("InvalidRequestContentException", "", functions.invoke, FunctionName=arn, Payload=b"{")
refused("InvalidParameterValueException", "nodejs22.x", functions.invoke, FunctionName=f"node-{run}")
refused("TooManyRequestsException", "Rate Exceeded", functions.invoke, FunctionName=f"inline-{run}")
assert functions.invoke(FunctionName=arn, InvocationType="DryRun")["StatusCode"] == 204

# Errors of functions.
answer, error, tail = invoke("misbehave", {"how": "raise"})
assert error == "Unhandled" and answer["errorType"] == "ValueError" and answer["errorMessage"] == "no such poster"
assert answer["stackTrace"][0].startswith('  File "/var/task/pkg/app.py", line '), answer
assert "[ERROR] ValueError: no such poster\nTraceback (most recent call last):\n" in tail, tail
answer, error, tail = invoke("misbehave", {"how": "set"})
assert answer["errorType"] == "Runtime.MarshalError" and "set is not JSON serializable" in answer["errorMessage"]
answer, error, tail = invoke("misbehave", {"how": "exit"})
assert answer["errorType"] == "Runtime.ExitError" and answer["errorMessage"].endswith("exit status 7"), answer
assert "leaving\n" in tail
answer, error, tail = invoke("misbehave", {"how": "hang"})
assert answer["errorMessage"].endswith("Task timed out after 3.00 seconds") and "before\n" in tail, (answer, tail)
answer, error, tail = invoke("misbehave", {"how": "large"})
assert answer["errorType"] == "Function.ResponseSizeTooLarge", answer
answer, error, tail = invoke("misbehave", {"how": "print"})
assert (answer, error) == ("tidy", None) and "from a shell\n" in tail, "output never mixes with the answer"
answer, error, tail = invoke("handler", FunctionName=RESOURCES["Lost"]["Properties"]["FunctionName"])
assert answer["errorType"] == "Runtime.ImportModuleError", answer
assert answer["errorMessage"] == "Unable to import module 'pkg.lost': No module named 'pkg.lost'", answer
answer, error, tail = invoke("nobody")
assert answer["errorMessage"] == "Handler 'nobody' missing on module 'pkg.app'", answer

# Calls at the same time, each in a process of its own; a call that nobody waits for.
with concurrent.futures.ThreadPoolExecutor(4) as threads:
    pids = list(threads.map(lambda _: invoke("meet", {"calls": 4})[0], range(4)))
assert len(set(pids)) == 4, pids
accepted = functions.invoke(
    FunctionName=f"store-{run}", InvocationType="Event", Payload=json.dumps({"key": "later", "text": "x"})
)
assert accepted["StatusCode"] == 202
s3.get_waiter("object_exists").wait(Bucket=bucket, Key="later", WaiterConfig={"Delay": 1})

# Links that a role makes are the role's.
answer, _, _ = invoke("store", {"key": "a dog+cat.txt", "text": "woof"})
assert urllib.request.urlopen(answer["link"]).read() == b"woof"
s3.put_object(Bucket=bucket, Key="secret/a dog+cat.txt", Body=b"hidden")


def denied_link(url, words):
    try:
        urllib.request.urlopen(url)
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        assert error.code == 403 and words in text, text
        return
    raise AssertionError("the link was not denied")


denied_link(answer["secret"], "with an explicit deny in an identity-based policy")
denied_link(answer["link"].replace("Signature=", "Signature=A"), "SignatureDoesNotMatch")

# What a role may not is denied in AWS's words.
caller = f"arn:aws:sts::{account}:assumed-role/{ids['ReadRole']}/call-{run}"


def attempt(service, operation, **arguments):
    return invoke("call", {"service": service, "operation": operation, "arguments": arguments})[0]


s3.put_object(Bucket=bucket, Key="open/a", Body=b"a")
assert attempt("s3", "get_object", Bucket=bucket, Key="open/a") is None
assert attempt("s3", "put_object", Bucket=bucket, Key="open/b", Body="b") == [
    "AccessDenied",
    f"User: {caller} is not authorized to perform: s3:PutObject on resource: "
    f'"arn:aws:s3:::{bucket}/open/b" because no identity-based policy allows the s3:PutObject action',
]
missing = attempt("s3", "get_object", Bucket=bucket, Key="open/none")
assert missing[0] == "AccessDenied" and "s3:ListBucket" in missing[1], "who may not list is not told what is missing"
assert attempt("dynamodb", "get_item", TableName=f"table-{run}", Key={"id": {"S": "x"}}) == [
    "AccessDeniedException",
    f"User: {caller} is not authorized to perform: dynamodb:GetItem on resource: "
    f"arn:aws:dynamodb:{region}:{account}:table/table-{run} because no identity-based policy allows the "
    "dynamodb:GetItem action",
]
assert "lambda:InvokeFunction on resource: " + arn in attempt("lambda", "invoke", FunctionName=f"greet-{run}")[1]
assert "logs:FilterLogEvents" in attempt("logs", "filter_log_events", logGroupName=f"/aws/lambda/greet-{run}")[1]
assert attempt("cloudformation", "delete_stack", StackName=stack)[0] == "AccessDenied"
assert attempt("sts", "get_caller_identity") is None
assert attempt("sns", "list_topics")[0] == "NotImplemented"
answer, _, _ = invoke("store", {"key": "closed/x", "text": "x"})
assert "with an explicit deny in a resource-based policy" in answer["errorMessage"], answer

# Without rights on its log group a function runs and logs nothing; with those of AWS's own policy it makes the group.
answer, error, tail = invoke("mute", {"name": "Ada"})
assert error is None and "an event" in tail and messages("mute") == []
assert invoke("whoami")[0] == f"arn:aws:sts::{account}:assumed-role/{ids['Basic']}/whoami-{run}"
group = f"/aws/lambda/whoami-{run}"
assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupName"] == group
logs.delete_log_group(logGroupName=group)
refused("ResourceNotFoundException", "log group does not exist", logs.describe_log_streams, logGroupName=group)

# AssumeRole: the trust policy decides, and what the session may is what the role and the resources say.
refused(
    "AccessDenied",
    f"is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{account}:role/{ids['Role']}",
    sts.assume_role,
    RoleArn=f"arn:aws:iam::{account}:role/{ids['Role']}",
    RoleSessionName="me",
)
reader_arn = f"arn:aws:iam::{account}:role/{ids['Reader']}"
session = sts.assume_role(RoleArn=reader_arn, RoleSessionName="me", DurationSeconds=900)
keys = session["Credentials"]
assert session["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account}:assumed-role/{ids['Reader']}/me"
assert client("sts", keys).get_caller_identity()["Arn"] == session["AssumedRoleUser"]["Arn"]
s3.put_object(Bucket=bucket, Key="shared/a", Body=b"a")
reader = client("s3", keys)
assert reader.get_object(Bucket=bucket, Key="shared/a")["Body"].read() == b"a", "the bucket's policy lets it"
refused("AccessDenied", "s3:ListBucket", reader.list_objects_v2, Bucket=bucket)
refused("AccessDenied", "s3:GetObject", reader.copy_object, Bucket=bucket, Key="b", CopySource=f"{bucket}/open/a")
kept = reader.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "shared/a"}, {"Key": "open/a"}]})
assert [error["Code"] for error in kept["Errors"]] == ["AccessDenied"] * 2 and "Deleted" not in kept, kept
refused("AccessDenied", "s3:PutObject", reader.put_object, Bucket=bucket, Key="x", Body=b"y" * 100_000)
v4 = client("s3", keys, config=Config(signature_version="s3v4"))
link = v4.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "shared/a"})
assert urllib.request.urlopen(link).read() == b"a"
denied_link(v4.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "open/a"}), "s3:GetObject")
answer = client("lambda", keys).invoke(FunctionName=f"greet-{run}", Payload='{"name": "Zoe"}')
assert json.loads(answer["Payload"].read())["text"] == "Hello, Zoe", "the function's policy lets it"
refused("AccessDeniedException", "lambda:GetFunction", client("lambda", keys).get_function, FunctionName=arn)
wrong = client("sts", {**keys, "SecretAccessKey": "another"})
refused("SignatureDoesNotMatch", "signature", wrong.get_caller_identity)
wrong = client("s3", {**keys, "SecretAccessKey": "another"})
refused("SignatureDoesNotMatch", "signature", wrong.get_object, Bucket=bucket, Key="shared/a")
unknown = client("dynamodb", {**keys, "AccessKeyId": "ASIALOCAL" + "A" * 11})
refused("UnrecognizedClientException", "security token", unknown.list_tables)

by_url = urllib.parse.urlencode(
    {"AWSAccessKeyId": keys["AccessKeyId"], "x-amz-security-token": keys["SessionToken"], "Action": "ListStacks"}
)
denied_link(f"{endpoint}/?{by_url}&Version=2010-05-15", "IncompleteSignature")
foreign = client("sts", {**keys, "AccessKeyId": "ASIA" + "A" * 16}).get_caller_identity()
assert foreign["Arn"] == f"arn:aws:iam::{account}:user/ASIA" + "A" * 16, "somebody's own key is the administrator's"

# What was denied is kept for a person to look at.
with urllib.request.urlopen(f"{endpoint}/_bedplate/denials") as page:
    denials = json.load(page)["denials"]
assert any(one["action"] == "dynamodb:GetItem" and one["principal"] == caller for one in denials), denials

# The rest of the API.
shown = functions.get_function(FunctionName=f"greet-{run}")
assert shown["Configuration"]["MemorySize"] == 256 and shown["Configuration"]["Timeout"] == 3, shown
with urllib.request.urlopen(shown["Code"]["Location"]) as package:
    assert zipfile.ZipFile(io.BytesIO(package.read())).namelist() == ["pkg/app.py"]
assert functions.get_function_configuration(FunctionName=arn)["Handler"] == "pkg.app.greet"
assert f"greet-{run}" in [one["FunctionName"] for one in functions.list_functions()["Functions"]]
assert [one["Version"] for one in functions.list_versions_by_function(FunctionName=arn)["Versions"]] == ["$LATEST", "1"]
assert functions.list_aliases(FunctionName=arn)["Aliases"][0]["Name"] == "live"
assert ids["Reader"] in functions.get_policy(FunctionName=arn)["Policy"]
layers = {one["LayerName"]: one["LatestMatchingVersion"]["Version"] for one in functions.list_layers()["Layers"]}
assert layers[f"greeting-{run}"] == 1
assert functions.list_layer_versions(LayerName=f"greeting-{run}")["LayerVersions"][0]["Version"] == 1
assert functions.get_layer_version(LayerName=f"greeting-{run}", VersionNumber=1)["Content"]["CodeSize"] == len(layer)
by_arn = functions.get_layer_version_by_arn(Arn=ids["Layer"])
assert by_arn["Version"] == 1 and by_arn["LayerVersionArn"] == ids["Layer"], by_arn
refused("NotImplemented", "`DeleteFunction` of `lambda`", functions.delete_function, FunctionName=arn)
new = archive({"pkg/app.py": "def greet(event, context):\n    return 'new'\n"})
updated = functions.update_function_code(FunctionName=f"greet-{run}", ZipFile=new)
assert updated["CodeSize"] == len(new)
assert invoke("greet")[0] == "new" and invoke("", {"name": "x"}, FunctionName=f"{arn}:1")[0]["text"] == "Hello, x"

# The log API.
group = f"/aws/lambda/greet-{run}"
assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 7
logs.create_log_stream(logGroupName=group, logStreamName="mine")
refused(
    "ResourceAlreadyExistsException", "already exists", logs.create_log_stream, logGroupName=group, logStreamName="mine"
)
refused(
    "ResourceNotFoundException",
    "log stream does not exist",
    logs.put_log_events,
    logGroupName=group,
    logStreamName="none",
    logEvents=[{"timestamp": 1, "message": "x"}],
)
events = [{"timestamp": 1_700_000_000_000 + number, "message": f"line {number}"} for number in range(5)]
logs.put_log_events(logGroupName=group, logStreamName="mine", logEvents=events)
page = logs.get_log_events(logGroupName=group, logStreamName="mine", startFromHead=True, limit=3)
assert [event["message"] for event in page["events"]] == ["line 0", "line 1", "line 2"]
arguments = {"logGroupName": group, "logStreamName": "mine", "startFromHead": True}
page = logs.get_log_events(**arguments, nextToken=page["nextForwardToken"])
assert [event["message"] for event in page["events"]] == ["line 3", "line 4"]
end = logs.get_log_events(**arguments, nextToken=page["nextForwardToken"])
assert end["events"] == [] and end["nextForwardToken"] == page["nextForwardToken"]
last = logs.get_log_events(logGroupName=group, logStreamName="mine", limit=2)
assert [event["message"] for event in last["events"]] == ["line 3", "line 4"]
found = logs.filter_log_events(logGroupName=group, logStreamNames=["mine"], limit=2)
more = logs.filter_log_events(logGroupName=group, logStreamNames=["mine"], nextToken=found["nextToken"])
assert [event["message"] for event in found["events"] + more["events"]] == [f"line {number}" for number in range(5)]
streams = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
assert streams[-1]["logStreamName"] == "mine" and streams[0]["logStreamName"].startswith("20"), streams

own = f"/own/{run}"
logs.create_log_group(logGroupName=own)
refused("ResourceAlreadyExistsException", "already exists", logs.create_log_group, logGroupName=own)
logs.put_retention_policy(logGroupName=own, retentionInDays=3)
assert logs.describe_log_groups(logGroupNamePrefix=own)["logGroups"][0]["retentionInDays"] == 3
logs.delete_log_group(logGroupName=own)

# A stack takes its log groups along.
listed = [{"Key": one["Key"]} for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
s3.delete_objects(Bucket=bucket, Delete={"Objects": listed})
stacks.delete_stack(StackName=stack)
stacks.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
refused("ResourceNotFoundException", "Function not found", functions.invoke, FunctionName=arn)
print("Lambda, Logs and IAM are as boto3 expects them")
