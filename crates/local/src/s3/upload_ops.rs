//! Operations of uploads in parts.

use std::io::{Read, Seek, SeekFrom};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};
use s3s::dto::*;
use s3s::{S3Request, S3Response};

use crate::ground::ApiError;
use crate::ground::store::{Blob, BlobWriter, Staged, Store, StoreError};

use super::body::{Algorithm, Expected, Hasher, Received, receive};
use super::bucket_ops::owner;
use super::buckets::{Buckets, Versioning};
use super::model::{Checksums, Meta, PartMeta};
use super::object_meta::{
    check_meta, checksum_type, encrypt, encryption, header_tags, meta_of, put_checksums, refuse_unsimulated,
};
use super::object_ops::{check_write, source_of};
use super::operation::{S3Answer, S3Api, S3Context, time};
use super::read_ops::{self, Conditions};
use super::uploads::{self, Part as StoredPart};
use super::versions::{self, NewVersion};
use super::{names, refusals};

/// Every part but the last has to be at least this large.
const MIN_PART: u64 = 5 << 20;

/// What is copied at a time.
const STEP: usize = 1 << 20;

pub(super) async fn create(
    api: &S3Api,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Answer<CreateMultipartUploadOutput> {
    let input = request.input;
    names::check_key(&input.key)?;
    refuse_unsimulated!("CreateMultipartUpload", input)?;
    let mut meta = meta_of!(input);
    meta.content_type.get_or_insert_with(|| "binary/octet-stream".to_owned());
    check_meta(&meta)?;
    let tags = header_tags(input.tagging.as_deref())?;
    let algorithm = match &input.checksum_algorithm {
        None => Algorithm::Crc64Nvme,
        Some(name) => Algorithm::parse(name.as_str())
            .ok_or_else(|| refusals::invalid_request("Checksum algorithm provided is unsupported."))?,
    };
    let full = match input.checksum_type.as_ref().map(ChecksumType::as_str) {
        None => algorithm == Algorithm::Crc64Nvme,
        Some(ChecksumType::FULL_OBJECT) => true,
        Some(_) => false,
    };
    let impossible =
        if full { matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256) } else { algorithm == Algorithm::Crc64Nvme };
    if impossible {
        return Err(refusals::invalid_request(format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            if full { "FULL_OBJECT" } else { "COMPOSITE" },
            algorithm.as_str().to_lowercase()
        ))
        .into());
    }
    meta.upload_algorithm = Some(algorithm.as_str().to_owned());
    meta.upload_checksum_type = Some(if full { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE }.to_owned());
    let id = api.host.ids.uuid().simple().to_string();
    let now = api.host.clock.now();
    let (upload, bucket, key) = (id.clone(), input.bucket.clone(), input.key.clone());
    let meta = api
        .host
        .store
        .write(move |tx| {
            let bucket = Buckets::get(tx, &bucket)?;
            encrypt(tx, &bucket, &mut meta)?;
            uploads::begin(tx, &bucket, &upload, &key, &meta, &tags, now)?;
            Ok::<_, ApiError>(meta)
        })
        .await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        // Told only where it was asked for.
        checksum_type: input
            .checksum_algorithm
            .is_some()
            .then(|| meta.upload_checksum_type.clone().map(Into::into))
            .flatten(),
        checksum_algorithm: input.checksum_algorithm,
        server_side_encryption: Some(encryption(&meta)),
        ssekms_key_id: meta.kms_key,
        ..Default::default()
    }))
}

fn check_number(number: i32) -> Result<(), ApiError> {
    if (1..=10_000).contains(&number) {
        return Ok(());
    }
    Err(refusals::invalid_argument("Part number must be an integer between 1 and 10000, inclusive"))
}

/// The algorithm of an upload, and its meta.
async fn upload_of(api: &S3Api, bucket: &str, key: &str, id: &str) -> Result<(Algorithm, Meta), ApiError> {
    let (bucket, key, id) = (bucket.to_owned(), key.to_owned(), id.to_owned());
    let (_, meta, _) = api
        .host
        .store
        .read(move |tx| {
            let bucket = Buckets::get(tx, &bucket)?;
            uploads::get(tx, &bucket, &key, &id)
        })
        .await?;
    let algorithm = meta.upload_algorithm.as_deref().and_then(Algorithm::parse).unwrap_or(Algorithm::Crc64Nvme);
    Ok((algorithm, meta))
}

