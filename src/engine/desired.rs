//! What is to be deployed: a rendered template with everything that belongs to it.

use std::collections::BTreeMap;

use super::artifact_names::artifact_bucket_name;
use super::finishers::{Finisher, from_spec};
use super::package::{Package, Packaging, StackArtifact, Unbuilt};
use super::smoke::{self, PreparedSmokeTest};
use super::status::USE_CASE_TAG;
use crate::aws::{ParameterValue, StackSummary};
use crate::cfn::Template;
use crate::finding::{Finding, TemplatePlaces, code};
use crate::render::{NeededOutput, Rendered};
use crate::spec::LoadedSpec;

/// The template parameter the artifact bucket's name is given to.
pub(super) const BUCKET_PARAMETER: &str = "ArtifactBucket";

/// What is to be deployed.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The stack's name, `<use-case>-<stage>`.
    pub stack: String,
    /// The template.
    pub template: Template,
    /// Parameter values given for this deployment; what is not given keeps the stack's value or takes the default.
    pub parameters: BTreeMap<String, String>,
    /// Such as `CAPABILITY_IAM`.
    pub capabilities: Vec<String>,
    /// Tags of the stack; `bedplate:use-case` and `bedplate:stage` say what it is.
    pub tags: BTreeMap<String, String>,
    /// Who owns the stack, as the project says it; without one, whoever deploys it.
    pub owner: Option<String>,
    /// The artifact bucket, once it is known; without one, the usual name is taken.
    pub artifact_bucket: Option<String>,
    /// Where in the spec each part of the template comes from.
    pub places: TemplatePlaces,
    /// The same of each logical id as JSON pointers into the spec.
    pub pointers: BTreeMap<String, String>,
    /// The spec's own name of each parameter, by its logical id; what has none is the engine's to give.
    pub names: BTreeMap<String, String>,
    /// Outputs of other use cases that the template takes; their values are among `parameters` when it is deployed.
    pub needs: Vec<NeededOutput>,
    /// The files the template refers to, when they are built already.
    pub artifacts: Vec<StackArtifact>,
    /// Those that are to be built first.
    pub packages: Vec<Package>,
    /// Those that are not built and not to be: a plan only.
    pub unbuilt: Vec<Unbuilt>,
    /// What is done once the stack is complete.
    pub finishers: Vec<Finisher>,
    /// What is tried once it is filled.
    pub smoke: Vec<PreparedSmokeTest>,
}

/// The values of a template's parameters.
#[derive(Debug)]
pub(super) struct ParameterValues {
    /// What CloudFormation is given.
    pub(super) sent: BTreeMap<String, ParameterValue>,
    /// What each parameter will be, as far as it is known; for the plan.
    pub(super) shown: BTreeMap<String, String>,
}

impl Desired {
    /// The use case, by the tag of its stack.
    pub(super) fn use_case(&self) -> Option<&str> {
        self.tags.get(USE_CASE_TAG).map(String::as_str)
    }

    /// A template by itself: no parameters, no tags, no artifacts.
    pub fn new(stack: impl Into<String>, template: Template) -> Self {
        Self {
            stack: stack.into(),
            template,
            parameters: BTreeMap::new(),
            capabilities: Vec::new(),
            tags: BTreeMap::new(),
            owner: None,
            artifact_bucket: None,
            places: TemplatePlaces::default(),
            pointers: BTreeMap::new(),
            names: BTreeMap::new(),
            needs: Vec::new(),
            artifacts: Vec::new(),
            packages: Vec::new(),
            unbuilt: Vec::new(),
            finishers: Vec::new(),
            smoke: Vec::new(),
        }
    }

    /// A rendered use case as the stack of a stage. Its artifacts are built when it is deployed, as `packaging` says.
    /// `parameters` are values by the spec's names; those the
    /// spec does not have are left out.
    ///
    /// # Errors
    /// When rows of a table are wrong; loading the spec tells that first.
    pub fn from_rendered(
        loaded: &LoadedSpec,
        rendered: &Rendered,
        stack: &str,
        parameters: BTreeMap<String, String>,
        packaging: &Packaging,
    ) -> Result<Self, Vec<Finding>> {
        let packages = rendered.artifacts.iter();
        let names = names(rendered);
        let value = |(id, name): (&String, &String)| Some((id.clone(), parameters.get(name)?.clone()));
        Ok(Self {
            stack: stack.to_owned(),
            template: rendered.template.clone(),
            parameters: names.iter().filter_map(value).collect(),
            names,
            needs: rendered.needs.clone(),
            capabilities: rendered.capabilities.clone(),
            tags: rendered.tags.clone(),
            owner: None,
            artifact_bucket: None,
            places: rendered.places(loaded),
            pointers: rendered.origins.clone(),
            artifacts: Vec::new(),
            packages: packages.filter_map(|wanted| Package::from_parameter(loaded, wanted, packaging)).collect(),
            unbuilt: Vec::new(),
            finishers: from_spec(loaded, rendered)?,
            smoke: smoke::from_spec(loaded, rendered),
        })
    }

    /// No helper program is to run: a layer that is not in the cache is not made.
    pub fn build_nothing(&mut self) {
        for package in &mut self.packages {
            package.packaging.no_build = true;
        }
    }

