//! Operations that write, copy, tag and delete objects.

use s3s::dto::{self, *};
use s3s::{S3Request, S3Response};

use super::actions::delete_one;
use crate::ground::{ApiError, Authorization};
use crate::identity::{Principal, authorize};

use super::body::{Algorithm, Expected, Received, receive};
use super::buckets::{Bucket, Buckets, Versioning};
use super::model::{Checksums, Meta, StoredVersion, Tags};
use super::object_meta::{
    check_meta, checksum_type, encrypt, encryption, header_tags, meta_of, put_checksums, refuse_unsimulated,
};
use super::operation::{S3Answer, S3Api, S3Context, S3Refusal, time};
use super::read_ops::{self, Conditions};
use super::setting_ops::{tag_set, tags_of};
use super::versions::{self, NewVersion};
use super::{names, refusals, settings};

/// The largest object made in one request, in bytes; larger ones are uploaded in parts.
const MAX_PUT: i64 = 5 << 30;

/// The condition of a write: the object as it is, or that there is none.
pub(super) fn check_write(
    existing: Option<&StoredVersion>,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> Result<(), ApiError> {
    let existing = existing.filter(|version| !version.marker);
    let holds = |condition: &ETagCondition, version: &StoredVersion| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == version.etag,
    };
    match (if_match, existing) {
        (Some(_), None) => return Err(refusals::no_such_key()),
        (Some(condition), Some(version)) if !holds(condition, version) => return Err(refusals::precondition_failed()),
        _ => {}
    }
    match (if_none_match, existing) {
        (Some(condition), Some(version)) if holds(condition, version) => Err(refusals::precondition_failed()),
        _ => Ok(()),
    }
}

pub(super) async fn put(api: &S3Api, request: S3Request<PutObjectInput>) -> S3Answer<PutObjectOutput> {
    let caller = S3Context::of(&request);
    let expected = Expected::of(&request.headers, caller.trailers, Algorithm::Crc64Nvme);
    let mut input = request.input;
    names::check_key(&input.key)?;
    refuse_unsimulated!("PutObject", input)?;
    if input.write_offset_bytes.is_some() {
        return Err(ApiError::not_implemented("s3", "PutObject with a write offset").into());
    }
    if input.content_length.is_some_and(|length| length > MAX_PUT) {
        return Err(ApiError::sender("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").into());
    }
    let mut meta = meta_of!(input);
    meta.content_type.get_or_insert_with(|| "binary/octet-stream".to_owned());
    check_meta(&meta)?;
    let tags = header_tags(input.tagging.as_deref())?;
    let name = input.bucket.clone();
    api.host.store.read(move |tx| Buckets::get(tx, &name)).await?;

    let Received { staged, md5, checksums } = receive(&api.host.store, input.body.take(), expected).await?;
    meta.checksums = checksums;
    let (store, ids, now) = (api.host.store.clone(), api.host.ids.clone(), api.host.clock.now());
    let (version, replaced, meta, etag) = api
        .host
        .store
        .write(move |tx| {
            let bucket = Buckets::get(tx, &input.bucket)?;
            let existing = versions::current(tx, &bucket, &input.key)?;
            check_write(existing.as_ref(), input.if_match.as_ref(), input.if_none_match.as_ref())?;
            encrypt(tx, &bucket, &mut meta)?;
            let blob = staged.place(&store, tx)?;
            let new = NewVersion { key: &input.key, body: Some((&blob, &md5)), meta: &meta, tags: &tags };
            let version = versions::add(tx, &bucket, &new, &ids, now)?;
            let replaced = existing.is_some() && bucket.versioning != Versioning::Enabled;
            Ok::<_, ApiError>((version, replaced, meta, md5))
        })
        .await?;
    if replaced {
        api.sweep_soon();
    }
    let mut output = PutObjectOutput {
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

/// Refused by name: forms of web pages have no business with a local target.
pub(super) async fn post(_api: &S3Api, _request: S3Request<PostObjectInput>) -> S3Answer<PostObjectOutput> {
    Err(ApiError::not_implemented("s3", "PostObject").into())
}

/// Where a copy comes from: bucket, key, version.
pub(super) fn source_of(source: &CopySource) -> Result<(String, String, Option<String>), ApiError> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            Ok((bucket.to_string(), key.to_string(), version_id.as_deref().map(str::to_owned)))
        }
        _ => Err(ApiError::not_implemented("s3", "a copy from an access point")),
    }
}

