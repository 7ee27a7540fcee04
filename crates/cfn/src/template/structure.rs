//! The template's own grammar: sections, names, resource attributes, and the limits CloudFormation sets on a template.

use serde_json::{Map, Value, json};

use super::{FOR_EACH, Template};
use crate::finding::{Code, Finding, code};
use crate::yaml;

/// The largest template body a request may carry, in bytes (CloudFormation quotas, as of 2026).
pub const BODY_LIMIT_INLINE: usize = 51_200;

/// The largest template body CloudFormation reads from S3, in bytes (CloudFormation quotas, as of 2026).
pub const BODY_LIMIT_S3: usize = 1_048_576;

/// How many faults of a template are told. Who has more knows enough, and looking on takes a time that grows with them.
pub const MOST_FINDINGS: usize = 1_000;

/// How deep a template may nest, less than [`yaml::MAX_DEPTH`] so that whatever is a template can be read back.
/// CloudFormation's own limit isn't published.
const DEPTH_LIMIT: usize = yaml::MAX_DEPTH - 1;

/// The section that the Serverless Application Model adds, and the attributes of a resource that it does. Source: its
/// specification, `docs` of aws/serverless-application-model, 2026-05-29.
const SERVERLESS_SECTION: &str = "Globals";
const SERVERLESS_ATTRIBUTES: [&str; 2] = ["Connectors", "IgnoreGlobals"];

/// The longest logical id, in characters.
const LOGICAL_ID_LIMIT: usize = 255;

/// The longest description of a template, in bytes.
const DESCRIPTION_LIMIT: usize = 1024;

const SECTIONS: [&str; 11] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Rules",
    "Conditions",
    "Transform",
    "Hooks",
    "Resources",
    "Outputs",
];

const ATTRIBUTES: [&str; 11] = [
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "Metadata",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "CreationPolicy",
    "UpdatePolicy",
    "Version",
    "Description",
];

const DELETION_POLICIES: [&str; 4] = ["Delete", "Retain", "Snapshot", "RetainExceptOnCreate"];
const UPDATE_REPLACE_POLICIES: [&str; 3] = ["Delete", "Retain", "Snapshot"];

/// The words that a policy of a resource may be, by the name of its attribute.
pub(crate) fn allowed_policies(attribute: &str) -> &'static [&'static str] {
    match attribute {
        "DeletionPolicy" => &DELETION_POLICIES,
        _ => &UPDATE_REPLACE_POLICIES,
    }
}

/// Sections with a quota on their entries: section, most entries, code.
const QUOTAS: [(&str, usize, Code); 4] = [
    ("Resources", 500, code::L001),
    ("Parameters", 200, code::L002),
    ("Outputs", 200, code::L003),
    ("Mappings", 200, code::L004),
];

/// How many bytes the template takes as the JSON [`Template::to_json`] writes.
pub fn body_size(template: &Template) -> usize {
    template.to_json().len()
}

/// What keeps a value from being a template at all.
pub(super) fn refuse(value: &Value) -> Vec<Finding> {
    if deeper_than(value, DEPTH_LIMIT) {
        return vec![Finding::error(
            code::T002,
            format!("Template format error: the template nests deeper than {DEPTH_LIMIT} levels"),
        )];
    }
    let Some(template) = value.as_object() else {
        return vec![Finding::error(
            code::T002,
            format!("Template format error: a template is a mapping of sections, not {}", kind(value)),
        )];
    };
    let mut findings = Vec::new();
    for section in ["Parameters", "Mappings", "Conditions", "Outputs", "Metadata", "Rules", "Hooks"] {
        if let Some(body) = template.get(section)
            && !body.is_object()
        {
            findings.push(
                Finding::error(
                    code::T002,
                    format!("Template format error: `{section}` must be a mapping, not {}", kind(body)),
                )
                .in_template(section),
            );
        }
    }
    for section in ["Parameters", "Mappings", "Outputs"] {
        for (name, body) in entries(template, section) {
            if findings.len() >= MOST_FINDINGS {
                return findings;
            }
            if !body.is_object() {
                findings.push(
                    Finding::error(
                        code::T002,
                        format!("Template format error: `{name}` in `{section}` must be a mapping, not {}", kind(body)),
                    )
                    .in_template(format!("{section}/{name}")),
                );
            }
        }
    }
    match template.get("Resources") {
        Some(Value::Object(resources)) if !resources.is_empty() => {
            for (logical_id, body) in resources.iter().filter(|(key, _)| !key.starts_with(FOR_EACH)) {
                if findings.len() >= MOST_FINDINGS {
                    return findings;
                }
                refuse_resource(logical_id, body, &mut findings);
            }
        }
        _ => findings.push(
            Finding::error(code::T004, "Template format error: At least one Resources member must be defined.")
                .in_template("Resources")
                .help("Give the template a `Resources` section with at least one resource"),
        ),
    }
    findings
}

