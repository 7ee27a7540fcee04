//! S3: artifacts up, buckets emptied.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use aws_smithy_types::byte_stream::Length;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use super::address::dns_suffix;
use super::clients::Clients;
use super::error::{CallError, CallErrorKind};
use super::types::{ObjectVersion, UnfinishedUpload, VersionPage};

/// Above this an object goes up in parts: one request would have to start over after any hiccup.
const MULTIPART_FROM: u64 = 64 * 1024 * 1024;
/// Size of a part; at most 10,000 parts make an object, so this reaches 160 GB.
const PART: u64 = 16 * 1024 * 1024;
/// Parts in flight at once.
const PARTS_AT_ONCE: usize = 4;
/// The most objects one `DeleteObjects` takes.
pub const DELETE_BATCH: usize = 1_000;

/// What goes with an object beside its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Its media type.
    pub content_type: Option<String>,
    /// Metadata of the uploader's own, by names in lower case.
    pub metadata: BTreeMap<String, String>,
}

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

    /// Uploads a file. S3 refuses it when what arrives is not what was sent.
    ///
    /// # Errors
    /// When the file cannot be read or a call fails; parts already sent are given up.
    pub async fn upload_file(&self, bucket: &str, key: &str, path: &Path, owner: &str) -> Result<(), CallError> {
        self.upload_labelled(bucket, key, path, owner, &Labels::default()).await
    }

    /// Uploads a file with labels, checked like [`Clients::upload_file`].
    ///
    /// # Errors
    /// As [`Clients::upload_file`].
    pub async fn upload_labelled(
        &self,
        bucket: &str,
        key: &str,
        path: &Path,
        owner: &str,
        labels: &Labels,
    ) -> Result<(), CallError> {
        let size = tokio::fs::metadata(path).await.map_err(|error| self.file_error(path, &error))?.len();
        if size > MULTIPART_FROM {
            return self.upload_parts(bucket, key, path, size, owner, labels).await;
        }
        let bytes = tokio::fs::read(path).await.map_err(|error| self.file_error(path, &error))?;
        self.put(bucket, key, bytes, owner, labels).await
    }

    /// Uploads bytes, checked like [`Clients::upload_file`].
    ///
    /// # Errors
    /// When the call fails.
    pub async fn upload_bytes(&self, bucket: &str, key: &str, bytes: Vec<u8>, owner: &str) -> Result<(), CallError> {
        self.put(bucket, key, bytes, owner, &Labels::default()).await
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        bytes: Vec<u8>,
        owner: &str,
        labels: &Labels,
    ) -> Result<(), CallError> {
        let checksum = STANDARD.encode(Sha256::digest(&bytes));
        let call = self
            .inner
            .s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(ByteStream::from(bytes))
            .checksum_sha256(checksum)
            .set_content_type(labels.content_type.clone())
            .set_metadata(metadata(labels))
            .expected_bucket_owner(owner);
        call.send().await.map_err(|error| self.error("s3:PutObject", error))?;
        Ok(())
    }

    async fn upload_parts(
        &self,
        bucket: &str,
        key: &str,
        path: &Path,
        size: u64,
        owner: &str,
        labels: &Labels,
    ) -> Result<(), CallError> {
        let s3 = &self.inner.s3;
        let call = s3
            .create_multipart_upload()
            .bucket(bucket)
            .key(key)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .set_content_type(labels.content_type.clone())
            .set_metadata(metadata(labels))
            .expected_bucket_owner(owner);
        let created = call.send().await.map_err(|error| self.error("s3:PutObject", error))?;
        let id = created.upload_id.ok_or_else(|| self.unreadable("s3:PutObject", "it names no upload"))?;
        let parts = stream::iter((0..size.div_ceil(PART)).map(|index| {
            let id = &id;
            async move {
                let offset = index * PART;
                let body = ByteStream::read_from()
                    .path(path)
                    .offset(offset)
                    .length(Length::Exact(PART.min(size - offset)))
                    .build()
                    .await
                    .map_err(|error| self.file_error(path, &error))?;
                let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
                let call = s3
                    .upload_part()
                    .bucket(bucket)
                    .key(key)
                    .upload_id(id)
                    .part_number(number)
                    .checksum_algorithm(ChecksumAlgorithm::Crc32)
                    .expected_bucket_owner(owner)
                    .body(body);
                let answer = call.send().await.map_err(|error| self.error("s3:PutObject", error))?;
                let part = CompletedPart::builder()
                    .part_number(number)
                    .set_e_tag(answer.e_tag)
                    .set_checksum_crc32(answer.checksum_crc32);
                Ok::<_, CallError>(part.build())
            }
        }))
        .buffered(PARTS_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await;
        let finished = match parts {
            Ok(parts) => {
                let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
                let call = s3
                    .complete_multipart_upload()
                    .bucket(bucket)
                    .key(key)
                    .upload_id(&id)
                    .multipart_upload(whole)
                    .expected_bucket_owner(owner);
                call.send().await.map(drop).map_err(|error| self.error("s3:PutObject", error))
            }
            Err(error) => Err(error),
        };
        if finished.is_err() {
            // Parts of an upload that is not given up cost money for ever; the first failure is the one to report.
            let abort = s3.abort_multipart_upload().bucket(bucket).key(key).upload_id(&id);
            let _ = abort.expected_bucket_owner(owner).send().await;
        }
        finished
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
            .set_version_id_marker(version);
        let page = call.send().await.map_err(|error| self.error("s3:ListBucketVersions", error))?;
        let versions = page.versions.unwrap_or_default().into_iter().map(|v| (v.key, v.version_id));
        let markers = page.delete_markers.unwrap_or_default().into_iter().map(|m| (m.key, m.version_id));
        let truncated = page.is_truncated.unwrap_or_default();
        let next = page.next_key_marker.map(|key| (key, page.next_version_id_marker));
        let versions =
            versions.chain(markers).filter_map(|(key, version)| Some(ObjectVersion { key: key?, version })).collect();
        Ok(VersionPage { versions, truncated: truncated && next.is_some(), next })
    }

    /// Deletes up to 1,000 versions and gives those that stayed, each with the service's reason.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_versions(
        &self,
        bucket: &str,
        versions: &[ObjectVersion],
    ) -> Result<Vec<(String, String)>, CallError> {
        let objects = versions.iter().filter_map(|version| {
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
            let call = call.set_key_marker(key).set_upload_id_marker(id);
            let page = call.send().await.map_err(|error| self.error("s3:ListBucketMultipartUploads", error))?;
            let found = page.uploads.unwrap_or_default().into_iter();
            uploads.extend(
                found.filter_map(|upload| Some(UnfinishedUpload { key: upload.key?, upload_id: upload.upload_id? })),
            );
            match page.next_key_marker {
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

    fn file_error(&self, path: &Path, error: &dyn std::fmt::Display) -> CallError {
        CallError {
            kind: CallErrorKind::Refused,
            action: "s3:PutObject",
            code: None,
            message: format!("`{}` cannot be read: {error}", path.display()),
            request_id: None,
            endpoint: None,
            profile: None,
        }
    }
}

fn metadata(labels: &Labels) -> Option<HashMap<String, String>> {
    let metadata: HashMap<String, String> = labels.metadata.clone().into_iter().collect();
    (!metadata.is_empty()).then_some(metadata)
}
