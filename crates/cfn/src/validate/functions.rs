//! How intrinsic functions are used: their arguments, and the names they refer to.

use serde_json::Value;

use super::kinds::function;
use super::{Context, PSEUDO, finding, is_full};
use crate::finding::{Code, Finding, code};
use crate::intrinsics::{Piece, pieces, plain};
use bedplate_text::suggestion::nearest;

/// Where a value stands, which decides what it may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Resources,
    Outputs,
    Conditions,
}

const FUNCTIONS: [&str; 20] = [
    "Fn::And",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::Equals",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::GetStackOutput",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Not",
    "Fn::Or",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Fn::Transform",
    "Ref",
];

/// Functions that need `AWS::LanguageExtensions`.
const EXTENSIONS: [&str; 2] = ["Fn::Length", "Fn::ToJsonString"];

/// Checks every function in a value.
pub(super) fn check(context: &Context<'_>, section: Section, value: &Value, path: &str, findings: &mut Vec<Finding>) {
    check_under(context, section, None, value, path, findings);
}

/// The same of what exists under a condition.
pub(super) fn check_under(
    context: &Context<'_>,
    section: Section,
    condition: Option<&str>,
    value: &Value,
    path: &str,
    findings: &mut Vec<Finding>,
) {
    let held = condition.into_iter().map(|name| (name.to_owned(), true)).collect();
    FunctionWalk { context, section, held, path: path.to_owned(), findings }.value(value);
}

/// Checks that a condition of that name is there.
pub(super) fn condition(context: &Context<'_>, name: &str, section: &str, path: &str, findings: &mut Vec<Finding>) {
    if !context.conditions.contains(name) {
        let meant = nearest(name, context.conditions.iter().copied());
        findings.push(finding(
            code::T103,
            format!(
                "Template format error: Unresolved condition dependency {name} in the {section} block of the template"
            ),
            path,
            meant,
        ));
    }
}

struct FunctionWalk<'a> {
    context: &'a Context<'a>,
    section: Section,
    /// The conditions the value stands under, and whether each holds there.
    held: Vec<(String, bool)>,
    path: String,
    findings: &'a mut Vec<Finding>,
}

