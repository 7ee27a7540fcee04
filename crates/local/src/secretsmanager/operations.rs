//! The operations on secrets.

use rusqlite::Transaction;
use serde_json::{Map, Value, json};

use super::actions;
use super::store::{self, SecretVersion};
use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::scalar::text;
use crate::protocol::api_request::{ApiRequest, compact, seconds};
use crate::protocol::aws_json::{JsonHandler, JsonService};
use crate::protocol::service::Registration;

/// The service in the registry.
pub const SERVICE: Registration = Registration { schemas: &[super::SCHEMA], start: |_| Box::new(&TABLE) };

/// The operations, one line each.
static TABLE: JsonService<ApiRequest, ApiError> = JsonService {
    name: "secretsmanager",
    target: "secretsmanager.",
    content_type: "application/x-amz-json-1.1",
    largest: 1 << 20,
    required_permissions: actions::required_permissions,
    operations: &[
        // Reading a value notes the day.
        ("BatchGetSecretValue", JsonHandler::Write(batch_get)),
        ("DescribeSecret", JsonHandler::Read(describe)),
        ("GetResourcePolicy", JsonHandler::Read(get_policy)),
        ("GetSecretValue", JsonHandler::Write(get)),
        ("ListSecretVersionIds", JsonHandler::Read(list_versions)),
        ("ListSecrets", JsonHandler::Read(list)),
        ("PutSecretValue", JsonHandler::Write(put)),
    ],
};

/// The longest value, in bytes. Source: quotas in the Secrets Manager user guide.
const LARGEST: usize = 65_536;

