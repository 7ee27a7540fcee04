"""Drives S3 and STS of the local target with boto3: every operation it has, at least once.

Usage: s3.py ENDPOINT_URL. Ends with 0 and one line when all is as on AWS, with a traceback otherwise.
"""

import io
import sys
import time
import urllib.error
import urllib.request
import uuid

import boto3
import botocore
from botocore.config import Config

endpoint = sys.argv[1]
region = "us-west-2"
session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=region)
retries = {"max_attempts": 1}
s3 = session.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}, retries=retries))
sts = session.client("sts", endpoint_url=endpoint, config=Config(retries=retries))
here = {"LocationConstraint": region}
run = uuid.uuid4().hex[:12]


def refused(code, call, **arguments):
    """Asserts that a call is refused with a code; gives the error."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, (code, error.response)
        return error.response
    raise AssertionError(f"{call.__name__} was not refused with {code}")


def identity():
    who = sts.get_caller_identity()
    assert who["Account"] == "123456789012" and who["Arn"].endswith(":user/local"), who
    error = refused("NotImplemented", sts.get_federation_token, Name="me")
    assert "`GetFederationToken` of `sts`" in error["Error"]["Message"], error
    refused("NotImplemented", sts.get_session_token)


def not_simulated():
    for service, call, arguments in [
        ("sns", "list_topics", {}),
        ("ec2", "describe_vpcs", {}),
        ("secretsmanager", "get_random_password", {}),
        ("lambda", "list_event_source_mappings", {}),
        ("logs", "describe_queries", {}),
        ("cloudwatch", "list_metrics", {}),
        ("bedrock", "list_custom_models", {}),
    ]:
        client = session.client(service, endpoint_url=endpoint, config=Config(retries=retries))
        error = refused("NotImplemented", getattr(client, call), **arguments)
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 501, error
        assert "does not simulate" in error["Error"]["Message"], error
    bucket = f"refusing-{run}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    error = refused("NotImplemented", s3.get_bucket_acl, Bucket=bucket)
    assert "`GetBucketAcl` of `s3`" in error["Error"]["Message"], error
    if hasattr(s3, "get_bucket_abac"):
        refused("NotImplemented", s3.get_bucket_abac, Bucket=bucket)
    s3.delete_bucket(Bucket=bucket)


def buckets():
    name = f"buckets-{run}"
    assert s3.create_bucket(Bucket=name, CreateBucketConfiguration=here)["Location"]
    refused("BucketAlreadyOwnedByYou", s3.create_bucket, Bucket=name, CreateBucketConfiguration=here)
    refused("IllegalLocationConstraintException", s3.create_bucket, Bucket=f"no-{name}")
    refused("InvalidBucketName", s3.create_bucket, Bucket="192.168.1.1", CreateBucketConfiguration=here)
    regional = f"p-{run}-123456789012-{region}-an"
    s3.create_bucket(Bucket=regional, CreateBucketConfiguration=here, BucketNamespace="account-regional")
    s3.delete_bucket(Bucket=regional)
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == region
    refused("404", s3.head_bucket, Bucket=f"none-{run}")
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == region
    assert name in [bucket["Name"] for bucket in s3.list_buckets(Prefix="buckets-")["Buckets"]]
    refused("403", s3.head_bucket, Bucket=name, ExpectedBucketOwner="000000000000")

    assert "Status" not in s3.get_bucket_versioning(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"

    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=name)
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b<&>", "Value": "ü"}]
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == tags
    own = {"TagSet": [{"Key": "aws:mine", "Value": "no"}]}
    refused("InvalidTag", s3.put_bucket_tagging, Bucket=name, Tagging=own)
    s3.delete_bucket_tagging(Bucket=name)
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=name)

    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256", rules
    kms = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/k"}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [kms]})
    assert s3.put_object(Bucket=name, Key="sealed", Body=b"x")["ServerSideEncryption"] == "aws:kms"
    s3.delete_bucket_encryption(Bucket=name)

    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert all(block.values()) and len(block) == 4, block
    public = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
        f'"Resource":"arn:aws:s3:::{name}/*"}}]}}'
    )
    refused("AccessDenied", s3.put_bucket_policy, Bucket=name, Policy=public)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert not s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]
    refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=public)
    assert s3.get_bucket_policy(Bucket=name)["Policy"] == public
    refused("MalformedPolicy", s3.put_bucket_policy, Bucket=name, Policy="no policy")
    s3.delete_bucket_policy(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    refused("NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block, Bucket=name)

    refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, Bucket=name)
    rule = {"ID": "week", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 7}}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    assert s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"] == [rule]
    s3.delete_bucket_lifecycle(Bucket=name)

    owned = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}], owned
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )

    refused("BucketNotEmpty", s3.delete_bucket, Bucket=name)
    empty(name)
    s3.delete_bucket(Bucket=name)
    refused("NoSuchBucket", s3.list_objects_v2, Bucket=name)


def empty(bucket):
    """As everyone empties a bucket: delete each page of versions, then ask for the next."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        doomed = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]
        if doomed:
            outcome = s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})
            assert "Errors" not in outcome and "Deleted" not in outcome, outcome