impl FunctionWalk<'_> {
    fn value(&mut self, value: &Value) {
        if is_full(self.findings) {
            return;
        }
        if let Some((key, argument)) = function(value) {
            self.below(key, |walk| walk.function(key, argument));
            return;
        }
        self.inside(value);
    }

    fn inside(&mut self, value: &Value) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(&index.to_string(), |walk| walk.value(item));
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    if self.section == Section::Conditions
                        && key == "Condition"
                        && let Some(name) = item.as_str()
                    {
                        self.below(key, |walk| condition(walk.context, name, "Conditions", &walk.path, walk.findings));
                        continue;
                    }
                    self.below(key, |walk| walk.value(item));
                }
            }
            _ => {}
        }
    }

    fn function(&mut self, key: &str, argument: &Value) {
        if !self.context.extensions && EXTENSIONS.contains(&key) {
            self.push(code::T111, format!("`{key}` needs the transform `AWS::LanguageExtensions`"), None);
        }
        match key {
            "Ref" => match argument.as_str() {
                Some(name) => self.reference(name),
                None => self.wrong("Template error: every Ref object must have a single String value."),
            },
            "Fn::GetAtt" => self.get_att(argument),
            "Fn::Sub" => self.sub(argument),
            "Fn::If" => self.conditional(argument),
            "Fn::FindInMap" => self.find_in_map(argument),
            "Fn::Join" => {
                let fits = matches!(list(argument), [Value::String(_), items] if items.is_array() || items.is_object());
                if !fits {
                    self.wrong("Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.");
                }
                self.inside(argument);
            }
            "Fn::Split" => {
                let fits = matches!(list(argument), [Value::String(delimiter), text]
                    if !delimiter.is_empty() && (text.is_string() || text.is_object()));
                if !fits {
                    self.wrong("Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.");
                }
                self.inside(argument);
            }
            "Fn::Select" => self.select(argument),
            "Fn::Base64" => {
                if !argument.is_string() && function(argument).is_none() {
                    self.wrong("Template error: every Fn::Base64 object must have a String-typed value.");
                }
                self.value(argument);
            }
            "Fn::Cidr" => {
                if !(2..=3).contains(&list(argument).len()) {
                    self.wrong("Template error: every Fn::Cidr object requires an IP block, a count and the number of host bits");
                }
                self.inside(argument);
            }
            "Fn::GetAZs" | "Fn::ImportValue" => {
                if !argument.is_string() && function(argument).is_none() {
                    self.wrong(format!("Template error: {key} takes text, or a function that gives text"));
                }
                self.value(argument);
            }
            "Fn::GetStackOutput" => self.stack_output(argument),
            "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" => self.condition_function(key, argument),
            "Fn::Transform" => self.findings.push(
                Finding::warning(code::T106, "What a macro adds by `Fn::Transform` is not checked")
                    .in_template(&self.path),
            ),
            "Fn::Length" | "Fn::ToJsonString" => self.value(argument),
            key if key.starts_with("Fn::ForEach::") => {
                if !self.context.extensions {
                    self.push(code::T111, "`Fn::ForEach` needs the transform `AWS::LanguageExtensions`", None);
                }
            }
            other => {
                let meant = nearest(other, FUNCTIONS);
                self.push(code::T105, format!("Template error: `{other}` is not an intrinsic function"), meant);
            }
        }
    }

    /// An output of another stack. Source of its form: rule E1033 and the schema of the function in cfn-lint 1.58.0.
    fn stack_output(&mut self, argument: &Value) {
        let keys = ["StackName", "OutputName", "Region", "RoleArn"];
        let fits = argument.as_object().is_some_and(|map| {
            map.keys().all(|key| keys.contains(&key.as_str()))
                && map.contains_key("StackName")
                && map.contains_key("OutputName")
                && map.values().all(|value| value.is_string() || function(value).is_some())
        });
        if !fits {
            self.wrong(
                "Template error: Fn::GetStackOutput takes StackName and OutputName, and may take Region and RoleArn",
            );
        }
        self.inside(argument);
    }

    fn reference(&mut self, name: &str) {
        if PSEUDO.contains(&name) || self.context.parameters.contains_key(name) {
            return;
        }
        if self.context.resources.contains_key(name) {
            if self.section == Section::Conditions {
                self.push(
                    code::T101,
                    format!("Template error: a condition can refer to parameters and mappings only, and `{name}` is a resource"),
                    None,
                );
            }
            self.left_out(name);
            return;
        }
        self.unresolved(name);
    }

    /// A resource that a condition can leave out while what refers to it is there.
    fn left_out(&mut self, logical_id: &str) {
        let Some(condition) = self.context.template.resource(logical_id).and_then(|resource| resource.condition())
        else {
            return;
        };
        let held = self.held.iter().map(|(name, holds)| (name.as_str(), *holds));
        if self.section == Section::Conditions || held.clone().any(|it| it == (condition, true)) {
            return;
        }
        let wanted: Vec<(&str, bool)> = held.chain([(condition, false)]).collect();
        if self.context.is_possible(&wanted) {
            self.findings.push(
                Finding::warning(
                    code::T113,
                    format!("`{logical_id}` does not exist where the condition `{condition}` does not hold, and this refers to it then too"),
                )
                .in_template(&self.path)
                .help(format!(
                    "Put it into `Fn::If` with `{condition}`, or give both the same condition; else CloudFormation refuses the template for such values"
                )),
            );
        }
    }

    fn unresolved(&mut self, name: &str) {
        if self.context.macros {
            return;
        }
        let block = match self.section {
            Section::Resources => "Resources",
            Section::Outputs => "Outputs",
            Section::Conditions => "Conditions",
        };
        let pseudo = PSEUDO.into_iter().find(|pseudo| pseudo.eq_ignore_ascii_case(name));
        let meant = pseudo.or_else(|| self.context.suggest(name)).map(str::to_owned);
        self.push(
            code::T101,
            format!(
                "Template format error: Unresolved resource dependencies [{name}] in the {block} block of the template"
            ),
            meant.as_deref(),
        );
    }

    fn get_att(&mut self, argument: &Value) {
        let named = match argument {
            Value::String(text) => text.split_once('.').map(|(id, attribute)| (id, Some(attribute))),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(id), Value::String(attribute)] => Some((id.as_str(), Some(attribute.as_str()))),
                [Value::String(id), computed] if function(computed).is_some() => Some((id.as_str(), None)),
                _ => None,
            },
            _ => None,
        };
        let Some((logical_id, attribute)) = named.filter(|(id, attribute)| !id.is_empty() && *attribute != Some(""))
        else {
            self.wrong("Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute");
            return;
        };
        self.attribute(logical_id, attribute);
        if attribute.is_none() {
            self.inside(argument);
        }
    }

    /// An attribute of a resource; `None` when its name is computed.
    fn attribute(&mut self, logical_id: &str, attribute: Option<&str>) {
        let Some((type_, schema)) = self.context.resources.get(logical_id) else {
            if self.context.macros {
                return;
            }
            let meant = self.context.suggest(logical_id).map(str::to_owned);
            self.push(
                code::T101,
                format!("Template error: instance of Fn::GetAtt references undefined resource {logical_id}"),
                meant.as_deref(),
            );
            return;
        };
        if self.section == Section::Conditions {
            self.push(code::T101, "Template error: a condition can't use an attribute of a resource", None);
        }
        self.left_out(logical_id);
        let (Some(attribute), Some(schema)) = (attribute, schema) else { return };
        if !schema.has_attribute(attribute) {
            let names: Vec<String> = schema.attributes().collect();
            let meant = nearest(attribute, names.iter().map(String::as_str));
            let mut finding = finding(
                code::T102,
                format!(
                    "Template error: resource {logical_id} does not support attribute type {attribute} in Fn::GetAtt"
                ),
                &self.path,
                meant,
            );
            if finding.help.is_none() {
                finding = finding.help(match names.as_slice() {
                    [] => format!("`{type_}` has no attributes; use `Ref`"),
                    _ => format!("The attributes of `{type_}` are {}", names.join(", ")),
                });
            }
            self.findings.push(finding);
        }
    }

    fn sub(&mut self, argument: &Value) {
        let (text, variables) = match argument {
            Value::String(text) => (text, None),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(text)] => (text, None),
                [Value::String(text), Value::Object(variables)] => (text, Some(variables)),
                _ => return self.sub_shape(),
            },
            _ => return self.sub_shape(),
        };
        match pieces(text) {
            Err(problem) => self.wrong(problem.message),
            Ok(pieces) => {
                for piece in pieces {
                    let Piece::Variable(name) = piece else { continue };
                    if is_full(self.findings) {
                        return;
                    }
                    if variables.is_some_and(|variables| variables.contains_key(name)) {
                        continue;
                    }
                    match name.split_once('.') {
                        Some((logical_id, attribute)) => self.attribute(logical_id, Some(attribute)),
                        None => self.reference(name),
                    }
                }
            }
        }
        for (name, item) in variables.into_iter().flatten() {
            self.below("1", |walk| walk.below(name, |walk| walk.value(item)));
        }
    }

    fn sub_shape(&mut self) {
        self.wrong("Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string");
    }

    fn conditional(&mut self, argument: &Value) {
        let [name, then, otherwise] = list(argument) else {
            return self.wrong("Template error: Fn::If requires a list argument with three elements");
        };
        match name.as_str() {
            Some(name) => {
                let section = if self.section == Section::Outputs { "Outputs" } else { "Resources" };
                condition(self.context, name, section, &self.path, self.findings);
            }
            None => self.wrong("Template error: the first element of Fn::If is the name of a condition"),
        }
        for (index, branch, holds) in [("1", then, true), ("2", otherwise, false)] {
            self.held.push((name.as_str().unwrap_or_default().to_owned(), holds));
            self.below(index, |walk| walk.value(branch));
            self.held.pop();
        }
    }

    fn find_in_map(&mut self, argument: &Value) {
        let (map, top, second, default) = match list(argument) {
            [map, top, second] => (map, top, second, None),
            [map, top, second, Value::Object(options)] => (map, top, second, options.get("DefaultValue")),
            _ => {
                return self.wrong("Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value");
            }
        };
        if list(argument).len() == 4 && !self.context.extensions {
            self.push(code::T111, "A default in `Fn::FindInMap` needs the transform `AWS::LanguageExtensions`", None);
        }
        self.inside(argument);
        let (Some(name), None) = (map.as_str(), default) else { return };
        let Some(mapping) = self.context.mappings.and_then(|mappings| mappings.get(name)) else {
            let names = self.context.mappings.into_iter().flatten().map(|(name, _)| name.as_str());
            let meant = nearest(name, names).map(str::to_owned);
            self.push(
                code::T104,
                format!("Template error: Mapping named '{name}' is not present in the 'Mappings' section of template."),
                meant.as_deref(),
            );
            return;
        };
        let (top, second) = (plain(top), plain(second));
        let missing = match (&top, &second) {
            (Some(top), Some(second)) => mapping.get(top).and_then(|row| row.get(second)).is_none(),
            (Some(top), None) => mapping.get(top).is_none(),
            (None, Some(second)) => !self.context.has_second_key(name, second),
            (None, None) => false,
        };
        if missing {
            let shown = |key: Option<String>| key.unwrap_or_else(|| "*".to_owned());
            self.push(
                code::T104,
                format!("Template error: Unable to get mapping for {name}::{}::{}", shown(top), shown(second)),
                None,
            );
        }
    }

    fn select(&mut self, argument: &Value) {
        const SHAPE: &str =
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list";
        let [index, items] = list(argument) else { return self.wrong(SHAPE) };
        self.inside(argument);
        if !items.is_array() && function(items).is_none() {
            return self.wrong(SHAPE);
        }
        let Some(text) = plain(index) else {
            if function(index).is_none() {
                self.wrong(SHAPE);
            }
            return;
        };
        let Ok(position) = text.parse::<usize>() else { return self.wrong(SHAPE) };
        if items.as_array().is_some_and(|items| position >= items.len()) {
            self.push(
                code::T108,
                format!("Template error: Fn::Select cannot select nonexistent value at index {text}"),
                None,
            );
        }
    }

    fn condition_function(&mut self, key: &str, argument: &Value) {
        let count = list(argument).len();
        let fits = match key {
            "Fn::Equals" => count == 2,
            "Fn::Not" => count == 1,
            _ => (2..=10).contains(&count),
        };
        if !fits {
            self.wrong(match key {
                "Fn::Equals" => "Template error: every Fn::Equals object requires a list of 2 string parameters.".to_owned(),
                "Fn::Not" => "Template error: every Fn::Not object requires one boolean parameter.".to_owned(),
                _ => format!("Template error: every {key} object requires a list of at least 2 and at most 10 boolean parameters."),
            });
        }
        self.inside(argument);
    }

    fn wrong(&mut self, message: impl Into<String>) {
        self.push(code::T100, message, None);
    }

    fn push(&mut self, code: Code, message: impl Into<String>, meant: Option<&str>) {
        self.findings.push(finding(code, message, &self.path, meant));
    }

    fn below(&mut self, key: &str, go: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(key);
        go(self);
        self.path.truncate(length);
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
