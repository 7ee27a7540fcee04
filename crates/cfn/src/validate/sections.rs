//! Conditions, mappings and outputs.

use serde_json::{Map, Value};

use super::functions::{self, Section};
use super::kinds::function;
use super::{Context, finding, is_full};
use crate::Output;
use crate::finding::{Finding, code};
use crate::intrinsics::named_conditions;
use crate::schema::Types;
use crate::template::kind;
use bedplate_text::suggestion::nearest;

/// The longest description of an output, in bytes (CloudFormation user guide; cfn-lint 1.58.0, rule E6001).
const OUTPUT_DESCRIPTION_LIMIT: usize = 1024;

const OUTPUT_ATTRIBUTES: [&str; 4] = ["Condition", "Description", "Export", "Value"];

pub(super) fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (name, rows) in context.mappings.into_iter().flatten() {
        mapping(context, name, rows, findings);
    }
    for (name, body) in context.template.conditions() {
        if is_full(findings) {
            return;
        }
        let path = format!("Conditions/{name}");
        let is_condition =
            body.as_object().filter(|map| map.len() == 1).and_then(|map| map.keys().next()).is_some_and(|key| {
                matches!(key.as_str(), "Fn::And" | "Fn::Equals" | "Fn::Not" | "Fn::Or" | "Condition")
            });
        if !is_condition && !name.starts_with("Fn::ForEach::") {
            findings.push(finding(
                code::T100,
                "Template format error: Every Conditions member must be one of Fn::And, Fn::Equals, Fn::Not, Fn::Or or Condition",
                &path,
                None,
            ));
        }
        functions::check(context, Section::Conditions, body, &path, findings);
    }
    circles(context, findings);
    for entry in context.template.outputs() {
        if is_full(findings) {
            return;
        }
        output(context, entry, findings);
    }
}

/// Words and letters of CloudFormation's refusals; what they ask of the names is cfn-lint's rule E7001 too.
fn mapping(context: &Context<'_>, name: &str, rows: &Value, findings: &mut Vec<Finding>) {
    // A transform reads them before CloudFormation does.
    let strict = context.template.transforms().is_empty();
    let malformed = |message: String, path: &str| {
        finding(code::T030, message, path, None)
            .help("A mapping has names, each with keys of letters and digits, each with a text or a list of texts")
    };
    if rows.as_object().is_some_and(Map::is_empty) {
        let message = format!("Template format error: the mapping `{name}` has no keys");
        findings.push(malformed(message, &format!("Mappings/{name}")));
    }
    for (top, row) in rows.as_object().into_iter().flatten() {
        let path = format!("Mappings/{name}/{top}");
        if top == "Fn::Transform" {
            continue;
        }
        if strict
            && (top.is_empty() || !top.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')))
        {
            let message = format!(
                "Template format error: Mappings element name '{top}' must be non-empty and can contain only alphanumerics, '-' or '.'"
            );
            findings.push(malformed(message, &path));
        }
        if row.as_object().is_some_and(Map::is_empty) {
            let message = format!("Template format error: `{top}` of the mapping `{name}` has no keys");
            findings.push(malformed(message, &path));
        }
        let Some(row) = row.as_object() else {
            findings.push(finding(
                code::T030,
                format!("Template format error: Every Mappings attribute must be a mapping of names to values, and `{top}` is {}", kind(row)),
                &path,
                None,
            ));
            continue;
        };
        for (second, value) in row {
            if is_full(findings) {
                return;
            }
            if second == "Fn::Transform" {
                continue;
            }
            if strict && (second.is_empty() || !second.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
                let message = format!(
                    "Template format error: Mappings attribute name '{second}' must contain only alphanumeric characters."
                );
                findings.push(malformed(message, &format!("{path}/{second}")));
            }
            let fits = match value {
                Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
                Value::Object(_) => false,
                _ => true,
            };
            if !fits {
                findings.push(finding(
                    code::T030,
                    "Template format error: Every Mappings attribute must be a String or a List.",
                    &format!("{path}/{second}"),
                    None,
                ));
            }
        }
    }
}

/// How many conditions of a circle are named.
const MOST_NAMED: usize = 20;

/// Conditions that depend on themselves.
fn circles(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut settled = std::collections::BTreeSet::new();
    for (name, _) in context.template.conditions() {
        if settled.contains(name) {
            continue;
        }
        // Each condition is walked once; a trail that meets itself is a circle.
        let mut trail: Vec<(&str, Vec<&str>)> = vec![(name, needs(context, name))];
        let mut on_it: std::collections::BTreeMap<&str, usize> = [(name, 0)].into();
        while let Some((here, waiting)) = trail.last_mut() {
            let here = *here;
            match waiting.pop() {
                None => {
                    settled.insert(here);
                    on_it.remove(here);
                    trail.pop();
                }
                Some(next) if settled.contains(next) => {}
                Some(next) => {
                    if let Some(start) = on_it.get(next) {
                        let names: Vec<&str> =
                            trail.iter().skip(*start).take(MOST_NAMED).map(|(name, _)| *name).collect();
                        findings.push(finding(
                            code::T103,
                            format!("Circular dependency between conditions: [{}]", names.join(", ")),
                            &format!("Conditions/{here}"),
                            None,
                        ));
                        settled.extend(trail.iter().map(|(name, _)| *name));
                        break;
                    }
                    on_it.insert(next, trail.len());
                    trail.push((next, needs(context, next)));
                }
            }
        }
    }
}

fn needs<'a>(context: &Context<'a>, name: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    if let Some(body) = context.template.section("Conditions").and_then(|conditions| conditions.get(name)) {
        named_conditions(body, &mut found);
    }
    found
}

