//! Buckets as a template declares them: the properties of `AWS::S3::Bucket` set on a bucket, and whether an object that
//! a template names is there.

use rusqlite::Transaction;
use s3s::dto::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    Tag, Transition, TransitionStorageClass,
};
use serde_json::Value;

use crate::local::errors::ApiError;

use super::buckets::{Buckets, Versioning};
use super::model::Tags;
use super::{read_ops, refusals, settings};

/// Sets on a bucket what the properties of its resource say, and takes off what they don't; `system` tags come first.
///
/// # Errors
///
/// What S3 would refuse of it.
pub fn apply(tx: &Transaction<'_>, bucket: &str, properties: &Value, system: &Tags) -> Result<(), ApiError> {
    let get = |pointer: &str| properties.pointer(pointer);
    let mut tags = system.clone();
    for tag in list(get("/Tags")) {
        tags.push((text(tag.get("Key")).unwrap_or_default(), text(tag.get("Value")).unwrap_or_default()));
    }
    settings::check_tags(&tags, 50 + system.len())?;
    settings::TAGS.set(tx, bucket, Some(&tags).filter(|tags| !tags.is_empty()))?;
    settings::set_defaults(tx, bucket)?;
    if let Some(block) = get("/PublicAccessBlockConfiguration") {
        let setting = |name: &str| Some(flag(block.get(name)).unwrap_or(false));
        let block = PublicAccessBlockConfiguration {
            block_public_acls: setting("BlockPublicAcls"),
            block_public_policy: setting("BlockPublicPolicy"),
            ignore_public_acls: setting("IgnorePublicAcls"),
            restrict_public_buckets: setting("RestrictPublicBuckets"),
        };
        settings::PUBLIC_ACCESS.set(tx, bucket, Some(&block))?;
    }
    if let Some(ownership) = text(get("/OwnershipControls/Rules/0/ObjectOwnership")) {
        settings::OWNERSHIP.set(tx, bucket, Some(&ownership))?;
    }
    settings::ENCRYPTION.set(tx, bucket, encryption(get("/BucketEncryption")).as_ref())?;
    let lifecycle = get("/LifecycleConfiguration").map(lifecycle);
    if let Some(lifecycle) = &lifecycle {
        settings::check_lifecycle(lifecycle)?;
    }
    settings::LIFECYCLE.set(tx, bucket, lifecycle.as_ref())?;
    match text(get("/VersioningConfiguration/Status")).as_deref() {
        Some("Enabled") => Buckets::set_versioning(tx, bucket, Versioning::Enabled),
        // What was versioned once can only be suspended.
        _ if Buckets::get(tx, bucket)?.versioning != Versioning::Unset => {
            Buckets::set_versioning(tx, bucket, Versioning::Suspended)
        }
        Some("Suspended") => Buckets::set_versioning(tx, bucket, Versioning::Suspended),
        _ => Ok(()),
    }
}

/// Whether an object can be read: the current version, or the one named.
///
/// # Errors
///
/// `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`.
pub fn object_exists(tx: &Transaction<'_>, bucket: &str, key: &str, version: Option<&str>) -> Result<(), ApiError> {
    let found = read_ops::find(tx, &Buckets::get(tx, bucket)?, key, version)?;
    if found.marker { Err(refusals::no_such_key()) } else { Ok(()) }
}

fn encryption(declared: Option<&Value>) -> Option<ServerSideEncryptionConfiguration> {
    let rules: Vec<ServerSideEncryptionRule> = list(declared?.get("ServerSideEncryptionConfiguration"))
        .iter()
        .map(|rule| ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: rule.get("ServerSideEncryptionByDefault").map(|default| {
                ServerSideEncryptionByDefault {
                    kms_master_key_id: text(default.get("KMSMasterKeyID")),
                    sse_algorithm: ServerSideEncryption::from(text(default.get("SSEAlgorithm")).unwrap_or_default()),
                }
            }),
            bucket_key_enabled: flag(rule.get("BucketKeyEnabled")),
        })
        .collect();
    (!rules.is_empty()).then_some(ServerSideEncryptionConfiguration { rules })
}

fn lifecycle(declared: &Value) -> BucketLifecycleConfiguration {
    BucketLifecycleConfiguration { rules: list(declared.get("Rules")).iter().map(rule).collect() }
}

fn rule(rule: &Value) -> LifecycleRule {
    let days = number(rule.get("ExpirationInDays"));
    let marker = flag(rule.get("ExpiredObjectDeleteMarker"));
    let noncurrent = rule.get("NoncurrentVersionExpiration");
    let noncurrent_days = noncurrent
        .and_then(|noncurrent| number(noncurrent.get("NoncurrentDays")))
        .or_else(|| number(rule.get("NoncurrentVersionExpirationInDays")));
    let transitions: Vec<Transition> = list(rule.get("Transitions"))
        .iter()
        .chain(rule.get("Transition"))
        .map(|transition| Transition {
            date: None,
            days: number(transition.get("TransitionInDays")),
            storage_class: text(transition.get("StorageClass")).map(TransitionStorageClass::from),
        })
        .collect();
    LifecycleRule {
        abort_incomplete_multipart_upload: rule.get("AbortIncompleteMultipartUpload").map(|abort| {
            AbortIncompleteMultipartUpload { days_after_initiation: number(abort.get("DaysAfterInitiation")) }
        }),
        expiration: (days.is_some() || marker.is_some()).then_some(LifecycleExpiration {
            date: None,
            days,
            expired_object_delete_marker: marker,
        }),
        filter: Some(filter(rule)),
        id: text(rule.get("Id")),
        noncurrent_version_expiration: noncurrent_days.map(|days| NoncurrentVersionExpiration {
            newer_noncurrent_versions: noncurrent
                .and_then(|noncurrent| number(noncurrent.get("NewerNoncurrentVersions"))),
            noncurrent_days: Some(days),
        }),
        noncurrent_version_transitions: None,
        prefix: None,
        status: ExpirationStatus::from(text(rule.get("Status")).unwrap_or_else(|| "Enabled".to_owned())),
        transitions: (!transitions.is_empty()).then_some(transitions),
    }
}

fn filter(rule: &Value) -> LifecycleRuleFilter {
    let prefix = text(rule.get("Prefix"));
    let tags: Vec<Tag> = list(rule.get("TagFilters"))
        .iter()
        .map(|tag| Tag { key: text(tag.get("Key")), value: text(tag.get("Value")) })
        .collect();
    let size = |name: &str| text(rule.get(name)).and_then(|size| size.parse().ok());
    let (greater, less) = (size("ObjectSizeGreaterThan"), size("ObjectSizeLessThan"));
    let conditions =
        tags.len() + usize::from(prefix.is_some()) + usize::from(greater.is_some()) + usize::from(less.is_some());
    if conditions > 1 {
        let and = LifecycleRuleAndOperator {
            object_size_greater_than: greater,
            object_size_less_than: less,
            prefix,
            tags: (!tags.is_empty()).then_some(tags),
        };
        return LifecycleRuleFilter { and: Some(and), ..LifecycleRuleFilter::default() };
    }
    LifecycleRuleFilter {
        and: None,
        object_size_greater_than: greater,
        object_size_less_than: less,
        prefix: Some(prefix.unwrap_or_default()).filter(|_| tags.is_empty() && greater.is_none() && less.is_none()),
        tag: tags.into_iter().next(),
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn flag(value: Option<&Value>) -> Option<bool> {
    text(value).map(|text| text.eq_ignore_ascii_case("true"))
}

fn number(value: Option<&Value>) -> Option<i32> {
    text(value)?.parse().ok()
}
