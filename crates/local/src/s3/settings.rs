//! What is set on a bucket: tags, encryption, public access, lifecycle, ownership, policy.

use rusqlite::Transaction;
use s3s::dto::{
    BucketLifecycleConfiguration, PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ground::ApiError;

use super::buckets::{Bucket, Buckets};
use super::model::Tags;
use super::{refusals, versions};

/// A kind of setting and the type its document has.
#[derive(Debug)]
pub(super) struct SettingKind<T> {
    name: &'static str,
    document: std::marker::PhantomData<fn() -> T>,
}

impl<T> SettingKind<T> {
    const fn new(name: &'static str) -> Self {
        Self { name, document: std::marker::PhantomData }
    }
}

pub(super) const TAGS: SettingKind<Tags> = SettingKind::new("tags");
pub(super) const ENCRYPTION: SettingKind<ServerSideEncryptionConfiguration> = SettingKind::new("encryption");
pub(super) const PUBLIC_ACCESS: SettingKind<PublicAccessBlockConfiguration> = SettingKind::new("public-access-block");
pub(super) const LIFECYCLE: SettingKind<BucketLifecycleConfiguration> = SettingKind::new("lifecycle");
pub(super) const OWNERSHIP: SettingKind<String> = SettingKind::new("ownership");
pub(super) const POLICY: SettingKind<String> = SettingKind::new("policy");

impl<T: Serialize + DeserializeOwned> SettingKind<T> {
    /// The setting of a bucket, if it has one.
    pub(super) fn get(&self, tx: &Transaction<'_>, bucket: &str) -> Result<Option<T>, ApiError> {
        let document = Buckets::setting(tx, bucket, self.name)?;
        document.map(|document| read(&document)).transpose()
    }

    /// The same, of a bucket at hand.
    pub(super) fn of(&self, tx: &Transaction<'_>, bucket: &Bucket) -> Result<Option<T>, ApiError> {
        let document = Buckets::setting_of(tx, bucket, self.name)?;
        document.map(|document| read(&document)).transpose()
    }

    /// Sets it, or removes it.
    pub(super) fn set(&self, tx: &Transaction<'_>, bucket: &str, value: Option<&T>) -> Result<(), ApiError> {
        let document = value.map(versions::json).transpose()?;
        Buckets::set(tx, bucket, self.name, document.as_deref())
    }
}

fn read<T: DeserializeOwned>(document: &str) -> Result<T, ApiError> {
    serde_json::from_str(document).map_err(|error| ApiError::internal(error.to_string()))
}

/// What S3 sets on every new bucket.
pub(super) fn set_defaults(tx: &Transaction<'_>, bucket: &str) -> Result<(), ApiError> {
    let all = PublicAccessBlockConfiguration {
        block_public_acls: Some(true),
        block_public_policy: Some(true),
        ignore_public_acls: Some(true),
        restrict_public_buckets: Some(true),
    };
    PUBLIC_ACCESS.set(tx, bucket, Some(&all))?;
    OWNERSHIP.set(tx, bucket, Some(&"BucketOwnerEnforced".to_owned()))
}

/// The encryption of a bucket that has none set.
pub(super) fn default_encryption() -> ServerSideEncryptionConfiguration {
    ServerSideEncryptionConfiguration {
        rules: vec![ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                kms_master_key_id: None,
                sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
            }),
            bucket_key_enabled: Some(false),
        }],
    }
}

/// The algorithm and key that a bucket encrypts new objects with.
pub(super) fn encryption_of(
    tx: &Transaction<'_>,
    bucket: &Bucket,
) -> Result<(Option<String>, Option<String>), ApiError> {
    let rule = ENCRYPTION.of(tx, bucket)?.and_then(|configuration| configuration.rules.into_iter().next());
    let Some(default) = rule.and_then(|rule| rule.apply_server_side_encryption_by_default) else {
        return Ok((None, None));
    };
    let algorithm = default.sse_algorithm.as_str().to_owned();
    Ok((Some(algorithm).filter(|algorithm| algorithm != ServerSideEncryption::AES256), default.kms_master_key_id))
}

/// A bucket's policy, if there is the bucket and it has one.
///
/// # Errors
///
/// When the database refuses.
pub fn policy_of(tx: &Transaction<'_>, bucket: &str) -> Result<Option<String>, ApiError> {
    if Buckets::exists(tx, bucket)? { POLICY.get(tx, bucket) } else { Ok(None) }
}