pub(super) async fn part(api: &S3Api, request: S3Request<UploadPartInput>) -> S3Answer<UploadPartOutput> {
    let caller = S3Context::of(&request);
    let headers = request.headers;
    let input = request.input;
    check_number(input.part_number)?;
    let (algorithm, meta) = upload_of(api, &input.bucket, &input.key, &input.upload_id).await?;
    let expected = Expected::of(&headers, caller.trailers, algorithm).and(algorithm);
    let Received { staged, md5, checksums } = receive(&api.host.store, input.body, expected).await?;
    let mut output = UploadPartOutput {
        e_tag: Some(ETag::Strong(md5.clone())),
        server_side_encryption: Some(encryption(&meta)),
        ssekms_key_id: meta.kms_key,
        ..Default::default()
    };
    put_checksums!(output, &checksums);
    let place = PartPlace { bucket: input.bucket, key: input.key, upload: input.upload_id, number: input.part_number };
    keep_part(api, place, staged, md5, checksums).await?;
    Ok(S3Response::new(output))
}

/// Where a part belongs.
struct PartPlace {
    bucket: String,
    key: String,
    upload: String,
    number: i32,
}

async fn keep_part(
    api: &S3Api,
    place: PartPlace,
    staged: Staged,
    md5: String,
    checksums: Checksums,
) -> Result<(), ApiError> {
    let (store, now) = (api.host.store.clone(), api.host.clock.now());
    api.host
        .store
        .write(move |tx| {
            let bucket = Buckets::get(tx, &place.bucket)?;
            uploads::get(tx, &bucket, &place.key, &place.upload)?;
            let blob = staged.place(&store, tx)?;
            uploads::add_part(tx, &place.upload, place.number, &blob, &md5, &checksums, now)
        })
        .await
}

pub(super) async fn part_copy(api: &S3Api, request: S3Request<UploadPartCopyInput>) -> S3Answer<UploadPartCopyOutput> {
    let input = request.input;
    check_number(input.part_number)?;
    let (algorithm, meta) = upload_of(api, &input.bucket, &input.key, &input.upload_id).await?;
    let (from_bucket, from_key, from_version) = source_of(&input.copy_source)?;
    let range = input
        .copy_source_range
        .as_deref()
        .map(|range| {
            Range::parse(range).map_err(|_| {
                refusals::invalid_argument("The x-amz-copy-source-range value must be of the form bytes=first-last")
            })
        })
        .transpose()?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match.clone(),
        if_none_match: input.copy_source_if_none_match.clone(),
        if_modified_since: input.copy_source_if_modified_since.clone(),
        if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
    };
    let (source, versioned) = api
        .host
        .store
        .read(move |tx| {
            let bucket = Buckets::get(tx, &from_bucket)?;
            let source = read_ops::find(tx, &bucket, &from_key, from_version.as_deref())?;
            Ok::<_, ApiError>((source, bucket.versioning != Versioning::Unset))
        })
        .await?;
    let Some(blob) = source.blob.clone() else { return Err(refusals::no_such_key().into()) };
    conditions.check_copy(&source)?;
    let span = match range {
        Some(range) => range.check(source.size).map_err(|_| refusals::invalid_range())?,
        None => 0..source.size,
    };
    let store = api.host.store.clone();
    let Received { staged, md5, checksums } = api
        .host
        .store
        .blocking(move || {
            let mut copy = Copy::new(&store, algorithm)?;
            copy.append(&store, &blob, span.start, span.end - span.start)?;
            copy.finish()
        })
        .await?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(md5.clone())),
        last_modified: Some(time(api.host.clock.now().as_second())),
        ..Default::default()
    };
    put_checksums!(result, &checksums);
    let place = PartPlace { bucket: input.bucket, key: input.key, upload: input.upload_id, number: input.part_number };
    keep_part(api, place, staged, md5, checksums).await?;
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: versioned.then_some(source.version),
        server_side_encryption: Some(encryption(&meta)),
        ssekms_key_id: meta.kms_key,
        ..Default::default()
    }))
}

/// A body put together from others. All of it blocks.
struct Copy {
    writer: BlobWriter,
    md5: Md5,
    algorithm: Algorithm,
    hasher: Hasher,
}

impl Copy {
    fn new(store: &Store, algorithm: Algorithm) -> Result<Self, ApiError> {
        Ok(Self { writer: BlobWriter::new(store)?, md5: Md5::new(), algorithm, hasher: Hasher::new(algorithm) })
    }

    fn append(&mut self, store: &Store, blob: &Blob, start: u64, length: u64) -> Result<(), ApiError> {
        let mut file = store.open_blob(&blob.sha256)?;
        let broken = |source| ApiError::from(StoreError::io(store.blob_path(&blob.sha256), source));
        file.seek(SeekFrom::Start(start)).map_err(broken)?;
        let mut left = length;
        let mut buffer = vec![0; usize::try_from(length).unwrap_or(STEP).min(STEP)];
        while left > 0 {
            let take = usize::try_from(left).unwrap_or(STEP).min(STEP);
            let Some(piece) = buffer.get_mut(..take) else { break };
            file.read_exact(piece).map_err(broken)?;
            self.writer.write(piece)?;
            self.md5.update(&*piece);
            self.hasher.update(piece);
            left -= take as u64;
        }
        Ok(())
    }