def objects():
    bucket = f"objects-{run}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    key = "a b/ü+&<'\">?#%/\u2603.txt"
    put = s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=b"hello world",
        ContentType="text/plain",
        CacheControl="no-cache",
        ContentDisposition="inline",
        ContentLanguage="en",
        Metadata={"one": "1", "two": "2"},
        Tagging="t=1&u=a%20b",
    )
    assert put["ETag"] == '"5eb63bbbe01eeed093cb22bb8f5acdc3"', put
    assert put["ChecksumCRC32"] == "DUoRhQ==" and put["ServerSideEncryption"] == "AES256", put
    got = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"hello world"
    assert got["ContentType"] == "text/plain" and got["Metadata"] == {"one": "1", "two": "2"}, got
    assert got["TagCount"] == 2 and got["ChecksumCRC32"] == "DUoRhQ==", got
    head = s3.head_object(Bucket=bucket, Key=key)
    assert head["ContentLength"] == 11 and head["CacheControl"] == "no-cache", head
    assert head["ContentDisposition"] == "inline" and head["ContentLanguage"] == "en", head
    refused("404", s3.head_object, Bucket=bucket, Key="none")
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="none")

    for algorithm in ["CRC32", "CRC64NVME", "SHA1", "SHA256"]:
        try:
            stored = s3.put_object(Bucket=bucket, Key="sum", Body=b"hello world", ChecksumAlgorithm=algorithm)
        except botocore.exceptions.MissingDependencyException:
            continue
        assert stored[f"Checksum{algorithm}"], stored
    refused("BadDigest", s3.put_object, Bucket=bucket, Key="sum", Body=b"x", ChecksumCRC32="AAAAAA==")
    refused("InvalidDigest", s3.put_object, Bucket=bucket, Key="sum", Body=b"x", ContentMD5="AAAA")

    ranged = s3.get_object(Bucket=bucket, Key=key, Range="bytes=6-")
    assert ranged["Body"].read() == b"world" and ranged["ContentRange"] == "bytes 6-10/11", ranged
    assert s3.get_object(Bucket=bucket, Key=key, Range="bytes=-5")["Body"].read() == b"world"
    refused("InvalidRange", s3.get_object, Bucket=bucket, Key=key, Range="bytes=11-")
    etag = put["ETag"]
    refused("304", s3.get_object, Bucket=bucket, Key=key, IfNoneMatch=etag)
    refused("PreconditionFailed", s3.get_object, Bucket=bucket, Key=key, IfMatch='"other"')
    refused("304", s3.get_object, Bucket=bucket, Key=key, IfModifiedSince=got["LastModified"])
    assert s3.get_object(Bucket=bucket, Key=key, IfUnmodifiedSince=got["LastModified"])["ETag"] == etag
    shown = s3.get_object(Bucket=bucket, Key=key, ResponseContentType="image/png", ResponseCacheControl="max-age=1")
    assert shown["ContentType"] == "image/png" and shown["CacheControl"] == "max-age=1", shown
    refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key=key, Body=b"", IfNoneMatch="*")
    s3.put_object(Bucket=bucket, Key="new", Body=b"", IfNoneMatch="*")
    s3.put_object(Bucket=bucket, Key=key, Body=b"hello world", IfMatch=etag, Tagging="t=1")

    assert s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": "z", "Value": "9"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] == [{"Key": "z", "Value": "9"}]
    s3.delete_object_tagging(Bucket=bucket, Key=key)
    assert s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] == []

    attributes = s3.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=["ETag", "ObjectSize", "Checksum"])
    assert attributes["ObjectSize"] == 11 and attributes["Checksum"]["ChecksumCRC32"] == "DUoRhQ==", attributes

    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert copied["CopyObjectResult"]["ETag"] == etag, copied
    refused("InvalidRequest", s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/copy")
    s3.copy_object(
        Bucket=bucket, Key="copy", CopySource=f"{bucket}/copy", MetadataDirective="REPLACE", Metadata={"new": "1"}
    )
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"new": "1"}
    refused("NoSuchKey", s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/none")

    listed = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == sorted([key, "copy", "new", "sum"]), listed
    s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_object(Bucket=bucket, Key=key)
    outcome = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": name} for name in ["copy", "new", "sum", "no"]]})
    assert [item["Key"] for item in outcome["Deleted"]] == ["copy", "new", "sum", "no"], outcome
    s3.delete_bucket(Bucket=bucket)


def listings():
    bucket = f"listings-{run}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    keys = sorted(["a", "b/1", "b/2", "b/c/3", "d/4", "e", "f\u0001g", "z/"], key=lambda key: key.encode())
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for operation in ["list_objects", "list_objects_v2"]:
        for size in [1, 2, 3, 100]:
            found, rolled = [], []
            for page in s3.get_paginator(operation).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
            ):
                found += [item["Key"] for item in page.get("Contents", [])]
                rolled += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
            assert found == ["a", "e", "f\u0001g"] and rolled == ["b/", "d/", "z/"], (operation, size, found, rolled)
            found = []
            for page in s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": size}):
                found += [item["Key"] for item in page.get("Contents", [])]
            assert found == keys, (operation, size, found)
    below = s3.list_objects_v2(Bucket=bucket, Prefix="b/", Delimiter="/")
    assert [item["Key"] for item in below["Contents"]] == ["b/1", "b/2"], below
    assert below["CommonPrefixes"] == [{"Prefix": "b/c/"}] and below["KeyCount"] == 3, below
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="b/2", FetchOwner=True)
    assert [item["Key"] for item in after["Contents"]][0] == "b/c/3", after
    assert after["Contents"][0]["Owner"]["ID"], after
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    empty(bucket)
    s3.delete_bucket(Bucket=bucket)


