//! The transform `AWS::LanguageExtensions`: loops written out, and names that are computed.
//!
//! The policies of resources that functions give are worked out here too; they need no transform.
//!
//! What evaluation can do as well (`Fn::Length`, `Fn::ToJsonString`, defaults of `Fn::FindInMap`) is left to it.

use crate::finding::{Code, code};
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::evaluate::{TEXT_LIMIT, is_function, plain, resolve_at};
use super::{Answer, Environment, Problem, Resolver, Scope, UNKNOWN};
use crate::template::FOR_EACH;
use crate::{Resource, Template};

/// The most values a template may have once its loops are written out: many times what its size limit allows, and a
/// stop for loops within loops.
const VALUE_LIMIT: usize = 500_000;

/// The most text it may have then, in bytes.
const BYTE_LIMIT: usize = 16 << 20;

/// Writes out the loops of a template. `values` are those given for parameters, the others take their defaults.
///
/// # Errors
///
/// A loop is malformed, its collection can't be known before the stack exists, or it makes the same name twice.
pub fn expand(
    template: &Template,
    values: &BTreeMap<String, String>,
    environment: &Environment,
) -> Result<Template, Problem> {
    if !template.has_language_extensions() {
        return Ok(template.clone());
    }
    let given = Given { template, values, environment, conditions: false };
    let mut expansion = Expansion { resolver: &given, path: String::new(), names: Vec::new(), made: 0, bytes: 0 };
    let value = expansion.value(template.value())?;
    Template::from_value(value).map_err(|findings| {
        let first = findings.into_iter().next();
        let (message, path) = first.map(|finding| (finding.message, finding.template_path)).unwrap_or_default();
        Problem::new(code::T112, format!("With its loops expanded, the template is not valid: {message}"))
            .at(&path.unwrap_or_default())
    })
}

/// The two attributes of a resource that say what becomes of it when it goes.
const POLICIES: [&str; 2] = ["DeletionPolicy", "UpdateReplacePolicy"];

/// The template with its deletion and update-replace policies as texts, where functions give them. Loops are expanded
/// first.
///
/// CloudFormation takes functions there, with the transform `AWS::LanguageExtensions` and without. Sources: its user guide,
/// "Intrinsic function references in DeletionPolicy and UpdateReplacePolicy attributes", and a stack recorded on AWS
/// without the transform, `engine/test_deletion_policy.py` of LocalStack, 2026-01-23.
///
/// # Errors
///
/// A policy can't be known before the stack exists.
pub fn settle_policies(
    template: &Template,
    values: &BTreeMap<String, String>,
    environment: &Environment,
) -> Result<Template, Problem> {
    let computed =
        |resource: &Resource<'_>| POLICIES.iter().any(|it| resource.attribute(it).is_some_and(Value::is_object));
    if !template.resources().any(|resource| computed(&resource)) {
        return Ok(template.clone());
    }
    let mut value = template.value().clone();
    if let Some(Value::Object(resources)) = value.get_mut("Resources") {
        for (logical_id, body) in resources.iter_mut() {
            for name in POLICIES {
                if let Some(policy) = body.get_mut(name).filter(|policy| policy.is_object()) {
                    let path = format!("Resources/{logical_id}/{name}");
                    *policy = Value::String(settled(policy, template, values, environment, &path)?);
                }
            }
        }
    }
    Ok(template.with(value))
}

/// What a computed policy comes to; none when that is not known before the stack exists.
pub fn policy_of(
    policy: &Value,
    template: &Template,
    values: &BTreeMap<String, String>,
    environment: &Environment,
) -> Option<String> {
    settled(policy, template, values, environment, "").ok()
}

fn settled(
    policy: &Value,
    template: &Template,
    values: &BTreeMap<String, String>,
    environment: &Environment,
    path: &str,
) -> Result<String, Problem> {
    let given = Given { template, values, environment, conditions: true };
    match resolve_at(policy, &given, path)? {
        Value::String(text) if !text.contains(UNKNOWN) => Ok(text),
        _ => {
            Err(Problem::new(code::T112, "A policy of a resource must be a text that is known before the stack exists")
                .at(path))
        }
    }
}