pub(super) async fn copy(api: &S3Api, request: S3Request<CopyObjectInput>) -> S3Answer<CopyObjectOutput> {
    let input = request.input;
    names::check_key(&input.key)?;
    refuse_unsimulated!("CopyObject", input)?;
    let (from_bucket, from_key, from_version) = source_of(&input.copy_source)?;
    let replaces_meta =
        input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    let replaces_tags =
        input.tagging_directive.as_ref().is_some_and(|directive| directive.as_str() == TaggingDirective::REPLACE);
    let given = meta_of!(input);
    check_meta(&given)?;
    let given_tags = header_tags(input.tagging.as_deref())?;
    let changes = replaces_meta
        || input.storage_class.is_some()
        || input.website_redirect_location.is_some()
        || input.server_side_encryption.is_some();
    if !changes && from_version.is_none() && from_bucket == input.bucket && from_key == input.key {
        return Err(refusals::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        )
        .into());
    }
    let conditions = Conditions {
        if_match: input.copy_source_if_match.clone(),
        if_none_match: input.copy_source_if_none_match.clone(),
        if_modified_since: input.copy_source_if_modified_since.clone(),
        if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
    };
    let (ids, now) = (api.host.ids.clone(), api.host.clock.now());
    let (source, source_versioned, version, meta) = api
        .host
        .store
        .write(move |tx| {
            let source_bucket = Buckets::get(tx, &from_bucket)?;
            let source = read_ops::find(tx, &source_bucket, &from_key, from_version.as_deref())?;
            if source.marker {
                return Err(refusals::no_such_key());
            }
            conditions.check_copy(&source)?;
            let mut meta = if replaces_meta {
                given
            } else {
                Meta {
                    storage_class: given.storage_class,
                    encryption: given.encryption,
                    kms_key: given.kms_key,
                    website_redirect: given.website_redirect,
                    parts: Vec::new(),
                    ..source.meta.clone()
                }
            };
            meta.content_type.get_or_insert_with(|| "binary/octet-stream".to_owned());
            // A checksum of parts says nothing about the copy, which has none.
            meta.checksums =
                if source.meta.checksums.composite { Checksums::default() } else { source.meta.checksums.clone() };
            let bucket = Buckets::get(tx, &input.bucket)?;
            encrypt(tx, &bucket, &mut meta)?;
            let blob = source.blob.clone().ok_or_else(refusals::no_such_key)?;
            let tags = if replaces_tags { &given_tags } else { &source.tags };
            let new = NewVersion { key: &input.key, body: Some((&blob, &source.etag)), meta: &meta, tags };
            let version = versions::add(tx, &bucket, &new, &ids, now)?;
            Ok::<_, ApiError>((source, source_bucket.versioning != Versioning::Unset, version, meta))
        })
        .await?;
    api.sweep_soon();
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(source.etag)),
        last_modified: Some(time(now.as_second())),
        checksum_type: checksum_type(&meta.checksums),
        ..Default::default()
    };
    put_checksums!(result, &meta.checksums);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: source_versioned.then_some(source.version),
        server_side_encryption: Some(encryption(&meta)),
        ssekms_key_id: meta.kms_key.clone(),
        version_id: version,
        ..Default::default()
    }))
}

pub(super) async fn delete(api: &S3Api, request: S3Request<DeleteObjectInput>) -> S3Answer<DeleteObjectOutput> {
    let input = request.input;
    let (ids, now) = (api.host.ids.clone(), api.host.clock.now());
    let deleted = api
        .host
        .store
        .write(move |tx| {
            let bucket = Buckets::get(tx, &input.bucket)?;
            if input.if_match.is_some() {
                let existing = match &input.version_id {
                    Some(version) => versions::by_id(tx, &bucket, &input.key, version)?,
                    None => versions::current(tx, &bucket, &input.key)?,
                };
                check_write(existing.as_ref(), input.if_match.as_ref(), None)?;
            }
            versions::delete(tx, &bucket, &input.key, input.version_id.as_deref(), &ids, now)
        })
        .await?;
    api.sweep_soon();
    Ok(S3Response::with_status(
        DeleteObjectOutput {
            delete_marker: deleted.marker.then_some(true),
            version_id: deleted.version,
            ..Default::default()
        },
        http::StatusCode::NO_CONTENT,
    ))
}

