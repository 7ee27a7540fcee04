//! The policies that stacks give roles, as the evaluation reads them.

use rusqlite::Transaction;
use serde_json::Value;

use crate::ground::permissions::{NamedPolicy, read_policy};
use crate::ground::resource_table::{self, StoredResource};
use bedplate_facts::{ManagedPolicy, managed_policies};
use bedplate_iam::Policy;

/// A policy that AWS makes itself, as far as it is known here.
fn of_aws(arn: &str) -> Option<Policy> {
    match managed_policies().look_up(arn)? {
        ManagedPolicy::Held(document) => read_policy(document),
        ManagedPolicy::Named | ManagedPolicy::ServiceLinked | ManagedPolicy::Unknown => None,
    }
}

/// A managed policy by its ARN.
fn managed(db: &Transaction<'_>, arn: &str) -> rusqlite::Result<Option<Policy>> {
    if let Some(policy) = of_aws(arn) {
        return Ok(Some(policy));
    }
    let made = resource_table::find(db, "AWS::IAM::ManagedPolicy", "global", arn)?;
    Ok(made.and_then(|thing| read_policy(thing.properties.get("PolicyDocument")?)))
}

fn texts<'a>(properties: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    properties.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// All policies of a role.
pub(super) fn of_role(db: &Transaction<'_>, role: &StoredResource) -> rusqlite::Result<Vec<NamedPolicy>> {
    let mut found = Vec::new();
    let mut add = |name: &str, document: Option<&Value>| {
        if let Some(policy) = document.and_then(read_policy) {
            found.push(NamedPolicy { name: name.to_owned(), policy });
        }
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    for inline in role.properties.get("Policies").and_then(Value::as_array).into_iter().flatten() {
        add(&text(inline, "PolicyName"), inline.get("PolicyDocument"));
    }
    for thing in resource_table::of_type(db, "AWS::IAM::Policy", None)? {
        if texts(&thing.properties, "Roles").any(|name| name == role.id) {
            add(&text(&thing.properties, "PolicyName"), thing.properties.get("PolicyDocument"));
        }
    }
    for thing in resource_table::of_type(db, "AWS::IAM::RolePolicy", None)? {
        if text(&thing.properties, "RoleName") == role.id {
            add(&text(&thing.properties, "PolicyName"), thing.properties.get("PolicyDocument"));
        }
    }
    for thing in resource_table::of_type(db, "AWS::IAM::ManagedPolicy", None)? {
        if texts(&thing.properties, "Roles").any(|name| name == role.id) {
            add(&thing.id, thing.properties.get("PolicyDocument"));
        }
    }
    for arn in texts(&role.properties, "ManagedPolicyArns") {
        if found.iter().any(|known: &NamedPolicy| known.name == arn) {
            continue;
        }
        if let Some(policy) = managed(db, arn)? {
            found.push(NamedPolicy { name: arn.to_owned(), policy });
        }
    }
    Ok(found)
}

/// The permissions boundary of a role, if it has one; one that is not known allows nothing.
pub(super) fn boundary(db: &Transaction<'_>, role: &StoredResource) -> rusqlite::Result<Option<Policy>> {
    match role.properties.get("PermissionsBoundary").and_then(Value::as_str) {
        Some(arn) => Ok(Some(managed(db, arn)?.unwrap_or_default())),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_of_aws_read_as_policies() {
        let table = managed_policies();
        let arns = table.names().map(|name| format!("arn:aws:iam::aws:policy/{name}"));
        let mut read = 0;
        for arn in arns.filter(|arn| matches!(table.look_up(arn), Some(ManagedPolicy::Held(_)))) {
            assert!(of_aws(&arn).is_some_and(|policy| !policy.statements.is_empty()), "{arn}");
            read += 1;
        }
        assert!(read > 50, "{read}");
        let basic = of_aws("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").expect("known");
        assert!(basic.statements.iter().any(|statement| statement.actions.contains("logs:PutLogEvents")));
    }
}
