//! The policies that stacks give roles and resources, as the evaluation reads them.

use std::sync::OnceLock;

use rusqlite::Transaction;
use serde_json::{Map, Value};

use crate::ground::ACCOUNT_ID;
use crate::ground::ApiError;
use crate::ground::world::{self, Thing};
use crate::lambda::permissions;
use crate::s3::policy_of;
use crate::secretsmanager as secrets;
use bedplate_iam::Policy;

/// A policy and what a person knows it by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    pub name: String,
    pub policy: Policy,
}

/// A document, also one that is JSON text.
pub(super) fn read(document: &Value) -> Option<Policy> {
    match document {
        Value::String(text) => Policy::from_value(&serde_json::from_str(text).ok()?).ok(),
        other => Policy::from_value(other).ok(),
    }
}

/// The policies AWS makes itself, as far as they are known here. Source: AWS managed policy reference guide.
fn of_aws(arn: &str) -> Option<Policy> {
    static KNOWN: OnceLock<Map<String, Value>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let table = include_str!("../../../../schemas/local/managed-policies.json");
        // A unit test reads the table; an empty one knows no policy, and so grants nothing.
        let table: Map<String, Value> = serde_json::from_str(table).unwrap_or_default();
        table.get("policies").and_then(Value::as_object).cloned().unwrap_or_default()
    });
    known.get(arn).and_then(read)
}

/// A managed policy by its ARN.
fn managed(db: &Transaction<'_>, arn: &str) -> rusqlite::Result<Option<Policy>> {
    if let Some(policy) = of_aws(arn) {
        return Ok(Some(policy));
    }
    let made = world::find(db, "AWS::IAM::ManagedPolicy", "global", arn)?;
    Ok(made.and_then(|thing| read(thing.properties.get("PolicyDocument")?)))
}

fn texts<'a>(properties: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    properties.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// All policies of a role.
pub(super) fn of_role(db: &Transaction<'_>, role: &Thing) -> rusqlite::Result<Vec<Named>> {
    let mut found = Vec::new();
    let mut add = |name: &str, document: Option<&Value>| {
        if let Some(policy) = document.and_then(read) {
            found.push(Named { name: name.to_owned(), policy });
        }
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    for inline in role.properties.get("Policies").and_then(Value::as_array).into_iter().flatten() {
        add(&text(inline, "PolicyName"), inline.get("PolicyDocument"));
    }
    for thing in world::of_type(db, "AWS::IAM::Policy", None)? {
        if texts(&thing.properties, "Roles").any(|name| name == role.id) {
            add(&text(&thing.properties, "PolicyName"), thing.properties.get("PolicyDocument"));
        }
    }
    for thing in world::of_type(db, "AWS::IAM::RolePolicy", None)? {
        if text(&thing.properties, "RoleName") == role.id {
            add(&text(&thing.properties, "PolicyName"), thing.properties.get("PolicyDocument"));
        }
    }
    for thing in world::of_type(db, "AWS::IAM::ManagedPolicy", None)? {
        if texts(&thing.properties, "Roles").any(|name| name == role.id) {
            add(&thing.id, thing.properties.get("PolicyDocument"));
        }
    }
    for arn in texts(&role.properties, "ManagedPolicyArns") {
        if found.iter().any(|known: &Named| known.name == arn) {
            continue;
        }
        if let Some(policy) = managed(db, arn)? {
            found.push(Named { name: arn.to_owned(), policy });
        }
    }
    Ok(found)
}

/// The permissions boundary of a role, if it has one; one that is not known allows nothing.
pub(super) fn boundary(db: &Transaction<'_>, role: &Thing) -> rusqlite::Result<Option<Policy>> {
    match role.properties.get("PermissionsBoundary").and_then(Value::as_str) {
        Some(arn) => Ok(Some(managed(db, arn)?.unwrap_or_default())),
        None => Ok(None),
    }
}

/// The policy on the resource of an ARN, where the resource has one.
pub(super) fn of_resource(db: &Transaction<'_>, arn: &str) -> Result<Option<Named>, ApiError> {
    if let Some(path) = arn.strip_prefix("arn:aws:s3:::") {
        let bucket = path.split('/').next().unwrap_or(path);
        let policy = policy_of(db, bucket)?.and_then(|text| read(&Value::String(text)));
        return Ok(policy.map(|policy| Named { name: format!("the policy of the bucket {bucket}"), policy }));
    }
    if let Some((region, function)) =
        arn.strip_prefix("arn:aws:lambda:").and_then(|rest| rest.split_once(&format!(":{ACCOUNT_ID}:function:")))
    {
        let policy = permissions::policy(db, region, function)?;
        return Ok(Some(Named { name: format!("the policy of the function {function}"), policy }));
    }
    if let Some(region) = arn.strip_prefix("arn:aws:secretsmanager:").and_then(|rest| rest.split(':').next())
        && let Some(secret) = secrets::store::find(db, region, arn)?
        && let Some(policy) = secrets::policy_of(db, &secret)?.as_ref().and_then(read)
    {
        let name = secrets::store::name_of(&secret.id);
        return Ok(Some(Named { name: format!("the policy of the secret {name}"), policy }));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_of_aws_read_as_policies() {
        let table: Value =
            serde_json::from_str(include_str!("../../../../schemas/local/managed-policies.json")).expect("JSON");
        let policies = table["policies"].as_object().expect("a table");
        assert!(!policies.is_empty());
        for (arn, document) in policies {
            assert!(read(document).is_some_and(|policy| !policy.statements.is_empty()), "{arn}");
        }
        let basic = of_aws("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").expect("known");
        assert!(basic.statements.iter().any(|statement| statement.actions.contains("logs:PutLogEvents")));
    }
}