pub(super) async fn delete_many(api: &S3Api, request: S3Request<DeleteObjectsInput>) -> S3Answer<DeleteObjectsOutput> {
    let principal = request.extensions.get::<Principal>().cloned().unwrap_or_else(Principal::local);
    let context = api.host.request_context(S3Context::of(&request).region());
    let DeleteObjectsInput { bucket: name, delete: Delete { objects, quiet }, .. } = request.input;
    if objects.is_empty() || objects.len() > 1000 {
        return Err(refusals::malformed_xml().into());
    }
    let (ids, now) = (api.host.ids.clone(), api.host.clock.now());
    // One transaction for all: an object that can't be deleted is reported and leaves the others alone.
    let deleted = api
        .host
        .store
        .write(move |tx| {
            let bucket = Buckets::get(tx, &name)?;
            let mut done = Vec::with_capacity(objects.len());
            let mut errors = Vec::new();
            for object in objects {
                let required = delete_one(&name, &object.key, object.version_id.is_some());
                if let Authorization::Denied(denial) = authorize(tx, &principal, &[required], &context)? {
                    errors.push(dto::Error {
                        code: Some("AccessDenied".to_owned()),
                        message: Some(denial.s3_message()),
                        key: Some(object.key),
                        version_id: object.version_id,
                    });
                    continue;
                }
                if let Some(etag) = &object.e_tag {
                    let existing = match &object.version_id {
                        Some(version) => versions::by_id(tx, &bucket, &object.key, version)?,
                        None => versions::current(tx, &bucket, &object.key)?,
                    };
                    if let Err(error) = check_write(existing.as_ref(), Some(&ETagCondition::ETag(etag.clone())), None) {
                        errors.push(dto::Error {
                            code: Some(error.code),
                            message: Some(error.message),
                            key: Some(object.key),
                            version_id: object.version_id,
                        });
                        continue;
                    }
                }
                let outcome = versions::delete(tx, &bucket, &object.key, object.version_id.as_deref(), &ids, now)?;
                let deletes_version = object.version_id.is_some();
                done.push(DeletedObject {
                    delete_marker: outcome.marker.then_some(true),
                    delete_marker_version_id: outcome.version.filter(|_| outcome.marker),
                    key: Some(object.key),
                    version_id: object.version_id.filter(|_| deletes_version),
                });
            }
            Ok::<_, ApiError>((done, errors))
        })
        .await?;
    api.sweep_soon();
    let (done, errors) = deleted;
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet.unwrap_or(false)).then_some(done),
        errors: (!errors.is_empty()).then_some(errors),
        ..Default::default()
    }))
}

/// The version that a tagging operation is about; a marker has no tags.
fn tagged(
    tx: &rusqlite::Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
) -> Result<StoredVersion, ApiError> {
    let found = read_ops::find(tx, bucket, key, version)?;
    match (found.marker, version) {
        (false, _) => Ok(found),
        (true, None) => Err(refusals::no_such_key()),
        (true, Some(_)) => Err(refusals::method_not_allowed()),
    }
}

pub(super) async fn get_tagging(
    api: &S3Api,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Answer<GetObjectTaggingOutput> {
    let input = request.input;
    let (version, versioned) = api
        .host
        .store
        .read(move |tx| {
            let bucket = Buckets::get(tx, &input.bucket)?;
            let version = tagged(tx, &bucket, &input.key, input.version_id.as_deref())?;
            Ok::<_, ApiError>((version, bucket.versioning != Versioning::Unset))
        })
        .await?;
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set: tag_set(version.tags),
        version_id: versioned.then_some(version.version),
    }))
}

async fn replace_tags(
    api: &S3Api,
    name: String,
    key: String,
    version: Option<String>,
    tags: Tags,
) -> Result<Option<String>, S3Refusal> {
    settings::check_tags(&tags, 10)?;
    Ok(api
        .host
        .store
        .write(move |tx| {
            let bucket = Buckets::get(tx, &name)?;
            let version = tagged(tx, &bucket, &key, version.as_deref())?;
            versions::set_tags(tx, &bucket, &version, &tags)?;
            Ok::<_, ApiError>((bucket.versioning != Versioning::Unset).then_some(version.version))
        })
        .await?)
}

pub(super) async fn put_tagging(
    api: &S3Api,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Answer<PutObjectTaggingOutput> {
    let PutObjectTaggingInput { bucket, key, tagging, version_id, .. } = request.input;
    let version_id = replace_tags(api, bucket, key, version_id, tags_of(tagging)?).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(super) async fn delete_tagging(
    api: &S3Api,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Answer<DeleteObjectTaggingOutput> {
    let DeleteObjectTaggingInput { bucket, key, version_id, .. } = request.input;
    let version_id = replace_tags(api, bucket, key, version_id, Tags::new()).await?;
    Ok(S3Response::with_status(DeleteObjectTaggingOutput { version_id }, http::StatusCode::NO_CONTENT))
}
