//! Scalars of properties as text.

use serde_json::Value;

/// A property as text, whatever scalar it was written as.
pub(crate) fn text(properties: &Value, name: &str) -> Option<String> {
    scalar(properties.get(name)?)
}

/// A scalar as text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
