//! What a change set would do: resource by resource, with reasons, values before and after, and replacement.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::environment::{Known, environment, scope};
use super::error::Outcome;
use super::model::{Change, Resource, Stack, Target};
use super::tables;
use crate::cfn::intrinsics::{ReferenceKind, has_unknown, references_if, resolve_at};
use crate::cfn::{ResourceGraph, Template};
use crate::local::ACCOUNT_ID;
use crate::local::errors::ApiError;
use crate::local::resources::{provider, scalar};

/// The changes from what a stack has to a target.
///
/// # Errors
///
/// What of the target can't be resolved.
pub fn changes(db: &Connection, stack: &Stack, target: &Target) -> Outcome<Vec<Change>> {
    let template = super::engine::template_of(target)?;
    let environment = environment(stack, target, ACCOUNT_ID);
    let mut known = Known::of(db, stack)?;
    known.planning = true;
    let rows: BTreeMap<String, Resource> =
        tables::resources(db, &stack.id)?.into_iter().map(|row| (row.logical_id.clone(), row)).collect();
    let conditions = {
        let scope =
            scope(&template, target, &environment, &known).map_err(|problem| ApiError::validation(problem.message))?;
        scope.conditions().clone()
    };
    let decide = |name: &str| conditions.get(name).copied();
    let graph = ResourceGraph::with(&template, &decide);
    let order = graph.order().map_err(|problem| ApiError::validation(problem.message))?;
    let mut found: BTreeMap<String, Change> = BTreeMap::new();
    for logical_id in &order {
        let Some(declared) = template.resource(logical_id) else { continue };
        let (properties, body) = {
            let scope = scope(&template, target, &environment, &known)
                .map_err(|problem| ApiError::validation(problem.message))?;
            let path = format!("Resources/{logical_id}");
            let resolve = |value: &Value, name: &str| {
                resolve_at(value, &scope, &format!("{path}/{name}"))
                    .map_err(|problem| ApiError::validation(problem.message))
            };
            let properties = match declared.attribute("Properties") {
                Some(value) => resolve(value, "Properties")?,
                None => json!({}),
            };
            let mut body = declared.body().clone();
            if let Some(metadata) = declared.metadata() {
                body.insert("Metadata".to_owned(), resolve(metadata, "Metadata")?);
            }
            (provider::with_stack_tags(declared.type_, properties, &target.tags), body)
        };
        let row = rows.get(*logical_id).filter(|row| row.physical.is_some());
        let Some(row) = row else {
            known.changing.insert((*logical_id).to_owned());
            found.insert((*logical_id).to_owned(), added(logical_id, declared.type_, &properties, &body));
            continue;
        };
        let change = Modified {
            template: &template,
            target,
            previous: stack,
            row,
            properties: &properties,
            body: &body,
            decide: &decide,
        }
        .change(&found);
        if let Some((change, replaced)) = change {
            if replaced {
                known.changing.insert((*logical_id).to_owned());
            }
            found.insert((*logical_id).to_owned(), change);
        }
    }
    // In the order of the template, then what goes, in the order it came.
    let mut all: Vec<Change> = template.resources().filter_map(|resource| found.remove(resource.logical_id)).collect();
    let present: BTreeSet<&str> = order.iter().copied().collect();
    for row in tables::resources(db, &stack.id)?.iter().filter(|row| !present.contains(row.logical_id.as_str())) {
        all.push(removed(row));
    }
    Ok(all)
}

/// A resource as a change set's context shows it.
fn context(properties: &Value, body: &Map<String, Value>) -> String {
    let mut shown = Map::new();
    shown.insert("Properties".to_owned(), properties.clone());
    for (name, value) in body {
        if !["Type", "Properties", "DependsOn", "Condition"].contains(&name.as_str()) {
            shown.insert(name.clone(), value.clone());
        }
    }
    Value::Object(shown).to_string()
}

fn added(logical_id: &str, resource_type: &str, properties: &Value, body: &Map<String, Value>) -> Change {
    Change {
        resource: json!({"Action": "Add", "LogicalResourceId": logical_id, "ResourceType": resource_type, "Scope": [], "Details": []}),
        before: None,
        after: Some(context(properties, body)),
        values: Vec::new(),
    }
}

fn removed(row: &Resource) -> Change {
    let policy = row.declaration.get("DeletionPolicy").and_then(Value::as_str).unwrap_or("Delete");
    let policy = match policy {
        "RetainExceptOnCreate" => "Retain",
        other => other,
    };
    let body = row.declaration.as_object().cloned().unwrap_or_default();
    let properties = row.physical.as_ref().map(|thing| thing.properties.clone()).unwrap_or_default();
    Change {
        resource: json!({
            "PolicyAction": policy,
            "Action": "Remove",
            "LogicalResourceId": row.logical_id,
            "PhysicalResourceId": row.physical.as_ref().map(|thing| thing.id.clone()),
            "ResourceType": row.resource_type,
            "Scope": [],
            "Details": [],
        }),
        before: Some(context(&properties, &body)),
        after: None,
        values: Vec::new(),
    }
}

/// A resource that is in both.
struct Modified<'a> {
    template: &'a Template,
    target: &'a Target,
    previous: &'a Stack,
    row: &'a Resource,
    properties: &'a Value,
    body: &'a Map<String, Value>,
    decide: &'a dyn Fn(&str) -> Option<bool>,
}

