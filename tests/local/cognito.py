"""Drives user pools of the local target with boto3, and checks their tokens against the keys they publish.

Usage: cognito.py ENDPOINT_URL. Ends with 0 and one line when all is as on AWS, with a traceback otherwise.
"""

import base64
import hashlib
import hmac
import json
import sys
import urllib.request
import uuid

import boto3
from botocore import UNSIGNED
from botocore.config import Config

endpoint = sys.argv[1]
region = "us-west-2"
run = uuid.uuid4().hex[:8]


def client(service, **arguments):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"max_attempts": 1}, **arguments),
    )


template = {
    "Resources": {
        "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": run}},
        "App": {
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {
                "UserPoolId": {"Ref": "Pool"},
                "GenerateSecret": True,
                "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH"],
                "IdTokenValidity": 5,
                "TokenValidityUnits": {"IdToken": "minutes"},
            },
        },
    },
    "Outputs": {"Pool": {"Value": {"Ref": "Pool"}}, "App": {"Value": {"Ref": "App"}}},
}
stacks = client("cloudformation")
stacks.create_stack(StackName=f"people-{run}", TemplateBody=json.dumps(template))
stacks.get_waiter("stack_create_complete").wait(StackName=f"people-{run}", WaiterConfig={"Delay": 1})
stack = stacks.describe_stacks(StackName=f"people-{run}")["Stacks"][0]
pool, app = ({one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}[name] for name in ["Pool", "App"])

people = client("cognito-idp")
anybody = client("cognito-idp", signature_version=UNSIGNED)
assert people.describe_user_pool(UserPoolId=pool)["UserPool"]["Name"] == run
described = people.describe_user_pool_client(UserPoolId=pool, ClientId=app)["UserPoolClient"]
assert described["IdTokenValidity"] == 5, described
secret = described["ClientSecret"]

people.admin_create_user(UserPoolId=pool, Username="ada", UserAttributes=[{"Name": "email", "Value": "ada@example.com"}])
people.admin_set_user_password(UserPoolId=pool, Username="ada", Password="Correct-horse-7", Permanent=True)
proof = base64.b64encode(hmac.new(secret.encode(), f"ada{app}".encode(), hashlib.sha256).digest()).decode()
parameters = {"USERNAME": "ada", "PASSWORD": "Correct-horse-7"}


def refused(error, words, call, **arguments):
    try:
        call(**arguments)
    except error as told:
        assert words in str(told), told
        return
    raise AssertionError(f"not refused: {words}")


flow = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": app}
refused(
    people.exceptions.NotAuthorizedException,
    "SECRET_HASH was not received",
    anybody.initiate_auth,
    AuthParameters=parameters,
    **flow,
)
parameters["SECRET_HASH"] = proof
answer = anybody.initiate_auth(AuthParameters=parameters, **flow)["AuthenticationResult"]
by_admin = people.admin_initiate_auth(
    UserPoolId=pool, ClientId=app, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=parameters
)
assert by_admin["AuthenticationResult"]["TokenType"] == "Bearer"
assert anybody.get_user(AccessToken=answer["AccessToken"])["Username"] == "ada"
refused(
    people.exceptions.NotAuthorizedException, "Invalid Access Token", anybody.get_user, AccessToken=answer["IdToken"]
)

# The signature, by nothing but arithmetic and the published numbers.
decode = lambda part: base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
request = urllib.request.Request(f"{endpoint}/{pool}/.well-known/jwks.json")
request.add_header("Host", f"cognito-idp.{region}.amazonaws.com")
keys = {key["kid"]: key for key in json.load(urllib.request.urlopen(request))["keys"]}
for name, use in [("IdToken", "id"), ("AccessToken", "access")]:
    head, claims, signature = answer[name].split(".")
    key = keys[json.loads(decode(head))["kid"]]
    modulus, exponent = (int.from_bytes(decode(key[part]), "big") for part in ["n", "e"])
    opened = pow(int.from_bytes(decode(signature), "big"), exponent, modulus).to_bytes(256, "big")
    assert opened.startswith(b"\x00\x01\xff") and opened.endswith(hashlib.sha256(f"{head}.{claims}".encode()).digest())
    claims = json.loads(decode(claims))
    assert claims["iss"] == f"https://cognito-idp.{region}.amazonaws.com/{pool}" and claims["token_use"] == use, claims
    assert claims["exp"] - claims["iat"] == (300 if use == "id" else 3600), claims

# Who signs up waits for somebody to confirm it.
own = base64.b64encode(hmac.new(secret.encode(), f"bob{app}".encode(), hashlib.sha256).digest()).decode()
signed_up = anybody.sign_up(ClientId=app, Username="bob", Password="Correct-horse-7", SecretHash=own)
assert not signed_up["UserConfirmed"], signed_up
assert people.admin_get_user(UserPoolId=pool, Username="bob")["UserStatus"] == "UNCONFIRMED"
people.admin_confirm_sign_up(UserPoolId=pool, Username="bob")
assert people.admin_get_user(UserPoolId=pool, Username="bob")["UserStatus"] == "CONFIRMED"
assert sorted(user["Username"] for user in people.list_users(UserPoolId=pool)["Users"]) == ["ada", "bob"]

people.admin_delete_user(UserPoolId=pool, Username="ada")
refused(people.exceptions.UserNotFoundException, "does not exist", people.admin_get_user, UserPoolId=pool, Username="ada")
print("user pools are as they are on AWS")