/// Sets a bucket's policy, or removes it.
///
/// # Errors
///
/// `MalformedPolicy` for what is no policy, `AccessDenied` for a public one where those are blocked.
pub fn set_policy(tx: &Transaction<'_>, bucket: &str, policy: Option<&str>) -> Result<(), ApiError> {
    let Some(text) = policy else { return POLICY.set(tx, bucket, None) };
    let document: Value = serde_json::from_str(text).map_err(|_| {
        ApiError::sender("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    })?;
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        _ => return Err(ApiError::sender("MalformedPolicy", "Missing required field Statement")),
    };
    for statement in &statements {
        for field in ["Effect", "Principal"] {
            let other = format!("Not{field}");
            if statement.get(field).is_none() && statement.get(&other).is_none() {
                return Err(ApiError::sender("MalformedPolicy", format!("Missing required field {field}")));
            }
        }
    }
    let blocked = PUBLIC_ACCESS.get(tx, bucket)?.and_then(|block| block.block_public_policy).unwrap_or(false);
    if blocked && statements.iter().any(is_public) {
        return Err(ApiError::sender(
            "AccessDenied",
            format!(
                "The policy of `{bucket}` was refused because public policies are prevented by the BlockPublicPolicy \
                 setting in S3 Block Public Access."
            ),
        )
        .with_status(http::StatusCode::FORBIDDEN));
    }
    POLICY.set(tx, bucket, Some(&text.to_owned()))
}

/// An unconditional grant to everyone; conditions are not weighed here as AWS weighs them.
fn is_public(statement: &Value) -> bool {
    let everyone = |principal: &Value| match principal {
        Value::String(text) => text == "*",
        Value::Array(items) => items.iter().any(|item| item == "*"),
        _ => false,
    };
    let principal = statement.get("Principal").unwrap_or(&Value::Null);
    statement.get("Effect").and_then(Value::as_str) == Some("Allow")
        && statement.get("Condition").is_none()
        && (everyone(principal) || principal.get("AWS").is_some_and(everyone))
}

/// The tags among them that nobody but AWS can set.
pub(super) fn system_tags(tags: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| key.starts_with("aws:")).cloned().collect()
}

/// Tags as they may be: at most fifty on a bucket, no key twice, none of AWS's own.
pub(super) fn check_tags(tags: &Tags, most: usize) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(ApiError::sender("InvalidTag", message));
    if tags.len() > most {
        return Err(ApiError::sender("BadRequest", format!("Object tags cannot be greater than {most}")));
    }
    for (index, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > 128 {
            return invalid("The TagKey you have provided is invalid");
        }
        if value.chars().count() > 256 {
            return invalid("The TagValue you have provided is invalid");
        }
        if tags.iter().take(index).any(|(other, _)| other == key) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
    }
    Ok(())
}

/// Checks a lifecycle configuration as far as a mistake is likely.
pub(super) fn check_lifecycle(configuration: &BucketLifecycleConfiguration) -> Result<(), ApiError> {
    if configuration.rules.is_empty() {
        return Err(refusals::malformed_xml());
    }
    if configuration.rules.len() > 1000 {
        return Err(refusals::invalid_request("A lifecycle configuration can have at most 1000 rules"));
    }
    for (index, rule) in configuration.rules.iter().enumerate() {
        let acts = rule.expiration.is_some()
            || rule.transitions.as_ref().is_some_and(|all| !all.is_empty())
            || rule.noncurrent_version_expiration.is_some()
            || rule.noncurrent_version_transitions.as_ref().is_some_and(|all| !all.is_empty())
            || rule.abort_incomplete_multipart_upload.is_some();
        if !acts {
            return Err(refusals::invalid_request("At least one action needs to be specified in a rule"));
        }
        if let Some(id) = &rule.id
            && configuration.rules.iter().take(index).any(|other| other.id.as_ref() == Some(id))
        {
            return Err(refusals::invalid_argument("Rule ID must be unique. Found same ID for more than one rule"));
        }
        if rule.expiration.as_ref().and_then(|expiration| expiration.days).is_some_and(|days| days <= 0) {
            return Err(refusals::invalid_argument("'Days' for Expiration action must be a positive integer"));
        }
    }
    Ok(())
}
