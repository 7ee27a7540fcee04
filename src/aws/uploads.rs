//! S3: files up. A large one goes in parts, each with tries of its own, read from the file when it is its turn; what is left
//! of an upload that was cut short is taken up again.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, EncodingType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::clients::Clients;
use super::error::{CallError, CallErrorKind};
use super::objects::plain_key;
use super::upload_connector::Moved;
use super::upload_limits::AT_ONCE;

/// The size of a part, and above it a file goes in parts: what a hiccup costs is one of them. At most 10,000 make an
/// object, so larger files have larger parts.
const PART: u64 = 8 << 20;
/// The most parts of an object. Source: S3's "Multipart upload limits".
const MOST_PARTS: u64 = 10_000;

/// What goes with an object beside its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Its media type.
    pub content_type: Option<String>,
    /// Metadata of the uploader's own, by names in lower case.
    pub metadata: BTreeMap<String, String>,
}

/// How far an upload is. Clones look at the same one.
#[derive(Debug, Clone, Default)]
pub struct UploadProgress {
    done: Arc<AtomicU64>,
    /// What is under way: each part by its number.
    moving: Arc<Mutex<BTreeMap<u64, Moved>>>,
}

impl UploadProgress {
    /// Bytes that are there or on their way.
    pub fn bytes(&self) -> u64 {
        let moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        self.done.load(Ordering::Relaxed) + moving.values().map(Moved::bytes).sum::<u64>()
    }

    fn begin(&self, part: u64) -> Moved {
        let moved = Moved::default();
        self.moving.lock().unwrap_or_else(PoisonError::into_inner).insert(part, moved.clone());
        moved
    }

    fn end(&self, part: u64, bytes: u64) {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner).remove(&part);
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A file on its way: where from, where to.
struct Upload<'a> {
    bucket: &'a str,
    key: &'a str,
    owner: &'a str,
    labels: &'a Labels,
    path: &'a Path,
    size: u64,
    progress: &'a UploadProgress,
}

impl Upload<'_> {
    fn part_size(&self) -> u64 {
        // In whole mebibytes, so that the next run cuts the file the same.
        PART.max(self.size.div_ceil(MOST_PARTS).next_multiple_of(1 << 20))
    }

    fn parts(&self) -> u64 {
        self.size.div_ceil(self.part_size())
    }

    /// Where the part begins and how long it is; the first is 1, as S3 counts.
    fn span(&self, part: u64) -> (u64, u64) {
        let start = (part - 1) * self.part_size();
        (start, self.part_size().min(self.size.saturating_sub(start)))
    }
}

/// A part that is there.
struct PartThere {
    etag: Option<String>,
    sha256: Option<String>,
    size: u64,
}

impl Clients {
    /// Uploads a file. S3 refuses it when what arrives is not what was sent.
    ///
    /// # Errors
    /// When the file cannot be read or a call fails; parts that went up are found by the next run.
    pub async fn upload_file(
        &self,
        bucket: &str,
        key: &str,
        path: &Path,
        owner: &str,
        progress: &UploadProgress,
    ) -> Result<(), CallError> {
        self.upload_labelled(bucket, key, path, owner, &Labels::default(), progress).await
    }

