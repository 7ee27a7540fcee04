//! JSON Schema → the inline tool schema of a gateway, which knows types, properties, items, what is required and
//! descriptions. What else a schema says of a value is put into its description, where a model reads it.

use crate::finding::code;
use serde_json::{Map, Value, json};

use super::Reader;
use crate::spec::types::{Engine, Operation, OperationType};
use crate::spec::words::{cut, escape};

/// How deep a schema may be nested.
const DEEPEST: usize = 16;

/// Ways to put schemas together, which a gateway does not know.
const COMBINED: [&str; 5] = ["oneOf", "anyOf", "allOf", "not", "if"];

/// What a schema says of a value beside its type, in words.
const WORDS: [(&str, &str); 9] = [
    ("enum", "One of"),
    ("const", "Always"),
    ("default", "Unless said"),
    ("format", "Format"),
    ("pattern", "Matches"),
    ("minimum", "At least"),
    ("maximum", "At most"),
    ("minLength", "Characters at least"),
    ("maxLength", "Characters at most"),
];

/// The tool schema of an operation that a spec describes itself.
pub fn tool_schema_of(operation: &Operation) -> Value {
    let properties: Map<String, Value> = operation
        .parameters
        .iter()
        .map(|(name, it)| (name.clone(), json!({ "Type": word(it.r#type), "Description": it.description })))
        .collect();
    let required: Vec<&String> =
        operation.parameters.iter().filter(|(_, parameter)| !parameter.optional).map(|(name, _)| name).collect();
    let mut schema = json!({ "Type": "object", "Properties": properties });
    if let (Some(schema), false) = (schema.as_object_mut(), required.is_empty()) {
        schema.insert("Required".to_owned(), json!(required));
    }
    schema
}

fn word(r#type: OperationType) -> &'static str {
    match r#type {
        OperationType::String => "string",
        OperationType::Number => "number",
        OperationType::Integer => "integer",
        OperationType::Boolean => "boolean",
    }
}

impl<'a> Reader<'a> {
    /// A schema in the form of a gateway; what a gateway does not know is reported, for agents that have one.
    pub(super) fn tool_schema(&mut self, schema: &'a Value, pointer: &str, text: Option<&str>) -> Option<Value> {
        if self.engine != Engine::Agentcore {
            return None;
        }
        self.converted(schema, pointer, text, 0)
    }

    fn converted(&mut self, schema: &'a Value, pointer: &str, text: Option<&str>, depth: usize) -> Option<Value> {
        let (schema, pointer) = self.follow(schema, pointer)?;
        let was_left = self.room.is_left();
        // What its own words are copied to counts too.
        let words = WORDS.iter().map(|(key, _)| *key).chain(["description", "required"]);
        let taken = self.room.take(schema) && words.filter_map(|key| schema.get(key)).all(|it| self.room.take_all(it));
        if !taken {
            if was_left {
                self.too_large();
            }
            return None;
        }
        if depth > DEEPEST {
            let message = format!("it is nested deeper than {DEEPEST} levels");
            self.error(code::S194, &pointer, message, "describe it more flatly");
            return None;
        }
        if let Some(way) = COMBINED.iter().find(|way| schema.get(**way).is_some()) {
            let message = format!("a gateway does not know `{way}`");
            let help = "describe one object with all properties, those that may be missing left out of `required`";
            self.error(code::S193, &format!("{pointer}/{way}"), message, help);
            return None;
        }
        let kind = self.kind(schema, &pointer)?;
        let mut out = Map::new();
        out.insert("Type".to_owned(), json!(kind));
        if let Some(text) = described(schema, text) {
            out.insert("Description".to_owned(), json!(text));
        }
        if kind == "array" {
            match schema.get("items") {
                Some(items) => {
                    let items = self.converted(items, &format!("{pointer}/items"), None, depth + 1)?;
                    out.insert("Items".to_owned(), items);
                }
                None => {
                    self.error(code::S193, &pointer, "a list does not say what is in it", "describe it with `items`");
                    return None;
                }
            }
        }
        if let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|_| kind == "object") {
            let mut converted = Map::new();
            for (name, property) in properties {
                let at = format!("{pointer}/properties/{}", escape(name));
                converted.insert(name.clone(), self.converted(property, &at, None, depth + 1)?);
            }
            out.insert("Properties".to_owned(), Value::Object(converted));
            if let Some(required) = schema.get("required").filter(|it| it.as_array().is_some_and(|it| !it.is_empty())) {
                out.insert("Required".to_owned(), required.clone());
            }
        }
        Some(Value::Object(out))
    }

    /// The type of a schema; that it may be missing altogether, as OpenAPI 3.1 can say, changes nothing for a model.
    fn kind(&mut self, schema: &Value, pointer: &str) -> Option<&'static str> {
        const KINDS: [&str; 6] = ["string", "number", "object", "array", "boolean", "integer"];
        let known = |text: &str| KINDS.into_iter().find(|kind| *kind == text);
        let said = match schema.get("type") {
            Some(Value::String(text)) => known(text),
            Some(Value::Array(list)) => {
                match list.iter().filter_map(Value::as_str).filter(|it| *it != "null").collect::<Vec<_>>().as_slice() {
                    [one] => known(one),
                    _ => None,
                }
            }
            Some(_) => None,
            None if schema.get("properties").is_some() => Some("object"),
            None if schema.get("items").is_some() => Some("array"),
            None => None,
        };
        if said.is_none() {
            let message = match schema.get("type") {
                Some(other) => format!("a gateway does not know the type `{}`", cut(&other.to_string())),
                None => "this has no type".to_owned(),
            };
            self.error(code::S193, pointer, message, format!("write `type`, one of {}", KINDS.join(", ")));
        }
        said
    }
}

/// The description of a value, with what else its schema says of it.
fn described(schema: &Value, text: Option<&str>) -> Option<String> {
    let own = text.or_else(|| schema.get("description").and_then(Value::as_str));
    let mut sentences: Vec<String> =
        own.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).into_iter().collect();
    for (key, word) in WORDS {
        match schema.get(key) {
            Some(Value::Array(values)) if key == "enum" => {
                let values: Vec<String> = values.iter().map(plain).collect();
                sentences.push(format!("{word}: {}", values.join(", ")));
            }
            // How many bits a number has tells a model nothing.
            Some(Value::String(bits)) if ["int32", "int64", "float", "double"].contains(&bits.as_str()) => {}
            Some(Value::Array(_) | Value::Object(_) | Value::Null) | None => {}
            Some(value) => sentences.push(format!("{word}: {}", plain(value))),
        }
    }
    let ended: Vec<&str> = sentences.iter().map(|sentence| sentence.trim_end_matches('.')).collect();
    match ended.as_slice() {
        [] => None,
        [only] if sentences.len() == 1 && own.is_some() => Some(own.map_or(*only, str::trim).to_owned()),
        all => Some(all.join(". ")),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