/// What of a value has the form of a template, see [`Template::salvaged`].
pub(super) fn salvage(mut value: Value) -> Option<Value> {
    if deeper_than(&value, DEPTH_LIMIT) {
        return None;
    }
    let template = value.as_object_mut()?;
    template.retain(|section, body| {
        body.is_object()
            || !["Parameters", "Mappings", "Conditions", "Outputs", "Metadata", "Rules", "Hooks"]
                .contains(&section.as_str())
    });
    for (section, stand_in) in
        [("Parameters", Some(json!({ "Type": "String" }))), ("Mappings", None), ("Outputs", None)]
    {
        let Some(Value::Object(entries)) = template.get_mut(section) else { continue };
        if let Some(stand_in) = stand_in {
            entries.values_mut().filter(|body| !body.is_object()).for_each(|body| *body = stand_in.clone());
        } else {
            entries.retain(|name, body| body.is_object() || name.starts_with(FOR_EACH));
        }
    }
    let Some(Value::Object(resources)) = template.get_mut("Resources") else { return None };
    for (_, body) in resources.iter_mut().filter(|(name, _)| !name.starts_with(FOR_EACH)) {
        match body {
            Value::Object(body) if body.get("Type").is_some_and(Value::is_string) => {
                body.retain(|name, item| name != "Properties" || item.is_object());
            }
            // The properties and attributes of such a type are its author's.
            _ => *body = json!({ "Type": "Custom::Malformed", "Properties": { "ServiceToken": "unknown" } }),
        }
    }
    (!resources.is_empty()).then_some(value)
}

fn refuse_resource(logical_id: &str, body: &Value, findings: &mut Vec<Finding>) {
    let path = format!("Resources/{logical_id}");
    let Some(body) = body.as_object() else {
        findings.push(
            Finding::error(
                code::T006,
                format!("Template format error: [/Resources/{logical_id}] resource definition is malformed"),
            )
            .in_template(path)
            .help("A resource is a mapping with a `Type` and `Properties`"),
        );
        return;
    };
    match body.get("Type") {
        Some(Value::String(_)) => {}
        Some(other) => findings.push(
            Finding::error(
                code::T006,
                format!("Template format error: [/Resources/{logical_id}/Type] must be text, not {}", kind(other)),
            )
            .in_template(format!("{path}/Type")),
        ),
        None => findings.push(
            Finding::error(
                code::T006,
                format!(
                    "Template format error: [/Resources/{logical_id}] Every Resources object must contain a Type member."
                ),
            )
            .in_template(path.clone()),
        ),
    }
    if let Some(properties) = body.get("Properties")
        && !properties.is_object()
    {
        findings.push(
            Finding::error(
                code::T008,
                format!(
                    "Template format error: [/Resources/{logical_id}/Properties] must be a mapping, not {}",
                    kind(properties)
                ),
            )
            .in_template(format!("{path}/Properties")),
        );
    }
}