    fn finish(self) -> Result<Received, ApiError> {
        let mut checksums = Checksums::default();
        self.algorithm.set(&mut checksums, self.hasher.finish());
        Ok(Received { staged: self.writer.finish()?, md5: hex::encode(self.md5.finalize()), checksums })
    }
}

/// The parts that a completion names, in its order and as they were uploaded.
fn chosen(named: &[CompletedPart], stored: Vec<StoredPart>) -> Result<Vec<StoredPart>, ApiError> {
    let mut stored = stored.into_iter().peekable();
    let mut parts = Vec::with_capacity(named.len());
    let mut last = 0;
    for part in named {
        let number = part.part_number.ok_or_else(refusals::malformed_xml)?;
        if number <= last {
            return Err(refusals::invalid_part_order());
        }
        last = number;
        let found = stored.by_ref().find(|stored| stored.number >= number).filter(|found| found.number == number);
        let found = found.ok_or_else(refusals::invalid_part)?;
        if part.e_tag.as_ref().is_none_or(|etag| etag.value() != found.etag) {
            return Err(refusals::invalid_part());
        }
        let claims = Checksums {
            crc32: part.checksum_crc32.clone(),
            crc32c: part.checksum_crc32c.clone(),
            crc64nvme: part.checksum_crc64nvme.clone(),
            sha1: part.checksum_sha1.clone(),
            sha256: part.checksum_sha256.clone(),
            composite: false,
        };
        for algorithm in Algorithm::ALL {
            if let (Some(claimed), Some(stored)) = (algorithm.of(&claims), algorithm.of(&found.checksums))
                && claimed != stored
            {
                return Err(refusals::invalid_part());
            }
        }
        parts.push(found);
    }
    let too_small = |part: &StoredPart| part.size < MIN_PART;
    if parts.iter().rev().skip(1).any(too_small) {
        return Err(refusals::entity_too_small());
    }
    Ok(parts)
}

/// The checksum of the parts' checksums, as S3 writes it.
fn composite(parts: &[StoredPart], algorithm: Algorithm) -> Option<String> {
    let mut hasher = Hasher::new(algorithm);
    for part in parts {
        hasher.update(&BASE64.decode(algorithm.of(&part.checksums)?).ok()?);
    }
    Some(format!("{}-{}", hasher.finish(), parts.len()))
}

/// S3's ETag of an object made of parts.
fn etag_of(parts: &[StoredPart]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(hex::decode(&part.etag).unwrap_or_default());
    }
    format!("{}-{}", hex::encode(md5.finalize()), parts.len())
}

