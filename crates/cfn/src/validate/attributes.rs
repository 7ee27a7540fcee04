//! A resource's attributes beside its properties: policies of its creation, update and deletion, against
//! `schemas/resource-attributes.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::kinds::function;
use super::shapes::Checker;
use super::{Context, finding};
use crate::finding::{Finding, code};
use crate::{Resource, ResourceSchema};

/// A key of a policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyKey {
    /// The types that go by it.
    types: Vec<String>,
    /// The shape of its value.
    shape: Value,
}

/// The facts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Facts {
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "as-of")]
    _as_of: String,
    #[serde(rename = "sources")]
    _sources: Vec<String>,
    snapshot: Vec<String>,
    creation_policy: BTreeMap<String, PolicyKey>,
    update_policy: BTreeMap<String, PolicyKey>,
}

/// The facts and what follows from them, made when a template first has such an attribute.
struct Policies {
    facts: Facts,
    /// What each policy looks like.
    creation: Option<ResourceSchema>,
    update: Option<ResourceSchema>,
}

static POLICIES: LazyLock<Policies> = LazyLock::new(|| {
    // The file is in the binary, and a test reads it.
    let facts: Facts =
        serde_json::from_str(include_str!("../../../../schemas/resource-attributes.json")).unwrap_or_default();
    let schema = |name: &'static str, keys: &BTreeMap<String, PolicyKey>| {
        let properties: Map<String, Value> = keys.iter().map(|(key, it)| (key.clone(), it.shape.clone())).collect();
        let whole = json!({"shape": {"additionalProperties": false}, "properties": properties});
        ResourceSchema::parse(name, whole.to_string().as_bytes()).ok()
    };
    Policies {
        creation: schema("CreationPolicy", &facts.creation_policy),
        update: schema("UpdatePolicy", &facts.update_policy),
        facts,
    }
});

pub(super) fn check(context: &Context<'_>, resource: Resource<'_>, path: &str, findings: &mut Vec<Finding>) {
    // A type that is none is reported; what others than AWS register is theirs.
    if !resource.type_.starts_with("AWS::") || resource.type_.starts_with("AWS::Serverless::") {
        return;
    }
    for name in ["DeletionPolicy", "UpdateReplacePolicy"] {
        let Some(value) = resource.attribute(name) else { continue };
        if chooses_snapshot(value) && !POLICIES.facts.snapshot.iter().any(|type_| type_ == resource.type_) {
            let policy = if name == "DeletionPolicy" { "deletion policy" } else { "update replace policy" };
            findings.push(
                finding(
                    code::T008,
                    format!("Template error: resource type {} does not support {policy} Snapshot", resource.type_),
                    &format!("{path}/{name}"),
                    None,
                )
                .help("Write `Retain` to keep it, or `Delete`"),
            );
        }
    }
    for name in ["CreationPolicy", "UpdatePolicy"] {
        if let Some(value) = resource.attribute(name) {
            policy(context, resource, name, value, &format!("{path}/{name}"), findings);
        }
    }
}

/// Whether a policy is `Snapshot`, or may come to be.
fn chooses_snapshot(policy: &Value) -> bool {
    match function(policy) {
        Some(("Fn::If", Value::Array(parts))) => parts.iter().skip(1).any(chooses_snapshot),
        _ => policy.as_str() == Some("Snapshot"),
    }
}

fn policy(
    context: &Context<'_>,
    resource: Resource<'_>,
    name: &str,
    value: &Value,
    path: &str,
    findings: &mut Vec<Finding>,
) {
    let chosen = matches!(function(value), Some(("Fn::If", _)));
    // Seen on CloudFormation: a function is no mapping here, except for `Fn::If`.
    if !value.is_object() || function(value).is_some() && !chosen {
        findings.push(finding(
            code::T010,
            format!("Template format error: Expected an object for {name} of resource {}", resource.logical_id),
            path,
            None,
        ));
        return;
    }
    let (schema, keys) = match name {
        "CreationPolicy" => (&POLICIES.creation, &POLICIES.facts.creation_policy),
        _ => (&POLICIES.update, &POLICIES.facts.update_policy),
    };
    let Some(schema) = schema else { return };
    let mut checker = Checker::new(context, schema, path.to_owned(), false);
    checker.value(value, schema.shape());
    findings.extend(checker.found.into_iter().map(|mut found| {
        found.code = code::T010;
        found
    }));
    for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
        let Some(known) = keys.get(key).filter(|known| !known.types.iter().any(|type_| type_ == resource.type_)) else {
            continue;
        };
        findings.push(
            Finding::warning(code::T011, format!("`{key}` has no effect on `{}`", resource.type_))
                .in_template(format!("{path}/{key}"))
                .help(format!("Take it out; the types that go by it are {}", known.types.join(", "))),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_are_read() {
        assert!(POLICIES.facts.snapshot.iter().any(|type_| type_ == "AWS::RDS::DBInstance"));
        assert!(POLICIES.creation.is_some() && POLICIES.update.is_some());
        let keys = POLICIES.facts.creation_policy.values().chain(POLICIES.facts.update_policy.values());
        let unknown: Vec<&String> = keys
            .flat_map(|key| &key.types)
            .chain(&POLICIES.facts.snapshot)
            .filter(|type_| !crate::Schemas::embedded().has(type_))
            .collect();
        assert!(unknown.is_empty(), "not in the registry: {unknown:?}");
    }
}