    /// Everything CloudFormation is given as a parameter, and what is known of the values for the plan.
    ///
    /// # Errors
    /// A value for a parameter the template lacks, and a parameter without any value.
    pub(super) fn parameter_values(
        &self,
        account: &str,
        region: &str,
        current: Option<&StackSummary>,
    ) -> Result<ParameterValues, Vec<Finding>> {
        let declared: BTreeMap<&str, _> = self.template.parameters().map(|it| (it.name, it)).collect();
        let mut given = self.parameters.clone();
        let bucket = self.artifact_bucket.clone().unwrap_or_else(|| artifact_bucket_name(account, region));
        let mut own = vec![(BUCKET_PARAMETER.to_owned(), bucket)];
        own.extend(self.artifacts.iter().map(|artifact| (artifact.parameter.clone(), artifact.key(&self.stack))));
        own.extend(self.unbuilt.iter().map(|unbuilt| (unbuilt.parameter.clone(), unbuilt.key(&self.stack))));
        given.extend(own.into_iter().filter(|(name, _)| declared.contains_key(name.as_str())));

        let mut findings = Vec::new();
        for name in given.keys().filter(|name| !declared.contains_key(name.as_str())) {
            let own = |id: &&str| {
                *id != BUCKET_PARAMETER
                    && !self.artifacts.iter().any(|it| it.parameter == *id)
                    && !self.unbuilt.iter().any(|it| it.parameter == *id)
            };
            let known: Vec<&str> = declared.keys().copied().filter(own).collect();
            findings.push(Finding::error(code::D002, format!("the use case has no parameter `{name}`")).help(
                if known.is_empty() { "it has none".to_owned() } else { format!("it has `{}`", known.join("`, `")) },
            ));
        }
        let mut values = BTreeMap::new();
        let mut shown = BTreeMap::new();
        for (name, parameter) in declared {
            let had = current.and_then(|stack| stack.parameters.get(name));
            let default = parameter.default();
            match (given.get(name), had, default) {
                (Some(value), _, _) => {
                    values.insert(name.to_owned(), ParameterValue::Value(value.clone()));
                    shown.insert(name.to_owned(), value.clone());
                }
                (None, Some(value), _) => {
                    values.insert(name.to_owned(), ParameterValue::Previous);
                    shown.insert(name.to_owned(), value.clone());
                }
                (None, None, Some(default)) => {
                    let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
                    shown.insert(name.to_owned(), text);
                }
                (None, None, None) => {
                    let called = self.names.get(name).map_or(name, String::as_str);
                    findings.push(without_value(called).at(self.places.of(name).cloned()));
                }
            }
        }
        if findings.is_empty() { Ok(ParameterValues { sent: values, shown }) } else { Err(findings) }
    }
}

/// The name by which each parameter is given a value, by its logical id: the spec's own, and of a template made elsewhere
/// CloudFormation's.
pub(crate) fn names(rendered: &Rendered) -> BTreeMap<String, String> {
    let of_template = |id: &String| rendered.template.parameters().any(|parameter| parameter.name == id);
    let name = |(id, pointer): (&String, &String)| {
        let name = match pointer.strip_prefix("/parameters/") {
            Some(name) => name.to_owned(),
            None => Some(id.clone()).filter(|id| pointer == "/template" && of_template(id))?,
        };
        Some((id.clone(), name))
    };
    rendered.origins.iter().filter_map(name).collect()
}

/// A parameter that cannot do without a value.
pub(crate) fn without_value(name: &str) -> Finding {
    Finding::error(code::D003, format!("the parameter `{name}` has no value"))
        .help(format!("pass `--parameter {name}=VALUE` or give it a default in the spec"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;

    fn desired() -> Desired {
        let template = Template::from_value(json!({
            "Parameters": {
                "ArtifactBucket": { "Type": "String" },
                "CodeKey": { "Type": "String" },
                "Size": { "Type": "Number", "Default": 3 },
                "Secret": { "Type": "String", "NoEcho": true },
            },
            "Resources": { "Queue": { "Type": "AWS::SQS::Queue" } },
        }));
        let mut desired = Desired::new("poster-dev", template.expect("a template"));
        desired.artifacts.push(StackArtifact {
            parameter: "CodeKey".into(),
            component: "functions.design".into(),
            path: PathBuf::from("design.zip"),
            sha256: "ab".repeat(32),
            size: 1,
        });
        desired
    }

    #[test]
    fn bucket_and_keys_are_given_by_the_engine() {
        let mut desired = desired();
        desired.parameters.insert("Secret".into(), "s3same".into());
        let ParameterValues { sent, shown } =
            desired.parameter_values("123456789012", "eu-west-1", None).expect("complete");
        assert_eq!(shown["ArtifactBucket"], "bedplate-artifacts-123456789012-eu-west-1");
        assert_eq!(sent["CodeKey"], ParameterValue::Value(format!("poster-dev/{}.zip", "ab".repeat(32))));
        assert_eq!(shown["Size"], "3");
        assert!(!sent.contains_key("Size"), "a default stays the template's business");
    }

    #[test]
    fn unknown_and_missing_values_are_named() {
        let mut desired = desired();
        desired.parameters.insert("Sise".into(), "4".into());
        let findings = desired.parameter_values("1", "r", None).expect_err("two problems");
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["D002", "D003"]);
    }
}
