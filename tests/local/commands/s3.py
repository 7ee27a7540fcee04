"""Drives S3 and STS of the local target with the AWS CLI: every operation that has a command.

Usage: s3.py ENDPOINT_URL. Ends with 0 when every command did, with a traceback otherwise.
"""

import pathlib
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from aws import ACCOUNT, Aws, folder, write

run = uuid.uuid4().hex[:10]
bucket = f"posters-{run}"
work = folder()
aws = Aws(sys.argv[1], work.name)


def api(command, **values):
    """A command about the bucket."""
    name, _, rest = command.partition(" ")
    return aws(f"s3api {name} --bucket {bucket} {rest}", **values)


def settings():
    here = "LocationConstraint=us-west-2"
    assert bucket in api("create-bucket --create-bucket-configuration {here}", here=here)["Location"]
    assert api("head-bucket")["BucketRegion"] == "us-west-2"
    assert api("get-bucket-location")["LocationConstraint"] == "us-west-2"
    assert bucket in aws("s3api list-buckets --query Buckets[].Name")
    api("put-bucket-versioning --versioning-configuration Status=Enabled")
    assert api("get-bucket-versioning")["Status"] == "Enabled"
    api("put-bucket-tagging --tagging TagSet=[{Key=course,Value=bedrock}]")
    assert api("get-bucket-tagging")["TagSet"][0]["Value"] == "bedrock"
    api("delete-bucket-tagging")
    rule = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    api("put-bucket-encryption --server-side-encryption-configuration {rule}", rule=rule)
    assert api("get-bucket-encryption")["ServerSideEncryptionConfiguration"]["Rules"]
    api("delete-bucket-encryption")
    api("put-public-access-block --public-access-block-configuration BlockPublicAcls=true,BlockPublicPolicy=true")
    assert api("get-public-access-block")["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]
    api("delete-public-access-block")
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}}
    api("put-bucket-lifecycle-configuration --lifecycle-configuration {rules}", rules={"Rules": [rule]})
    assert api("get-bucket-lifecycle-configuration")["Rules"][0]["Expiration"]["Days"] == 7
    api("delete-bucket-lifecycle")
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/closed/*"
    }
    api("put-bucket-policy --policy {policy}", policy={"Version": "2012-10-17", "Statement": [statement]})
    assert "closed" in api("get-bucket-policy")["Policy"]
    api("delete-bucket-policy")
    api("put-bucket-ownership-controls --ownership-controls Rules=[{ObjectOwnership=BucketOwnerEnforced}]")
    assert api("get-bucket-ownership-controls")["OwnershipControls"]["Rules"]


def objects():
    write("dog.txt", "a dog at sunset")
    first = api("put-object --key dog.txt --body dog.txt --metadata by=me")
    assert api("head-object --key dog.txt")["Metadata"] == {"by": "me"}
    assert api("get-object --key dog.txt out.txt")["ContentLength"] == 15
    assert pathlib.Path("out.txt").read_text() == "a dog at sunset"
    assert api("get-object-attributes --key dog.txt --object-attributes ObjectSize")["ObjectSize"] == 15
    api("put-object-tagging --key dog.txt --tagging TagSet=[{Key=a,Value=b}]")
    assert api("get-object-tagging --key dog.txt")["TagSet"] == [{"Key": "a", "Value": "b"}]
    api("delete-object-tagging --key dog.txt")
    api(f"copy-object --key copy.txt --copy-source {bucket}/dog.txt")
    assert [one["Key"] for one in api("list-objects")["Contents"]] == ["copy.txt", "dog.txt"]
    assert len(api("list-objects-v2 --prefix copy")["Contents"]) == 1
    assert api("delete-object --key dog.txt")["DeleteMarker"]
    versions = api("list-object-versions")
    assert len(versions["Versions"]) == 2 and len(versions["DeleteMarkers"]) == 1, versions
    gone = {"Objects": [{"Key": "dog.txt", "VersionId": first["VersionId"]}]}
    assert len(api("delete-objects --delete {gone}", gone=gone)["Deleted"]) == 1


def parts():
    write("part", "x" * (5 << 20))
    upload = api("create-multipart-upload --key large")["UploadId"]
    assert [one["UploadId"] for one in api("list-multipart-uploads")["Uploads"]] == [upload]
    one = api(f"upload-part --key large --upload-id {upload} --part-number 1 --body part")
    two = api(f"upload-part-copy --key large --upload-id {upload} --part-number 2 --copy-source {bucket}/copy.txt")
    assert len(api(f"list-parts --key large --upload-id {upload}")["Parts"]) == 2
    tags = [one["ETag"], two["CopyPartResult"]["ETag"]]
    whole = {"Parts": [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]}
    api(f"complete-multipart-upload --key large --upload-id {upload} --multipart-upload {{whole}}", whole=whole)
    other = api("create-multipart-upload --key other")["UploadId"]
    api(f"abort-multipart-upload --key other --upload-id {other}")


def as_people_do():
    """The commands of `aws s3`, which are made of these operations."""
    name = f"handbook-{run}"
    aws(f"s3 mb s3://{name}")
    for page in ("leave.md", "travel.md"):
        write(page, page)
    aws(f"s3 sync . s3://{name}/docs --exclude * --include *.md ")
    assert "travel.md" in aws(f"s3 ls s3://{name}/docs/")
    aws(f"s3 cp s3://{name}/docs/leave.md back.md ")
    assert pathlib.Path("back.md").read_text() == "leave.md"
    assert f"{name}/docs/leave.md" in aws(f"s3 presign s3://{name}/docs/leave.md")
    aws.refused("BucketNotEmpty", f"s3 rb s3://{name}")
    aws(f"s3 rm s3://{name} --recursive --quiet")
    aws(f"s3 rb s3://{name}")


def identity():
    assert aws("sts get-caller-identity")["Account"] == ACCOUNT
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}
    template = {"Resources": {"Role": role}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}}}
    arn = aws.deploy(f"role-{run}", template)["Arn"]
    assert aws(f"sts assume-role --role-arn {arn} --role-session-name me")["Credentials"]["SessionToken"]
    aws.refused("NotImplemented", "sts get-session-token")


settings()
objects()
parts()
as_people_do()
identity()
kept = api("list-object-versions --query [Versions,DeleteMarkers][][].{Key:Key,VersionId:VersionId}")
api("delete-objects --delete {kept}", kept={"Objects": kept})
api("delete-bucket")
aws.refused("404", f"s3api head-bucket --bucket {bucket}")
print("S3 and STS are as the AWS CLI expects them")
