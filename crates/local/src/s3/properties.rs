//! A bucket as CloudFormation describes it: the properties of `AWS::S3::Bucket` as the settings of the S3 API.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html>

use rusqlite::Transaction;
use s3s::dto::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration, NoncurrentVersionTransition,
    PublicAccessBlockConfiguration, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule, Tag, Timestamp, TimestampFormat, Transition,
};
use serde_json::{Map, Value};

use crate::ground::ApiError;

use super::buckets::{Buckets, Versioning};
use super::model::Tags;
use super::settings::{self, ENCRYPTION, LIFECYCLE, OWNERSHIP, PUBLIC_ACCESS, TAGS};

impl Buckets {
    /// The tags of a bucket that nobody but AWS can set.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`.
    pub fn system_tags(tx: &Transaction<'_>, name: &str) -> Result<Tags, ApiError> {
        Ok(settings::system_tags(&TAGS.get(tx, name)?.unwrap_or_default()))
    }

    /// Sets a bucket up as the properties of an `AWS::S3::Bucket` say; a property that is not there is set back to what a
    /// new bucket has. Properties that S3 here has no setting for are not looked at.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, or what S3 would say to the setting.
    pub fn configure(tx: &Transaction<'_>, name: &str, properties: &Map<String, Value>) -> Result<(), ApiError> {
        settings::set_defaults(tx, name)?;
        let bucket = Self::get(tx, name)?;

        let tags = tags(properties.get("Tags"));
        settings::check_tags(&tags, 50)?;
        TAGS.set(tx, name, Some(&tags).filter(|tags| !tags.is_empty()))?;

        let encryption = properties.get("BucketEncryption").map(encryption);
        ENCRYPTION.set(tx, name, encryption.as_ref().filter(|configuration| !configuration.rules.is_empty()))?;

        if let Some(block) = properties.get("PublicAccessBlockConfiguration") {
            PUBLIC_ACCESS.set(tx, name, Some(&public_access(block)))?;
        }

        let lifecycle = properties.get("LifecycleConfiguration").map(lifecycle).transpose()?;
        if let Some(configuration) = &lifecycle {
            settings::check_lifecycle(configuration)?;
        }
        LIFECYCLE.set(tx, name, lifecycle.as_ref())?;

        let ownership = properties.pointer_text(&["OwnershipControls", "Rules"], "ObjectOwnership");
        if let Some(ownership) = ownership {
            OWNERSHIP.set(tx, name, Some(&ownership))?;
        }

        let status = properties.get("VersioningConfiguration").and_then(|versioning| text(versioning, "Status"));
        let versioning = match (status.as_deref(), bucket.versioning) {
            (Some("Enabled"), _) => Versioning::Enabled,
            // Versioning that was ever on can only be suspended.
            (None, Versioning::Unset) => Versioning::Unset,
            _ => Versioning::Suspended,
        };
        Self::set_versioning(tx, name, versioning)
    }
}

trait PointerText {
    /// A text in the first item of a list.
    fn pointer_text(&self, path: &[&str], field: &str) -> Option<String>;
}

impl PointerText for Map<String, Value> {
    fn pointer_text(&self, path: &[&str], field: &str) -> Option<String> {
        let (first, rest) = path.split_first()?;
        let mut value = self.get(*first)?;
        for name in rest {
            value = value.get(name)?;
        }
        text(value.get(0)?, field)
    }
}

fn text(value: &Value, field: &str) -> Option<String> {
    match value.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// CloudFormation takes numbers and flags as texts, too.
fn number<T: std::str::FromStr>(value: &Value, field: &str) -> Option<T> {
    text(value, field)?.parse().ok()
}

fn flag(value: &Value, field: &str) -> Option<bool> {
    number(value, field)
}

fn items<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn tags(value: Option<&Value>) -> Tags {
    let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(|tag| Some((text(tag, "Key")?, text(tag, "Value")?))).collect()
}

fn encryption(value: &Value) -> ServerSideEncryptionConfiguration {
    let rules = items(value, "ServerSideEncryptionConfiguration").iter().map(|rule| ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: rule.get("ServerSideEncryptionByDefault").and_then(|default| {
            Some(ServerSideEncryptionByDefault {
                kms_master_key_id: text(default, "KMSMasterKeyID"),
                sse_algorithm: text(default, "SSEAlgorithm")?.into(),
            })
        }),
        bucket_key_enabled: Some(flag(rule, "BucketKeyEnabled").unwrap_or(false)),
    });
    ServerSideEncryptionConfiguration { rules: rules.collect() }
}

