//! Dynamic references to secrets, in what a resource is made of.
//!
//! Stacks, change sets and events keep `{{resolve:secretsmanager:…}}` as it is written; only the resource itself gets
//! the value, in the moment it is made or changed. Source: CloudFormation user guide, "Get a secret or secret value from
//! Secrets Manager".

use rusqlite::Connection;
use serde_json::Value;

use super::store;
use bedplate_cfn::intrinsics::DynamicReference;

/// A reference, read: `secret-id:SecretString:json-key:version-stage:version-id`, where the id may be an ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SecretReference<'a> {
    secret: &'a str,
    key: Option<&'a str>,
    stage: Option<&'a str>,
    version: Option<&'a str>,
}

impl<'a> SecretReference<'a> {
    fn of(key: &'a str) -> Result<Self, String> {
        // An ARN has six colons of its own before the name of the secret.
        let own = if key.starts_with("arn:") { 6 } else { 0 };
        let end = key.match_indices(':').nth(own).map_or(key.len(), |(at, _)| at);
        let (secret, rest) = key.split_at(end);
        let mut parts = rest.strip_prefix(':').unwrap_or_default().split(':');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        match next() {
            None | Some("SecretString") => {}
            Some(other) => {
                return Err(format!("Could not parse SecretString JSON: `{other}` is not SecretString"));
            }
        }
        Ok(Self { secret, key: next(), stage: next(), version: next() })
    }
}

/// The secret a reference names.
pub fn names(key: &str) -> &str {
    SecretReference::of(key).map_or(key, |reference| reference.secret)
}

/// A value with its references to secrets filled in; `None` when it has none, which is nearly always.
///
/// # Errors
///
/// In CloudFormation's words: a secret, version or JSON key that is not there.
pub fn reveal(db: &Connection, region: &str, value: &Value) -> Result<Option<Value>, String> {
    match value {
        Value::String(text) if text.contains("{{resolve:secretsmanager:") => {
            Ok(Some(Value::String(filled(db, region, text)?)))
        }
        Value::Array(items) => {
            let mut made = None;
            for (index, item) in items.iter().enumerate() {
                if let Some(item) = reveal(db, region, item)?
                    && let Some(place) = made.get_or_insert_with(|| items.clone()).get_mut(index)
                {
                    *place = item;
                }
            }
            Ok(made.map(Value::Array))
        }
        Value::Object(members) => {
            let mut made = None;
            for (name, member) in members {
                if let Some(member) = reveal(db, region, member)? {
                    made.get_or_insert_with(|| members.clone()).insert(name.clone(), member);
                }
            }
            Ok(made.map(Value::Object))
        }
        _ => Ok(None),
    }
}

/// Whether a value refers to a secret.
pub fn refers(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{resolve:secretsmanager:"),
        Value::Array(items) => items.iter().any(refers),
        Value::Object(members) => members.values().any(refers),
        _ => false,
    }
}

fn filled(db: &Connection, region: &str, text: &str) -> Result<String, String> {
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, reference, after)) = DynamicReference::find(rest) {
        made.push_str(before);
        if reference.service == "secretsmanager" {
            made.push_str(&value_of(db, region, reference.key)?);
        } else {
            made.push_str(&format!("{{{{resolve:{}:{}}}}}", reference.service, reference.key));
        }
        rest = after;
    }
    made.push_str(rest);
    Ok(made)
}

fn value_of(db: &Connection, region: &str, key: &str) -> Result<String, String> {
    let service = |message: String| {
        format!("{message} (Service: AWSSecretsManager; Status Code: 400; Error Code: ResourceNotFoundException)")
    };
    let failed = |error: rusqlite::Error| format!("The local target's state could not be read: {error}");
    let reference = SecretReference::of(key)?;
    let secret = store::find(db, region, reference.secret).map_err(failed)?;
    let secret = secret.ok_or_else(|| service("Secrets Manager can't find the specified secret.".to_owned()))?;
    let versions = store::versions(db, &secret.id).map_err(failed)?;
    let version = store::select(&versions, reference.version, reference.stage).map_err(|(_, words)| service(words))?;
    let Some(text) = &version.text else {
        return Err("Secrets Manager dynamic references support SecretString only".to_owned());
    };
    let Some(key) = reference.key else { return Ok(text.clone()) };
    let object = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    let object = object.ok_or_else(|| "Could not parse SecretString JSON".to_owned())?;
    match object.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
        None => Err(format!("Could not find a value associated with JSONKey in SecretString: {key}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_with_a_name_and_with_an_arn() {
        let arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:db-AbCdEf";
        for secret in ["db", arn] {
            let read = |rest: &str| {
                let key = format!("{secret}{rest}");
                SecretReference::of(&key)
                    .map(|it| [Some(it.secret), it.key, it.stage, it.version].map(|part| part.map(str::to_owned)))
                    .expect("a reference")
            };
            let parts = |parts: [Option<&str>; 3]| {
                let [key, stage, version] = parts.map(|part| part.map(str::to_owned));
                [Some(secret.to_owned()), key, stage, version]
            };
            assert_eq!(read(""), parts([None, None, None]));
            assert_eq!(read(":SecretString"), parts([None, None, None]));
            assert_eq!(read(":SecretString:user"), parts([Some("user"), None, None]));
            assert_eq!(read(":SecretString:user:AWSPREVIOUS"), parts([Some("user"), Some("AWSPREVIOUS"), None]));
            assert_eq!(read(":SecretString:::id"), parts([None, None, Some("id")]));
        }
        assert!(SecretReference::of("db:SecretBinary").is_err());
    }
}
