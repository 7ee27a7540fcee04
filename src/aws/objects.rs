//! S3: whether something is there, and buckets emptied.

use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};
use percent_encoding::percent_decode_str;

use super::address::dns_suffix;
use super::clients::Clients;
use super::error::{CallError, CallErrorKind};
use super::types::{ObjectVersion, UnfinishedUpload, VersionPage};

/// The most objects one `DeleteObjects` takes.
pub const DELETE_BATCH: usize = 1_000;

impl Clients {
    /// Whether an object is there, in a bucket that must be this account's.
    ///
    /// # Errors
    /// When the call fails for another reason than absence of the object or its bucket.
    pub async fn object_exists(&self, bucket: &str, key: &str, owner: &str) -> Result<bool, CallError> {
        let call = self.inner.s3.head_object().bucket(bucket).key(key).expected_bucket_owner(owner);
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) => {
                let error = self.error("s3:GetObject", error);
                if error.kind == CallErrorKind::NotFound { Ok(false) } else { Err(error) }
            }
        }
    }

    /// Whether a bucket exists. One that is another account's exists but is denied: an error.
    ///
    /// # Errors
    /// When the call fails for another reason than absence.
    pub async fn bucket_exists(&self, bucket: &str) -> Result<bool, CallError> {
        let owner = self.own_account().await?;
        match self.inner.s3.head_bucket().bucket(bucket).expected_bucket_owner(owner).send().await {
            Ok(_) => Ok(true),
            Err(error) => {
                let error = self.error("s3:ListBucket", error);
                if error.kind == CallErrorKind::NotFound { Ok(false) } else { Err(error) }
            }
        }
    }

    /// Deletes an empty bucket that must be this account's. One that is gone already is fine.
    ///
    /// # Errors
    /// When the call fails for another reason than absence.
    pub async fn delete_bucket(&self, bucket: &str, owner: &str) -> Result<(), CallError> {
        match self.inner.s3.delete_bucket().bucket(bucket).expected_bucket_owner(owner).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = self.error("s3:DeleteBucket", error);
                if error.kind == CallErrorKind::NotFound { Ok(()) } else { Err(error) }
            }
        }
    }

    /// A page of a bucket's versions and delete markers, from where the last page ended.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn object_versions(
        &self,
        bucket: &str,
        prefix: Option<&str>,
        from: Option<(String, Option<String>)>,
    ) -> Result<VersionPage, CallError> {
        let (key, version) = from.map_or((None, None), |(key, version)| (Some(key), version));
        let owner = self.own_account().await?;
        let call = self
            .inner
            .s3
            .list_object_versions()
            .bucket(bucket)
            .expected_bucket_owner(owner)
            .set_prefix(prefix.map(str::to_owned))
            .set_key_marker(key)
            .set_version_id_marker(version)
            .encoding_type(EncodingType::Url);
        let page = call.send().await.map_err(|error| self.error("s3:ListBucketVersions", error))?;
        let encoded = page.encoding_type.as_ref();
        let versions = page.versions.unwrap_or_default().into_iter().map(|v| (v.key, v.version_id));
        let markers = page.delete_markers.unwrap_or_default().into_iter().map(|m| (m.key, m.version_id));
        let truncated = page.is_truncated.unwrap_or_default();
        let next = page.next_key_marker.map(|key| (plain_key(&key, encoded), page.next_version_id_marker));
        let versions = versions
            .chain(markers)
            .filter_map(|(key, version)| Some(ObjectVersion { key: plain_key(&key?, encoded), version }))
            .collect();
        Ok(VersionPage { versions, truncated: truncated && next.is_some(), next })
    }

    /// Deletes up to 1,000 versions and gives those that stayed, each with the service's reason.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn delete_versions(
        &self,
        bucket: &str,
        versions: &[ObjectVersion],
    ) -> Result<Vec<(String, String)>, CallError> {
        let (in_batch, alone): (Vec<_>, Vec<_>) = versions.iter().partition(|version| fits_xml(&version.key));
        for version in alone {
            self.delete_version(bucket, version).await?;
        }
        let objects = in_batch.into_iter().filter_map(|version| {
            ObjectIdentifier::builder().key(&version.key).set_version_id(version.version.clone()).build().ok()
        });
        let objects: Vec<_> = objects.collect();
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let batch = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let batch = batch.map_err(|_| self.unreadable("s3:DeleteObject", "the batch is not well formed"))?;
        let owner = self.own_account().await?;
        let call = self.inner.s3.delete_objects().bucket(bucket).delete(batch).expected_bucket_owner(owner);
        let answer = call.send().await;
        let answer = answer.map_err(|error| self.error("s3:DeleteObject", error))?;
        let failed = answer.errors.unwrap_or_default().into_iter().map(|error| {
            let reason = [error.code, error.message].into_iter().flatten().collect::<Vec<_>>().join(": ");
            (error.key.unwrap_or_default(), reason)
        });
        Ok(failed.collect())
    }

    /// Deletes one version, whose key goes into the address and not into a document.
    async fn delete_version(&self, bucket: &str, version: &ObjectVersion) -> Result<(), CallError> {
        let owner = self.own_account().await?;
        let call = self.inner.s3.delete_object().bucket(bucket).key(&version.key).expected_bucket_owner(owner);
        let call = call.set_version_id(version.version.clone());
        call.send().await.map(drop).map_err(|error| self.error("s3:DeleteObject", error))
    }

    /// Multipart uploads of a bucket that were never finished; they keep a bucket from being deleted in some
    /// S3-compatible stores and cost money in all.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn unfinished_uploads(&self, bucket: &str) -> Result<Vec<UnfinishedUpload>, CallError> {
        let owner = self.own_account().await?;
        let mut uploads = Vec::new();
        let mut from: Option<(String, Option<String>)> = None;
        loop {
            let (key, id) = from.take().map_or((None, None), |(key, id)| (Some(key), id));
            let call = self.inner.s3.list_multipart_uploads().bucket(bucket).expected_bucket_owner(owner);
            let call = call.set_key_marker(key).set_upload_id_marker(id).encoding_type(EncodingType::Url);
            let page = call.send().await.map_err(|error| self.error("s3:ListBucketMultipartUploads", error))?;
            let encoded = page.encoding_type.as_ref();
            let found = page.uploads.unwrap_or_default().into_iter();
            uploads.extend(found.filter_map(|upload| {
                Some(UnfinishedUpload { key: plain_key(&upload.key?, encoded), upload_id: upload.upload_id? })
            }));
            match page.next_key_marker.map(|key| plain_key(&key, encoded)) {
                Some(key) if page.is_truncated.unwrap_or_default() => from = Some((key, page.next_upload_id_marker)),
                _ => return Ok(uploads),
            }
        }
    }

    /// Gives a multipart upload up; one that is gone already is no error.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn abort_upload(&self, bucket: &str, upload: &UnfinishedUpload) -> Result<(), CallError> {
        let owner = self.own_account().await?;
        let call = self.inner.s3.abort_multipart_upload().bucket(bucket).key(&upload.key).upload_id(&upload.upload_id);
        match call.expected_bucket_owner(owner).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = self.error("s3:AbortMultipartUpload", error);
                if error.kind == CallErrorKind::NotFound { Ok(()) } else { Err(error) }
            }
        }
    }

    /// The HTTPS (or endpoint's) URL CloudFormation reads a template from.
    pub fn object_url(&self, bucket: &str, key: &str) -> String {
        match self.endpoint() {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            None => {
                format!("https://{bucket}.s3.{}.{}/{key}", self.region(), dns_suffix(self.region()))
            }
        }
    }
}

/// A key as it is, out of a listing that was asked to encode keys: XML has no place for some characters of keys, and parsers
/// drop white space around others. Source: `EncodingType` in botocore's model of S3, and its decoding of `+` as a space, read
/// 2026-11-30.
pub(super) fn plain_key(key: &str, encoded: Option<&EncodingType>) -> String {
    if encoded != Some(&EncodingType::Url) {
        return key.to_owned();
    }
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Whether an XML document can hold a key. Source: `Char` in XML 1.0.
fn fits_xml(key: &str) -> bool {
    key.chars().all(|c| matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are() {
        let url = Some(&EncodingType::Url);
        assert_eq!(plain_key("a%01b+c%2Bd/e%C3%A4", url), "a\u{1}b c+d/eä");
        assert_eq!(plain_key("a%01b+c", None), "a%01b+c");
    }

    #[test]
    fn keys_that_no_document_holds_are_told() {
        for key in ["a\u{1}b", "\u{1b}[2J", "\u{ffff}"] {
            assert!(!fits_xml(key), "{key:?}");
        }
        for key in ["a b/ä\u{1f600}<&>", " ", "\u{2028}", "a\rb"] {
            assert!(fits_xml(key), "{key:?}");
        }
    }
}
