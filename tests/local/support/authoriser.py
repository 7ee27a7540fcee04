"""Calls the REST and the HTTP API of `api-gateway-lab` with the token of its secret, with a wrong one and with none.

Usage: authoriser.py ENDPOINT_URL. Ends with 0 and one line when the authoriser lets in whom it should.
"""

import sys
import urllib.error
import urllib.parse
import urllib.request

import boto3

endpoint = sys.argv[1]


def client(service):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-west-2",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


stack = client("cloudformation").describe_stacks(StackName="api-gateway-lab-dev")["Stacks"][0]
outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def call(method, output, token):
    """The status of one call, under the endpoint's own address."""
    parts = urllib.parse.urlsplit(outputs[output])
    request = urllib.request.Request(endpoint + parts.path, method=method, data=b"{}" if method == "POST" else None)
    request.add_header("Host", parts.netloc)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


token = client("secretsmanager").get_secret_value(SecretId=outputs["TokenSecretArn"])["SecretString"]
assert len(token) == 40, len(token)
statuses = {
    (method, output): [call(method, output, given) for given in [token, "wrong", None]]
    for method, output in [("GET", "RestApiBearerGetUrl"), ("POST", "HttpApiEchoPostUrl")]
}
assert statuses == {
    ("GET", "RestApiBearerGetUrl"): [200, 403, 401],
    ("POST", "HttpApiEchoPostUrl"): [200, 403, 401],
}, statuses
print("the authoriser lets in whom it should")
