//! Values of a resource by their paths, as far as they are known.

use serde_json::Value;

use crate::intrinsics::is_function;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found<'a> {
    /// A value that is there for certain; it may still be a function.
    Value(&'a Value),
    /// Nothing.
    Absent,
    /// Only a deploy can tell.
    Unknown,
}

fn function(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object()?;
    map.iter()
        .find(|(key, argument)| is_function(key, argument) || key.starts_with("Fn::"))
        .map(|(k, v)| (k.as_str(), v))
}

/// Whether a value is no function.
pub(super) fn is_known(value: &Value) -> bool {
    function(value).is_none()
}

/// What is at a path, whose names have dots between them.
pub(super) fn find<'a>(value: &'a Value, path: &str) -> Found<'a> {
    let mut at = value;
    for name in path.split('.') {
        if !is_known(at) {
            return Found::Unknown;
        }
        match at.get(name) {
            None | Some(Value::Null) => return Found::Absent,
            Some(next) => at = next,
        }
        match function(at) {
            Some(("Ref", Value::String(name))) if name == "AWS::NoValue" => return Found::Absent,
            Some(("Fn::If" | "Fn::Transform", _)) => return Found::Unknown,
            _ => {}
        }
    }
    Found::Value(at)
}

/// A text, number or truth value as text; nothing for what is not known.
pub(super) fn literal(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.contains("{{resolve:") && !text.contains(crate::intrinsics::UNKNOWN) => {
            Some(text.clone())
        }
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
