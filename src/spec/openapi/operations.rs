//! The walk over paths and methods: what each operation is called, what it is for, what it is described.

use crate::finding::code;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ApiOperation, Reader};
use crate::spec::types::Engine;
use crate::spec::words::{cut, escape};

/// The methods an operation may have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The one kind of body that agents send and read.
const JSON: &str = "application/json";

/// Whether a text is a name as both engines take one: letters and digits, single `-` or `_` between them.
pub(in crate::spec) fn is_operation_name(text: &str) -> bool {
    let separators = |pair: &[u8]| pair.iter().all(|b| matches!(b, b'-' | b'_'));
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 100
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && !text.as_bytes().windows(2).any(separators)
}

/// What a model fills in when it asks.
#[derive(Default)]
struct OperationInput {
    /// Name → schema, in the form of a gateway.
    properties: Map<String, Value>,
    required: Vec<String>,
    /// Name → where it stands: a gateway hands everything over in one object.
    places: BTreeMap<String, String>,
}

impl<'a> Reader<'a> {
    /// Every operation; what is wrong with them is reported.
    pub(super) fn operations(&mut self) -> Vec<ApiOperation> {
        let Some(paths) = self.root().get("paths").and_then(Value::as_object).filter(|paths| !paths.is_empty()) else {
            self.error(
                code::S190,
                "/paths",
                "it describes no paths",
                "describe each path with its methods under `paths`",
            );
            return Vec::new();
        };
        let mut operations = Vec::new();
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        for (path, item) in paths {
            let pointer = format!("/paths/{}", escape(path));
            if !path.starts_with('/') {
                let message = format!("`{}` is not a path", cut(path));
                self.error_at_key(code::S190, &pointer, message, "begin it with `/`");
            }
            let Some((item, pointer)) = self.follow(item, &pointer) else { continue };
            let shared = parameters(item, &pointer);
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let at = format!("{pointer}/{method}");
                let mut all = shared.clone();
                all.extend(parameters(operation, &at));
                if let Some(operation) = self.operation(path, operation, &at, &all, &mut ids) {
                    operations.push(operation);
                }
            }
        }
        if operations.is_empty() && self.findings.is_empty() {
            let message = "no path has a method, so there is nothing to ask";
            self.error(code::S190, "/paths", message, "describe an operation, such as `get:`, under a path");
        }
        operations
    }

    fn operation(
        &mut self,
        path: &str,
        operation: &'a Value,
        pointer: &str,
        parameters: &[(&'a Value, String)],
        ids: &mut BTreeMap<String, String>,
    ) -> Option<ApiOperation> {
        let id = self.id(operation, pointer, ids);
        let description = self.description(operation, pointer);
        let mut described = OperationInput::default();
        self.parameters(path, pointer, parameters, &mut described);
        self.body(operation, pointer, &mut described);
        self.responses(operation, pointer);
        let mut input = Map::new();
        input.insert("Type".to_owned(), json!("object"));
        input.insert("Properties".to_owned(), Value::Object(described.properties));
        if !described.required.is_empty() {
            input.insert("Required".to_owned(), json!(described.required));
        }
        Some(ApiOperation { id: id?, description: description?, input: Value::Object(input) })
    }

    fn id(&mut self, operation: &Value, pointer: &str, ids: &mut BTreeMap<String, String>) -> Option<String> {
        let at = format!("{pointer}/operationId");
        let Some(id) = operation.get("operationId").and_then(Value::as_str) else {
            let help = "add `operationId`, such as `getAccountStatus`: the agent calls the operation by it";
            self.error_at_key(code::S191, pointer, "this operation has no name", help);
            return None;
        };
        if !is_operation_name(id) {
            let help = "use letters and digits, with single `-` or `_` between them, at most 100";
            self.error(code::S191, &at, format!("`{}` cannot be the name of an operation", cut(id)), help);
            return None;
        }
        if ids.insert(id.to_owned(), at.clone()).is_some() {
            let help = "give each operation a name of its own";
            self.error(code::S191, &at, format!("`{}` is the name of another operation already", cut(id)), help);
        }
        Some(id.to_owned())
    }

    fn description(&mut self, operation: &Value, pointer: &str) -> Option<String> {
        let text = operation.get("description").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            let help = match operation.get("summary") {
                Some(_) => "make its `summary` a `description`: the model decides by that when to ask",
                None => "add `description`: the model decides by it when to ask",
            };
            self.error_at_key(code::S192, pointer, "this operation has no description", help);
        }
        text.map(str::to_owned)
    }

    fn parameters(
        &mut self,
        path: &str,
        pointer: &str,
        parameters: &[(&'a Value, String)],
        described: &mut OperationInput,
    ) {
        let mut of_path: Vec<&str> = Vec::new();
        for (parameter, at) in parameters {
            let Some((parameter, at)) = self.follow(parameter, at) else { continue };
            let word = |key: &str| parameter.get(key).and_then(Value::as_str);
            let (Some(name), Some(place)) = (word("name"), word("in")) else {
                self.error(code::S190, &at, "a parameter needs `name` and `in`", "write both, such as `in: query`");
                continue;
            };
            if !["path", "query", "header"].contains(&place) {
                let message = format!("`{}` is in the {}, which agents do not fill in", cut(name), cut(place));
                self.error(code::S193, &format!("{at}/in"), message, "take it in the path, the query or a header");
                continue;
            }
            let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
            if place == "path" {
                of_path.push(name);
            }
            let Some(schema) = parameter.get("schema") else {
                let message = format!("`{}` has no schema", cut(name));
                self.error(code::S193, &at, message, "describe it with `schema`, such as `schema: { type: string }`");
                continue;
            };
            let text = word("description").or_else(|| schema.get("description").and_then(Value::as_str));
            if text.is_none() {
                let message = format!("`{}` has no description", cut(name));
                self.warning(code::S197, &at, message, "say what it is: the model knows no more than is said here");
            }
            let schema = self.tool_schema(schema, &format!("{at}/schema"), text);
            self.add_property(name, schema, required || place == "path", &at, described);
        }
        for variable in path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name) {
            if !of_path.contains(&variable) {
                let message = format!("the path holds `{{{}}}` and no parameter says what it is", cut(variable));
                self.error_at_key(code::S195, pointer, message, "add a parameter with this name and `in: path`");
            }
        }
    }

    fn body(&mut self, operation: &'a Value, pointer: &str, described: &mut OperationInput) {
        let Some(body) = operation.get("requestBody") else { return };
        let Some((body, at)) = self.follow(body, &format!("{pointer}/requestBody")) else { return };
        let Some((schema, at)) = self.json_schema_of(body, &at, "the body that is sent") else { return };
        let Some((schema, at)) = self.follow(schema, &at) else { return };
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            if self.engine == Engine::Agentcore {
                let message = "a gateway passes an object on, and this body is not one";
                self.error(code::S193, &at, message, "describe it with `type: object` and `properties`");
            }
            return;
        };
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in properties {
            let at = format!("{at}/properties/{}", escape(name));
            let schema = self.tool_schema(property, &at, None);
            self.add_property(name, schema, required.contains(&name.as_str()), &at, described);
        }
    }

    /// Adds one value that a model fills in.
    fn add_property(
        &mut self,
        name: &str,
        schema: Option<Value>,
        required: bool,
        at: &str,
        described: &mut OperationInput,
    ) {
        if self.engine == Engine::Agentcore && described.places.insert(name.to_owned(), at.to_owned()).is_some() {
            let message =
                format!("`{}` is in two places of the request, and a gateway passes both on as one", cut(name));
            self.error(code::S196, at, message, "give the two different names");
            return;
        }
        if let Some(schema) = schema {
            described.properties.insert(name.to_owned(), schema);
            if required {
                described.required.push(name.to_owned());
            }
        }
    }

    fn responses(&mut self, operation: &'a Value, pointer: &str) {
        let Some(responses) = operation.get("responses").and_then(Value::as_object).filter(|it| !it.is_empty()) else {
            let help = "describe at least the answer \"200\" under `responses`";
            self.error_at_key(code::S190, pointer, "this operation has no answers", help);
            return;
        };
        for (status, response) in responses {
            let at = format!("{pointer}/responses/{}", escape(status));
            let Some((response, at)) = self.follow(response, &at) else { continue };
            // An answer without content is fine: there is nothing to read in it.
            if response.get("content").is_some() {
                self.json_schema_of(response, &at, "an answer");
            }
        }
    }

    /// The schema of a body's JSON.
    fn json_schema_of(&mut self, body: &'a Value, at: &str, what: &str) -> Option<(&'a Value, String)> {
        let content = body.get("content").and_then(Value::as_object);
        let Some(media) = content.and_then(|content| content.get(JSON)) else {
            let message = format!("{what} is not `{JSON}`, the one kind that agents know");
            self.error(
                code::S193,
                &format!("{at}/content"),
                message,
                format!("describe it under `content: {{ {JSON}: … }}`"),
            );
            return None;
        };
        let at = format!("{at}/content/{}", escape(JSON));
        match media.get("schema") {
            Some(schema) => Some((schema, format!("{at}/schema"))),
            None => {
                self.error(code::S193, &at, format!("{what} has no schema"), "describe it with `schema`");
                None
            }
        }
    }
}

/// The parameters of a path or an operation, each with its place.
fn parameters<'a>(owner: &'a Value, pointer: &str) -> Vec<(&'a Value, String)> {
    let list = owner.get("parameters").and_then(Value::as_array);
    let at = |index: usize| format!("{pointer}/parameters/{index}");
    list.into_iter().flatten().enumerate().map(|(index, parameter)| (parameter, at(index))).collect()
}

#[cfg(test)]
mod tests {
    use super::is_operation_name;

    #[test]
    fn names_both_engines_take() {
        for name in ["getAccountStatus", "get-account_status2", "7up"] {
            assert!(is_operation_name(name), "{name}");
        }
        for name in ["", "get account", "get__x", "a-_b", "_x", "größe", &"x".repeat(101)] {
            assert!(!is_operation_name(name), "{name}");
        }
    }
}
