"""Drives Secrets Manager, Parameter Store and user pools of the local target with the AWS CLI: every operation that has a
command.

Usage: values.py ENDPOINT_URL. Ends with 0 when every command did, with a traceback otherwise.
"""

import pathlib
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from aws import Aws, folder

run = uuid.uuid4().hex[:8]
work = folder()
aws = Aws(sys.argv[1], work.name)

TEMPLATE = {
    "Resources": {
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": f"{run}/token", "SecretString": "first"},
        },
        "Policy": {
            "Type": "AWS::SecretsManager::ResourcePolicy",
            "Properties": {
                "SecretId": {"Ref": "Secret"},
                "ResourcePolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*",
                            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                        }
                    ],
                },
            },
        },
        "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": run}},
        "App": {
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {
                "UserPoolId": {"Ref": "Pool"},
                "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH"],
            },
        },
    },
    "Outputs": {name: {"Value": {"Ref": name}} for name in ["Secret", "Pool", "App"]},
}


def secrets():
    of = f"--secret-id {run}/token"
    assert aws(f"secretsmanager get-secret-value {of}")["SecretString"] == "first"
    assert aws(f"secretsmanager describe-secret {of}")["Name"] == f"{run}/token"
    assert f"{run}/token" in aws("secretsmanager list-secrets --query SecretList[].Name")
    aws(f"secretsmanager put-secret-value {of} --secret-string second")
    assert aws(f"secretsmanager get-secret-value {of}")["SecretString"] == "second"
    assert len(aws(f"secretsmanager list-secret-version-ids {of}")["Versions"]) == 2
    batch = aws(f"secretsmanager batch-get-secret-value --secret-id-list {run}/token")
    assert batch["SecretValues"][0]["SecretString"] == "second"
    assert "GetSecretValue" in aws(f"secretsmanager get-resource-policy {of}")["ResourcePolicy"]
    aws.refused("ResourceNotFoundException", "secretsmanager get-secret-value --secret-id nobody")


def parameters():
    name = f"/{run}/a"
    aws(f"ssm put-parameter --name {name} --value one --type String")
    assert aws(f"ssm get-parameter --name {name}")["Parameter"]["Value"] == "one"
    assert [one["Name"] for one in aws(f"ssm get-parameters-by-path --path /{run}")["Parameters"]] == [name]
    assert aws(f"ssm get-parameters --names {name} /none")["InvalidParameters"] == ["/none"]
    assert name in aws("ssm describe-parameters --query Parameters[].Name")
    aws(f"ssm delete-parameter --name {name}")
    aws.refused("ParameterNotFound", "ssm get-parameter --name /none")


def people(made):
    pool, app = made["Pool"], made["App"]
    of = f"--user-pool-id {pool}"
    assert aws(f"cognito-idp describe-user-pool {of}")["UserPool"]["Name"] == run
    assert aws(f"cognito-idp describe-user-pool-client {of} --client-id {app}")["UserPoolClient"]["ClientId"] == app
    ada, word = f"{of} --username ada", "Correct-horse-7"
    aws(f"cognito-idp admin-create-user {ada}")
    aws(f"cognito-idp admin-set-user-password {ada} --password {word} --permanent")
    assert aws(f"cognito-idp admin-get-user {ada}")["UserStatus"] == "CONFIRMED"
    assert "ada" in aws(f"cognito-idp list-users {of} --query Users[].Username")
    said = f"--auth-parameters USERNAME=ada,PASSWORD={word} --client-id {app}"
    by_admin = aws(f"cognito-idp admin-initiate-auth {of} {said} --auth-flow ADMIN_USER_PASSWORD_AUTH")
    assert by_admin["AuthenticationResult"]["IdToken"], by_admin
    own = aws(f"cognito-idp initiate-auth {said} --auth-flow USER_PASSWORD_AUTH")["AuthenticationResult"]
    assert aws(f"cognito-idp get-user --access-token {own['AccessToken']}")["Username"] == "ada"
    aws(f"cognito-idp sign-up --client-id {app} --username bob --password {word}")
    aws(f"cognito-idp admin-confirm-sign-up {of} --username bob")
    aws(f"cognito-idp admin-delete-user {ada}")
    aws.refused("UserNotFoundException", f"cognito-idp admin-get-user {ada}")


made = aws.deploy(f"values-{run}", TEMPLATE)
secrets()
parameters()
people(made)
print("Secrets, parameters and user pools are as the AWS CLI expects them")