impl Modified<'_> {
    /// The change, if there is one, and whether the resource becomes another thing.
    fn change(&self, found: &BTreeMap<String, Change>) -> Option<(Change, bool)> {
        let row = self.row;
        let thing = row.physical.as_ref()?;
        let empty = Map::new();
        let old = thing.properties.as_object().unwrap_or(&empty);
        let new = self.properties.as_object().unwrap_or(&empty);
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let tags = provider::tags_of(&row.resource_type);
        let (mut details, mut values, mut scopes) = (Vec::new(), Vec::new(), BTreeSet::new());
        let (mut always, mut perhaps) = (false, false);
        for name in names {
            let (before, after) = (old.get(name), new.get(name));
            if before == after {
                continue;
            }
            let attribute = if tags.as_ref() == Some(name) { "Tags" } else { "Properties" };
            scopes.insert(attribute);
            let recreation = provider::recreation(&row.resource_type, name, &thing.properties, self.properties);
            let unknown = after.is_some_and(has_unknown);
            match (recreation, unknown) {
                ("Always", false) => always = true,
                ("Always" | "Conditionally", _) => perhaps = true,
                _ => {}
            }
            let kind = match (before, after) {
                (None, _) => "Add",
                (_, None) => "Remove",
                _ => "Modify",
            };
            let shown = |value: Option<&Value>| value.map(|value| scalar(value).unwrap_or_else(|| value.to_string()));
            let mut place = json!({
                "Attribute": attribute,
                "RequiresRecreation": recreation,
                "Path": format!("/Properties/{name}"),
                "AttributeChangeType": kind,
            });
            if attribute == "Properties"
                && let Some(place) = place.as_object_mut()
            {
                place.insert("Name".to_owned(), json!(name));
            }
            let causes = self.causes(name, found);
            let direct = causes.is_empty() || self.written_differently(name);
            if direct {
                details.push(json!({
                    "Target": place,
                    "Evaluation": if unknown { "Dynamic" } else { "Static" },
                    "ChangeSource": "DirectModification",
                }));
                values.push((shown(before), shown(after)));
            }
            for (source, entity, is_static) in causes {
                details.push(json!({
                    "Target": place,
                    "Evaluation": if is_static && !unknown { "Static" } else { "Dynamic" },
                    "ChangeSource": source,
                    "CausingEntity": entity,
                }));
                values.push((shown(before), shown(after)));
            }
        }
        for name in ["Metadata", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy"] {
            if row.declaration.get(name) != self.body.get(name) {
                scopes.insert(name);
                details.push(json!({
                    "Target": {"Attribute": name, "RequiresRecreation": "Never"},
                    "Evaluation": "Static",
                    "ChangeSource": "DirectModification",
                }));
                values.push((None, None));
            }
        }
        if details.is_empty() {
            return None;
        }
        let replacement = if always {
            "True"
        } else if perhaps {
            "Conditional"
        } else {
            "False"
        };
        let mut resource = json!({
            "Action": "Modify",
            "LogicalResourceId": row.logical_id,
            "PhysicalResourceId": thing.id,
            "ResourceType": row.resource_type,
            "Replacement": replacement,
            "Scope": scopes,
            "Details": details,
        });
        if always && let Some(resource) = resource.as_object_mut() {
            let policy = self.body.get("UpdateReplacePolicy").and_then(Value::as_str).unwrap_or("Delete");
            resource.insert("PolicyAction".to_owned(), json!(format!("ReplaceAnd{policy}")));
        }
        let old_body = row.declaration.as_object().cloned().unwrap_or_default();
        let change = Change {
            resource,
            before: Some(context(&thing.properties, &old_body)),
            after: Some(context(self.properties, self.body)),
            values,
        };
        Some((change, always || perhaps))
    }

    /// Whether the template itself says something else about the property than before.
    fn written_differently(&self, name: &str) -> bool {
        let written = self.body.get("Properties").and_then(|properties| properties.get(name));
        let before = self.row.declaration.get("Properties").and_then(|properties| properties.get(name));
        written != before
    }

    /// The parameters and resources whose change is behind the property's: source, entity, whether it is certain.
    fn causes(&self, name: &str, found: &BTreeMap<String, Change>) -> Vec<(&'static str, String, bool)> {
        let Some(value) = self.body.get("Properties").and_then(|properties| properties.get(name)) else {
            return Vec::new();
        };
        let mut causes = Vec::new();
        for reference in references_if(value, "", self.decide) {
            let cause = if self.template.parameter(&reference.name).is_some() {
                let value_of = |target: &Target| {
                    target.parameters.iter().find(|own| own.key == reference.name).map(|own| own.value.clone())
                };
                if value_of(self.target) == value_of(&self.previous.target) {
                    continue;
                }
                ("ParameterReference", reference.name, true)
            } else if let Some(change) = found.get(&reference.name) {
                let replaced = change.resource.get("Replacement").and_then(Value::as_str);
                let action = change.resource.get("Action").and_then(Value::as_str);
                if replaced == Some("False") && action == Some("Modify") {
                    continue;
                }
                match reference.kind {
                    ReferenceKind::Ref => ("ResourceReference", reference.name, false),
                    ReferenceKind::Attribute(attribute) => {
                        ("ResourceAttribute", format!("{}.{attribute}", reference.name), false)
                    }
                }
            } else {
                continue;
            };
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
        causes
    }
}
