//! Operations that read one object.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range as Span;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;
use rusqlite::Transaction;
use s3s::dto::*;
use s3s::{Body, S3Request, S3Response};

use crate::ground::ApiError;
use crate::ground::store::{Blob, Store, StoreError};

use super::buckets::{Bucket, Buckets, Versioning};
use super::model::StoredVersion;
use super::object_meta::{checksum_type, encryption, marker_headers, put_checksums};
use super::operation::{S3Answer, S3Api, S3Refusal, time};
use super::{refusals, versions};

/// A body up to this size is read in one go with its row.
const AT_ONCE: u64 = 256 << 10;

/// What is read of a larger one at a time.
const STEP: usize = 1 << 20;

/// The current version of a key, or the one named.
///
/// # Errors
///
/// `NoSuchKey`, `NoSuchVersion`. A delete marker is found like any version.
pub(super) fn find(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
) -> Result<StoredVersion, ApiError> {
    match version {
        Some(version) => versions::by_id(tx, bucket, key, version)?.ok_or_else(refusals::no_such_version),
        None => versions::current(tx, bucket, key)?.ok_or_else(refusals::no_such_key),
    }
}

/// Whether an object can be read: the current version, or the one named.
///
/// # Errors
///
/// `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`.
pub fn object_exists(tx: &Transaction<'_>, bucket: &str, key: &str, version: Option<&str>) -> Result<(), ApiError> {
    let found = find(tx, &Buckets::get(tx, bucket)?, key, version)?;
    if found.blob.is_some() { Ok(()) } else { Err(refusals::no_such_key()) }
}

/// The body of an object, for whoever keeps it beyond the object's own life within the same transaction.
///
/// # Errors
///
/// `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`.
pub fn object_blob(tx: &Transaction<'_>, bucket: &str, key: &str, version: Option<&str>) -> Result<Blob, ApiError> {
    find(tx, &Buckets::get(tx, bucket)?, key, version)?.blob.ok_or_else(refusals::no_such_key)
}

/// A whole object, for whoever needs one within this program (a template, a function's code).
///
/// # Errors
///
/// `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`.
pub async fn get_object(store: &Store, bucket: &str, key: &str, version: Option<&str>) -> Result<Vec<u8>, ApiError> {
    let (bucket, key, version) = (bucket.to_owned(), key.to_owned(), version.map(str::to_owned));
    let from = store.clone();
    store
        .blocking(move || {
            let (version, file) = open(&from, &bucket, &key, version.as_deref())?;
            let Some(mut file) = file else { return Err(refusals::no_such_key()) };
            let mut content = Vec::with_capacity(usize::try_from(version.size).unwrap_or(0));
            file.read_to_end(&mut content).map_err(|source| StoreError::io(&key, source))?;
            Ok(content)
        })
        .await
}

