//! What an intrinsic function gives, as far as the template tells.

use serde_json::Value;

use super::Context;
use crate::intrinsics::is_function;
use crate::schema::Types;

/// Whether a member of a mapping will be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Yes,
    /// It depends on a condition.
    Maybe,
    No,
}

/// The function an object is, with its argument.
pub(super) fn function(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (key, argument) = map.iter().next()?;
    is_function(key, argument).then_some((key.as_str(), argument))
}

/// Whether a value is `AWS::NoValue`.
pub(super) fn is_no_value(value: &Value) -> bool {
    matches!(function(value), Some(("Ref", Value::String(name))) if name == "AWS::NoValue")
}

/// Whether a value will be there.
pub(super) fn presence(value: &Value) -> Presence {
    match function(value) {
        Some(("Ref", Value::String(name))) if name == "AWS::NoValue" => Presence::No,
        Some(("Fn::If", Value::Array(parts))) => match parts.as_slice() {
            [_, then, otherwise] => match (presence(then), presence(otherwise)) {
                (Presence::Yes, Presence::Yes) => Presence::Yes,
                (Presence::No, Presence::No) => Presence::No,
                _ => Presence::Maybe,
            },
            _ => Presence::Maybe,
        },
        _ => Presence::Yes,
    }
}

/// Whether a value holds any function, so that it is not known in full.
pub(super) fn is_open(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, item)| is_function(key, item) || is_open(item)),
        Value::Array(items) => items.iter().any(is_open),
        Value::String(text) => text.contains("{{resolve:"),
        _ => false,
    }
}

impl Context<'_> {
    /// The types a function can give; empty when that is not known.
    pub(super) fn kind(&self, key: &str, argument: &Value) -> Types {
        match key {
            "Ref" => match argument.as_str() {
                Some("AWS::NotificationARNs") => Types::ARRAY,
                Some(name) => match self.parameters.get(name) {
                    Some(parameter) if parameter.is_list() => Types::ARRAY,
                    _ => Types::SCALAR,
                },
                None => Types::default(),
            },
            "Fn::GetAtt" => self.attribute_kind(argument),
            "Fn::Sub" | "Fn::Join" | "Fn::Base64" | "Fn::ImportValue" | "Fn::ToJsonString" | "Fn::Length"
            | "Fn::GetStackOutput" => Types::SCALAR,
            "Fn::Split" | "Fn::GetAZs" | "Fn::Cidr" => Types::ARRAY,
            _ => Types::default(),
        }
    }

    fn attribute_kind(&self, argument: &Value) -> Types {
        let named = match argument {
            Value::String(text) => text.split_once('.'),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(logical_id), Value::String(attribute)] => {
                    Some((logical_id.as_str(), attribute.as_str()))
                }
                _ => None,
            },
            _ => None,
        };
        let Some((logical_id, attribute)) = named else { return Types::default() };
        // Nested stacks and custom resources give text whatever their schema says of a name.
        if attribute.starts_with("Outputs.") {
            return Types::default();
        }
        let types = self
            .schema(logical_id)
            .and_then(|schema| schema.attribute(attribute))
            .map(|shape| shape.types)
            .unwrap_or_default();
        if types.meets(Types::SCALAR) && !types.is_any() && !types.has(Types::ARRAY) && !types.has(Types::OBJECT) {
            Types::SCALAR
        } else if types == Types::ARRAY {
            Types::ARRAY
        } else {
            Types::default()
        }
    }
}
