//! Operations that list.

use s3s::dto::*;
use s3s::{S3Request, S3Response};

use crate::ground::ApiError;

use super::bucket_ops::{decode_token, encode_token, owner};
use super::buckets::Buckets;
use super::list::{self, Last, Listing, Page};
use super::model::{Checksums, StoredVersion};
use super::object_meta::checksum_type;
use super::operation::{S3Answer, S3Api, S3Refusal, time};
use super::{body::Algorithm, refusals, versions};

/// Most keys a page has.
const PAGE: i32 = 1000;

/// How keys are written: as they are, or percent-encoded where the client asked for it.
#[derive(Debug, Clone, Copy)]
struct Encoding(bool);

impl Encoding {
    fn of(asked: Option<&EncodingType>) -> Result<Self, S3Refusal> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self(false)),
            Some(EncodingType::URL) => Ok(Self(true)),
            Some(_) => Err(refusals::invalid_argument("Invalid Encoding Method specified in Request").into()),
        }
    }

    fn write(self, text: String) -> String {
        if !self.0 {
            return text;
        }
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                    out.push(char::from(byte));
                }
                byte => out.push_str(&format!("%{byte:02X}")),
            }
        }
        out
    }

    fn prefixes(self, prefixes: Vec<String>) -> Option<CommonPrefixList> {
        let prefixes: CommonPrefixList =
            prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(self.write(prefix)) }).collect();
        (!prefixes.is_empty()).then_some(prefixes)
    }
}

fn max(asked: Option<i32>) -> Result<i32, S3Refusal> {
    match asked {
        None => Ok(PAGE),
        Some(asked) if asked < 0 => {
            Err(refusals::invalid_argument("Argument maxKeys must be an integer between 0 and 2147483647").into())
        }
        Some(asked) => Ok(asked.min(PAGE)),
    }
}

fn algorithms(checksums: &Checksums) -> Option<ChecksumAlgorithmList> {
    let all: ChecksumAlgorithmList = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithm.of(checksums).is_some())
        .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.as_str()))
        .collect();
    (!all.is_empty()).then_some(all)
}

fn object_of(version: StoredVersion, encoding: Encoding, with_owner: bool) -> Object {
    Object {
        checksum_algorithm: algorithms(&version.meta.checksums),
        checksum_type: checksum_type(&version.meta.checksums),
        e_tag: Some(ETag::Strong(version.etag)),
        key: Some(encoding.write(version.key)),
        last_modified: Some(time(version.modified)),
        owner: with_owner.then(owner),
        restore_status: None,
        size: i64::try_from(version.size).ok(),
        storage_class: Some(
            version.meta.storage_class.map_or_else(|| ObjectStorageClass::from_static("STANDARD"), Into::into),
        ),
    }
}

async fn page(api: &S3Api, bucket: String, listing: Listing) -> Result<Page<StoredVersion>, S3Refusal> {
    Ok(api
        .host
        .store
        .read(move |tx| {
            let bucket = Buckets::get(tx, &bucket)?;
            list::objects(tx, &bucket, &listing)
        })
        .await?)
}

pub(super) async fn objects(api: &S3Api, request: S3Request<ListObjectsInput>) -> S3Answer<ListObjectsOutput> {
    let input = request.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max = max(input.max_keys)?;
    let listing = Listing {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.marker.clone().filter(|marker| !marker.is_empty()),
        max: usize::try_from(max).unwrap_or(0),
    };
    let page = page(api, input.bucket.clone(), listing).await?;
    // The marker is told only where the client can't take it from the last key.
    let next = (page.truncated && input.delimiter.is_some())
        .then(|| page.last.as_ref().map(|last| encoding.write(last.text().to_owned())))
        .flatten();
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoding.write(input.prefix.unwrap_or_default())),
        marker: Some(encoding.write(input.marker.unwrap_or_default())),
        max_keys: Some(max),
        is_truncated: Some(page.truncated),
        contents: Some(page.items.into_iter().map(|version| object_of(version, encoding, true)).collect()),
        common_prefixes: encoding.prefixes(page.prefixes),
        delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
        next_marker: next,
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

pub(super) async fn objects_v2(api: &S3Api, request: S3Request<ListObjectsV2Input>) -> S3Answer<ListObjectsV2Output> {
    let input = request.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max = max(input.max_keys)?;
    let after = match &input.continuation_token {
        Some(token) => Some(decode_token(token)?),
        None => input.start_after.clone().filter(|after| !after.is_empty()),
    };
    let listing = Listing {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after,
        max: usize::try_from(max).unwrap_or(0),
    };
    let page = page(api, input.bucket.clone(), listing).await?;
    let count = page.items.len() + page.prefixes.len();
    let next = page.truncated.then(|| page.last.as_ref().map(|last| encode_token(last.text()))).flatten();
    let with_owner = input.fetch_owner.unwrap_or(false);
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoding.write(input.prefix.unwrap_or_default())),
        max_keys: Some(max),
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.truncated),
        next_continuation_token: next,
        contents: Some(page.items.into_iter().map(|version| object_of(version, encoding, with_owner)).collect()),
        common_prefixes: encoding.prefixes(page.prefixes),
        delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(|after| encoding.write(after)),
        request_charged: None,
    }))
}

