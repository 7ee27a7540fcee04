//! What comes with an object: headers, tags, checksums, encryption.

use http::{HeaderMap, HeaderValue};
use rusqlite::Transaction;
use s3s::dto::*;

use super::buckets::Bucket;
use super::model::{Checksums, Meta, StoredVersion, Tags};
use super::settings;
use crate::ground::ApiError;

/// Sets the five checksum fields that many outputs have.
macro_rules! put_checksums {
    ($output:expr, $checksums:expr) => {{
        let checksums = $checksums;
        $output.checksum_crc32 = checksums.crc32.clone();
        $output.checksum_crc32c = checksums.crc32c.clone();
        $output.checksum_crc64nvme = checksums.crc64nvme.clone();
        $output.checksum_sha1 = checksums.sha1.clone();
        $output.checksum_sha256 = checksums.sha256.clone();
    }};
}
pub(super) use put_checksums;

/// Whether checksums are of the parts' or of the whole body, as the API says it.
pub(super) fn checksum_type(checksums: &Checksums) -> Option<ChecksumType> {
    (*checksums != Checksums::default()).then(|| {
        ChecksumType::from_static(if checksums.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
    })
}

/// The headers that a put, a copy and an upload in parts take alike.
macro_rules! meta_of {
    ($input:expr) => {
        Meta {
            content_type: $input.content_type.clone(),
            cache_control: $input.cache_control.clone(),
            content_disposition: $input.content_disposition.clone(),
            content_encoding: $input.content_encoding.clone().filter(|encoding| !encoding.is_empty()),
            content_language: $input.content_language.clone(),
            expires: $input.expires.clone(),
            website_redirect: $input.website_redirect_location.clone(),
            storage_class: $input
                .storage_class
                .as_ref()
                .map(|class| class.as_str().to_owned())
                .filter(|class| class != StorageClass::STANDARD),
            encryption: $input
                .server_side_encryption
                .as_ref()
                .map(|algorithm| algorithm.as_str().to_owned())
                .filter(|algorithm| algorithm != ServerSideEncryption::AES256),
            kms_key: $input.ssekms_key_id.clone(),
            user: $input.metadata.clone().unwrap_or_default().into_iter().collect(),
            ..Meta::default()
        }
    };
}
pub(super) use meta_of;

/// Refuses by name what objects can have on AWS and not here.
macro_rules! refuse_unsimulated {
    ($operation:literal, $input:expr) => {
        $crate::s3::object_meta::refuse_features(
            $operation,
            $input.sse_customer_algorithm.is_some(),
            $input.object_lock_mode.is_some() || $input.object_lock_legal_hold_status.is_some(),
            $input.acl.as_ref().map(ObjectCannedACL::as_str),
        )
    };
}
pub(super) use refuse_unsimulated;

/// Refuses what [`refuse_unsimulated`] finds.
pub(super) fn refuse_features(
    operation: &str,
    customer_key: bool,
    lock: bool,
    acl: Option<&str>,
) -> Result<(), ApiError> {
    if customer_key {
        return Err(ApiError::not_implemented("s3", &format!("{operation} with a customer-provided key")));
    }
    if lock {
        return Err(ApiError::not_implemented("s3", &format!("{operation} with object lock")));
    }
    match acl {
        None | Some(ObjectCannedACL::BUCKET_OWNER_FULL_CONTROL) => Ok(()),
        // Buckets here own their objects, as all new buckets on AWS do.
        Some(_) => Err(ApiError::sender("AccessControlListNotSupported", "The bucket does not allow ACLs")),
    }
}

/// User metadata has a limit of 2 KiB.
pub(super) fn check_meta(meta: &Meta) -> Result<(), ApiError> {
    let size: usize = meta.user.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > 2048 {
        return Err(ApiError::sender(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        ));
    }
    Ok(())
}

/// Tags of the `x-amz-tagging` header, which are written as a query string is.
pub(super) fn header_tags(header: Option<&str>) -> Result<Tags, ApiError> {
    let tags: Tags = form_urlencoded::parse(header.unwrap_or_default().as_bytes())
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    settings::check_tags(&tags, 10)?;
    Ok(tags)
}

/// The encryption an object is shown with.
pub(super) fn encryption(meta: &Meta) -> ServerSideEncryption {
    meta.encryption.clone().map_or_else(|| ServerSideEncryption::from_static(ServerSideEncryption::AES256), Into::into)
}

/// The bucket's own encryption, for an object that came with none.
pub(super) fn encrypt(tx: &Transaction<'_>, bucket: &Bucket, meta: &mut Meta) -> Result<(), ApiError> {
    if meta.encryption.is_none() {
        let (algorithm, key) = settings::encryption_of(tx, bucket)?;
        meta.encryption = algorithm;
        meta.kms_key = meta.kms_key.take().or(key);
    }
    Ok(())
}

/// Headers that tell of a version in an error's answer.
pub(super) fn marker_headers(version: &StoredVersion) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    if let Ok(id) = HeaderValue::from_str(&version.version) {
        headers.insert("x-amz-version-id", id);
    }
    headers
}
