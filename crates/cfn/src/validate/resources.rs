//! Every resource against the schema of its type.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::functions::{self, Section};
use super::kinds::{function, is_no_value};
use super::shapes::Checker;
use super::{Context, finding, is_full};
use crate::finding::{Finding, code};
use crate::intrinsics::{Environment, policy_of};
use crate::template::allowed_policies;
use crate::{Resource, Schemas};

pub(super) fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resource in context.template.resources() {
        if is_full(findings) {
            return;
        }
        let path = format!("Resources/{}", resource.logical_id);
        attributes(context, resource, &path, findings);
        super::attributes::check(context, resource, &path, findings);
        for attribute in
            ["Properties", "Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy"]
        {
            if let Some(value) = resource.attribute(attribute) {
                let path = format!("{path}/{attribute}");
                functions::check_under(context, Section::Resources, resource.condition(), value, &path, findings);
            }
        }
        policies(context, resource, &path, findings);
        properties(context, resource, &path, findings);
    }
}

fn attributes(context: &Context<'_>, resource: Resource<'_>, path: &str, findings: &mut Vec<Finding>) {
    if let Some(name) = resource.condition() {
        functions::condition(context, name, "Resources", &format!("{path}/Condition"), findings);
    }
    for (index, name) in resource.depends_on().into_iter().enumerate() {
        if is_full(findings) {
            return;
        }
        if !context.resources.contains_key(name) && !context.macros {
            let listed = resource.attribute("DependsOn").is_some_and(Value::is_array);
            let path = if listed { format!("{path}/DependsOn/{index}") } else { format!("{path}/DependsOn") };
            findings.push(finding(
                code::T101,
                format!("Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"),
                &path,
                context.suggest(name),
            ));
        }
    }
}

/// A policy that a function gives and that comes to no policy with the defaults of the parameters.
fn policies(context: &Context<'_>, resource: Resource<'_>, path: &str, findings: &mut Vec<Finding>) {
    let environment = Environment::new("123456789012", context.region.unwrap_or("us-east-1"), "stack");
    for name in ["DeletionPolicy", "UpdateReplacePolicy"] {
        let Some(written) = resource.attribute(name).filter(|it| it.is_object()) else { continue };
        let Some(policy) = policy_of(written, context.template, &BTreeMap::new(), &environment) else { continue };
        let allowed = allowed_policies(name);
        // A branch of `Fn::If` that is none is told where it stands.
        if !allowed.contains(&policy.as_str()) && function(written).is_some_and(|(key, _)| key != "Fn::If") {
            let words = allowed.join(", ");
            let message = format!("`{name}` comes to `{policy}` with the defaults, and must be one of {words}");
            findings.push(Finding::warning(code::T214, message).in_template(format!("{path}/{name}")));
        }
    }
}

fn properties(context: &Context<'_>, resource: Resource<'_>, path: &str, findings: &mut Vec<Finding>) {
    let type_ = resource.type_;
    let Some(schema) = context.schema(resource.logical_id) else {
        unknown_type(context, type_, path, findings);
        return;
    };
    if let Some(region) = context.region
        && schema.in_region(region) == Some(false)
    {
        let regions: Vec<&str> = schema.regions().collect();
        let help = match regions.as_slice() {
            few if few.len() <= 8 => format!("It is in {}", few.join(", ")),
            many => format!("It is in {} other regions, {} among them", many.len(), many.first().unwrap_or(&"")),
        };
        findings.push(
            Finding::error(code::T201, format!("`{type_}` is not available in {region}"))
                .in_template(format!("{path}/Type"))
                .help(help),
        );
    }
    let none = Map::new();
    let given = resource.properties().unwrap_or(&none);
    let conditional = resource.condition().is_some();
    let mut checker = Checker::new(context, schema, format!("{path}/Properties"), conditional);
    let whole = Value::Object(given.clone());
    checker.value(&whole, schema.shape());
    findings.append(&mut checker.found);
    // A custom resource's properties are its author's, whatever they are called.
    let open = !schema.shape().pattern_properties.is_empty();
    for pointer in schema.read_only().iter().filter(|_| !open) {
        for (place, value) in pointer.find(&whole) {
            if !is_no_value(value) {
                findings.push(
                    Finding::error(
                        code::T209,
                        format!("`{}` is set by the service and can't be given", place.join(".")),
                    )
                    .in_template(format!("{path}/Properties/{}", place.join("/")))
                    .help("Take the property out; read it with `Fn::GetAtt`"),
                );
            }
        }
    }
}

fn unknown_type(context: &Context<'_>, type_: &str, path: &str, findings: &mut Vec<Finding>) {
    let path = format!("{path}/Type");
    // A macro, that of SAM among them, turns types that are none into others.
    if context.macros && (!type_.starts_with("AWS::") || type_.starts_with("AWS::Serverless::")) {
        return;
    }
    if type_.starts_with("AWS::") || !type_.contains("::") {
        findings.push(finding(
            code::T200,
            format!("Template format error: Unrecognized resource types: [{type_}]"),
            &path,
            Schemas::embedded().suggest(type_),
        ));
    } else {
        findings.push(
            Finding::warning(code::T213, format!("`{type_}` is not one of AWS's types and is not checked"))
                .in_template(path)
                .help("The account must have a type of that name registered"),
        );
    }
}
