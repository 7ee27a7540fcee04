//! The language's JSON Schema, from the types.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

use super::types::UseCase;

/// The JSON Schema (draft 2020-12) of a spec: what `bedplate schema` prints and an editor completes from.
///
/// It says what shape a spec has; what depends on more than one value (references, cycles, files) only loading tells.
pub fn json_schema() -> Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(schema_of::<UseCase>).clone()
}

/// The schema of a type as an author's document has it.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(authored);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Turns schemars' view of a type into an author's: a key without a value is a mistake, never "none", and a
/// description is one line.
fn authored(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        tidy(object);
    }
}

fn tidy(object: &mut Map<String, Value>) {
    without_null(object);
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    for (key, value) in object.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "$defs", Value::Object(schemas)) => schemas.values_mut().for_each(tidy_value),
            ("items" | "additionalProperties", schema) => tidy_value(schema),
            ("oneOf", Value::Array(schemas)) => schemas.iter_mut().for_each(tidy_value),
            _ => {}
        }
    }
}

fn tidy_value(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        tidy(object);
    }
}

/// Removes the `null` that `Option` brings.
fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(options)) = object.get_mut("anyOf") {
        options.retain(|option| option.get("type") != Some(&Value::from("null")));
        if let [Value::Object(only)] = options.as_slice() {
            let only = only.clone();
            object.shift_remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// The schema as it lies in `schemas/usecase.schema.json` and as `bedplate schema` prints it, with its last newline.
pub fn json_schema_text() -> String {
    // A JSON value always serialises.
    serde_json::to_string_pretty(&json_schema()).map(|text| text + "\n").unwrap_or_default()
}