/// What is wrong with a template that is one.
pub(super) fn check(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(root) = template.value().as_object() else { return findings };
    sections(root, template.is_serverless(), &mut findings);
    for (section, most, code) in QUOTAS {
        let count = entries(root, section).count();
        if count > most {
            findings.push(
                Finding::error(
                    code,
                    format!("The template has {count} entries in `{section}` and CloudFormation takes {most}"),
                )
                .in_template(section)
                .help("Split the template into several stacks"),
            );
        }
    }
    let size = body_size(template);
    if size > BODY_LIMIT_S3 {
        findings.push(
            Finding::error(
                code::L005,
                format!("The template is {size} bytes and CloudFormation reads at most {BODY_LIMIT_S3} from S3"),
            )
            .help("Split the template into several stacks"),
        );
    }
    for section in ["Resources", "Parameters", "Conditions", "Mappings", "Outputs"] {
        for (name, _) in entries(root, section) {
            if findings.len() >= MOST_FINDINGS {
                return findings;
            }
            logical_id(section, name, &mut findings);
        }
    }
    for resource in template.resources() {
        if findings.len() >= MOST_FINDINGS {
            return findings;
        }
        attributes(resource.logical_id, resource.body(), template.is_serverless(), &mut findings);
    }
    if let Some(path) = first_null(template.value()) {
        findings.push(
            Finding::error(code::T009, format!("[{path}] 'null' values are not allowed in templates"))
                .in_template(path.trim_start_matches('/'))
                .help("Leave the key out, or use `AWS::NoValue`"),
        );
    }
    findings
}

/// Names with commas between, and how many more there are.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 20;
    let shown: Vec<&str> = names.iter().copied().take(MOST).collect();
    match names.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn sections(root: &Map<String, Value>, serverless: bool, findings: &mut Vec<Finding>) {
    let is_known = |section: &str| SECTIONS.contains(&section) || serverless && section == SERVERLESS_SECTION;
    let unknown: Vec<&str> = root.keys().map(String::as_str).filter(|section| !is_known(section)).collect();
    if let Some(first) = unknown.first() {
        findings.push(
            Finding::error(code::T003, format!("Invalid template property or properties [{}]", listed(&unknown)))
                .in_template(*first)
                .help(format!("The sections of a template are {}", SECTIONS.join(", "))),
        );
    }
    if let Some(version) = root.get("AWSTemplateFormatVersion")
        && version.as_str() != Some("2010-09-09")
    {
        findings.push(
            Finding::error(
                code::T003,
                format!(
                    "Template format error: {} is not a supported value for AWSTemplateFormatVersion.",
                    version.as_str().map_or_else(|| version.to_string(), str::to_owned)
                ),
            )
            .in_template("AWSTemplateFormatVersion")
            .help("The one format version there is: `2010-09-09`, as text"),
        );
    }
    match root.get("Description") {
        None => {}
        Some(Value::String(text)) if text.len() <= DESCRIPTION_LIMIT => {}
        Some(Value::String(text)) => findings.push(
            Finding::error(
                code::L006,
                format!(
                    "The template's description is {} bytes and CloudFormation takes {DESCRIPTION_LIMIT}",
                    text.len()
                ),
            )
            .in_template("Description"),
        ),
        Some(_) => findings.push(
            Finding::error(code::T002, "Template format error: Every Description member must be a string.")
                .in_template("Description"),
        ),
    }
}

fn logical_id(section: &str, name: &str, findings: &mut Vec<Finding>) {
    let alphanumeric = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    // The names of conditions and mappings may hold more than those of resources do.
    let fits = alphanumeric || matches!(section, "Conditions" | "Mappings") && !name.is_empty();
    if !fits {
        let kind = section.strip_suffix('s').unwrap_or(section);
        findings.push(
            Finding::error(code::T005, format!("Template format error: {kind} name {name} is non alphanumeric."))
                .in_template(format!("{section}/{name}"))
                .help("Use the letters A to Z, a to z and digits only"),
        );
    }
    if name.chars().count() > LOGICAL_ID_LIMIT {
        findings.push(
            Finding::error(
                code::L007,
                format!(
                    "A name in `{section}` has {} characters and CloudFormation takes {LOGICAL_ID_LIMIT}",
                    name.chars().count()
                ),
            )
            .in_template(format!("{section}/{name}")),
        );
    }
}

