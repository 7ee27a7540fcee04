//! What a role may do: decided once the operation, bucket and key of its request are known.

use std::sync::Arc;

use http::StatusCode;
use s3s::access::S3AccessContext;
use s3s::dto::CopySource;
use s3s::path::S3Path;

use super::actions::{ObjectRequest, arn, required_permissions};
use crate::ground::{ApiError, Authorization, DEFAULT_REGION, Host};
use crate::identity::{Principal, RequiredPermission, authorize};

use super::operation::{S3Context, S3Refusal};
use super::read_ops::object_exists;

/// Operations that tell whether an object is there.
const READS: &[&str] = &["GetObject", "HeadObject", "GetObjectAttributes", "GetObjectTagging"];

/// Decides a request of a role.
///
/// # Errors
///
/// `AccessDenied`, in S3's words.
pub(super) async fn check(
    host: &Arc<Host>,
    principal: Principal,
    context: &mut S3AccessContext<'_>,
) -> Result<(), S3Refusal> {
    let operation = context.s3_op().name().to_owned();
    let (bucket, key) = match context.s3_path() {
        S3Path::Root => (None, None),
        S3Path::Bucket { bucket } => (Some(bucket.to_string()), None),
        S3Path::Object { bucket, key } => (Some(bucket.to_string()), Some(key.to_string())),
    };
    let query = context.uri().query().unwrap_or_default().to_owned();
    let parameter = move |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    let header = |name: &str| context.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let source = match header("x-amz-copy-source") {
        None => None,
        // What can't be read is refused when the request is carried out, by the same reader.
        Some(source) => copy_source(&source),
    };
    let tags = header("x-amz-tagging").is_some_and(|tags| !tags.is_empty());
    let region = context.extensions_mut().get::<S3Context>().map(|caller| caller.region.clone());
    let context = host.request_context(region.as_deref().unwrap_or(DEFAULT_REGION));
    let decided = host.store.write(move |tx| -> Result<Authorization, ApiError> {
        let version = parameter("versionId");
        let object = ObjectRequest {
            bucket: bucket.as_deref(),
            key: key.as_deref(),
            versioned: version.is_some(),
            source,
            tags,
            prefix: parameter("prefix"),
            delimiter: parameter("delimiter"),
        };
        let mut required = required_permissions(&operation, &object);
        // Without the right to list a bucket nobody is told that an object is not there.
        if let (Some(bucket), Some(key)) = (&bucket, &key)
            && READS.contains(&operation.as_str())
            && let Err(missing) = object_exists(tx, bucket, key, version.as_deref())
            && missing.code == "NoSuchKey"
        {
            required.push(RequiredPermission::new("s3:ListBucket", arn(bucket, None)).with("s3:prefix", key.clone()));
        }
        authorize(tx, &principal, &required, &context)
    });
    decided.await?.or_refuse(|denial| {
        ApiError::sender("AccessDenied", denial.s3_message()).with_status(StatusCode::FORBIDDEN).into()
    })
}

/// The bucket, the key and whether a version is named, of the source of a copy: as it is read when it is copied.
fn copy_source(source: &str) -> Option<(String, String, bool)> {
    match CopySource::parse(source).ok()? {
        CopySource::Bucket { bucket, key, version_id } => Some((bucket.into(), key.into(), version_id.is_some())),
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_copy_is_read() {
        let read = |source| copy_source(source).map(|(bucket, key, version)| format!("{bucket} {key} {version}"));
        assert_eq!(read("/from/a%20b/c").as_deref(), Some("from a b/c false"));
        assert_eq!(read("from/k?versionId=1").as_deref(), Some("from k true"));
        assert_eq!(read("from"), None);
    }
}