pub(super) async fn complete(
    api: &S3Api,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Answer<CompleteMultipartUploadOutput> {
    let input = request.input;
    let named = input.multipart_upload.clone().and_then(|upload| upload.parts).unwrap_or_default();
    if named.is_empty() {
        return Err(refusals::malformed_xml().into());
    }
    let store = api.host.store.clone();
    let (name, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    // Put together outside of the transaction that makes the object, which must be short.
    let (parts, received, algorithm) = api
        .host
        .store
        .blocking(move || {
            let (stored, meta) = store.read_now(|tx| {
                let bucket = Buckets::get(tx, &name)?;
                let (_, meta, _) = uploads::get(tx, &bucket, &key, &id)?;
                Ok::<_, ApiError>((uploads::parts(tx, &id, 0)?, meta))
            })?;
            let parts = chosen(&named, stored)?;
            let algorithm = meta.upload_algorithm.as_deref().and_then(Algorithm::parse).unwrap_or(Algorithm::Crc64Nvme);
            let mut copy = Copy::new(&store, algorithm)?;
            for part in &parts {
                copy.append(&store, &part.blob, 0, part.size)?;
            }
            let mut received = copy.finish()?;
            if meta.upload_checksum_type.as_deref() == Some(ChecksumType::COMPOSITE) {
                received.checksums = Checksums { composite: true, ..Checksums::default() };
                if let Some(checksum) = composite(&parts, algorithm) {
                    algorithm.set(&mut received.checksums, checksum);
                }
            }
            Ok::<_, ApiError>((parts, received, algorithm))
        })
        .await?;
    let claims = Checksums {
        crc32: input.checksum_crc32.clone(),
        crc32c: input.checksum_crc32c.clone(),
        crc64nvme: input.checksum_crc64nvme.clone(),
        sha1: input.checksum_sha1.clone(),
        sha256: input.checksum_sha256.clone(),
        composite: false,
    };
    if let (Some(claimed), Some(computed)) = (algorithm.of(&claims), algorithm.of(&received.checksums))
        && claimed.split('-').next() != computed.split('-').next()
    {
        return Err(refusals::bad_digest(algorithm.as_str()).into());
    }
    if input.mpu_object_size.is_some_and(|size| u64::try_from(size) != Ok(received.staged.size())) {
        return Err(refusals::invalid_request(
            "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
        )
        .into());
    }
    let etag = etag_of(&parts);
    let location = format!("{}/{}/{}", api.host.url, input.bucket, input.key);
    let Received { staged, checksums, .. } = received;
    let (store, ids, now) = (api.host.store.clone(), api.host.ids.clone(), api.host.clock.now());
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let (version, meta, etag) = api
        .host
        .store
        .write(move |tx| {
            let bucket = Buckets::get(tx, &input.bucket)?;
            let (_, mut meta, tags) = uploads::get(tx, &bucket, &input.key, &input.upload_id)?;
            let existing = versions::current(tx, &bucket, &input.key)?;
            check_write(existing.as_ref(), input.if_match.as_ref(), input.if_none_match.as_ref())?;
            meta.upload_algorithm = None;
            meta.upload_checksum_type = None;
            meta.checksums = checksums;
            meta.parts = parts
                .into_iter()
                .map(|part| PartMeta { number: part.number, size: part.size, checksums: part.checksums })
                .collect();
            let blob = staged.place(&store, tx)?;
            let new = NewVersion { key: &input.key, body: Some((&blob, &etag)), meta: &meta, tags: &tags };
            let version = versions::add(tx, &bucket, &new, &ids, now)?;
            uploads::end(tx, &input.upload_id)?;
            Ok::<_, ApiError>((version, meta, etag))
        })
        .await?;
    api.sweep_soon();
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(bucket),
        key: Some(key),
        location: Some(location),
        e_tag: Some(ETag::Strong(etag)),
        checksum_type: checksum_type(&meta.checksums),
        server_side_encryption: Some(encryption(&meta)),
        ssekms_key_id: meta.kms_key.clone(),
        version_id: version,
        ..Default::default()
    };
    put_checksums!(output, &meta.checksums);
    Ok(S3Response::new(output))
}

pub(super) async fn abort(
    api: &S3Api,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Answer<AbortMultipartUploadOutput> {
    let AbortMultipartUploadInput { bucket, key, upload_id, .. } = request.input;
    api.host
        .store
        .write(move |tx| {
            let bucket = Buckets::get(tx, &bucket)?;
            uploads::get(tx, &bucket, &key, &upload_id)?;
            uploads::end(tx, &upload_id)
        })
        .await?;
    api.sweep_soon();
    Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn list(api: &S3Api, request: S3Request<ListPartsInput>) -> S3Answer<ListPartsOutput> {
    let input = request.input;
    let above = input.part_number_marker.unwrap_or(0);
    let most = input.max_parts.unwrap_or(1000).clamp(0, 1000);
    let (name, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let (mut parts, meta) = api
        .host
        .store
        .read(move |tx| {
            let bucket = Buckets::get(tx, &name)?;
            let (_, meta, _) = uploads::get(tx, &bucket, &key, &id)?;
            Ok::<_, ApiError>((uploads::parts(tx, &id, above)?, meta))
        })
        .await?;
    let most_parts = usize::try_from(most).unwrap_or(0);
    let truncated = parts.len() > most_parts;
    parts.truncate(most_parts);
    let next = parts.last().map(|part| part.number);
    let parts = parts
        .into_iter()
        .map(|part| {
            let mut shown = Part {
                e_tag: Some(ETag::Strong(part.etag)),
                last_modified: Some(time(part.modified)),
                part_number: Some(part.number),
                size: i64::try_from(part.size).ok(),
                ..Default::default()
            };
            put_checksums!(shown, &part.checksums);
            shown
        })
        .collect();
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        checksum_algorithm: meta.upload_algorithm.map(Into::into),
        checksum_type: meta.upload_checksum_type.map(Into::into),
        initiator: Some(Initiator { display_name: None, id: owner().id }),
        is_truncated: Some(truncated),
        max_parts: Some(most),
        next_part_number_marker: next,
        owner: Some(owner()),
        part_number_marker: Some(above),
        parts: Some(parts),
        storage_class: Some(meta.storage_class.map_or_else(|| StorageClass::from_static("STANDARD"), Into::into)),
        ..Default::default()
    }))
}
