"""Secrets, parameters and user pools by the AWS CLI.

Usage: values.py ENDPOINT_URL. Ends with 0 when all is as on AWS, with a traceback otherwise.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from aws import Aws, folder

with folder() as work:
    aws = Aws(sys.argv[1], work)
    outputs = aws.deploy("values", {
        "Resources": {
            "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "app/key", "GenerateSecretString": {}}},
            "Setting": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/app/size", "Type": "String", "Value": "3"}},
            "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
            "App": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {
                "UserPoolId": {"Ref": "Pool"},
                "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}},
        },
        "Outputs": {name: {"Value": {"Ref": name}} for name in ["Secret", "Pool", "App"]},
    })

    # Secrets.
    secret = "--secret-id app/key"
    assert len(aws(f"secretsmanager get-secret-value {secret} --query SecretString --output text")) == 32
    aws(f"secretsmanager put-secret-value {secret} --secret-string {{value}}", value="by hand")
    assert aws(f"secretsmanager get-secret-value {secret}")["SecretString"] == "by hand"
    assert len(aws(f"secretsmanager list-secret-version-ids {secret}")["Versions"]) == 2
    assert aws(f"secretsmanager describe-secret {secret}")["ARN"] == outputs["Secret"]
    assert aws("secretsmanager list-secrets")["SecretList"][0]["Name"] == "app/key"
    assert aws("secretsmanager batch-get-secret-value --secret-id-list app/key")["SecretValues"][0]["SecretString"] == "by hand"
    assert "ResourcePolicy" not in aws(f"secretsmanager get-resource-policy {secret}")
    aws.refused("ResourceNotFoundException", "secretsmanager get-secret-value --secret-id nobody")

    # Parameters.
    assert aws("ssm get-parameter --name /app/size")["Parameter"]["Value"] == "3"
    aws("ssm put-parameter --name /app/colour --type SecureString --value red")
    many = aws("ssm get-parameters --names /app/size /app/colour --with-decryption")["Parameters"]
    assert {one["Value"] for one in many} == {"3", "red"}, many
    assert len(aws("ssm get-parameters-by-path --path /app")["Parameters"]) == 2
    assert len(aws("ssm describe-parameters")["Parameters"]) == 2
    aws("ssm delete-parameter --name /app/colour")
    aws.refused("ParameterNotFound", "ssm get-parameter --name /app/colour")

    # People.
    pool, password = f"--user-pool-id {outputs['Pool']}", "Correct-horse-7"
    assert aws(f"cognito-idp describe-user-pool {pool}")["UserPool"]["Id"] == outputs["Pool"]
    client = f"--client-id {outputs['App']}"
    assert aws(f"cognito-idp describe-user-pool-client {pool} {client}")["UserPoolClient"]["ClientId"] == outputs["App"]
    aws(f"cognito-idp admin-create-user {pool} --username ada --message-action SUPPRESS")
    aws(f"cognito-idp admin-set-user-password {pool} --username ada --password {password} --permanent")
    aws(f"cognito-idp sign-up {client} --username bob --password {password}")
    aws(f"cognito-idp admin-confirm-sign-up {pool} --username bob")
    assert len(aws(f"cognito-idp list-users {pool}")["Users"]) == 2
    assert aws(f"cognito-idp admin-get-user {pool} --username bob")["UserStatus"] == "CONFIRMED"
    given = f"--auth-parameters USERNAME=ada,PASSWORD={password}"
    tokens = aws(f"cognito-idp initiate-auth {client} --auth-flow USER_PASSWORD_AUTH {given}")["AuthenticationResult"]
    aws(f"cognito-idp admin-initiate-auth {pool} {client} --auth-flow ADMIN_USER_PASSWORD_AUTH {given}")
    assert aws("cognito-idp get-user --access-token {token}", token=tokens["AccessToken"])["Username"] == "ada"
    aws(f"cognito-idp admin-delete-user {pool} --username bob")
    aws.refused("UserNotFoundException", f"cognito-idp admin-get-user {pool} --username bob")
