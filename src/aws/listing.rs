//! S3: what is in a bucket, and what goes with it.

use std::collections::BTreeMap;

use aws_sdk_s3::types::EncodingType;

use super::clients::Clients;
use super::error::{CallError, CallErrorKind};
use super::objects::plain_key;

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in seconds since 1970.
    pub modified: i64,
}

/// What goes with an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectMarks {
    /// Its media type.
    pub content_type: Option<String>,
    /// Metadata of the uploader's own, by names in lower case.
    pub metadata: BTreeMap<String, String>,
}

impl Clients {
    /// The objects under a prefix, in the order of their keys, of a bucket that must be this account's.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn objects(&self, bucket: &str, prefix: &str, owner: &str) -> Result<Vec<ListedObject>, CallError> {
        let call = self.inner.s3.list_objects_v2().bucket(bucket).prefix(prefix).expected_bucket_owner(owner);
        let call = call.encoding_type(EncodingType::Url);
        let mut pages = call.into_paginator().send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.error("s3:ListBucket", error))?;
            let encoded = page.encoding_type.clone();
            objects.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| {
                let size = object.size.and_then(|size| u64::try_from(size).ok())?;
                Some(ListedObject {
                    key: plain_key(&object.key?, encoded.as_ref()),
                    size,
                    modified: object.last_modified.map_or(0, |time| time.secs()),
                })
            }));
        }
        Ok(objects)
    }

    /// What goes with an object; none when it is not there. None either for a key of white space only, which the SDK takes for
    /// none: this program writes no such object.
    ///
    /// # Errors
    /// When the call fails for another reason than absence.
    pub async fn object_marks(&self, bucket: &str, key: &str, owner: &str) -> Result<Option<ObjectMarks>, CallError> {
        if key.trim().is_empty() {
            return Ok(None);
        }
        let call = self.inner.s3.head_object().bucket(bucket).key(key).expected_bucket_owner(owner);
        match call.send().await {
            Ok(head) => Ok(Some(ObjectMarks {
                content_type: head.content_type,
                metadata: head.metadata.unwrap_or_default().into_iter().collect(),
            })),
            Err(error) => {
                let error = self.error("s3:GetObject", error);
                if error.kind == CallErrorKind::NotFound { Ok(None) } else { Err(error) }
            }
        }
    }
}
