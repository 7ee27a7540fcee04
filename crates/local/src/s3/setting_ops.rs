//! Operations on the settings of a bucket.

use s3s::dto::*;
use s3s::{S3Request, S3Response};

use crate::ground::ApiError;

use super::buckets::Buckets;
use super::model::Tags;
use super::operation::{S3Answer, S3Api};
use super::settings::{self, ENCRYPTION, LIFECYCLE, OWNERSHIP, POLICY, PUBLIC_ACCESS, TAGS};
use super::{refusals, settings::check_tags};

/// Tags as they come in; a missing half is malformed.
pub(super) fn tags_of(tagging: Tagging) -> Result<Tags, ApiError> {
    tagging
        .tag_set
        .into_iter()
        .map(|tag| Ok((tag.key.ok_or_else(refusals::malformed_xml)?, tag.value.unwrap_or_default())))
        .collect()
}

/// Tags as they go out.
pub(super) fn tag_set(tags: Tags) -> TagSet {
    tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
}

pub(super) async fn get_tagging(
    api: &S3Api,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Answer<GetBucketTaggingOutput> {
    let bucket = request.input.bucket;
    let tags = api.host.store.read(move |tx| TAGS.get(tx, &bucket)).await?;
    let tags = tags.ok_or_else(|| refusals::no_such("NoSuchTagSet", "The TagSet does not exist"))?;
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: tag_set(tags) }))
}

pub(super) async fn put_tagging(
    api: &S3Api,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Answer<PutBucketTaggingOutput> {
    let PutBucketTaggingInput { bucket, tagging, .. } = request.input;
    let tags = tags_of(tagging)?;
    check_tags(&tags, 50)?;
    api.host
        .store
        .write(move |tx| {
            let before = Buckets::system_tags(tx, &bucket)?;
            let after = settings::system_tags(&tags);
            if before.iter().any(|tag| !after.contains(tag)) {
                return Err(ApiError::sender("InvalidTag", "System tags cannot be removed by requester"));
            }
            if after.iter().any(|tag| !before.contains(tag)) {
                return Err(ApiError::sender("InvalidTag", "System tags cannot be added/updated by requester"));
            }
            TAGS.set(tx, &bucket, Some(&tags).filter(|tags| !tags.is_empty()))
        })
        .await?;
    Ok(S3Response::with_status(PutBucketTaggingOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn delete_tagging(
    api: &S3Api,
    request: S3Request<DeleteBucketTaggingInput>,
) -> S3Answer<DeleteBucketTaggingOutput> {
    let bucket = request.input.bucket;
    api.host
        .store
        .write(move |tx| {
            let kept = Buckets::system_tags(tx, &bucket)?;
            TAGS.set(tx, &bucket, Some(&kept).filter(|tags| !tags.is_empty()))
        })
        .await?;
    Ok(S3Response::new(DeleteBucketTaggingOutput::default()))
}

pub(super) async fn get_encryption(
    api: &S3Api,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Answer<GetBucketEncryptionOutput> {
    let bucket = request.input.bucket;
    let configuration = api.host.store.read(move |tx| ENCRYPTION.get(tx, &bucket)).await?;
    Ok(S3Response::new(GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(configuration.unwrap_or_else(settings::default_encryption)),
    }))
}

pub(super) async fn put_encryption(
    api: &S3Api,
    request: S3Request<PutBucketEncryptionInput>,
) -> S3Answer<PutBucketEncryptionOutput> {
    let PutBucketEncryptionInput { bucket, server_side_encryption_configuration: configuration, .. } = request.input;
    if configuration.rules.len() != 1 {
        return Err(refusals::malformed_xml().into());
    }
    api.host.store.write(move |tx| ENCRYPTION.set(tx, &bucket, Some(&configuration))).await?;
    Ok(S3Response::new(PutBucketEncryptionOutput::default()))
}

pub(super) async fn delete_encryption(
    api: &S3Api,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> S3Answer<DeleteBucketEncryptionOutput> {
    let bucket = request.input.bucket;
    api.host.store.write(move |tx| ENCRYPTION.set(tx, &bucket, None)).await?;
    Ok(S3Response::new(DeleteBucketEncryptionOutput::default()))
}

pub(super) async fn get_public_access(
    api: &S3Api,
    request: S3Request<GetPublicAccessBlockInput>,
) -> S3Answer<GetPublicAccessBlockOutput> {
    let bucket = request.input.bucket;
    let block = api.host.store.read(move |tx| PUBLIC_ACCESS.get(tx, &bucket)).await?;
    let block = block.ok_or_else(|| {
        refusals::no_such("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
    })?;
    Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration: Some(block) }))
}

pub(super) async fn put_public_access(
    api: &S3Api,
    request: S3Request<PutPublicAccessBlockInput>,
) -> S3Answer<PutPublicAccessBlockOutput> {
    let PutPublicAccessBlockInput { bucket, public_access_block_configuration: given, .. } = request.input;
    // What is not said is off.
    let block = PublicAccessBlockConfiguration {
        block_public_acls: Some(given.block_public_acls.unwrap_or(false)),
        block_public_policy: Some(given.block_public_policy.unwrap_or(false)),
        ignore_public_acls: Some(given.ignore_public_acls.unwrap_or(false)),
        restrict_public_buckets: Some(given.restrict_public_buckets.unwrap_or(false)),
    };
    api.host.store.write(move |tx| PUBLIC_ACCESS.set(tx, &bucket, Some(&block))).await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput::default()))
}

pub(super) async fn delete_public_access(
    api: &S3Api,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> S3Answer<DeletePublicAccessBlockOutput> {
    let bucket = request.input.bucket;
    api.host.store.write(move |tx| PUBLIC_ACCESS.set(tx, &bucket, None)).await?;
    Ok(S3Response::new(DeletePublicAccessBlockOutput::default()))
}

pub(super) async fn get_lifecycle(
    api: &S3Api,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Answer<GetBucketLifecycleConfigurationOutput> {
    let bucket = request.input.bucket;
    let configuration = api.host.store.read(move |tx| LIFECYCLE.get(tx, &bucket)).await?;
    let configuration = configuration.ok_or_else(|| {
        refusals::no_such("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
    })?;
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        rules: Some(configuration.rules),
        transition_default_minimum_object_size: None,
    }))
}

pub(super) async fn put_lifecycle(
    api: &S3Api,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Answer<PutBucketLifecycleConfigurationOutput> {
    let PutBucketLifecycleConfigurationInput { bucket, lifecycle_configuration, .. } = request.input;
    let mut configuration = lifecycle_configuration.ok_or_else(refusals::malformed_xml)?;
    settings::check_lifecycle(&configuration)?;
    for rule in &mut configuration.rules {
        rule.id.get_or_insert_with(|| api.host.ids.uuid().to_string());
    }
    api.host.store.write(move |tx| LIFECYCLE.set(tx, &bucket, Some(&configuration))).await?;
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
}

pub(super) async fn delete_lifecycle(
    api: &S3Api,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> S3Answer<DeleteBucketLifecycleOutput> {
    let bucket = request.input.bucket;
    api.host.store.write(move |tx| LIFECYCLE.set(tx, &bucket, None)).await?;
    Ok(S3Response::new(DeleteBucketLifecycleOutput::default()))
}

pub(super) async fn get_policy(
    api: &S3Api,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Answer<GetBucketPolicyOutput> {
    let bucket = request.input.bucket;
    let policy = api.host.store.read(move |tx| POLICY.get(tx, &bucket)).await?;
    let policy = policy.ok_or_else(|| refusals::no_such("NoSuchBucketPolicy", "The bucket policy does not exist"))?;
    Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy) }))
}