fn refused((code, message): (&'static str, String)) -> ApiError {
    ApiError::sender(code, message)
}

fn not_found() -> ApiError {
    ApiError::sender("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

fn bad_token() -> ApiError {
    ApiError::sender("InvalidNextTokenException", "The NextToken value is invalid.")
}

fn secret(db: &Transaction<'_>, asked: &ApiRequest) -> Result<StoredResource, ApiError> {
    store::find(db, &asked.region, asked.required("SecretId")?)?.ok_or_else(not_found)
}

fn shown_value(arn: &str, version: &SecretVersion) -> Value {
    compact(json!({
        "ARN": arn,
        "Name": store::name_of(arn),
        "VersionId": version.id,
        "SecretString": version.text,
        "SecretBinary": version.bytes,
        "VersionStages": version.stages,
        "CreatedDate": seconds(version.created),
    }))
}

fn get(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let secret = secret(db, asked)?;
    let versions = store::versions(db, &secret.id)?;
    let version = store::select(&versions, asked.text("VersionId"), asked.text("VersionStage")).map_err(refused)?;
    store::touched(db, &secret.id, asked.now.as_millisecond())?;
    Ok(shown_value(&secret.id, version))
}

fn batch_get(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let ids = asked.texts("SecretIdList");
    let by_filter = asked.get("Filters").is_some();
    if ids.is_empty() != by_filter {
        return Err(ApiError::sender(
            "InvalidParameterException",
            "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
        ));
    }
    if ids.len() > 20 {
        return Err(ApiError::sender("InvalidParameterException", "SecretIdList can have at most 20 items."));
    }
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    let mut read = |named: &str, found: Option<StoredResource>| -> Result<(), ApiError> {
        let mut fail = |error: ApiError| {
            errors.push(json!({ "SecretId": named, "ErrorCode": error.code, "Message": error.message }));
        };
        let Some(secret) = found else {
            fail(not_found());
            return Ok(());
        };
        match store::select(&store::versions(db, &secret.id)?, None, None) {
            Ok(version) => {
                store::touched(db, &secret.id, asked.now.as_millisecond())?;
                values.push(shown_value(&secret.id, version));
            }
            Err(refusal) => fail(refused(refusal)),
        }
        Ok(())
    };
    let mut next = None;
    if by_filter {
        let (page, more) = asked.page(filtered(db, asked)?, "MaxResults", 20, bad_token)?;
        next = more;
        for secret in page {
            let id = secret.id.clone();
            read(&id, Some(secret))?;
        }
    } else {
        for id in ids {
            let found = store::find(db, &asked.region, id)?;
            read(id, found)?;
        }
    }
    Ok(compact(json!({ "SecretValues": values, "Errors": errors, "NextToken": next })))
}

/// What `DescribeSecret` and `ListSecrets` have in common.
fn summary(
    db: &Transaction<'_>,
    secret: &StoredResource,
) -> Result<(Map<String, Value>, Vec<SecretVersion>), ApiError> {
    let versions = store::versions(db, &secret.id)?;
    let created = secret.state.get("Created").and_then(Value::as_i64);
    let changed = versions.iter().map(|version| version.created).max().or(created);
    let read = store::last_touched(db, &secret.id)?;
    let shown = compact(json!({
        "ARN": secret.id,
        "Name": store::name_of(&secret.id),
        "Description": text(&secret.properties, "Description"),
        "KmsKeyId": text(&secret.properties, "KmsKeyId"),
        "CreatedDate": created.or(changed).map(seconds),
        "LastChangedDate": changed.map(seconds),
        "LastAccessedDate": read.map(seconds),
        "Tags": secret.properties.get("Tags").cloned().unwrap_or_else(|| json!([])),
    }));
    Ok((shown.as_object().cloned().unwrap_or_default(), versions))
}

fn describe(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let secret = secret(db, asked)?;
    let (mut shown, versions) = summary(db, &secret)?;
    shown.insert("VersionIdsToStages".to_owned(), store::stages(&versions));
    Ok(Value::Object(shown))
}

fn list(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let mut found = filtered(db, asked)?;
    if asked.text("SortOrder") == Some("desc") {
        found.reverse();
    }
    let (page, next) = asked.page(found, "MaxResults", 100, bad_token)?;
    let mut shown = Vec::new();
    for secret in &page {
        let (mut summary, versions) = summary(db, secret)?;
        summary.insert("SecretVersionsToStages".to_owned(), store::stages(&versions));
        shown.push(Value::Object(summary));
    }
    Ok(compact(json!({ "SecretList": shown, "NextToken": next })))
}

/// The secrets that all filters let through. A value with a leading `!` lets through what it does not fit.
fn filtered(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Vec<StoredResource>, ApiError> {
    let mut found = resource_table::of_type(db, store::SECRET, Some(&asked.region))?;
    for filter in asked.get("Filters").and_then(Value::as_array).into_iter().flatten() {
        let key = filter.get("Key").and_then(Value::as_str).unwrap_or_default();
        let values: Vec<&str> =
            filter.get("Values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if !["name", "description", "tag-key", "tag-value", "all"].contains(&key) {
            return Err(ApiError::not_implemented("secretsmanager", &format!("ListSecrets with the filter {key}")));
        }
        found.retain(|secret| {
            let texts = searched(secret, key);
            let one = |value: &&str| match value.strip_prefix('!') {
                Some(not) => !begins(&texts, not, key),
                None => begins(&texts, value, key),
            };
            values.iter().any(one)
        });
    }
    Ok(found)
}

/// The texts a filter looks at.
fn searched(secret: &StoredResource, key: &str) -> Vec<String> {
    let name = || vec![store::name_of(&secret.id).to_owned()];
    let description = || text(&secret.properties, "Description").into_iter().collect::<Vec<_>>();
    let tags = |member: &str| -> Vec<String> {
        let tags = secret.properties.get("Tags").and_then(Value::as_array).into_iter().flatten();
        tags.filter_map(|tag| text(tag, member)).collect()
    };
    match key {
        "name" => name(),
        "description" => description(),
        "tag-key" => tags("Key"),
        "tag-value" => tags("Value"),
        _ => [name(), description(), tags("Key"), tags("Value")].concat(),
    }
}

/// Whether one of the texts begins with a value: names with their case, descriptions by any of their words.
fn begins(texts: &[String], value: &str, key: &str) -> bool {
    texts.iter().any(|text| match key {
        "name" | "tag-key" | "tag-value" => text.starts_with(value),
        _ => {
            let (text, value) = (text.to_lowercase(), value.to_lowercase());
            text.starts_with(&value) || text.split([' ', '/', '_', '=', '.', '-']).any(|word| word.starts_with(&value))
        }
    })
}

fn list_versions(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let secret = secret(db, asked)?;
    let mut versions = store::versions(db, &secret.id)?;
    if !asked.flag("IncludeDeprecated") {
        versions.retain(|version| !version.stages.is_empty());
    }
    let (page, next) = asked.page(versions, "MaxResults", 100, bad_token)?;
    let shown: Value = page
        .iter()
        .map(|version| {
            json!({ "VersionId": version.id, "VersionStages": version.stages, "CreatedDate": seconds(version.created) })
        })
        .collect();
    let name = store::name_of(&secret.id);
    Ok(compact(json!({ "ARN": secret.id, "Name": name, "Versions": shown, "NextToken": next })))
}

fn get_policy(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let secret = secret(db, asked)?;
    let policy = policy_of(db, &secret)?.map(|policy| match policy {
        Value::String(text) => text,
        other => other.to_string(),
    });
    let name = store::name_of(&secret.id);
    Ok(compact(json!({ "ARN": secret.id, "Name": name, "ResourcePolicy": policy })))
}

/// The policy that a stack put on a secret, if any did.
pub(crate) fn policy_of(db: &Transaction<'_>, secret: &StoredResource) -> Result<Option<Value>, ApiError> {
    for policy in resource_table::of_type(db, "AWS::SecretsManager::ResourcePolicy", Some(&secret.region))? {
        let Some(named) = text(&policy.properties, "SecretId") else { continue };
        if store::find(db, &secret.region, &named)?.is_some_and(|found| found.id == secret.id) {
            return Ok(policy.properties.get("ResourcePolicy").cloned());
        }
    }
    Ok(None)
}

fn put(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    asked.refuse("secretsmanager", "PutSecretValue", &["RotationToken"])?;
    let secret = secret(db, asked)?;
    let (text, bytes) = (asked.text("SecretString"), asked.text("SecretBinary"));
    if text.is_some() == bytes.is_some() {
        let what = if text.is_some() { "You can't specify both" } else { "You must provide either" };
        return Err(ApiError::sender("InvalidRequestException", format!("{what} SecretString or SecretBinary.")));
    }
    if text.or(bytes).is_some_and(|value| value.len() > LARGEST) {
        return Err(ApiError::sender(
            "ValidationException",
            format!(
                "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to {LARGEST}"
            ),
        ));
    }
    let mut stages: Vec<String> = asked.texts("VersionStages").into_iter().map(str::to_owned).collect();
    if stages.is_empty() {
        stages.push(store::CURRENT.to_owned());
    }
    let id = asked.text("ClientRequestToken").map_or_else(|| asked.uuid(), str::to_owned);
    let version = SecretVersion {
        id,
        text: text.map(str::to_owned),
        bytes: bytes.map(str::to_owned),
        stages,
        created: asked.now.as_millisecond(),
    };
    let known = store::versions(db, &secret.id)?.into_iter().find(|known| known.id == version.id);
    let shown = |version: &SecretVersion| {
        let name = store::name_of(&secret.id);
        json!({ "ARN": secret.id, "Name": name, "VersionId": version.id, "VersionStages": version.stages })
    };
    match known {
        // The same request again.
        Some(known) if known.text == version.text && known.bytes == version.bytes => return Ok(shown(&known)),
        Some(_) => {
            return Err(ApiError::sender(
                "ResourceExistsException",
                "The operation failed because you can't use the same client request token for a different value.",
            ));
        }
        None => {}
    }
    store::add(db, &secret.id, &version)?;
    Ok(shown(&version))
}
