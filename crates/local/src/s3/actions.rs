//! S3: by operation, bucket and key.

use crate::ground::RequiredPermission;

/// What an S3 request asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ObjectRequest<'a> {
    pub bucket: Option<&'a str>,
    pub key: Option<&'a str>,
    /// Whether a version is named.
    pub versioned: bool,
    /// Of a copy: the bucket, the key and whether a version of the source is named.
    pub source: Option<(String, String, bool)>,
    /// Whether the request sets tags along with the object.
    pub tags: bool,
    pub prefix: Option<String>,
    pub delimiter: Option<String>,
}

/// Operations whose action has another name: on the bucket.
const ON_BUCKET: &[(&str, &str)] = &[
    ("CreateBucket", "CreateBucket"),
    ("DeleteBucket", "DeleteBucket"),
    ("HeadBucket", "ListBucket"),
    ("ListObjects", "ListBucket"),
    ("ListObjectsV2", "ListBucket"),
    ("ListObjectVersions", "ListBucketVersions"),
    ("ListMultipartUploads", "ListBucketMultipartUploads"),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
    ("GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    ("PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("DeleteBucketTagging", "PutBucketTagging"),
];

/// Operations on objects: the action, and the one when a version is named.
const ON_OBJECT: &[(&str, &str, &str)] = &[
    ("GetObject", "GetObject", "GetObjectVersion"),
    ("HeadObject", "GetObject", "GetObjectVersion"),
    ("GetObjectAttributes", "GetObjectAttributes", "GetObjectVersionAttributes"),
    ("PutObject", "PutObject", "PutObject"),
    ("CopyObject", "PutObject", "PutObject"),
    ("CreateMultipartUpload", "PutObject", "PutObject"),
    ("UploadPart", "PutObject", "PutObject"),
    ("UploadPartCopy", "PutObject", "PutObject"),
    ("CompleteMultipartUpload", "PutObject", "PutObject"),
    ("AbortMultipartUpload", "AbortMultipartUpload", "AbortMultipartUpload"),
    ("ListParts", "ListMultipartUploadParts", "ListMultipartUploadParts"),
    ("DeleteObject", "DeleteObject", "DeleteObjectVersion"),
    ("GetObjectTagging", "GetObjectTagging", "GetObjectVersionTagging"),
    ("PutObjectTagging", "PutObjectTagging", "PutObjectVersionTagging"),
    ("DeleteObjectTagging", "DeleteObjectTagging", "DeleteObjectVersionTagging"),
];

/// The ARN of a bucket, or of an object in it.
pub(crate) fn arn(bucket: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        None => format!("arn:aws:s3:::{bucket}"),
    }
}

/// What an operation needs. That of `DeleteObjects` is asked for each key ([`delete_one`]).
pub(crate) fn required_permissions(operation: &str, object: &ObjectRequest<'_>) -> Vec<RequiredPermission> {
    let bucket = object.bucket.unwrap_or_default();
    let mut required_permissions = Vec::new();
    match operation {
        "ListBuckets" => return vec![RequiredPermission::new("s3:ListAllMyBuckets", "*")],
        "DeleteObjects" => return Vec::new(),
        _ => {}
    }
    if let Some((_, plain, versioned)) = ON_OBJECT.iter().find(|(name, ..)| *name == operation) {
        let action = if object.versioned { versioned } else { plain };
        if let Some((from, key, versioned)) = &object.source {
            let action = if *versioned { "s3:GetObjectVersion" } else { "s3:GetObject" };
            required_permissions.push(RequiredPermission::new(action, arn(from, Some(key))));
        }
        let own = arn(bucket, Some(object.key.unwrap_or_default()));
        required_permissions.push(RequiredPermission::new(format!("s3:{action}"), own.clone()));
        if object.tags && *action == "PutObject" {
            required_permissions.push(RequiredPermission::new("s3:PutObjectTagging", own));
        }
        return required_permissions;
    }
    let action = ON_BUCKET.iter().find(|(name, _)| *name == operation).map_or(operation, |(_, action)| action);
    let mut need = RequiredPermission::new(format!("s3:{action}"), arn(bucket, object.key));
    if action.starts_with("ListBucket") {
        need = need.with("s3:prefix", object.prefix.clone().unwrap_or_default());
        if let Some(delimiter) = &object.delimiter {
            need = need.with("s3:delimiter", delimiter.clone());
        }
    }
    vec![need]
}

/// What deleting one object of many needs.
pub(crate) fn delete_one(bucket: &str, key: &str, versioned: bool) -> RequiredPermission {
    let action = if versioned { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    RequiredPermission::new(action, arn(bucket, Some(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(operation: &str, object: &ObjectRequest<'_>) -> Vec<String> {
        required_permissions(operation, object)
            .into_iter()
            .map(|need| format!("{} {}", need.action, need.resource))
            .collect()
    }

    #[test]
    fn operations_need_the_rights_aws_asks_for() {
        let object = ObjectRequest { bucket: Some("b"), key: Some("a/k"), ..ObjectRequest::default() };
        assert_eq!(told("HeadObject", &object), ["s3:GetObject arn:aws:s3:::b/a/k"]);
        assert_eq!(
            told("DeleteObject", &ObjectRequest { versioned: true, ..object.clone() }),
            ["s3:DeleteObjectVersion arn:aws:s3:::b/a/k"]
        );
        let copy = ObjectRequest { source: Some(("from".to_owned(), "x".to_owned(), false)), tags: true, ..object };
        assert_eq!(
            told("CopyObject", &copy),
            [
                "s3:GetObject arn:aws:s3:::from/x",
                "s3:PutObject arn:aws:s3:::b/a/k",
                "s3:PutObjectTagging arn:aws:s3:::b/a/k"
            ]
        );
        let bucket = ObjectRequest { bucket: Some("b"), prefix: Some("p/".to_owned()), ..ObjectRequest::default() };
        assert_eq!(told("ListObjectsV2", &bucket), ["s3:ListBucket arn:aws:s3:::b"]);
        assert_eq!(required_permissions("ListObjectsV2", &bucket)[0].context, [("s3:prefix", "p/".to_owned())]);
        assert_eq!(told("PutBucketVersioning", &bucket), ["s3:PutBucketVersioning arn:aws:s3:::b"]);
        assert_eq!(told("GetBucketEncryption", &bucket), ["s3:GetEncryptionConfiguration arn:aws:s3:::b"]);
        assert_eq!(told("ListBuckets", &ObjectRequest::default()), ["s3:ListAllMyBuckets *"]);
    }
}
