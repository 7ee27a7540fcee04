"""Asks ministack, through boto3, for what a deploy of movie-poster must have left there.

Usage: ministack.py ENDPOINT_URL
"""

import sys

import boto3


def main(endpoint: str) -> None:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-west-2")

    def client(service: str):
        return session.client(service, endpoint_url=endpoint)

    resources = {
        r["LogicalResourceId"]: r["PhysicalResourceId"]
        for r in client("cloudformation").list_stack_resources(StackName="movie-poster-dev")["StackResourceSummaries"]
    }
    of = {}
    for logical_id, physical_id in resources.items():
        print(f"{logical_id:40} {physical_id}")
        of[logical_id] = physical_id

    client("s3").head_bucket(Bucket=of["PostersBucket"])
    role = client("iam").get_role(RoleName=of["DesignFunctionRole"])["Role"]
    function = client("lambda").get_function_configuration(FunctionName=of["DesignFunction"])
    assert function["Role"] == role["Arn"], function["Role"]
    assert function["Runtime"] == "python3.13", function["Runtime"]
    layers = [layer["Arn"] for layer in function.get("Layers", [])]
    assert layers == [of["Boto3Layer"]], layers
    api = client("apigateway").get_rest_api(restApiId=of["PostersApi"])
    assert api["name"] == "moviePosterDesignAPI", api["name"]
    paths = {r["path"]: r for r in client("apigateway").get_resources(restApiId=of["PostersApi"])["items"]}
    assert "GET" in paths["/moviePosterDesign"]["resourceMethods"], paths
    print("bucket, role, function, layer and API are there")


if __name__ == "__main__":
    main(sys.argv[1])
