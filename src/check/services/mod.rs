//! What services refuse of resources that the provider schemas take: of a template made elsewhere, of raw resources, and of
//! what the components render to.

mod bedrock;
mod gateway;
mod lambda;
mod notifications;

use serde_json::Value;

use crate::cfn::{Resource, Template};
use crate::facts::Day;
use crate::finding::{Finding, code};
use crate::render::Rendered;
use crate::spec::LoadedSpec;

pub(super) fn check(loaded: &LoadedSpec, rendered: &Rendered, today: Day, findings: &mut Vec<Finding>) {
    let template = &rendered.template;
    let mut found = Vec::new();
    bedrock::check(template, &mut found);
    gateway::check(template, &mut found);
    lambda::check(template, today, &mut found);
    notifications::check(template, &mut found);
    for finding in found {
        let place = finding.template_path.as_deref().and_then(|path| rendered.place(loaded, path));
        let finding = finding.at_known(place);
        // A component may have been told of it already, at the key that says it.
        let told = |other: &Finding| {
            let same = other.code == finding.code && other.message == finding.message
                || finding.code == code::L127 && other.code == code::L120;
            same && other.place == finding.place
        };
        if !findings.iter().any(told) {
            findings.push(finding);
        }
    }
}

/// The resources of a type.
fn of_type<'a>(template: &'a Template, type_: &str) -> impl Iterator<Item = Resource<'a>> {
    template.resources().filter(move |resource| resource.type_ == type_)
}

/// The path of a property in the template.
fn at(resource: Resource<'_>, property: &str) -> String {
    format!("Resources/{}/Properties/{property}", resource.logical_id)
}

/// A value inside the properties of a resource, by the names on the way.
fn inside<'a>(resource: Resource<'a>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let mut value = resource.properties()?.get(*first)?;
    for name in rest {
        value = value.get(name)?;
    }
    Some(value)
}

/// The entries of a list; none where it is computed.
fn entries(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A text, number or truth value as text; none where it is computed.
fn literal(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => (!text.contains("{{resolve:")).then(|| text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

/// The resource of the template that a value stands for: `Ref`, `Fn::GetAtt`, or `Fn::Sub` of one of these alone.
fn target(value: &Value) -> Option<&str> {
    let (key, argument) = value.as_object().filter(|map| map.len() == 1)?.iter().next()?;
    match (key.as_str(), argument) {
        ("Ref", Value::String(id)) => Some(id),
        ("Fn::GetAtt", Value::String(text)) => text.split('.').next(),
        ("Fn::GetAtt", Value::Array(parts)) => parts.first()?.as_str(),
        ("Fn::Sub", Value::String(text)) => {
            let name = text.strip_prefix("${")?.strip_suffix('}')?;
            (!name.contains(['$', '!'])).then(|| name.split('.').next()).flatten()
        }
        _ => None,
    }
}

/// Whether a value mentions a resource of the template anywhere.
fn mentions(value: &Value, logical_id: &str) -> bool {
    match value {
        Value::Object(map) => {
            target(value) == Some(logical_id)
                || map.get("Fn::Sub").is_some_and(|argument| substitutes(argument, logical_id))
                || map.values().any(|member| mentions(member, logical_id))
        }
        Value::Array(items) => items.iter().any(|item| mentions(item, logical_id)),
        _ => false,
    }
}

fn substitutes(argument: &Value, logical_id: &str) -> bool {
    let text = argument.as_str().or_else(|| argument.get(0).and_then(Value::as_str)).unwrap_or_default();
    text.contains(&format!("${{{logical_id}}}")) || text.contains(&format!("${{{logical_id}."))
}