/// A version and its body, open; none for a marker.
fn open(
    store: &Store,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<(StoredVersion, Option<File>), ApiError> {
    let mut tries = 0;
    loop {
        let found = store.read_now(|tx| find(tx, &Buckets::get(tx, bucket)?, key, version))?;
        let Some(blob) = found.blob.as_ref() else { return Ok((found, None)) };
        match store.open_blob(&blob.sha256) {
            Ok(file) => return Ok((found, Some(file))),
            // Deleted and swept since the row was read: look again.
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound && tries < 3 => {
                tries += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The conditions of a read.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    fn matches(condition: &ETagCondition, version: &StoredVersion) -> bool {
        match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => etag.value() == version.etag,
        }
    }

    /// In the order of RFC 9110, section 13.2.2, which S3 keeps to.
    fn check(&self, version: &StoredVersion) -> Result<(), ApiError> {
        let modified = time(version.modified);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !Self::matches(condition, version) => return Err(refusals::precondition_failed()),
            (None, Some(since)) if modified > *since => return Err(refusals::precondition_failed()),
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if Self::matches(condition, version) => Err(refusals::not_modified()),
            (None, Some(since)) if modified <= *since => Err(refusals::not_modified()),
            _ => Ok(()),
        }
    }

    /// The same for the source of a copy, where nothing is answered with 304.
    pub(super) fn check_copy(&self, version: &StoredVersion) -> Result<(), ApiError> {
        self.check(version).map_err(|_| refusals::precondition_failed())
    }
}

/// What of a body is wanted.
#[derive(Debug, Clone, Default)]
struct BodySelection {
    conditions: Conditions,
    range: Option<Range>,
    part: Option<i32>,
}

/// What of a body is given.
#[derive(Debug)]
struct SelectedBody {
    version: StoredVersion,
    versioned: bool,
    span: Span<u64>,
    /// Whether it is less than the whole.
    partial: bool,
    parts: Option<i32>,
}

/// Decides what a read gives, without touching the body.
fn decide(
    version: StoredVersion,
    versioned: bool,
    asked_version: bool,
    wanted: &BodySelection,
) -> Result<SelectedBody, S3Refusal> {
    if version.marker {
        let error = if asked_version { refusals::method_not_allowed() } else { refusals::no_such_key() };
        return Err(S3Refusal { error, headers: Some(Box::new(marker_headers(&version))) });
    }
    wanted.conditions.check(&version).map_err(|error| {
        let mut headers = HeaderMap::new();
        if error.status == StatusCode::NOT_MODIFIED
            && let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", version.etag))
        {
            headers.insert(http::header::ETAG, etag);
        }
        S3Refusal { error, headers: Some(Box::new(headers)) }
    })?;
    let size = version.size;
    let (span, partial, parts) = match (&wanted.range, wanted.part) {
        (Some(range), _) => (range.check(size).map_err(|_| refusals::invalid_range())?, true, None),
        (None, Some(number)) => {
            let (span, count) = part(&version, number)?;
            (span, true, count)
        }
        (None, None) => (0..size, false, None),
    };
    Ok(SelectedBody { version, versioned, span, partial, parts })
}

/// Where a part lies in the body, and how many there are.
fn part(version: &StoredVersion, number: i32) -> Result<(Span<u64>, Option<i32>), ApiError> {
    let count = i32::try_from(version.meta.parts.len()).unwrap_or(i32::MAX);
    if count == 0 && number == 1 {
        return Ok((0..version.size, None));
    }
    let mut start = 0;
    for part in &version.meta.parts {
        if part.number == number {
            return Ok((start..start + part.size, Some(count)));
        }
        start += part.size;
    }
    Err(ApiError::sender("InvalidPartNumber", "The requested partnumber is not satisfiable")
        .with_status(StatusCode::RANGE_NOT_SATISFIABLE))
}

fn content_range(given: &SelectedBody) -> Option<String> {
    (given.partial && given.span.end > given.span.start)
        .then(|| format!("bytes {}-{}/{}", given.span.start, given.span.end - 1, given.version.size))
}

/// Fills what GetObject and HeadObject tell of an object alike.
macro_rules! tell {
    ($output:ident, $given:expr, $with_checksums:expr) => {{
        let given: &SelectedBody = $given;
        let version = &given.version;
        let meta = &version.meta;
        let length = given.span.end - given.span.start;
        let mut output = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: meta.cache_control.clone(),
            content_disposition: meta.content_disposition.clone(),
            content_encoding: meta.content_encoding.clone(),
            content_language: meta.content_language.clone(),
            content_length: i64::try_from(length).ok(),
            content_range: content_range(given),
            content_type: meta.content_type.clone(),
            e_tag: Some(ETag::Strong(version.etag.clone())),
            expires: meta.expires.clone(),
            last_modified: Some(time(version.modified)),
            metadata: Some(meta.user.clone().into_iter().collect()),
            parts_count: given.parts,
            server_side_encryption: Some(encryption(meta)),
            ssekms_key_id: meta.kms_key.clone(),
            storage_class: meta.storage_class.clone().map(Into::into),
            version_id: given.versioned.then(|| version.version.clone()),
            website_redirect_location: meta.website_redirect.clone(),
            ..Default::default()
        };
        if $with_checksums {
            put_checksums!(output, &meta.checksums);
            output.checksum_type = checksum_type(&meta.checksums);
        }
        output
    }};
}

fn wants_checksums(mode: Option<&ChecksumMode>, given: &SelectedBody) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
        && given.span == (0..given.version.size)
        && !given.partial
}

fn answer<T>(output: T, given: &SelectedBody) -> S3Response<T> {
    if given.partial { S3Response::with_status(output, StatusCode::PARTIAL_CONTENT) } else { S3Response::new(output) }
}

pub(super) async fn get(api: &S3Api, request: S3Request<GetObjectInput>) -> S3Answer<GetObjectOutput> {
    let input = request.input;
    let wanted = BodySelection {
        conditions: Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        },
        range: input.range,
        part: input.part_number,
    };
    let (name, key, version_id) = (input.bucket, input.key, input.version_id);
    let store = api.host.store.clone();
    let read = tokio::task::spawn_blocking(move || -> Result<(SelectedBody, Body), S3Refusal> {
        let bucket = store.read_now(|tx| Buckets::get(tx, &name))?;
        let versioned = bucket.versioning != Versioning::Unset;
        let (version, file) = open(&store, &name, &key, version_id.as_deref())?;
        let given = decide(version, versioned, version_id.is_some(), &wanted)?;
        let Some(mut file) = file else { return Err(refusals::no_such_key().into()) };
        let length = given.span.end - given.span.start;
        let broken = |source| ApiError::from(StoreError::io(&key, source));
        if given.span.start > 0 {
            file.seek(SeekFrom::Start(given.span.start)).map_err(broken)?;
        }
        if length > AT_ONCE {
            return Ok((given, stream(file, length)));
        }
        let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(length).read_to_end(&mut content).map_err(broken)?;
        Ok((given, Body::from(Bytes::from(content))))
    });
    let (given, body) = match read.await {
        Ok(read) => read?,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => return Err(StoreError::ShuttingDown.into()),
    };
    let mut output = tell!(GetObjectOutput, &given, wants_checksums(input.checksum_mode.as_ref(), &given));
    output.tag_count = i32::try_from(given.version.tags.len()).ok().filter(|count| *count > 0);
    output.body = Some(StreamingBlob::from(body));
    Ok(answer(output, &given))
}