fn output(context: &Context<'_>, output: Output<'_>, findings: &mut Vec<Finding>) {
    let path = format!("Outputs/{}", output.name);
    for name in output.body().keys().filter(|name| !OUTPUT_ATTRIBUTES.contains(&name.as_str())) {
        if is_full(findings) {
            return;
        }
        let meant = nearest(name, OUTPUT_ATTRIBUTES);
        findings.push(finding(
            code::T031,
            format!("Invalid template output property '{name}'"),
            &format!("{path}/{name}"),
            meant,
        ));
    }
    for attribute in ["Condition", "Description"] {
        match output.body().get(attribute) {
            Some(Value::String(text)) if attribute == "Description" && text.len() > OUTPUT_DESCRIPTION_LIMIT => {
                findings.push(finding(
                    code::L006,
                    format!("The description of output `{}` is {} bytes and CloudFormation takes {OUTPUT_DESCRIPTION_LIMIT}", output.name, text.len()),
                    &format!("{path}/{attribute}"),
                    None,
                ));
            }
            None | Some(Value::String(_) | Value::Null) => {}
            Some(_) => findings.push(finding(
                code::T031,
                format!("Template format error: Every {attribute} member must be a string."),
                &format!("{path}/{attribute}"),
                None,
            )),
        }
    }
    if let Some(condition) = output.condition() {
        functions::condition(context, condition, "Outputs", &format!("{path}/Condition"), findings);
    }
    let Some(value) = output.body().get("Value") else {
        findings.push(finding(
            code::T031,
            format!("Template format error: Output {} is malformed. The Value field is required", output.name),
            &path,
            None,
        ));
        return;
    };
    let listed = match function(value) {
        Some((key, argument)) => context.kind(key, argument) == Types::ARRAY,
        None => value.is_array() || value.is_object(),
    };
    if listed {
        findings.push(finding(
            code::T031,
            "Template format error: The Value field of every Outputs member must evaluate to a String.",
            &format!("{path}/Value"),
            None,
        ));
    }
    functions::check_under(context, Section::Outputs, output.condition(), value, &format!("{path}/Value"), findings);
    if let Some(export) = output.body().get("Export") {
        match export.get("Name") {
            Some(name) if name.is_string() || function(name).is_some() => {
                functions::check(context, Section::Outputs, name, &format!("{path}/Export/Name"), findings);
            }
            _ => findings.push(finding(
                code::T031,
                format!("Template format error: Output {} is malformed. Export needs a Name", output.name),
                &format!("{path}/Export"),
                None,
            )),
        }
    }
}
