//! Operations on buckets as a whole.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::{self, *};
use s3s::{S3Request, S3Response};

use crate::ground::{ACCOUNT_ID, ApiError};

use super::buckets::{Buckets, Versioning};
use super::names::{self, Namespace};
use super::operation::{S3Answer, S3Api, S3Context, S3Refusal, time};
use super::{refusals, settings};

/// The owner of everything, as S3 shows it.
pub(super) fn owner() -> Owner {
    Owner { display_name: None, id: Some(ACCOUNT_ID.to_owned()) }
}

pub(super) async fn create(api: &S3Api, request: S3Request<CreateBucketInput>) -> S3Answer<CreateBucketOutput> {
    let caller = S3Context::of(&request);
    let namespace = match request.headers.get("x-amz-bucket-namespace").map(|value| value.as_bytes()) {
        None | Some(b"global") => Namespace::Global,
        Some(b"account-regional") => Namespace::AccountRegional,
        Some(_) => return Err(refusals::invalid_argument("Invalid x-amz-bucket-namespace").into()),
    };
    let input = request.input;
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(ApiError::not_implemented("s3", "CreateBucket with object lock").into());
    }
    let configuration = input.create_bucket_configuration.unwrap_or_default();
    if configuration.bucket.is_some() || configuration.location.is_some() {
        return Err(ApiError::not_implemented("s3", "CreateBucket of a directory bucket").into());
    }
    let constraint = configuration.location_constraint.as_ref().map(BucketLocationConstraint::as_str);
    let region = names::location(caller.region(), constraint)?;
    let now = api.host.clock.now();
    let (name, ownership) = (input.bucket, input.object_ownership);
    let location = format!("/{name}");
    api.host
        .store
        .write(move |tx| {
            // The oldest endpoint forgives a second creation; all others refuse it.
            if region == "us-east-1" && Buckets::find(tx, &name)?.is_some_and(|bucket| bucket.region == region) {
                return Ok(());
            }
            Buckets::create(tx, &name, &region, namespace, now)?;
            settings::set_defaults(tx, &name)?;
            if let Some(ownership) = ownership {
                settings::OWNERSHIP.set(tx, &name, Some(&ownership.as_str().to_owned()))?;
            }
            Ok::<_, ApiError>(())
        })
        .await?;
    Ok(S3Response::new(CreateBucketOutput { location: Some(location) }))
}

pub(super) async fn delete(api: &S3Api, request: S3Request<DeleteBucketInput>) -> S3Answer<DeleteBucketOutput> {
    let name = request.input.bucket;
    api.host.store.write(move |tx| Buckets::delete(tx, &name)).await?;
    api.sweep_soon();
    Ok(S3Response::new(DeleteBucketOutput::default()))
}

pub(super) async fn head(api: &S3Api, request: S3Request<HeadBucketInput>) -> S3Answer<HeadBucketOutput> {
    let name = request.input.bucket;
    let bucket = api.host.store.read(move |tx| Buckets::get(tx, &name)).await?;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(bucket.region), ..Default::default() }))
}

pub(super) async fn list(api: &S3Api, request: S3Request<ListBucketsInput>) -> S3Answer<ListBucketsOutput> {
    let input = request.input;
    let after = match &input.continuation_token {
        Some(token) => Some(decode_token(token)?),
        None => None,
    };
    let prefix = input.prefix.clone().unwrap_or_default();
    let most = usize::try_from(input.max_buckets.unwrap_or(10_000)).unwrap_or(0).min(10_000);
    let mut buckets = api.host.store.read(Buckets::list).await?;
    buckets.retain(|bucket| {
        bucket.name.starts_with(&prefix)
            && after.as_ref().is_none_or(|after| bucket.name > *after)
            && input.bucket_region.as_ref().is_none_or(|region| bucket.region == *region)
    });
    let token = (buckets.len() > most)
        .then(|| buckets.get(most.saturating_sub(1)).map(|bucket| encode_token(&bucket.name)))
        .flatten();
    let buckets = buckets
        .into_iter()
        .take(most)
        .map(|bucket| dto::Bucket {
            bucket_region: Some(bucket.region),
            creation_date: Some(time(bucket.created)),
            name: Some(bucket.name),
        })
        .collect();
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets),
        continuation_token: token,
        owner: Some(owner()),
        prefix: input.prefix,
    }))
}

pub(super) async fn location(
    api: &S3Api,
    request: S3Request<GetBucketLocationInput>,
) -> S3Answer<GetBucketLocationOutput> {
    let name = request.input.bucket;
    let bucket = api.host.store.read(move |tx| Buckets::get(tx, &name)).await?;
    // The oldest region has no name here.
    let constraint = (bucket.region != "us-east-1").then(|| BucketLocationConstraint::from(bucket.region));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: constraint }))
}

pub(super) async fn get_versioning(
    api: &S3Api,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Answer<GetBucketVersioningOutput> {
    let name = request.input.bucket;
    let bucket = api.host.store.read(move |tx| Buckets::get(tx, &name)).await?;
    let status = bucket.versioning.as_str().map(BucketVersioningStatus::from_static);
    Ok(S3Response::new(GetBucketVersioningOutput { mfa_delete: None, status }))
}

pub(super) async fn put_versioning(
    api: &S3Api,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Answer<PutBucketVersioningOutput> {
    let PutBucketVersioningInput { bucket, versioning_configuration, .. } = request.input;
    if versioning_configuration.mfa_delete.is_some_and(|mfa| mfa.as_str() == MFADelete::ENABLED) {
        return Err(ApiError::not_implemented("s3", "PutBucketVersioning with MFA delete").into());
    }
    let versioning = match versioning_configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => {
            return Err(ApiError::sender(
                "IllegalVersioningConfigurationException",
                "The Versioning element must be specified",
            )
            .into());
        }
    };
    api.host.store.write(move |tx| Buckets::set_versioning(tx, &bucket, versioning)).await?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}

/// A place in a listing as clients carry it: opaque, and safe in a URL.
pub(super) fn encode_token(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// Reads [`encode_token`]'s.
pub(super) fn decode_token(token: &str) -> Result<String, S3Refusal> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| refusals::invalid_argument("The continuation token provided is incorrect").into())
}