    /// Uploads a file with labels, as [`Clients::upload_file`].
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
        progress: &UploadProgress,
    ) -> Result<(), CallError> {
        let size = tokio::fs::metadata(path).await.map_err(|error| self.file_error(path, &error))?.len();
        let upload = Upload { bucket, key, owner, labels, path, size, progress };
        if size > PART {
            return self.upload_in_parts(&upload).await;
        }
        let turn = self.inner.upload_turns.turn().await;
        let bytes = self.read_span(path, 0, size).await?;
        let sent = self.put(bucket, key, bytes, owner, labels, progress).await;
        drop(turn);
        sent
    }

    /// Uploads bytes, checked like [`Clients::upload_file`].
    ///
    /// # Errors
    /// When the call fails.
    pub async fn upload_bytes(&self, bucket: &str, key: &str, bytes: Vec<u8>, owner: &str) -> Result<(), CallError> {
        let progress = UploadProgress::default();
        self.put(bucket, key, Bytes::from(bytes), owner, &Labels::default(), &progress).await
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        bytes: Bytes,
        owner: &str,
        labels: &Labels,
        progress: &UploadProgress,
    ) -> Result<(), CallError> {
        let (size, start) = (bytes.len() as u64, Instant::now());
        let moved = progress.begin(0);
        let call = self
            .inner
            .s3_uploads
            .put_object()
            .bucket(bucket)
            .key(key)
            .checksum_sha256(STANDARD.encode(Sha256::digest(&bytes)))
            .body(ByteStream::from(bytes))
            .set_content_type(labels.content_type.clone())
            .set_metadata(metadata(labels))
            .expected_bucket_owner(owner)
            .customize()
            .mutate_request(move |request| request.add_extension(moved.clone()));
        call.send().await.map_err(|error| self.error("s3:PutObject", error))?;
        progress.end(0, size);
        self.inner.upload_turns.went_through(size, start.elapsed());
        Ok(())
    }

    async fn upload_in_parts(&self, upload: &Upload<'_>) -> Result<(), CallError> {
        if let Some((id, there)) = self.cut_short(upload).await {
            match self.send_parts(upload, &id, there).await {
                // A run beside this one has finished it, or it was given up: what counts is whether the object is there.
                Err(error) if error.kind == CallErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(()) if self.is_labelled(upload).await? => return Ok(()),
                // It was begun for other contents under the same key, whose labels the object now has.
                Ok(()) => {}
            }
            if self.is_labelled(upload).await? {
                return Ok(());
            }
            upload.progress.done.store(0, Ordering::Relaxed);
        }
        let call = self
            .inner
            .s3
            .create_multipart_upload()
            .bucket(upload.bucket)
            .key(upload.key)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .set_content_type(upload.labels.content_type.clone())
            .set_metadata(metadata(upload.labels))
            .expected_bucket_owner(upload.owner);
        let created = call.send().await.map_err(|error| self.error("s3:PutObject", error))?;
        let id = created.upload_id.ok_or_else(|| self.unreadable("s3:PutObject", "it names no upload"))?;
        let sent = self.send_parts(upload, &id, BTreeMap::new()).await;
        let Err(error) = &sent else { return sent };
        // Its last answer was lost, and the repeated call found it finished.
        if error.kind == CallErrorKind::NotFound && self.is_labelled(upload).await.is_ok_and(|there| there) {
            return Ok(());
        }
        if matches!(error.kind, CallErrorKind::Refused | CallErrorKind::Denied) {
            // The next run would be told the same; the first failure is the one to report.
            let call = self.inner.s3.abort_multipart_upload().bucket(upload.bucket).key(upload.key).upload_id(&id);
            let _ = call.expected_bucket_owner(upload.owner).send().await;
        }
        sent
    }

    /// Whether the object is there, of the file's size and with its labels.
    async fn is_labelled(&self, upload: &Upload<'_>) -> Result<bool, CallError> {
        let call = self.inner.s3.head_object().bucket(upload.bucket).key(upload.key);
        match call.expected_bucket_owner(upload.owner).send().await {
            Ok(head) => Ok(head.content_length.and_then(|size| u64::try_from(size).ok()) == Some(upload.size)
                && head.metadata.unwrap_or_default() == metadata(upload.labels).unwrap_or_default()),
            Err(error) => {
                let error = self.error("s3:GetObject", error);
                if error.kind == CallErrorKind::NotFound { Ok(false) } else { Err(error) }
            }
        }
    }

    /// The last upload of this key that was begun and not finished, with its parts. Looking for one is a courtesy: where it
    /// is not allowed, everything goes up.
    async fn cut_short(&self, upload: &Upload<'_>) -> Option<(String, BTreeMap<u64, PartThere>)> {
        let call = self.inner.s3.list_multipart_uploads().bucket(upload.bucket).prefix(upload.key);
        let call = call.encoding_type(EncodingType::Url);
        let page = call.expected_bucket_owner(upload.owner).send().await.ok()?;
        let encoded = page.encoding_type.clone();
        let same = page.uploads.unwrap_or_default().into_iter().filter(|it| {
            it.key.as_deref().is_some_and(|key| plain_key(key, encoded.as_ref()) == upload.key)
                && it.checksum_algorithm == Some(ChecksumAlgorithm::Sha256)
        });
        let last = same.max_by_key(|it| it.initiated.map(|at| (at.secs(), at.subsec_nanos())))?;
        let id = last.upload_id?;
        let mut there = BTreeMap::new();
        let mut marker = None;
        loop {
            let call = self.inner.s3.list_parts().bucket(upload.bucket).key(upload.key).upload_id(&id);
            let call = call.set_part_number_marker(marker).expected_bucket_owner(upload.owner);
            let page = call.send().await.ok()?;
            for part in page.parts.unwrap_or_default() {
                let Some(number) = part.part_number.and_then(|number| u64::try_from(number).ok()) else { continue };
                let size = part.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                there.insert(number, PartThere { etag: part.e_tag, sha256: part.checksum_sha256, size });
            }
            marker = page.next_part_number_marker;
            if !page.is_truncated.unwrap_or_default() || marker.is_none() {
                return Some((id, there));
            }
        }
    }

    /// Sends the parts that are not there as they are in the file, and puts them together.
    async fn send_parts(
        &self,
        upload: &Upload<'_>,
        id: &str,
        there: BTreeMap<u64, PartThere>,
    ) -> Result<(), CallError> {
        let there = &there;
        let parts =
            stream::iter((1..=upload.parts()).map(|number| self.send_part(upload, id, number, there.get(&number))))
                .buffered(AT_ONCE)
                .try_collect::<Vec<CompletedPart>>()
                .await?;
        let call = self
            .inner
            .s3
            .complete_multipart_upload()
            .bucket(upload.bucket)
            .key(upload.key)
            .upload_id(id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .set_mpu_object_size(i64::try_from(upload.size).ok())
            .expected_bucket_owner(upload.owner);
        call.send().await.map(drop).map_err(|error| self.error("s3:PutObject", error))
    }

    async fn send_part(
        &self,
        upload: &Upload<'_>,
        id: &str,
        number: u64,
        there: Option<&PartThere>,
    ) -> Result<CompletedPart, CallError> {
        let turn = self.inner.upload_turns.turn().await;
        let (start, length) = upload.span(number);
        let bytes = self.read_span(upload.path, start, length).await?;
        let sha256 = STANDARD.encode(Sha256::digest(&bytes));
        let part_number = i32::try_from(number).unwrap_or(i32::MAX);
        let done = CompletedPart::builder().part_number(part_number).checksum_sha256(&sha256);
        if let Some(there) = there
            && there.size == length
            && there.sha256.as_ref() == Some(&sha256)
        {
            upload.progress.end(number, length);
            return Ok(done.set_e_tag(there.etag.clone()).build());
        }
        let (begun, moved) = (Instant::now(), upload.progress.begin(number));
        let call = self
            .inner
            .s3_uploads
            .upload_part()
            .bucket(upload.bucket)
            .key(upload.key)
            .upload_id(id)
            .part_number(part_number)
            .checksum_sha256(&sha256)
            .expected_bucket_owner(upload.owner)
            .body(ByteStream::from(bytes))
            .customize()
            .mutate_request(move |request| request.add_extension(moved.clone()));
        let answer = call.send().await.map_err(|error| self.error("s3:PutObject", error))?;
        upload.progress.end(number, length);
        self.inner.upload_turns.went_through(length, begun.elapsed());
        drop(turn);
        Ok(done.set_e_tag(answer.e_tag).build())
    }

    /// A part of a file.
    async fn read_span(&self, path: &Path, start: u64, length: u64) -> Result<Bytes, CallError> {
        let (file, most) = (PathBuf::from(path), usize::try_from(length).unwrap_or(usize::MAX));
        let read = tokio::task::spawn_blocking(move || {
            let mut file = std::fs::File::open(file)?;
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = vec![0; most];
            file.read_exact(&mut bytes)?;
            Ok::<_, std::io::Error>(Bytes::from(bytes))
        });
        match read.await {
            Ok(read) => read.map_err(|error| self.file_error(path, &error)),
            Err(error) => Err(self.file_error(path, &error)),
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
