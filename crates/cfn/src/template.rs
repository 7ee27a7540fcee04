//! A template as its author wrote it, with accessors over its sections.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::finding::{Finding, code};
use crate::yaml;

mod paths;
mod structure;

pub(crate) use structure::allowed_policies;
pub use structure::{BODY_LIMIT_INLINE, BODY_LIMIT_S3, body_size};
pub use structure::{MOST_FINDINGS, kind};

/// Prefix of a loop's key where a section's or an object's entry could stand.
pub const FOR_EACH: &str = "Fn::ForEach::";

/// The transform that allows `Fn::ForEach`, `Fn::Length`, `Fn::ToJsonString` and defaults in `Fn::FindInMap`.
pub const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";

/// The transform of the Serverless Application Model.
pub const SERVERLESS: &str = "AWS::Serverless-2016-10-31";

/// A CloudFormation template: a JSON object with a `Resources` object whose members are objects with a `Type`.
///
/// Everything that makes the accessors below lie is refused when it is made; [`Template::structure`] reports the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    value: Value,
}

/// One entry of `Resources`, with the attributes beside its properties.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resource<'a> {
    /// Its key in `Resources`.
    pub logical_id: &'a str,
    /// For example `AWS::S3::Bucket`.
    pub type_: &'a str,
    body: &'a Map<String, Value>,
}

impl<'a> Resource<'a> {
    /// An entry that is kept apart from its template.
    pub fn new(logical_id: &'a str, type_: &'a str, body: &'a Map<String, Value>) -> Self {
        Self { logical_id, type_, body }
    }

    /// Its properties as written, intrinsic functions included.
    pub fn properties(&self) -> Option<&'a Map<String, Value>> {
        self.body.get("Properties").and_then(Value::as_object)
    }

    /// The logical ids it names in `DependsOn`, in order.
    pub fn depends_on(&self) -> Vec<&'a str> {
        match self.body.get("DependsOn") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The condition it is created under.
    pub fn condition(&self) -> Option<&'a str> {
        self.text("Condition")
    }

    /// `Delete`, `Retain`, `Snapshot` or `RetainExceptOnCreate` when it is said and is not computed.
    pub fn deletion_policy(&self) -> Option<&'a str> {
        self.text("DeletionPolicy")
    }

    /// What becomes of the old resource when an update replaces it.
    pub fn update_replace_policy(&self) -> Option<&'a str> {
        self.text("UpdateReplacePolicy")
    }

    /// Its metadata.
    pub fn metadata(&self) -> Option<&'a Value> {
        self.body.get("Metadata")
    }

    /// Any attribute by its name, `Properties` included.
    pub fn attribute(&self, name: &str) -> Option<&'a Value> {
        self.body.get(name)
    }

    /// The whole entry.
    pub fn body(&self) -> &'a Map<String, Value> {
        self.body
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.body.get(name).and_then(Value::as_str)
    }
}

/// One entry of `Parameters`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter<'a> {
    /// Its key.
    pub name: &'a str,
    body: &'a Map<String, Value>,
}

impl<'a> Parameter<'a> {
    /// `String`, `Number`, `CommaDelimitedList`, `List<Number>` or an AWS-specific type; `String` when it is not said.
    pub fn type_(&self) -> &'a str {
        self.body.get("Type").and_then(Value::as_str).unwrap_or("String")
    }

    /// Its default as written.
    pub fn default(&self) -> Option<&'a Value> {
        self.body.get("Default")
    }

    /// Whether consoles and descriptions must hide its value.
    pub fn no_echo(&self) -> bool {
        match self.body.get("NoEcho") {
            Some(Value::Bool(hidden)) => *hidden,
            Some(Value::String(hidden)) => hidden.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// Whether a `Ref` to it gives a list.
    pub fn is_list(&self) -> bool {
        let type_ = self.type_();
        type_ == "CommaDelimitedList"
            || type_.starts_with("List<")
            || type_.starts_with("AWS::SSM::Parameter::Value<List<")
            || type_ == "AWS::SSM::Parameter::Value<CommaDelimitedList>"
    }

    /// Its description.
    pub fn description(&self) -> Option<&'a str> {
        self.body.get("Description").and_then(Value::as_str)
    }

    /// Any attribute by its name, such as `AllowedValues`.
    pub fn attribute(&self, name: &str) -> Option<&'a Value> {
        self.body.get(name)
    }

    /// The whole entry.
    pub fn body(&self) -> &'a Map<String, Value> {
        self.body
    }

    /// What a `Ref` to the parameter gives when its value is `text`: a list is split at its commas, each part trimmed.
    pub fn value_of(&self, text: &str) -> Value {
        if !self.is_list() {
            return Value::String(text.to_owned());
        }
        if text.trim().is_empty() {
            return Value::Array(Vec::new());
        }
        Value::Array(text.split(',').map(|part| Value::String(part.trim().to_owned())).collect())
    }
}

/// One entry of `Outputs`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Output<'a> {
    /// Its key.
    pub name: &'a str,
    body: &'a Map<String, Value>,
}

impl<'a> Output<'a> {
    /// Its value as written.
    pub fn value(&self) -> &'a Value {
        self.body.get("Value").unwrap_or(&Value::Null)
    }

    /// The name it is exported under, as written.
    pub fn export(&self) -> Option<&'a Value> {
        self.body.get("Export").and_then(|export| export.get("Name"))
    }

    /// Its description.
    pub fn description(&self) -> Option<&'a str> {
        self.body.get("Description").and_then(Value::as_str)
    }

    /// The condition it exists under.
    pub fn condition(&self) -> Option<&'a str> {
        self.body.get("Condition").and_then(Value::as_str)
    }

    /// The whole entry.
    pub fn body(&self) -> &'a Map<String, Value> {
        self.body
    }
}

