"""Drives Secrets Manager and Parameter Store of the local target with boto3, as an administrator and as roles.

Usage: values.py ENDPOINT_URL. Ends with 0 and one line when all is as on AWS, with a traceback otherwise.
"""

import json
import sys
import uuid

import boto3
import botocore
from botocore.config import Config

endpoint = sys.argv[1]
region = "us-west-2"
account = "123456789012"
run = uuid.uuid4().hex[:8]


def client(service, credentials=None):
    keys = credentials or {"AccessKeyId": "local", "SecretAccessKey": "local"}
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=Config(retries={"max_attempts": 1}),
    )


def refused(code, words, call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, (code, error.response)
        assert words in error.response["Error"]["Message"], (words, error.response)
        return
    raise AssertionError(f"{call.__name__} was not refused with {code}")


def role(name, statements):
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": f"{name}-{run}",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
            ],
        },
    }


def statement(action, resource, effect="Allow", **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


stacks, sts = client("cloudformation"), client("sts")
own = f"arn:aws:secretsmanager:{region}:{account}:secret:{run}/own-??????"
template = {
    "Resources": {
        "Own": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": f"{run}/own", "GenerateSecretString": {"PasswordLength": 20}},
        },
        "Shared": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": f"{run}/shared", "SecretString": "for all"},
        },
        "Policy": {
            "Type": "AWS::SecretsManager::ResourcePolicy",
            "Properties": {
                "SecretId": {"Ref": "Shared"},
                "ResourcePolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        statement(
                            "secretsmanager:GetSecretValue",
                            "*",
                            Principal={"AWS": {"Fn::GetAtt": ["Nobody", "Arn"]}},
                        ),
                        statement(
                            "secretsmanager:GetSecretValue",
                            "*",
                            "Deny",
                            Principal={"AWS": {"Fn::GetAtt": ["Reader", "Arn"]}},
                        ),
                    ],
                },
            },
        },
        "Reader": role(
            "reader",
            [
                statement("secretsmanager:GetSecretValue", own),
                statement("secretsmanager:GetSecretValue", {"Fn::Sub": own.replace("/own", "/shared")}),
                statement("ssm:GetParameter*", f"arn:aws:ssm:{region}:{account}:parameter/{run}/*"),
            ],
        ),
        "Nobody": role("nobody", [statement("s3:ListAllMyBuckets", "*")]),
    }
}
stacks.create_stack(
    StackName=f"secrets-{run}", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
)
stacks.get_waiter("stack_create_complete").wait(StackName=f"secrets-{run}", WaiterConfig={"Delay": 1})


def assume(name):
    answer = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{name}-{run}", RoleSessionName="me")
    return answer["Credentials"]


# The administrator sees all of it in the SDK's own types.
secrets = client("secretsmanager")
value = secrets.get_secret_value(SecretId=f"{run}/own")
assert len(value["SecretString"]) == 20, value
assert value["CreatedDate"].year >= 2020, value
described = secrets.describe_secret(SecretId=value["ARN"])
assert described["VersionIdsToStages"] == {value["VersionId"]: ["AWSCURRENT"]}, described
pages = secrets.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [run]}])
assert {one["Name"] for page in pages for one in page["SecretList"]} == {f"{run}/own", f"{run}/shared"}
try:
    secrets.get_secret_value(SecretId="nobody")
    raise AssertionError("there is no such secret")
except secrets.exceptions.ResourceNotFoundException as error:
    assert "can't find the specified secret" in str(error)
put = secrets.put_secret_value(SecretId=f"{run}/own", SecretBinary=b"\x00\x01")
assert secrets.get_secret_value(SecretId=f"{run}/own")["SecretBinary"] == b"\x00\x01"
assert secrets.get_secret_value(SecretId=f"{run}/own", VersionId=put["VersionId"])["VersionStages"] == ["AWSCURRENT"]
listed = secrets.list_secret_version_ids(SecretId=f"{run}/own")["Versions"]
assert {one["VersionId"] for one in listed} == {value["VersionId"], put["VersionId"]}, listed
batch = secrets.batch_get_secret_value(SecretIdList=[f"{run}/shared", f"{run}/none"])
assert [one["SecretString"] for one in batch["SecretValues"]] == ["for all"], batch
assert [one["ErrorCode"] for one in batch["Errors"]] == ["ResourceNotFoundException"], batch
policy = json.loads(secrets.get_resource_policy(SecretId=f"{run}/shared")["ResourcePolicy"])
assert [one["Effect"] for one in policy["Statement"]] == ["Allow", "Deny"], policy

# Roles: their own policies and the secret's add up, and a deny of either wins.
reader, nobody = (client("secretsmanager", assume(name)) for name in ["reader", "nobody"])
assert reader.get_secret_value(SecretId=f"{run}/own")["SecretBinary"] == b"\x00\x01"
refused(
    "AccessDeniedException",
    "is not authorized to perform: secretsmanager:DescribeSecret on resource",
    reader.describe_secret,
    SecretId=f"{run}/own",
)
refused(
    "AccessDeniedException",
    "with an explicit deny in a resource-based policy",
    reader.get_secret_value,
    SecretId=f"{run}/shared",
)
assert nobody.get_secret_value(SecretId=f"{run}/shared")["SecretString"] == "for all"
refused("AccessDeniedException", "no identity-based policy", nobody.get_secret_value, SecretId=f"{run}/own")

# Parameters.
parameters = client("ssm")
parameters.put_parameter(Name=f"/{run}/a", Value="one", Type="String")
parameters.put_parameter(Name=f"/{run}/b", Value="two", Type="SecureString")
parameters.put_parameter(Name=f"{run}-c", Value="three", Type="String")
own = client("ssm", assume("reader"))
assert own.get_parameter(Name=f"/{run}/a")["Parameter"]["Value"] == "one"
assert own.get_parameter(Name=f"/{run}/b")["Parameter"]["Value"] != "two"
assert own.get_parameter(Name=f"/{run}/b", WithDecryption=True)["Parameter"]["Value"] == "two"
refused("AccessDeniedException", "ssm:GetParameter", own.get_parameter, Name=f"{run}-c")
pages = parameters.get_paginator("get_parameters_by_path").paginate(Path=f"/{run}", PaginationConfig={"PageSize": 1})
assert [one["Name"] for page in pages for one in page["Parameters"]] == [f"/{run}/a", f"/{run}/b"]
several = parameters.get_parameters(Names=[f"/{run}/a", "/none"])
assert [one["Value"] for one in several["Parameters"]] == ["one"] and several["InvalidParameters"] == ["/none"], several
described = parameters.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [f"/{run}/b"]}])["Parameters"]
assert [(one["Name"], one["Type"]) for one in described] == [(f"/{run}/b", "SecureString")], described
parameters.delete_parameter(Name=f"{run}-c")
try:
    parameters.get_parameter(Name=f"{run}-c")
    raise AssertionError("it was deleted")
except parameters.exceptions.ParameterNotFound:
    pass
try:
    parameters.get_parameter(Name="/none")
    raise AssertionError("there is no such parameter")
except parameters.exceptions.ParameterNotFound:
    pass

print("secrets and parameters are as they are on AWS")