/// A body read a step at a time, away from the runtime.
fn stream(file: File, length: u64) -> Body {
    let frames = futures::stream::unfold(Some((file, length)), |state| async move {
        let (mut file, left) = state.filter(|(_, left)| *left > 0)?;
        let read = tokio::task::spawn_blocking(move || {
            let take = usize::try_from(left).unwrap_or(STEP).min(STEP);
            let mut buffer = vec![0; take];
            file.read_exact(&mut buffer).map(|()| (Bytes::from(buffer), file, left - take as u64))
        });
        match read.await {
            Ok(Ok((bytes, file, left))) => Some((Ok(Frame::data(bytes)), Some((file, left)))),
            Ok(Err(error)) => Some((Err(error), None)),
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    });
    Body::http_body_unsync(StreamBody::new(frames))
}

pub(super) async fn head(api: &S3Api, request: S3Request<HeadObjectInput>) -> S3Answer<HeadObjectOutput> {
    let input = request.input;
    let wanted = BodySelection {
        conditions: Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        },
        range: input.range,
        part: input.part_number,
    };
    let (name, key, version_id) = (input.bucket, input.key, input.version_id);
    let asked_version = version_id.is_some();
    let (version, versioned) = api
        .host
        .store
        .read(move |tx| {
            let bucket = Buckets::get(tx, &name)?;
            let version = find(tx, &bucket, &key, version_id.as_deref())?;
            Ok::<_, ApiError>((version, bucket.versioning != Versioning::Unset))
        })
        .await?;
    let given = decide(version, versioned, asked_version, &wanted)?;
    let output = tell!(HeadObjectOutput, &given, wants_checksums(input.checksum_mode.as_ref(), &given));
    Ok(answer(output, &given))
}

pub(super) async fn attributes(
    api: &S3Api,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Answer<GetObjectAttributesOutput> {
    let input = request.input;
    let (name, key, version_id) = (input.bucket, input.key, input.version_id);
    let asked_version = version_id.is_some();
    let (version, versioned) = api
        .host
        .store
        .read(move |tx| {
            let bucket = Buckets::get(tx, &name)?;
            let version = find(tx, &bucket, &key, version_id.as_deref())?;
            Ok::<_, ApiError>((version, bucket.versioning != Versioning::Unset))
        })
        .await?;
    let SelectedBody { version, versioned, .. } = decide(version, versioned, asked_version, &BodySelection::default())?;
    // Clients send one header line with commas, or several.
    let asked = |name: &str| {
        input
            .object_attributes
            .iter()
            .flat_map(|line| line.as_str().split(','))
            .any(|attribute| attribute.trim() == name)
    };
    let mut checksum = Checksum { checksum_type: checksum_type(&version.meta.checksums), ..Default::default() };
    put_checksums!(checksum, &version.meta.checksums);
    let has_checksum = checksum.checksum_type.is_some();
    let parts = (!version.meta.parts.is_empty()).then(|| {
        let count = i32::try_from(version.meta.parts.len()).ok();
        GetObjectAttributesParts { total_parts_count: count, is_truncated: Some(false), ..Default::default() }
    });
    Ok(S3Response::new(GetObjectAttributesOutput {
        checksum: (asked(ObjectAttributes::CHECKSUM) && has_checksum).then_some(checksum),
        e_tag: asked(ObjectAttributes::ETAG).then(|| ETag::Strong(version.etag.clone())),
        last_modified: Some(time(version.modified)),
        object_parts: parts.filter(|_| asked(ObjectAttributes::OBJECT_PARTS)),
        object_size: i64::try_from(version.size).ok().filter(|_| asked(ObjectAttributes::OBJECT_SIZE)),
        storage_class: asked(ObjectAttributes::STORAGE_CLASS).then(|| {
            version.meta.storage_class.clone().map_or_else(|| StorageClass::from_static("STANDARD"), Into::into)
        }),
        version_id: versioned.then_some(version.version),
        ..Default::default()
    }))
}
