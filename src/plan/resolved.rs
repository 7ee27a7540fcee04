//! A template as it comes out with the values of its parameters, for comparing what two of them allow: what depends on a
//! parameter, a condition or a mapping is decided, what depends on a resource stays as it is written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::values::{is_secret, text_of};
use crate::cfn::Template;
use crate::cfn::intrinsics::{Environment, Placeholders, Scope, policy_of, resolve_at};
use crate::cfn::template::Parameter;
use crate::exposure::DYNAMIC;

pub(super) use crate::exposure::is_unknown;

/// Functions that are worked out where everything they take is known.
const EVALUATED: [&str; 4] = ["Fn::FindInMap", "Fn::Join", "Fn::Select", "Fn::Split"];

/// The type of a nested stack, whose template is not read.
pub(super) const NESTED: &str = "AWS::CloudFormation::Stack";

/// What a template comes out as.
#[derive(Debug, Default)]
pub(super) struct ResolvedTemplate {
    /// By logical id, those that exist under its conditions.
    pub(super) resources: BTreeMap<String, ResolvedResource>,
    /// The macros that add what is not seen here.
    pub(super) macros: Vec<String>,
    /// The digest of the template as it is written.
    pub(super) digest: String,
}

/// A resource of it.
#[derive(Debug)]
pub(super) struct ResolvedResource {
    /// The type.
    pub(super) type_: String,
    /// Its properties.
    pub(super) properties: Map<String, Value>,
    /// Its deletion policy and its update-replace policy, where they are written.
    pub(super) policies: [Option<Policy>; 2],
}

/// What becomes of a resource when it goes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Policy {
    /// One of CloudFormation's words.
    Known(String),
    /// A function that can't be worked out, as it is written.
    Unknown(Value),
}

/// Where a template is deployed.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeploymentScope<'a> {
    pub(super) account: Option<&'a str>,
    pub(super) region: &'a str,
    pub(super) stack: &'a str,
}

/// Works a template out. One whose parameters lack values stays as it is written.
pub(super) fn resolve_template(
    template: &Template,
    parameters: &BTreeMap<String, String>,
    deployed: DeploymentScope<'_>,
) -> ResolvedTemplate {
    let environment =
        Environment::new(deployed.account.unwrap_or("${AWS::AccountId}"), deployed.region, deployed.stack);
    let placeholders = Placeholders::new(template);
    let values = parameters.iter().filter(|(name, _)| template.parameter(name).is_some());
    let values: BTreeMap<String, String> = values.map(|(name, value)| (name.clone(), value.clone())).collect();
    let scope = Scope::new(template, &values, &environment, &placeholders).ok();
    let exists = |condition| scope.as_ref().is_none_or(|scope: &Scope<'_>| scope.exists(condition));
    let resources = template.resources().filter(|resource| exists(resource.condition())).map(|resource| {
        let written = Value::Object(resource.properties().cloned().unwrap_or_default());
        let properties = match &scope {
            Some(scope) => TemplateResolver { template, scope }.value(&written),
            None => Some(written),
        };
        let properties = match properties {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        };
        (
            resource.logical_id.to_owned(),
            ResolvedResource {
                type_: resource.type_.to_owned(),
                properties,
                policies: ["DeletionPolicy", "UpdateReplacePolicy"].map(|name| {
                    let written = resource.attribute(name)?;
                    let known = written.as_str().map(str::to_owned);
                    let known = known.or_else(|| policy_of(written, template, &values, &environment));
                    Some(known.map_or_else(|| Policy::Unknown(written.clone()), Policy::Known))
                }),
            },
        )
    });
    let mut macros: Vec<String> = template.transforms().into_iter().map(str::to_owned).collect();
    macros.retain(|name| name != "AWS::LanguageExtensions");
    let loops = template.section("Resources").is_some_and(|all| all.keys().any(|key| key.starts_with("Fn::")));
    macros.extend(loops.then(|| "Fn::ForEach".to_owned()));
    ResolvedTemplate { resources: resources.collect(), macros, digest: template.digest() }
}

struct TemplateResolver<'a> {
    template: &'a Template,
    scope: &'a Scope<'a>,
}