/// What is known before a stack exists: parameters, mappings and where it will be.
struct Given<'a> {
    template: &'a Template,
    values: &'a BTreeMap<String, String>,
    environment: &'a Environment,
    /// Whether conditions may decide, as they may about policies and not about loops.
    conditions: bool,
}

impl Resolver for Given<'_> {
    fn reference(&self, name: &str) -> Result<Answer, Problem> {
        if let Some(parameter) = self.template.parameter(name) {
            let text = self.values.get(name).cloned().or_else(|| parameter.default().map(super::scope::default_text));
            return match text {
                Some(text) => Ok(Answer::Known(parameter.value_of(&text))),
                None => Err(Problem::new(code::T110, format!("Parameters: [{name}] must have values"))),
            };
        }
        Ok(super::scope::pseudo(self.environment, name).unwrap_or(Answer::Unknown))
    }

    fn attribute(&self, _: &str, _: &str) -> Result<Answer, Problem> {
        Ok(Answer::Unknown)
    }

    fn import(&self, _: &str) -> Result<Answer, Problem> {
        Ok(Answer::Unknown)
    }

    fn condition(&self, name: &str) -> Result<bool, Problem> {
        if self.conditions {
            return super::evaluate::condition(self.template, name, self);
        }
        Err(Problem::new(code::T112, format!("Fn::ForEach can't depend on the condition {name}")))
    }

    fn mapping(&self, map: &str, top: &str, second: &str) -> Result<Option<Value>, Problem> {
        Scope::find_in(self.template, map, top, second)
    }

    fn zones(&self, _: &str) -> Result<Answer, Problem> {
        Ok(Answer::Unknown)
    }
}

struct Expansion<'a> {
    resolver: &'a dyn Resolver,
    path: String,
    /// The variables of the loops around, with their values.
    names: Vec<(String, String)>,
    made: usize,
    bytes: usize,
}

