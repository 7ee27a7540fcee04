//! What is kept of an object beside its body.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ground::store::Blob;

/// The checksums of a body, each in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksums {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether they are of the checksums of the parts and not of the whole body.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub composite: bool,
}

/// One part of an object that was uploaded in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartMeta {
    pub number: i32,
    pub size: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub checksums: Checksums,
}

/// The headers an object is given back with, its checksums and its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<s3s::dto::Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// `AES256` when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub checksums: Checksums,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartMeta>,
    /// Of an upload in progress: the checksum its parts have, as `CRC32` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_algorithm: Option<String>,
    /// Of an upload in progress: `COMPOSITE` or `FULL_OBJECT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_checksum_type: Option<String>,
}

/// Tags in the order they were given.
pub type Tags = Vec<(String, String)>;

/// One version of an object, or a delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    pub key: String,
    /// Orders the versions of a key; later is greater.
    pub seq: i64,
    /// `null` for one made without versioning.
    pub version: String,
    pub latest: bool,
    /// Whether it is a delete marker.
    pub marker: bool,
    /// Seconds since 1970.
    pub modified: i64,
    /// Bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// The body, none for a marker.
    pub blob: Option<Blob>,
    pub meta: Meta,
    pub tags: Tags,
}

/// The version id of an object made without versioning.
pub const NULL_VERSION: &str = "null";

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