pub(super) async fn put_policy(
    api: &S3Api,
    request: S3Request<PutBucketPolicyInput>,
) -> S3Answer<PutBucketPolicyOutput> {
    let PutBucketPolicyInput { bucket, policy, .. } = request.input;
    api.host.store.write(move |tx| settings::set_policy(tx, &bucket, Some(&policy))).await?;
    Ok(S3Response::with_status(PutBucketPolicyOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn delete_policy(
    api: &S3Api,
    request: S3Request<DeleteBucketPolicyInput>,
) -> S3Answer<DeleteBucketPolicyOutput> {
    let bucket = request.input.bucket;
    api.host.store.write(move |tx| settings::set_policy(tx, &bucket, None)).await?;
    Ok(S3Response::new(DeleteBucketPolicyOutput::default()))
}

pub(super) async fn get_ownership(
    api: &S3Api,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> S3Answer<GetBucketOwnershipControlsOutput> {
    let bucket = request.input.bucket;
    let ownership = api.host.store.read(move |tx| OWNERSHIP.get(tx, &bucket)).await?;
    let ownership = ownership.ok_or_else(|| {
        refusals::no_such("OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
    })?;
    let rule = OwnershipControlsRule { object_ownership: ObjectOwnership::from(ownership) };
    Ok(S3Response::new(GetBucketOwnershipControlsOutput {
        ownership_controls: Some(OwnershipControls { rules: vec![rule] }),
    }))
}

pub(super) async fn put_ownership(
    api: &S3Api,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Answer<PutBucketOwnershipControlsOutput> {
    let PutBucketOwnershipControlsInput { bucket, ownership_controls, .. } = request.input;
    let mut rules = ownership_controls.rules.into_iter();
    let (Some(rule), None) = (rules.next(), rules.next()) else { return Err(refusals::malformed_xml().into()) };
    let ownership = rule.object_ownership.as_str().to_owned();
    if !["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"].contains(&ownership.as_str()) {
        return Err(refusals::malformed_xml().into());
    }
    api.host
        .store
        .write(move |tx| {
            Buckets::get(tx, &bucket)?;
            OWNERSHIP.set(tx, &bucket, Some(&ownership))
        })
        .await?;
    Ok(S3Response::new(PutBucketOwnershipControlsOutput::default()))
}
