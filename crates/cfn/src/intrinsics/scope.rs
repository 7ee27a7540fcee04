//! The usual resolver: one template, the values of its parameters, where it is deployed, and the resources there are.

use crate::finding::code;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::{Answer, DynamicReference, Problem, Resolver, evaluate};
use crate::schema::Types;
use crate::{Resource, Schemas, Template};

/// What the pseudo parameters stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// `AWS::AccountId`, twelve digits.
    pub account_id: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::Partition`, mostly `aws`.
    pub partition: String,
    /// `AWS::URLSuffix`, mostly `amazonaws.com`.
    pub url_suffix: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// `AWS::StackId`; known only later when it is `None`.
    pub stack_id: Option<String>,
    /// `AWS::NotificationARNs`.
    pub notification_arns: Vec<String>,
    /// The region's availability zones; known only later when empty.
    pub zones: Vec<String>,
}

impl Environment {
    /// An environment with the partition and URL suffix that belong to the region, and no stack id yet.
    pub fn new(account_id: impl Into<String>, region: impl Into<String>, stack_name: impl Into<String>) -> Self {
        let region = region.into();
        let (partition, url_suffix) = partition(&region);
        Self {
            account_id: account_id.into(),
            partition: partition.to_owned(),
            url_suffix: url_suffix.to_owned(),
            stack_name: stack_name.into(),
            stack_id: None,
            notification_arns: Vec::new(),
            zones: Vec::new(),
            region,
        }
    }
}

/// Partition and URL suffix of a region, from the region's name (endpoint rules of the AWS SDKs, as of 2026).
fn partition(region: &str) -> (&'static str, &'static str) {
    const BY_PREFIX: [(&str, &str, &str); 7] = [
        ("cn-", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-", "aws-us-gov", "amazonaws.com"),
        ("us-iso-", "aws-iso", "c2s.ic.gov"),
        ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
        ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
        ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
        ("eusc-", "aws-eusc", "amazonaws.eu"),
    ];
    BY_PREFIX
        .iter()
        .find(|(prefix, ..)| region.starts_with(prefix))
        .map_or(("aws", "amazonaws.com"), |(_, partition, suffix)| (partition, suffix))
}

/// What there is of a template's resources.
pub trait Resources {
    /// What a `Ref` to the resource gives.
    ///
    /// # Errors
    ///
    /// It can have none.
    fn id(&self, logical_id: &str) -> Result<Answer, Problem>;

    /// What `Fn::GetAtt` on the resource gives.
    ///
    /// # Errors
    ///
    /// It has no such attribute.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Answer, Problem>;

    /// What another stack exports under a name.
    ///
    /// # Errors
    ///
    /// No stack exports it.
    fn import(&self, name: &str) -> Result<Answer, Problem> {
        Err(Problem::new(code::T107, format!("No export named {name} found.")))
    }

    /// What a dynamic reference gives; `Ok(None)` leaves it in the text.
    ///
    /// # Errors
    ///
    /// It is known not to exist.
    fn dynamic(&self, reference: &DynamicReference<'_>) -> Result<Option<String>, Problem> {
        let _ = reference;
        Ok(None)
    }
}

/// No resource exists yet, and imports will be there when they are needed: how a template looks before its first deploy.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingYet;

impl Resources for NothingYet {
    fn id(&self, _: &str) -> Result<Answer, Problem> {
        Ok(Answer::Unknown)
    }
    fn attribute(&self, _: &str, _: &str) -> Result<Answer, Problem> {
        Ok(Answer::Unknown)
    }
    fn import(&self, _: &str) -> Result<Answer, Problem> {
        Ok(Answer::Unknown)
    }
}

/// Resources that exist but whose ids nobody has asked for: each is its own name, such as `${Bucket}` and
/// `${Bucket.Arn}`. For comparing two templates without an account.
#[derive(Debug, Clone, Copy)]
pub struct Placeholders<'a> {
    template: &'a Template,
}

impl<'a> Placeholders<'a> {
    /// Placeholders for the resources of a template.
    pub fn new(template: &'a Template) -> Self {
        Self { template }
    }
}

impl Resources for Placeholders<'_> {
    fn id(&self, logical_id: &str) -> Result<Answer, Problem> {
        Ok(format!("${{{logical_id}}}").into())
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Answer, Problem> {
        let schema = self.template.resource(logical_id).and_then(|resource| Schemas::embedded().get(resource.type_));
        let types = schema.as_deref().and_then(|schema| schema.attribute(attribute)).map(|shape| shape.types);
        if types.is_some_and(|types| types.has(Types::ARRAY) || types.has(Types::OBJECT)) {
            return Ok(Answer::Unknown);
        }
        Ok(format!("${{{logical_id}.{attribute}}}").into())
    }

    fn import(&self, name: &str) -> Result<Answer, Problem> {
        Ok(format!("${{import {name}}}").into())
    }
}

/// The usual resolver. Its conditions are evaluated once, when it is made.
pub struct Scope<'a> {
    template: &'a Template,
    parameters: BTreeMap<String, Value>,
    environment: &'a Environment,
    resources: &'a dyn Resources,
    conditions: BTreeMap<String, bool>,
    /// Bytes of values that functions have made.
    made: AtomicUsize,
}

/// The most that the functions of a template make in one scope, in bytes: thirty times the largest template.
const MOST_MADE: usize = 32 << 20;

impl<'a> Scope<'a> {
    /// A scope over a template. `values` holds the text given for each parameter; the others take their default.
    ///
    /// # Errors
    ///
    /// Parameters without a value, or a condition that can't be evaluated.
    pub fn new(
        template: &'a Template,
        values: &BTreeMap<String, String>,
        environment: &'a Environment,
        resources: &'a dyn Resources,
    ) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        let mut missing = Vec::new();
        for parameter in template.parameters() {
            let text = match (values.get(parameter.name), parameter.default()) {
                (Some(given), _) => given.clone(),
                (None, Some(default)) => default_text(default),
                (None, None) => {
                    missing.push(parameter.name);
                    continue;
                }
            };
            parameters.insert(parameter.name.to_owned(), parameter.value_of(&text));
        }
        if !missing.is_empty() {
            return Err(Problem::new(code::T110, format!("Parameters: [{}] must have values", missing.join(", ")))
                .at("Parameters"));
        }
        let mut scope = Self {
            template,
            parameters,
            environment,
            resources,
            conditions: BTreeMap::new(),
            made: AtomicUsize::new(0),
        };
        scope.conditions = evaluate::conditions(template, &scope)?;
        Ok(scope)
    }

    /// The template.
    pub fn template(&self) -> &'a Template {
        self.template
    }

    /// The resources that exist under its conditions, in the order of the template.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'a>> {
        self.template.resources().filter(|resource| self.exists(resource.condition()))
    }

    /// Every condition of the template and whether it holds.
    pub fn conditions(&self) -> &BTreeMap<String, bool> {
        &self.conditions
    }

    /// Whether something under this condition exists; without a condition it does, under an unknown one it does not.
    pub fn exists(&self, condition: Option<&str>) -> bool {
        condition.is_none_or(|name| self.conditions.get(name).copied().unwrap_or(false))
    }

    /// The value a parameter has here.
    pub fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.get(name)
    }

    /// The value of a template's mapping at two keys.
    pub(super) fn find_in(template: &Template, map: &str, top: &str, second: &str) -> Result<Option<Value>, Problem> {
        let mapping = template.mappings().and_then(|mappings| mappings.get(map)).ok_or_else(|| {
            Problem::new(
                code::T104,
                format!("Template error: Mapping named '{map}' is not present in the 'Mappings' section of template."),
            )
        })?;
        Ok(mapping.get(top).and_then(|row| row.get(second)).cloned())
    }

    fn missing(name: &str) -> Problem {
        Problem::new(
            code::T101,
            format!(
                "Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
            ),
        )
    }
}

/// What a pseudo parameter stands for.
pub(super) fn pseudo(environment: &Environment, name: &str) -> Option<Answer> {
    Some(match name {
        "AWS::AccountId" => environment.account_id.as_str().into(),
        "AWS::Region" => environment.region.as_str().into(),
        "AWS::Partition" => environment.partition.as_str().into(),
        "AWS::URLSuffix" => environment.url_suffix.as_str().into(),
        "AWS::StackName" => environment.stack_name.as_str().into(),
        "AWS::StackId" => environment.stack_id.as_deref().map_or(Answer::Unknown, Answer::from),
        "AWS::NotificationARNs" => Answer::Known(environment.notification_arns.iter().cloned().collect()),
        "AWS::NoValue" => Answer::Known(Value::String(String::new())),
        _ => return None,
    })
}

/// A default as the text it stands for; a list, which YAML makes easy to write, is joined by commas.
pub(super) fn default_text(default: &Value) -> String {
    match default {
        Value::Array(items) => items.iter().filter_map(evaluate::plain).collect::<Vec<_>>().join(","),
        other => evaluate::plain(other).unwrap_or_default(),
    }
}

impl Resolver for Scope<'_> {
    fn reference(&self, name: &str) -> Result<Answer, Problem> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(Answer::Known(value.clone()));
        }
        if let Some(answer) = pseudo(self.environment, name) {
            return Ok(answer);
        }
        match self.template.resource(name) {
            Some(resource) if self.exists(resource.condition()) => self.resources.id(name),
            _ => Err(Self::missing(name)),
        }
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Answer, Problem> {
        match self.template.resource(logical_id) {
            Some(resource) if self.exists(resource.condition()) => self.resources.attribute(logical_id, attribute),
            Some(_) => Err(Self::missing(logical_id)),
            None => Err(Problem::new(
                code::T101,
                format!("Template error: instance of Fn::GetAtt references undefined resource {logical_id}"),
            )),
        }
    }

    fn import(&self, name: &str) -> Result<Answer, Problem> {
        self.resources.import(name)
    }

    fn condition(&self, name: &str) -> Result<bool, Problem> {
        self.conditions.get(name).copied().ok_or_else(|| {
            Problem::new(
                code::T103,
                format!("Template format error: Unresolved condition dependency {name} in the Resources block of the template"),
            )
        })
    }

    fn mapping(&self, map: &str, top: &str, second: &str) -> Result<Option<Value>, Problem> {
        Self::find_in(self.template, map, top, second)
    }

    fn zones(&self, region: &str) -> Result<Answer, Problem> {
        let own = region.is_empty() || region == self.environment.region;
        if own && !self.environment.zones.is_empty() {
            return Ok(Answer::Known(self.environment.zones.iter().cloned().collect()));
        }
        Ok(Answer::Unknown)
    }

    fn dynamic(&self, reference: &DynamicReference<'_>) -> Result<Option<String>, Problem> {
        self.resources.dynamic(reference)
    }

    fn spend(&self, bytes: usize) -> bool {
        self.made.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= MOST_MADE
    }
}