pub(super) async fn versions(
    api: &S3Api,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Answer<ListObjectVersionsOutput> {
    let input = request.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max = max(input.max_keys)?;
    let after = input.key_marker.clone().filter(|marker| !marker.is_empty());
    let version_marker = input.version_id_marker.clone().filter(|marker| !marker.is_empty());
    if version_marker.is_some() && after.is_none() {
        return Err(refusals::invalid_argument("A version-id marker cannot be specified without a key marker.").into());
    }
    let listing = Listing {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after,
        max: usize::try_from(max).unwrap_or(0),
    };
    let name = input.bucket.clone();
    let page = api
        .host
        .store
        .read(move |tx| {
            let bucket = Buckets::get(tx, &name)?;
            let below = match (&listing.after, &version_marker) {
                (Some(key), Some(marker)) => Some(match versions::by_id(tx, &bucket, key, marker)? {
                    Some(version) => version.seq,
                    // Deleted since the last page: its id tells where it was; a `null` one is taken to have been the newest.
                    None => versions::seq_of(marker).unwrap_or(i64::MAX),
                }),
                _ => None,
            };
            list::versions(tx, &bucket, &listing, below)
        })
        .await?;
    let (next_key, next_version) = match (&page.last, page.items.last()) {
        (Some(Last::Key(key)), Some(version)) if page.truncated => (Some(key.clone()), Some(version.version.clone())),
        (Some(Last::Prefix(prefix)), _) if page.truncated => (Some(prefix.clone()), None),
        _ => (None, None),
    };
    let (markers, kept): (Vec<StoredVersion>, Vec<StoredVersion>) =
        page.items.into_iter().partition(|version| version.marker);
    let markers: DeleteMarkers = markers
        .into_iter()
        .map(|version| DeleteMarkerEntry {
            is_latest: Some(version.latest),
            key: Some(encoding.write(version.key)),
            last_modified: Some(time(version.modified)),
            owner: Some(owner()),
            version_id: Some(version.version),
        })
        .collect();
    let kept: ObjectVersionList = kept
        .into_iter()
        .map(|version| ObjectVersion {
            checksum_algorithm: algorithms(&version.meta.checksums),
            checksum_type: checksum_type(&version.meta.checksums),
            e_tag: Some(ETag::Strong(version.etag)),
            is_latest: Some(version.latest),
            key: Some(encoding.write(version.key)),
            last_modified: Some(time(version.modified)),
            owner: Some(owner()),
            restore_status: None,
            size: i64::try_from(version.size).ok(),
            storage_class: Some(
                version
                    .meta
                    .storage_class
                    .map_or_else(|| ObjectVersionStorageClass::from_static("STANDARD"), Into::into),
            ),
            version_id: Some(version.version),
        })
        .collect();
    Ok(S3Response::new(ListObjectVersionsOutput {
        common_prefixes: encoding.prefixes(page.prefixes),
        delete_markers: (!markers.is_empty()).then_some(markers),
        delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
        encoding_type: input.encoding_type,
        is_truncated: Some(page.truncated),
        key_marker: Some(encoding.write(input.key_marker.unwrap_or_default())),
        max_keys: Some(max),
        name: Some(input.bucket),
        next_key_marker: next_key.map(|key| encoding.write(key)),
        next_version_id_marker: next_version,
        prefix: Some(encoding.write(input.prefix.unwrap_or_default())),
        request_charged: None,
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        versions: (!kept.is_empty()).then_some(kept),
    }))
}

pub(super) async fn uploads(
    api: &S3Api,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Answer<ListMultipartUploadsOutput> {
    let input = request.input;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let max = max(input.max_uploads)?;
    let after = input.key_marker.clone().filter(|marker| !marker.is_empty());
    let listing = Listing {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after,
        max: usize::try_from(max).unwrap_or(0),
    };
    let (name, id_marker) = (input.bucket.clone(), input.upload_id_marker.clone().filter(|marker| !marker.is_empty()));
    let page = api
        .host
        .store
        .read(move |tx| {
            let bucket = Buckets::get(tx, &name)?;
            list::uploads(tx, &bucket, &listing, id_marker.as_deref())
        })
        .await?;
    let (next_key, next_id) = match (&page.last, page.items.last()) {
        (Some(Last::Key(key)), Some(upload)) if page.truncated => (Some(key.clone()), Some(upload.id.clone())),
        (Some(Last::Prefix(prefix)), _) if page.truncated => (Some(prefix.clone()), None),
        _ => (None, None),
    };
    let mut uploads = MultipartUploadList::with_capacity(page.items.len());
    for upload in page.items {
        let meta: super::model::Meta =
            serde_json::from_str(&upload.meta).map_err(|error| ApiError::internal(error.to_string()))?;
        uploads.push(MultipartUpload {
            checksum_algorithm: meta.upload_algorithm.map(ChecksumAlgorithm::from),
            checksum_type: meta.upload_checksum_type.map(ChecksumType::from),
            initiated: Some(time(upload.started)),
            initiator: Some(Initiator { display_name: None, id: owner().id }),
            key: Some(encoding.write(upload.key)),
            owner: Some(owner()),
            storage_class: Some(
                meta.storage_class.map_or_else(|| StorageClass::from_static("STANDARD"), StorageClass::from),
            ),
            upload_id: Some(upload.id),
        });
    }
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: encoding.prefixes(page.prefixes),
        delimiter: input.delimiter.map(|delimiter| encoding.write(delimiter)),
        encoding_type: input.encoding_type,
        is_truncated: Some(page.truncated),
        key_marker: Some(encoding.write(input.key_marker.unwrap_or_default())),
        max_uploads: Some(max),
        next_key_marker: next_key.map(|key| encoding.write(key)),
        next_upload_id_marker: next_id,
        prefix: Some(encoding.write(input.prefix.unwrap_or_default())),
        request_charged: None,
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        uploads: (!uploads.is_empty()).then_some(uploads),
    }))
}
