//! A template against CloudFormation's grammar and the provider schemas, intrinsic functions understood.
//!
//! Offline and linear: each branch of an `Fn::If` is checked once, combinations of conditions never are. What can't be
//! known before a deploy is left alone, so that every finding stands.

mod functions;
mod kinds;
mod objects;
mod parameters;
mod resources;
mod scalars;
mod sections;
mod shapes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::intrinsics::{Environment, expand};
use super::schema::closest;
use super::{Parameter, ResourceGraph, ResourceSchema, Schemas, Template};
use crate::finding::Finding;

pub use parameters::check_value;

/// Everything that is wrong with a template, in the order of the template; `region` is where it would be deployed.
///
/// A template with loops is checked as they come out with the defaults of its parameters; where they can't come out
/// without values, what is in them is not checked.
pub fn validate(template: &Template, region: Option<&str>) -> Vec<Finding> {
    let mut findings = template.structure();
    let expanded = if template.has_language_extensions() {
        let environment = Environment::new("123456789012", region.unwrap_or("us-east-1"), "stack");
        match expand(template, &BTreeMap::new(), &environment) {
            Ok(expanded) => Some(expanded),
            // It waits for the value of a parameter.
            Err(problem) if problem.code == "T110" => None,
            Err(problem) => {
                findings.push(problem.into());
                return findings;
            }
        }
    } else {
        None
    };
    let template = expanded.as_ref().unwrap_or(template);
    let context = Context::new(template, region);
    parameters::check(&context, &mut findings);
    sections::check(&context, &mut findings);
    resources::check(&context, &mut findings);
    if let Some(problem) = ResourceGraph::of(template).circular() {
        findings.push(Finding::from(problem).help("Take one of the references or `DependsOn` entries out"));
    }
    findings
}

/// What the checks look names up in.
struct Context<'a> {
    template: &'a Template,
    region: Option<&'a str>,
    parameters: BTreeMap<&'a str, Parameter<'a>>,
    /// Type and schema by logical id.
    resources: BTreeMap<&'a str, (&'a str, Option<Arc<ResourceSchema>>)>,
    conditions: BTreeSet<&'a str>,
    mappings: Option<&'a Map<String, Value>>,
    /// Whether the template asks for `AWS::LanguageExtensions`.
    extensions: bool,
    /// Whether it asks for other macros, which may add anything anywhere.
    macros: bool,
}

impl<'a> Context<'a> {
    fn new(template: &'a Template, region: Option<&'a str>) -> Self {
        let schemas = Schemas::embedded();
        Self {
            template,
            region,
            parameters: template.parameters().map(|parameter| (parameter.name, parameter)).collect(),
            resources: template
                .resources()
                .map(|resource| (resource.logical_id, (resource.type_, schemas.get(resource.type_))))
                .collect(),
            conditions: template.conditions().map(|(name, _)| name).collect(),
            mappings: template.mappings(),
            extensions: template.has_language_extensions(),
            macros: template.transforms().iter().any(|name| *name != super::template::LANGUAGE_EXTENSIONS),
        }
    }

    fn schema(&self, logical_id: &str) -> Option<&ResourceSchema> {
        self.resources.get(logical_id).and_then(|(_, schema)| schema.as_deref())
    }

    /// The resource or parameter most like a name that is neither.
    fn suggest(&self, name: &str) -> Option<&str> {
        let names = self.resources.keys().chain(self.parameters.keys()).copied();
        closest(&name.to_ascii_lowercase(), names, str::to_ascii_lowercase)
    }
}

/// The pseudo parameters.
const PSEUDO: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// A finding with its path, and the name that was probably meant.
fn finding(code: &'static str, message: impl Into<String>, path: &str, meant: Option<&str>) -> Finding {
    let finding = Finding::error(code, message).in_template(path);
    match meant {
        Some(meant) => finding.help(format!("Did you mean `{meant}`?")),
        None => finding,
    }
}