def versions():
    bucket = f"versions-{run}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    s3.put_object(Bucket=bucket, Key="k", Body=b"0")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"0"
    gone = s3.delete_object(Bucket=bucket, Key="k")
    assert gone["DeleteMarker"] and gone["VersionId"], gone
    error = refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="k")
    assert error["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true", error
    refused("MethodNotAllowed", s3.get_object, Bucket=bucket, Key="k", VersionId=gone["VersionId"])
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    page = s3.list_object_versions(Bucket=bucket)
    assert [version["VersionId"] for version in page["Versions"]] == [second, first, "null"], page
    assert page["DeleteMarkers"][0]["IsLatest"], page
    assert s3.delete_object(Bucket=bucket, Key="k", VersionId=gone["VersionId"])["DeleteMarker"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"3")["VersionId"] == "null"
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 3
    for size in [1, 2, 5]:
        seen = []
        for page in s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": size}
        ):
            seen += [version["VersionId"] for version in page.get("Versions", [])]
        assert seen == ["null", second, first], seen
    empty(bucket)
    s3.delete_bucket(Bucket=bucket)


def uploads():
    bucket = f"uploads-{run}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    large, rest = b"x" * (5 << 20), b"the end"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big", ContentType="text/x", Metadata={"m": "1"})["UploadId"]
    one = s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=1, Body=large)
    two = s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=2, Body=rest)
    parts = [{"PartNumber": 1, "ETag": one["ETag"]}, {"PartNumber": 2, "ETag": two["ETag"]}]
    listed = s3.list_parts(Bucket=bucket, Key="big", UploadId=upload, MaxParts=1)
    assert listed["IsTruncated"] and listed["NextPartNumberMarker"] == 1, listed
    pending = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [(item["Key"], item["UploadId"]) for item in pending] == [("big", upload)], pending
    where = {"Bucket": bucket, "Key": "big", "UploadId": upload}
    refused("InvalidPartOrder", s3.complete_multipart_upload, MultipartUpload={"Parts": parts[::-1]}, **where)
    wrong = [parts[0], {"PartNumber": 2, "ETag": '"no"'}]
    refused("InvalidPart", s3.complete_multipart_upload, MultipartUpload={"Parts": wrong}, **where)
    done = s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **where)
    assert done["ETag"].endswith('-2"'), done
    whole = s3.get_object(Bucket=bucket, Key="big")
    assert whole["Body"].read() == large + rest and whole["ContentType"] == "text/x", whole
    assert s3.get_object(Bucket=bucket, Key="big", PartNumber=2)["Body"].read() == rest
    refused("NoSuchUpload", s3.list_parts, **where)

    upload = s3.create_multipart_upload(Bucket=bucket, Key="copied", ChecksumAlgorithm="SHA256")["UploadId"]
    where = {"Bucket": bucket, "Key": "copied", "UploadId": upload}
    source = {"Bucket": bucket, "Key": "big"}
    copied = s3.upload_part_copy(PartNumber=1, CopySource=source, CopySourceRange="bytes=0-5242879", **where)
    small = s3.upload_part(PartNumber=2, Body=b"tail", ChecksumAlgorithm="SHA256", **where)
    result = copied["CopyPartResult"]
    parts = [
        {"PartNumber": 1, "ETag": result["ETag"], "ChecksumSHA256": result["ChecksumSHA256"]},
        {"PartNumber": 2, "ETag": small["ETag"], "ChecksumSHA256": small["ChecksumSHA256"]},
    ]
    done = s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **where)
    assert done["ChecksumSHA256"].endswith("-2") and done["ChecksumType"] == "COMPOSITE", done

    upload = s3.create_multipart_upload(Bucket=bucket, Key="small")["UploadId"]
    where = {"Bucket": bucket, "Key": "small", "UploadId": upload}
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(PartNumber=number, Body=b"s", **where)["ETag"]}
        for number in [1, 2]
    ]
    refused("EntityTooSmall", s3.complete_multipart_upload, MultipartUpload={"Parts": parts}, **where)
    s3.abort_multipart_upload(**where)
    refused("NoSuchUpload", s3.abort_multipart_upload, **where)

    # The transfer manager chooses parts and checksums by itself.
    data = bytes(range(256)) * 4096 * 9
    s3.upload_fileobj(io.BytesIO(data), bucket, "managed")
    back = io.BytesIO()
    s3.download_fileobj(bucket, "managed", back)
    assert back.getvalue() == data
    s3.copy({"Bucket": bucket, "Key": "managed"}, bucket, "managed-copy")
    assert s3.head_object(Bucket=bucket, Key="managed-copy")["ContentLength"] == len(data)
    empty(bucket)
    s3.create_multipart_upload(Bucket=bucket, Key="left")
    s3.delete_bucket(Bucket=bucket)