fn public_access(value: &Value) -> PublicAccessBlockConfiguration {
    let setting = |field| Some(flag(value, field).unwrap_or(false));
    PublicAccessBlockConfiguration {
        block_public_acls: setting("BlockPublicAcls"),
        block_public_policy: setting("BlockPublicPolicy"),
        ignore_public_acls: setting("IgnorePublicAcls"),
        restrict_public_buckets: setting("RestrictPublicBuckets"),
    }
}

fn lifecycle(value: &Value) -> Result<BucketLifecycleConfiguration, ApiError> {
    let rules = items(value, "Rules").iter().enumerate().map(|(index, rule)| lifecycle_rule(index, rule));
    Ok(BucketLifecycleConfiguration { rules: rules.collect::<Result<_, _>>()? })
}

fn date(value: &Value, field: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text(value, field) else { return Ok(None) };
    let parsed = Timestamp::parse(TimestampFormat::DateTime, &text);
    parsed.map(Some).map_err(|_| super::refusals::invalid_argument(format!("'{field}' must be an ISO 8601 date")))
}

fn lifecycle_rule(index: usize, rule: &Value) -> Result<LifecycleRule, ApiError> {
    let expiration = LifecycleExpiration {
        date: date(rule, "ExpirationDate")?,
        days: number(rule, "ExpirationInDays"),
        expired_object_delete_marker: flag(rule, "ExpiredObjectDeleteMarker"),
    };
    let one = |name: &str| rule.get(name).map(std::slice::from_ref).unwrap_or_default();
    let transitions = items(rule, "Transitions").iter().chain(one("Transition")).map(|transition| {
        Ok(Transition {
            date: date(transition, "TransitionDate")?,
            days: number(transition, "TransitionInDays"),
            storage_class: text(transition, "StorageClass").map(Into::into),
        })
    });
    let transitions = transitions.collect::<Result<Vec<_>, ApiError>>()?;
    let noncurrent: Vec<_> = items(rule, "NoncurrentVersionTransitions")
        .iter()
        .chain(one("NoncurrentVersionTransition"))
        .map(|transition| NoncurrentVersionTransition {
            newer_noncurrent_versions: number(transition, "NewerNoncurrentVersions"),
            noncurrent_days: number(transition, "TransitionInDays"),
            storage_class: text(transition, "StorageClass").map(Into::into),
        })
        .collect();
    let noncurrent_expiration = match rule.get("NoncurrentVersionExpiration") {
        Some(expiration) => Some(NoncurrentVersionExpiration {
            newer_noncurrent_versions: number(expiration, "NewerNoncurrentVersions"),
            noncurrent_days: number(expiration, "NoncurrentDays"),
        }),
        None => number(rule, "NoncurrentVersionExpirationInDays")
            .map(|days| NoncurrentVersionExpiration { newer_noncurrent_versions: None, noncurrent_days: Some(days) }),
    };
    Ok(LifecycleRule {
        abort_incomplete_multipart_upload: rule.get("AbortIncompleteMultipartUpload").map(|abort| {
            AbortIncompleteMultipartUpload { days_after_initiation: number(abort, "DaysAfterInitiation") }
        }),
        expiration: (expiration != LifecycleExpiration::default()).then_some(expiration),
        filter: Some(filter(rule)),
        id: Some(text(rule, "Id").unwrap_or_else(|| format!("rule-{}", index + 1))),
        noncurrent_version_expiration: noncurrent_expiration,
        noncurrent_version_transitions: (!noncurrent.is_empty()).then_some(noncurrent),
        prefix: None,
        status: ExpirationStatus::from(text(rule, "Status").unwrap_or_else(|| "Enabled".to_owned())),
        transitions: (!transitions.is_empty()).then_some(transitions),
    })
}

/// One condition stands alone, several are joined.
fn filter(rule: &Value) -> LifecycleRuleFilter {
    let prefix = text(rule, "Prefix");
    let (above, below) = (number(rule, "ObjectSizeGreaterThan"), number(rule, "ObjectSizeLessThan"));
    let mut tags: Vec<Tag> = tags(rule.get("TagFilters"))
        .into_iter()
        .map(|(key, value)| Tag { key: Some(key), value: Some(value) })
        .collect();
    let conditions =
        usize::from(prefix.is_some()) + usize::from(above.is_some()) + usize::from(below.is_some()) + tags.len();
    if conditions > 1 {
        let and = LifecycleRuleAndOperator {
            object_size_greater_than: above,
            object_size_less_than: below,
            prefix,
            tags: (!tags.is_empty()).then_some(tags),
        };
        return LifecycleRuleFilter { and: Some(and), ..Default::default() };
    }
    LifecycleRuleFilter {
        and: None,
        object_size_greater_than: above,
        object_size_less_than: below,
        prefix: Some(prefix.unwrap_or_default()).filter(|prefix| conditions == 0 || !prefix.is_empty()),
        tag: tags.pop(),
    }
}
