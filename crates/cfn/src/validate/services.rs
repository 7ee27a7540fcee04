//! What the services refuse although the schemas allow it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::kinds::is_open;
use super::{Context, finding, is_full};
use crate::finding::{Finding, code};
use crate::service_rules::{broken, keys_wrong, same_sibling, sibling_rules};
use crate::{Resource, ResourceGraph};

const TABLE: &str = "AWS::DynamoDB::Table";

pub(super) fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let none = Value::Object(Map::new());
    let related = |value: &Value, type_: &str| properties_of(context, value, type_).map(Cow::Borrowed);
    for resource in context.template.resources() {
        if is_full(findings) {
            return;
        }
        let properties = resource.attribute("Properties").filter(|it| it.is_object()).unwrap_or(&none);
        for rule in broken(resource.type_, properties, &related) {
            let path = format!("Resources/{}/Properties/{}", resource.logical_id, rule.path);
            findings.push(finding(code::T240, rule.message, &path, None).help(rule.help));
        }
        if resource.type_ == TABLE {
            keys(resource, properties, findings);
        }
    }
    siblings(context, findings);
    indexed_tables(context, findings);
}

/// The properties of the resource that a value refers to, if it is of a type.
fn properties_of<'a>(context: &Context<'a>, value: &Value, type_: &str) -> Option<&'a Value> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let named = match map.iter().next()? {
        (key, Value::String(name)) if key == "Ref" => name.as_str(),
        (key, Value::String(name)) if key == "Fn::GetAtt" => name.split('.').next()?,
        (key, Value::Array(parts)) if key == "Fn::GetAtt" => parts.first()?.as_str()?,
        _ => return None,
    };
    let resource = context.template.resource(named).filter(|resource| resource.type_ == type_)?;
    resource.attribute("Properties")
}

/// The keys and the capacity of a table, where all that they depend on is known.
fn keys(resource: Resource<'_>, properties: &Value, findings: &mut Vec<Finding>) {
    let of_keys = [
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "ProvisionedThroughput",
    ];
    let known = |name: &&str| properties.get(*name).is_none_or(|value| !is_open(value));
    // A table from a backup or a stream of another has the keys of that; without any, the schema has said so.
    let own = properties.get("KeySchema").is_some() && properties.get("ImportSourceSpecification").is_none();
    if !own || !of_keys.iter().all(known) {
        return;
    }
    if let Some(wrong) = keys_wrong(properties) {
        let path = format!("Resources/{}/Properties/KeySchema", resource.logical_id);
        let help = "Define each attribute that is a key, of the table or of an index, and no other; write the capacity for \
                    `PROVISIONED` and for nothing else";
        findings.push(finding(code::T240, format!("DynamoDB refuses the table: {wrong}"), &path, None).help(help));
    }
}

/// Names that are taken within another resource, or that differ in the case of letters only.
fn siblings(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for rule in sibling_rules() {
        let mut taken: BTreeMap<(String, String), (&str, Option<&Value>)> = BTreeMap::new();
        for resource in context.template.resources().filter(|it| it.type_ == rule.type_ && it.condition().is_none()) {
            let Some(key) = resource.attribute("Properties").and_then(|it| same_sibling(rule, it)) else { continue };
            let name = resource.properties().and_then(|properties| properties.get(&rule.property));
            let Some((other, its)) = taken.get(&key) else {
                taken.insert(key, (resource.logical_id, name));
                continue;
            };
            // What is the same letter by letter is said of all types alike.
            if is_full(findings) || (rule.ignoring_case && *its == name) {
                continue;
            }
            let shown = name.and_then(Value::as_str).unwrap_or(&key.1);
            let message = rule.message.replace("{other}", other).replace("{name}", shown);
            let path = format!("Resources/{}/Properties/{}", resource.logical_id, rule.property);
            findings.push(finding(code::T240, message, &path, None).help(rule.help.as_str()));
        }
    }
}

/// DynamoDB makes one table with secondary indexes at a time: CreateTable in botocore 1.44.8.
fn indexed_tables(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let has = |resource: &Resource<'_>, list: &str| {
        resource.properties().and_then(|it| it.get(list)).and_then(Value::as_array).is_some_and(|it| !it.is_empty())
    };
    let indexed: BTreeSet<&str> = context
        .template
        .resources()
        .filter(|it| it.type_ == TABLE && it.condition().is_none())
        .filter(|it| has(it, "GlobalSecondaryIndexes") || has(it, "LocalSecondaryIndexes"))
        .map(|it| it.logical_id)
        .collect();
    if indexed.len() < 2 {
        return;
    }
    let graph = ResourceGraph::from_template(context.template);
    let Ok(order) = graph.order() else { return };
    let mut last: Option<&str> = None;
    for table in order.into_iter().filter(|id| indexed.contains(id)) {
        if let Some(before) = last.filter(|before| !waits_for(&graph, table, before)) {
            if is_full(findings) {
                return;
            }
            findings.push(
                Finding::warning(
                    code::T241,
                    format!("`{table}` and `{before}` have secondary indexes and are made at once, and DynamoDB makes one such table at a time"),
                )
                .in_template(format!("Resources/{table}"))
                .help(format!("Add `DependsOn: {before}`")),
            );
        }
        last = Some(table);
    }
}

/// Whether a resource is made after another.
fn waits_for(graph: &ResourceGraph, resource: &str, other: &str) -> bool {
    let mut seen = BTreeSet::from([resource.to_owned()]);
    let mut ahead = vec![resource.to_owned()];
    while let Some(at) = ahead.pop() {
        for next in graph.dependencies(&at) {
            if next == other {
                return true;
            }
            if seen.insert(next.to_owned()) {
                ahead.push(next.to_owned());
            }
        }
    }
    false
}
