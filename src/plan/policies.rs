//! Policy documents wherever a resource carries them, whatever its type: as an object, as JSON in a string, in a list.

use serde_json::{Map, Value, json};

use super::resolved::{ResolvedResource, is_unknown};
use crate::facts;
use crate::iam::Policy;

/// Ends of names of properties that hold policies. What stands there and is made by a function or a macro is a document
/// that cannot be read.
const NAMED: [&str; 4] = ["Policies", "Policy", "PolicyDocument", "PolicyText"];
/// What a permission resource's statement is listed under.
const PERMISSION: &str = "Permission";

/// The documents of a resource by the property that holds them, in order of the properties.
pub(super) fn documents(resource: &ResolvedResource) -> Vec<(String, Vec<Value>)> {
    let mut found = Vec::new();
    if let Some(statement) = permission(resource) {
        found.push((PERMISSION.to_owned(), vec![json!({ "Statement": [statement] })]));
    }
    // The properties themselves, of a resource that is a statement.
    if let Some(statement) = resource.properties.get("Statement").filter(|_| is_document(&resource.properties)) {
        found.push(("Statement".to_owned(), vec![json!({ "Statement": statement })]));
    }
    for (property, value) in &resource.properties {
        let mut here = Vec::new();
        collect(value, &mut here);
        if here.is_empty()
            && NAMED.iter().any(|end| property.ends_with(end))
            && (is_made(value) || value.is_string() && is_unknown(value))
        {
            here.push(value.clone());
        }
        if !here.is_empty() {
            found.push((property.clone(), here));
        }
    }
    found
}

/// Whether a function or a macro makes the value.
fn is_made(value: &Value) -> bool {
    let made = |map: &Map<String, Value>| map.len() == 1 && map.keys().any(|key| key.starts_with("Fn::"));
    match value {
        Value::Object(map) => made(map) && !map.contains_key("Fn::GetAtt"),
        Value::Array(items) => items.iter().any(is_made),
        _ => false,
    }
}

fn collect(value: &Value, into: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(map) if is_document(map) => into.push(value.clone()),
        Value::Object(map) => match map.get("Fn::Sub") {
            Some(Value::String(text)) if map.len() == 1 => written_out(text, into),
            _ => {
                into.extend(access_rules(map));
                map.values().for_each(|value| collect(value, into));
            }
        },
        Value::String(text) => written_out(text, into),
        _ => {}
    }
}

/// Whether an object is a policy document: other languages have statements too, but none with an effect.
fn is_document(map: &Map<String, Value>) -> bool {
    let is_statement = |value: &Value| {
        value.as_object().is_some_and(|map| map.keys().any(|key| key == "Effect" || key.starts_with("Fn::")))
    };
    match map.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().any(is_statement),
        Some(statement) => is_statement(statement),
        None => false,
    }
}

/// A document as JSON in a string.
fn written_out(text: &str, into: &mut Vec<Value>) {
    if !text.trim_start().starts_with(['{', '[']) {
        return;
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => collect(&value, into),
        // With a reference where JSON has no string, for example.
        _ if text.contains("\"Statement\"") || text.contains("\"Principal\"") => into.push(json!(text)),
        _ => {}
    }
}

/// A data access policy of OpenSearch Serverless as a document.
fn access_rules(map: &Map<String, Value>) -> Option<Value> {
    let (Some(Value::Array(rules)), Some(principals)) = (map.get("Rules"), map.get("Principal")) else { return None };
    let statements: Vec<Value> = rules
        .iter()
        .filter_map(|rule| {
            let (actions, resources) = (rule.get("Permission")?, rule.get("Resource")?);
            Some(json!({
                "Effect": "Allow", "Principal": { "AWS": principals }, "Action": actions, "Resource": resources,
            }))
        })
        .collect();
    (!statements.is_empty()).then(|| json!({ "Statement": statements }))
}

/// The statement that the properties of a resource spell in other words, as the table of grants says.
fn permission(resource: &ResolvedResource) -> Option<Value> {
    let spelled = facts::grants().of(&resource.type_)?.statement.as_ref()?;
    let principal = resource.properties.get("Principal")?;
    let part = |key: &str| resource.properties.get(key).cloned().unwrap_or_default();
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "AWS": principal },
        "Action": part("Action"),
        "Resource": part(&spelled.resource),
    });
    for narrowed in &spelled.narrowed {
        let mut path = narrowed.property.split('.');
        let top = path.next().and_then(|top| resource.properties.get(top));
        let value = top.and_then(|top| path.try_fold(top, |value, part| value.get(part)));
        if let Some(value) = value {
            statement["Condition"][narrowed.operator.as_str()][narrowed.key.as_str()] = value.clone();
        }
    }
    Some(statement)
}

/// Whether what a document grants cannot be read: it is made by a function, or a value in it is known to the service only.
pub(super) fn is_unreadable(document: &Value) -> bool {
    is_unknown(document) || Policy::from_value(document).is_err()
}