impl Template {
    /// Reads a template from JSON or YAML text, short forms such as `!Ref` included.
    ///
    /// # Errors
    ///
    /// Every finding that keeps it from being a template at all.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        match yaml::parse_cloudformation(text) {
            Ok(document) => Self::from_value(document.value),
            Err(error) => Err(vec![Finding::error(
                code::T001,
                format!(
                    "Template format error: {} at line {}, column {} of the template",
                    error.message, error.line, error.column
                ),
            )]),
        }
    }

    /// Takes a template that is data already.
    ///
    /// # Errors
    ///
    /// Every finding that keeps it from being a template at all.
    pub fn from_value(value: Value) -> Result<Self, Vec<Finding>> {
        let findings = structure::refuse(&value);
        if findings.is_empty() { Ok(Self { value }) } else { Err(findings) }
    }

    /// A template of what can be judged of a value that is none: a resource that is malformed is one of which nothing is known,
    /// and what else has not the form it must have is left out. None when nothing is left.
    pub fn salvaged(value: Value) -> Option<Self> {
        structure::salvage(value).map(|value| Self { value })
    }

    /// The same template with a value that differs in nothing that makes it one.
    pub(crate) fn with(&self, value: Value) -> Self {
        Self { value }
    }

    /// What is wrong with the sections, names and attributes, and which limits of a template it breaks.
    pub fn structure(&self) -> Vec<Finding> {
        structure::check(self)
    }

    /// The whole template.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The whole template, by value.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// One section, when it is an object.
    pub fn section(&self, name: &str) -> Option<&Map<String, Value>> {
        self.value.get(name).and_then(Value::as_object)
    }

    /// Its description.
    pub fn description(&self) -> Option<&str> {
        self.value.get("Description").and_then(Value::as_str)
    }

    /// Its resources in the order written. Loops (`Fn::ForEach::…`) are no resources: expand them first.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        self.entries("Resources").filter_map(|(logical_id, body)| Resource::of(logical_id, body))
    }

    /// One resource by its logical id.
    pub fn resource(&self, logical_id: &str) -> Option<Resource<'_>> {
        let (key, body) = self.section("Resources")?.get_key_value(logical_id)?;
        Resource::of(key, body.as_object()?)
    }

    /// Its parameters in the order written.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.entries("Parameters").map(|(name, body)| Parameter { name, body })
    }

    /// One parameter by its name.
    pub fn parameter(&self, name: &str) -> Option<Parameter<'_>> {
        let (key, body) = self.section("Parameters")?.get_key_value(name)?;
        Some(Parameter { name: key, body: body.as_object()? })
    }

    /// Its outputs in the order written.
    pub fn outputs(&self) -> impl Iterator<Item = Output<'_>> {
        self.entries("Outputs").map(|(name, body)| Output { name, body })
    }

    /// Its conditions, as written.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.section("Conditions").into_iter().flatten().map(|(name, body)| (name.as_str(), body))
    }

    /// Its mappings.
    pub fn mappings(&self) -> Option<&Map<String, Value>> {
        self.section("Mappings")
    }

    /// The names of the transforms it asks for, in order.
    pub fn transforms(&self) -> Vec<&str> {
        fn name(value: &Value) -> Option<&str> {
            value.as_str().or_else(|| value.get("Name").and_then(Value::as_str))
        }
        match self.value.get("Transform") {
            Some(Value::Array(many)) => many.iter().filter_map(name).collect(),
            Some(one) => name(one).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Whether it is one of the Serverless Application Model, before its transform: that has sections, types and attributes of
    /// its own, and gives other resources than are written.
    pub fn is_serverless(&self) -> bool {
        self.transforms().contains(&SERVERLESS)
    }

    /// Whether it asks for `AWS::LanguageExtensions`.
    pub fn has_language_extensions(&self) -> bool {
        self.transforms().contains(&LANGUAGE_EXTENSIONS)
    }

    /// The SHA-256 of the template with its keys sorted and no white space, in lower-case hex: the same for two
    /// templates that say the same, whatever the order of their keys.
    pub fn digest(&self) -> String {
        digest(&self.value)
    }

    /// The template as indented JSON with a final newline, in the order written.
    pub fn to_json(&self) -> String {
        let mut text = format!("{:#}", self.value);
        text.push('\n');
        text
    }

    /// The template as YAML, in the order written.
    pub fn to_yaml(&self) -> String {
        yaml::emit(&self.value)
    }

    fn entries(&self, section: &str) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        self.section(section)
            .into_iter()
            .flatten()
            .filter(|(name, _)| !name.starts_with(FOR_EACH))
            .filter_map(|(name, body)| Some((name.as_str(), body.as_object()?)))
    }
}

impl<'a> Resource<'a> {
    fn of(logical_id: &'a str, body: &'a Map<String, Value>) -> Option<Self> {
        Some(Self { logical_id, type_: body.get("Type")?.as_str()?, body })
    }
}

/// The SHA-256 of a value's canonical JSON (sorted keys, no white space), in lower-case hex.
pub fn digest(value: &Value) -> String {
    hex::encode(Sha256::digest(canonical_text(value).as_bytes()))
}

/// A value's canonical JSON: the same text for equal values.
pub fn canonical_text(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    text
}

/// Appends a value's canonical JSON.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(&Value::String(key.clone()), out);
                out.push(':');
                canonical(map.get(key).unwrap_or(&Value::Null), out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        // Writing to a string can't fail.
        scalar => drop(write!(out, "{scalar}")),
    }
}