/// Whether a mapping is a function.
fn is_computed(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.iter().all(|(key, item)| crate::intrinsics::is_function(key, item))
}

/// The texts between which an `Fn::If` decides.
fn branches(policy: &Value, name: &str, logical_id: &str, allowed: &[&str], path: &str, findings: &mut Vec<Finding>) {
    let mut waiting = vec![(policy, format!("{path}/{name}"))];
    while let Some((policy, path)) = waiting.pop() {
        match policy {
            Value::String(text) if !allowed.contains(&text.as_str()) => findings.push(
                Finding::error(
                    code::T008,
                    format!(
                        "Template error: {name} of resource {logical_id} is `{text}` and must be one of {}",
                        allowed.join(", ")
                    ),
                )
                .in_template(path),
            ),
            Value::Object(map) => {
                let parts = map.get("Fn::If").and_then(Value::as_array).into_iter().flatten().enumerate().skip(1);
                waiting.extend(parts.map(|(index, part)| (part, format!("{path}/Fn::If/{index}"))));
            }
            _ => {}
        }
    }
}

fn attributes(logical_id: &str, body: &Map<String, Value>, serverless: bool, findings: &mut Vec<Finding>) {
    let path = format!("Resources/{logical_id}");
    let is_known = |name: &str| ATTRIBUTES.contains(&name) || serverless && SERVERLESS_ATTRIBUTES.contains(&name);
    for name in body.keys().filter(|name| !is_known(name)).take(MOST_FINDINGS) {
        findings.push(
            Finding::error(code::T007, format!("Invalid template resource property '{name}'"))
                .in_template(format!("{path}/{name}"))
                .help(format!("The attributes of a resource are {}", ATTRIBUTES.join(", "))),
        );
    }
    for name in ["DeletionPolicy", "UpdateReplacePolicy"] {
        let allowed = allowed_policies(name);
        match body.get(name) {
            None => {}
            Some(Value::String(text)) if allowed.contains(&text.as_str()) => {}
            Some(other) if other.as_object().is_some_and(is_computed) => {
                branches(other, name, logical_id, allowed, &path, findings)
            }
            Some(other) => findings.push(
                Finding::error(
                    code::T008,
                    format!(
                        "Template error: {name} of resource {logical_id} is {} and must be one of {}",
                        other.as_str().map_or_else(|| kind(other).to_owned(), |text| format!("`{text}`")),
                        allowed.join(", ")
                    ),
                )
                .in_template(format!("{path}/{name}")),
            ),
        }
    }
    let depends = body.get("DependsOn");
    let listed = matches!(depends, Some(Value::Array(items)) if items.iter().all(Value::is_string));
    if !(depends.is_none_or(Value::is_string) || listed) {
        findings.push(
            Finding::error(
                code::T008,
                format!("Template format error: DependsOn of resource {logical_id} must be text or a list of texts"),
            )
            .in_template(format!("{path}/DependsOn")),
        );
    }
    if body.get("Condition").is_some_and(|condition| !condition.is_string()) {
        findings.push(
            Finding::error(
                code::T008,
                format!("Template format error: Every Condition member must be a string in resource {logical_id}"),
            )
            .in_template(format!("{path}/Condition")),
        );
    }
}

fn entries<'a>(root: &'a Map<String, Value>, section: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    root.get(section)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(name, _)| !name.starts_with(FOR_EACH))
        .map(|(name, body)| (name.as_str(), body))
}

/// The pointer of the first `null`: CloudFormation takes none anywhere.
fn first_null(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| first_null(item).map(|rest| format!("/{index}{rest}")))
        }
        Value::Object(map) => map.iter().find_map(|(key, item)| first_null(item).map(|rest| format!("/{key}{rest}"))),
        _ => None,
    }
}

fn deeper_than(value: &Value, limit: usize) -> bool {
    let mut waiting = vec![(value, 0_usize)];
    while let Some((value, depth)) = waiting.pop() {
        if depth > limit {
            return true;
        }
        match value {
            Value::Array(items) => waiting.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(map) => waiting.extend(map.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    false
}

/// What a value is, in words that fit "must be …, not …".
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