impl Expansion<'_> {
    fn value(&mut self, value: &Value) -> Result<Value, Problem> {
        self.count()?;
        match value {
            Value::String(text) => self.text(text).map(Value::String),
            Value::Array(items) => {
                let mut made = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    made.push(self.below(&index.to_string(), |here| here.value(item))?);
                }
                Ok(Value::Array(made))
            }
            Value::Object(map) => {
                let mut entries = map.iter();
                if let (Some((key, argument)), None) = (entries.next(), entries.next()) {
                    match (key.as_str(), argument) {
                        ("Ref", Value::String(name)) => {
                            if let Some((_, value)) = self.names.iter().rev().find(|(own, _)| own == name) {
                                return Ok(Value::String(value.clone()));
                            }
                        }
                        ("Ref", Value::Object(_)) => {
                            let name = self.below("Ref", |here| here.computed(argument))?;
                            return Ok(Value::Object(Map::from_iter([("Ref".to_owned(), name)])));
                        }
                        ("Fn::GetAtt", Value::Array(parts)) if parts.first().is_some_and(Value::is_object) => {
                            return self.below("Fn::GetAtt", |here| here.get_att(parts));
                        }
                        _ => {}
                    }
                }
                let mut made = Map::with_capacity(map.len());
                self.members(map, &mut made)?;
                Ok(Value::Object(made))
            }
            scalar => Ok(scalar.clone()),
        }
    }

    /// Counts a value, or a round of a loop, which need not make any.
    fn count(&mut self) -> Result<(), Problem> {
        self.made += 1;
        if self.made > VALUE_LIMIT {
            return Err(
                self.problem(code::L008, format!("The loops of the template make more than {VALUE_LIMIT} values"))
            );
        }
        Ok(())
    }

    /// The members of a mapping, loops written out among them.
    fn members(&mut self, map: &Map<String, Value>, made: &mut Map<String, Value>) -> Result<(), Problem> {
        for (key, item) in map {
            if key.starts_with(FOR_EACH) {
                self.below(key, |here| here.each(item, made))?;
                continue;
            }
            let key = self.text(key)?;
            let item = self.below(&key, |here| here.value(item))?;
            if made.insert(key.clone(), item).is_some() {
                return Err(self.problem(code::T112, format!("Fn::ForEach makes `{key}` twice")));
            }
        }
        Ok(())
    }

    fn each(&mut self, argument: &Value, made: &mut Map<String, Value>) -> Result<(), Problem> {
        let Some([Value::String(name), collection, Value::Object(body)]) = argument.as_array().map(Vec::as_slice)
        else {
            return Err(self.problem(
                code::T112,
                "Fn::ForEach takes a list of the name of its variable, a collection, and a mapping of what to make",
            ));
        };
        for entry in self.below("1", |here| here.collection(collection))? {
            self.count()?;
            self.names.push((name.clone(), entry));
            let result = self.below("2", |here| here.members(body, made));
            self.names.pop();
            result?;
        }
        Ok(())
    }

    fn collection(&mut self, written: &Value) -> Result<Vec<String>, Problem> {
        let written = self.value(written)?;
        let resolved = resolve_at(&written, self.resolver, &self.path)?;
        let entries = match &resolved {
            Value::Array(items) => items.iter().map(plain).collect::<Option<Vec<String>>>(),
            _ => None,
        };
        match entries {
            Some(entries) if !entries.iter().any(|entry| entry.contains(UNKNOWN)) => Ok(entries),
            _ => Err(self.problem(
                code::T112,
                "The collection of Fn::ForEach must be a list of texts that is known before the stack exists",
            )),
        }
    }

    /// A name that a function gives.
    fn computed(&mut self, written: &Value) -> Result<Value, Problem> {
        let written = self.value(written)?;
        let is_known = |map: &Map<String, Value>| map.iter().any(|(key, item)| is_function(key, item));
        if !written.as_object().is_some_and(is_known) {
            return Err(self.problem(code::T100, "Template error: every Ref object must have a single String value."));
        }
        let resolved = resolve_at(&written, self.resolver, &self.path)?;
        match resolved {
            Value::String(name) if !name.contains(UNKNOWN) => Ok(Value::String(name)),
            _ => Err(self.problem(code::T112, "A computed name must be known before the stack exists")),
        }
    }

    fn get_att(&mut self, parts: &[Value]) -> Result<Value, Problem> {
        let mut made = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            made.push(
                self.below(&index.to_string(), |here| if index == 0 { here.computed(part) } else { here.value(part) })?,
            );
        }
        Ok(Value::Object(Map::from_iter([("Fn::GetAtt".to_owned(), Value::Array(made))])))
    }

    /// A text with the variables of the loops filled in: `${Name}` as it is, `&{Name}` without what is no letter or digit.
    fn text(&mut self, text: &str) -> Result<String, Problem> {
        let made = self.filled(text)?;
        self.bytes = self.bytes.saturating_add(made.len());
        if self.bytes > BYTE_LIMIT {
            return Err(self.problem(code::L008, "The loops of the template make too much text"));
        }
        Ok(made)
    }

    fn filled(&self, text: &str) -> Result<String, Problem> {
        let mut made = text.to_owned();
        if !text.contains('{') {
            return Ok(made);
        }
        for (name, value) in &self.names {
            if made.matches('{').count().saturating_mul(value.len()) > TEXT_LIMIT {
                return Err(self.problem(code::L008, "The loops of the template make a text too long"));
            }
            made = made.replace(&format!("${{{name}}}"), value);
            if made.contains("&{") {
                let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
                made = made.replace(&format!("&{{{name}}}"), &plain);
            }
        }
        Ok(made)
    }

    fn problem(&self, code: Code, message: impl Into<String>) -> Problem {
        Problem::new(code, message).at(&self.path)
    }

    fn below<T>(&mut self, key: &str, go: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        let length = self.path.len();
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(key);
        let result = go(self);
        self.path.truncate(length);
        result
    }
}