def fetch(url, method="GET", body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def presigned():
    bucket = f"presigned-{run}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    for version in ["s3v4", "s3"]:
        signer = session.client("s3", endpoint_url=endpoint, config=Config(signature_version=version))
        for key in ["plain", "a b+ü/&.txt"]:
            where = {"Bucket": bucket, "Key": key}
            url = signer.generate_presigned_url("put_object", where, ExpiresIn=60)
            status, body = fetch(url, "PUT", b"signed", {"Content-Type": ""})
            assert status == 200, (url, status, body)
            url = signer.generate_presigned_url("get_object", where, ExpiresIn=60)
            assert fetch(url) == (200, b"signed")
            status, body = fetch(url.replace("plain", "other").replace(".txt", ".png"))
            assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body, body
    form = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n'
    form += b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n'
    status, body = fetch(f"{endpoint}/{bucket}", "POST", form, {"Content-Type": "multipart/form-data; boundary=b"})
    assert status == 403 and b"must be signed" in body, "a form is what a web page can send: %r" % body
    old = session.client("s3", endpoint_url=endpoint, config=Config(signature_version="s3v4"))
    url = old.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "plain"}, ExpiresIn=1)
    deadline = time.time() + 10
    status, body = fetch(url)
    while status == 200 and time.time() < deadline:
        status, body = fetch(url)
    assert status == 403 and b"<Message>Request has expired</Message>" in body, body
    stranger = boto3.Session(aws_access_key_id="stranger", aws_secret_access_key="x", region_name=region)
    url = stranger.client(
        "s3", endpoint_url=endpoint, config=Config(signature_version="s3v4")
    ).generate_presigned_url("get_object", {"Bucket": bucket, "Key": "plain"})
    status, body = fetch(url)
    assert status == 403 and b"<Code>InvalidAccessKeyId</Code>" in body, body
    empty(bucket)
    s3.delete_bucket(Bucket=bucket)


for part in [identity, not_simulated, buckets, objects, listings, versions, uploads, presigned]:
    started = time.time()
    part()
    print(f"ok {part.__name__} {time.time() - started:.2f}s", file=sys.stderr)
print("s3 and sts: all as expected")