impl TemplateResolver<'_> {
    /// None for `AWS::NoValue`.
    fn value(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::Array(items) => Value::Array(items.iter().filter_map(|item| self.value(item)).collect()),
            Value::Object(map) => match map.iter().next() {
                Some((name, of)) if map.len() == 1 && (name == "Ref" || name.starts_with("Fn::")) => {
                    return self.function(name, of);
                }
                _ => {
                    let entries = map.iter().filter_map(|(key, value)| Some((key.clone(), self.value(value)?)));
                    Value::Object(entries.collect())
                }
            },
            other => other.clone(),
        })
    }

    /// The value of a parameter, unless it is a secret.
    fn parameter(&self, name: &str) -> Option<Value> {
        let value = if is_secret(Some(self.template), name) { None } else { self.scope.parameter(name).cloned() };
        // The value of such a parameter names what Parameter Store is asked for, like a dynamic reference.
        let stored = |it: Parameter<'_>| it.type_().starts_with("AWS::SSM::Parameter::Value<");
        if !self.template.parameter(name).is_some_and(stored) {
            return value;
        }
        let asked = |value: &Value| Value::String(format!("{DYNAMIC}ssm:{}}}}}", text_of(value)));
        value.map(|value| match value {
            Value::Array(items) => Value::Array(items.iter().map(asked).collect()),
            one => asked(&one),
        })
    }

    fn function(&self, name: &str, of: &Value) -> Option<Value> {
        let written = |of: Value| Value::Object(Map::from_iter([(name.to_owned(), of)]));
        match (name, of) {
            ("Ref", Value::String(id)) if id == "AWS::NoValue" => None,
            ("Ref", Value::String(id)) => Some(self.parameter(id).unwrap_or_else(|| written(of.clone()))),
            ("Fn::If", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(condition), then, otherwise] => {
                    self.value(if self.scope.exists(Some(condition)) { then } else { otherwise })
                }
                _ => Some(written(of.clone())),
            },
            ("Fn::Sub", Value::String(text)) => Some(self.text(text, &Map::new())),
            ("Fn::Sub", Value::Array(parts)) => Some(match parts.as_slice() {
                [Value::String(text), Value::Object(own)] => match self.value(&Value::Object(own.clone())) {
                    Some(Value::Object(own)) if own.values().all(Value::is_string) => self.text(text, &own),
                    _ => written(of.clone()),
                },
                _ => written(of.clone()),
            }),
            ("Fn::GetAtt", _) => Some(written(of.clone())),
            _ => {
                let inner = self.value(of).unwrap_or(Value::Null);
                let known = EVALUATED
                    .contains(&name)
                    .then(|| resolve_at(&written(inner.clone()), self.scope, "").ok())
                    .flatten()
                    .filter(|known| known.as_str().is_some_and(|text| !text.contains("${")));
                Some(known.unwrap_or_else(|| written(inner)))
            }
        }
    }

    /// The text of `Fn::Sub` with the variables that are known in it.
    fn text(&self, text: &str, own: &Map<String, Value>) -> Value {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else { break };
            out.push_str(before);
            let known = own.get(name.trim()).cloned().or_else(|| self.parameter(name.trim()));
            match known.as_ref().and_then(Value::as_str) {
                Some(known) => out.push_str(known),
                None => {
                    out.push_str("${");
                    out.push_str(name);
                    out.push('}');
                }
            }
            rest = after;
        }
        out.push_str(rest);
        if out.contains("${") {
            Value::Object(Map::from_iter([("Fn::Sub".to_owned(), Value::String(out))]))
        } else {
            Value::String(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_depends_on_parameters_is_decided_and_the_rest_stays_as_written() {
        let template = Template::from_value(json!({
            "Parameters": { "Open": { "Type": "String" }, "Secret": { "Type": "String", "NoEcho": true } },
            "Conditions": { "IsOpen": { "Fn::Equals": [{ "Ref": "Open" }, "yes"] } },
            "Resources": {
                "Gone": { "Type": "AWS::SQS::Queue", "Condition": "IsOpen" },
                "Queue": { "Type": "AWS::SQS::Queue", "Properties": {
                    "A": { "Ref": "Open" }, "B": { "Fn::Sub": "${Open}-${Queue}-${Secret}" }, "C": { "Ref": "Secret" },
                    "D": { "Fn::If": ["IsOpen", 1, { "Ref": "AWS::NoValue" }] },
                    "E": { "Fn::Join": ["-", [{ "Ref": "Open" }, "x"]] }, "F": { "Fn::GetAtt": ["Queue", "Arn"] },
                } },
            },
        }));
        let template = template.expect("a template");
        let values = BTreeMap::from([("Open".into(), "no".into()), ("Secret".into(), "****".into())]);
        let deployed = DeploymentScope { account: None, region: "us-west-2", stack: "s" };
        let settled = resolve_template(&template, &values, deployed);
        assert_eq!(settled.resources.keys().collect::<Vec<_>>(), ["Queue"]);
        assert_eq!(
            Value::Object(settled.resources["Queue"].properties.clone()),
            json!({
                "A": "no", "B": { "Fn::Sub": "no-${Queue}-${Secret}" }, "C": { "Ref": "Secret" }, "E": "no-x",
                "F": { "Fn::GetAtt": ["Queue", "Arn"] },
            })
        );
        let unknown = resolve_template(&template, &BTreeMap::new(), deployed);
        assert_eq!(unknown.resources.len(), 2, "without values nothing is decided");
    }
}
