//! Bounds that the language's own schema states: lengths of texts, counts of items, sizes of numbers.

use crate::finding::code;
use serde_json::Value;

use super::context::Rules;
use crate::spec::lazy_schema::LazySchema;
use crate::spec::words::{escape, path};

/// The sections whose every bound is looked at here. Those of the others have rules of their own, with words of their
/// own.
const SECTIONS: [&str; 5] = ["models", "guardrails", "prompts", "knowledge-bases", "flows"];

pub(super) fn check(rules: &mut Rules<'_>) {
    let schema = LazySchema::language();
    for section in SECTIONS {
        let (Some(value), Some(of)) =
            (rules.document.get(section), schema.root().pointer(&format!("/properties/{section}")))
        else {
            continue;
        };
        walk(rules, schema, value, of, &format!("/{section}"));
    }
}

fn walk(rules: &mut Rules<'_>, schema: &LazySchema, value: &Value, of: &Value, pointer: &str) {
    bounds(rules, value, of, pointer);
    let of = schema.resolve(of);
    match value {
        Value::Array(items) => {
            let Some(of) = of.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                walk(rules, schema, item, of, &format!("{pointer}/{index}"));
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let property = of.get("properties").and_then(|it| it.get(key));
                let Some(of) = property.or_else(|| of.get("additionalProperties")) else { continue };
                walk(rules, schema, item, of, &format!("{pointer}/{}", escape(key)));
            }
        }
        _ => {}
    }
}

fn bounds(rules: &mut Rules<'_>, value: &Value, of: &Value, pointer: &str) {
    let limit = |key: &str| of.get(key).and_then(Value::as_f64);
    let (size, least, most, unit) = match value {
        Value::String(text) => {
            (text.chars().count() as f64, limit("minLength"), limit("maxLength"), ["character", "characters"])
        }
        Value::Array(items) => (items.len() as f64, limit("minItems"), limit("maxItems"), ["item", "items"]),
        Value::Object(map) => (map.len() as f64, limit("minProperties"), limit("maxProperties"), ["entry", "entries"]),
        Value::Number(number) => (number.as_f64().unwrap_or_default(), limit("minimum"), limit("maximum"), ["", ""]),
        _ => return,
    };
    if least.is_none_or(|least| size >= least) && most.is_none_or(|most| size <= most) {
        return;
    }
    let [one, many] = unit;
    let counted = |count: f64| {
        let unit = if count == 1.0 { one } else { many };
        format!("{count} {unit}").trim_end().to_owned()
    };
    let verb = if many.is_empty() { "is" } else { "has" };
    let message = format!("`{}` {verb} {}", path(pointer), counted(size));
    let help = match (least, most) {
        (Some(least), Some(most)) => format!("stay between {least} and {}", counted(most)),
        (Some(least), None) => format!("{} at least", counted(least)),
        (_, most) => format!("{} at most", counted(most.unwrap_or_default())),
    };
    rules.error(code::S140, pointer, message, help);
}
