//! A template against CloudFormation's grammar and the provider schemas, intrinsic functions understood.
//!
//! Offline and linear: each branch of an `Fn::If` is checked once, combinations of conditions never are. What can't be
//! known before a deploy is left alone, so that every finding stands.

mod attributes;
mod conditions;
mod functions;
mod kinds;
mod names;
mod objects;
mod parameters;
mod resources;
mod role_policies;
mod scalars;
mod sections;
mod services;
mod shapes;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::intrinsics::{Environment, expand};
use super::template::MOST_FINDINGS;
use super::{Parameter, ResourceGraph, ResourceSchema, Schemas, Template};
use crate::finding::{Code, Finding, code};
use bedplate_text::suggestion::nearest;

pub use parameters::check_value;

/// How many steps the properties of a template may take against their shapes. Alternatives within alternatives multiply; a
/// template as large as CloudFormation takes one needs a tenth of them.
const STEP_LIMIT: usize = 2_000_000;

/// Whether enough is told.
fn is_full(findings: &[Finding]) -> bool {
    findings.len() >= MOST_FINDINGS
}

/// Everything that is wrong with a template, in the order of the template, up to a thousand faults; `region` is where it would
/// be deployed. Of a template beyond CloudFormation's own limits only that is told.
///
/// A template with loops is checked as they come out with the defaults of its parameters; where they can't come out
/// without values, what is in them is not checked.
pub fn validate(template: &Template, region: Option<&str>) -> Vec<Finding> {
    let mut findings = template.structure();
    if findings.iter().any(|finding| BEYOND.contains(&finding.code)) {
        findings.retain(|finding| BEYOND.contains(&finding.code));
        return findings;
    }
    let expanded = if template.has_language_extensions() {
        let environment = Environment::new("123456789012", region.unwrap_or("us-east-1"), "stack");
        match expand(template, &BTreeMap::new(), &environment) {
            Ok(expanded) => Some(expanded),
            // It waits for the value of a parameter.
            Err(problem) if problem.code == code::T110 => None,
            // The rest is judged without what the loops would make.
            Err(problem) => {
                findings.push(problem.into());
                None
            }
        }
    } else {
        None
    };
    let unexpanded = template.has_language_extensions() && expanded.is_none();
    let template = expanded.as_ref().unwrap_or(template);
    let mut context = Context::new(template, region);
    context.macros |= unexpanded;
    parameters::check(&context, &mut findings);
    sections::check(&context, &mut findings);
    resources::check(&context, &mut findings);
    services::check(&context, &mut findings);
    role_policies::check(&context, &mut findings);
    names::check(&context, &mut findings);
    // What depends on what is another question once the transform has made other resources of these.
    if !template.is_serverless()
        && let Some(problem) = ResourceGraph::from_template(template).circular()
    {
        findings.push(Finding::from(problem).help("Take one of the references or `DependsOn` entries out"));
    }
    if is_full(&findings) {
        findings.truncate(MOST_FINDINGS);
        findings.push(
            Finding::error(code::T230, format!("the template has more errors than the {MOST_FINDINGS} reported"))
                .help("Put these right first: many may have one cause"),
        );
    }
    if context.steps.get() > STEP_LIMIT {
        findings.push(
            Finding::error(code::T231, "the properties of the template take too many steps to check, and not all were")
                .help("Branches of `Fn::If` within each other multiply, and so do lists of alternatives: divide the template"),
        );
    }
    findings
}

/// The codes of CloudFormation's limits on a whole template.
const BEYOND: [Code; 5] = [code::L001, code::L002, code::L003, code::L004, code::L005];

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
    /// Whether it asks for other macros, which may add anything anywhere, or has loops that are not written out.
    macros: bool,
    /// The second keys of each mapping, from when they are first asked for.
    second_keys: RefCell<BTreeMap<String, BTreeSet<String>>>,
    /// How many steps its properties have taken so far.
    steps: Cell<usize>,
    /// Whether conditions can hold together, as far as that was asked.
    combinations: RefCell<BTreeMap<String, bool>>,
}

/// How many questions about conditions of a template are looked into.
const MOST_QUESTIONS: usize = 200;

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
            second_keys: RefCell::default(),
            steps: Cell::new(0),
            combinations: RefCell::default(),
        }
    }

    fn schema(&self, logical_id: &str) -> Option<&ResourceSchema> {
        self.resources.get(logical_id).and_then(|(_, schema)| schema.as_deref())
    }

    /// Whether the template can surely be deployed so that each condition holds or not as wanted.
    fn is_possible(&self, wanted: &[(&str, bool)]) -> bool {
        let key: String = wanted.iter().map(|(name, holds)| format!("{name}={holds};")).collect();
        if let Some(known) = self.combinations.borrow().get(&key) {
            return *known;
        }
        let mut combinations = self.combinations.borrow_mut();
        if combinations.len() >= MOST_QUESTIONS {
            return false;
        }
        let answer = conditions::possible(self, wanted) == Some(true);
        combinations.insert(key, answer);
        answer
    }

    /// Whether any row of a mapping has this second key.
    fn has_second_key(&self, mapping: &str, second: &str) -> bool {
        let Some(rows) = self.mappings.and_then(|mappings| mappings.get(mapping)) else { return false };
        let mut known = self.second_keys.borrow_mut();
        let keys = known.entry(mapping.to_owned()).or_insert_with(|| {
            let rows = rows.as_object().into_iter().flatten().filter_map(|(_, row)| row.as_object());
            rows.flat_map(|row| row.keys()).cloned().collect()
        });
        keys.contains(second)
    }

    /// The resource or parameter most like a name that is neither.
    fn suggest(&self, name: &str) -> Option<&str> {
        let names = self.resources.keys().chain(self.parameters.keys()).copied();
        nearest(name, names)
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
fn finding(code: Code, message: impl Into<String>, path: &str, meant: Option<&str>) -> Finding {
    let finding = Finding::error(code, message).in_template(path);
    match meant {
        Some(meant) => finding.help(format!("Did you mean `{meant}`?")),
        None => finding,
    }
}
