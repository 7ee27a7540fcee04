//! JSON Schema, draft 4, as far as request models use it.

use std::cell::Cell;

use serde_json::Value;

use crate::local::velocity::java_regex;

/// How deep schemas and references may nest.
const MAX_DEPTH: usize = 64;

/// How many schemas are held against values in all: schemas that refer to themselves twice are endless work long before
/// they are too deep.
const MAX_CHECKS: usize = 100_000;

/// The whole schema, and how many checks are left.
struct Root<'a> {
    schema: &'a Value,
    left: Cell<usize>,
}

/// What of a value does not fit a schema, one line a reason; empty when all fits.
pub(super) fn misfits(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let root = Root { schema, left: Cell::new(MAX_CHECKS) };
    check(&root, schema, value, "", 0, &mut found);
    found
}

fn fits(root: &Root<'_>, schema: &Value, value: &Value, depth: usize) -> bool {
    let mut found = Vec::new();
    check(root, schema, value, "", depth, &mut found);
    found.is_empty()
}

fn check(root: &Root<'_>, schema: &Value, value: &Value, at: &str, depth: usize, found: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else { return };
    let left = root.left.get();
    if depth > MAX_DEPTH || left == 0 {
        found.push(format!("{at}: the schema refers to itself without end"));
        return;
    }
    root.left.set(left - 1);
    let depth = depth + 1;
    if let Some(reference) = rules.get("$ref").and_then(Value::as_str) {
        // Draft 4: nothing beside a reference counts.
        match reference.strip_prefix('#').map(|pointer| root.schema.pointer(pointer)) {
            Some(Some(target)) => check(root, target, value, at, depth, found),
            _ => found.push(format!("{at}: the schema's reference {reference} leads nowhere")),
        }
        return;
    }
    let mut say = |message: String| found.push(if at.is_empty() { message } else { format!("{at}: {message}") });
    if let Some(wanted) = rules.get("type") {
        let names: Vec<&str> = match wanted {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        if !names.iter().any(|name| is_type(value, name)) {
            say(format!("instance type ({}) does not match any allowed primitive type ({names:?})", type_of(value)));
            return;
        }
    }
    if let Some(Value::Array(allowed)) = rules.get("enum")
        && !allowed.iter().any(|allowed| same(allowed, value))
    {
        say(format!("instance value ({value}) not found in enum"));
    }
    match value {
        Value::Number(number) => numbers(rules, number.as_f64().unwrap_or(f64::NAN), &mut say),
        Value::String(text) => texts(rules, text, &mut say),
        Value::Array(items) => arrays(root, rules, items, at, depth, found),
        Value::Object(entries) => objects(root, rules, entries, at, depth, found),
        _ => {}
    }
    combined(root, rules, value, at, depth, found);
}

type Rules = serde_json::Map<String, Value>;

fn combined(root: &Root<'_>, rules: &Rules, value: &Value, at: &str, depth: usize, found: &mut Vec<String>) {
    let each = |name: &str| rules.get(name).and_then(Value::as_array);
    for schema in each("allOf").into_iter().flatten() {
        check(root, schema, value, at, depth, found);
    }
    let count = |schemas: &Vec<Value>| schemas.iter().filter(|schema| fits(root, schema, value, depth)).count();
    if each("anyOf").is_some_and(|schemas| count(schemas) == 0) {
        found.push(format!("{at}: instance failed to match at least one required schema among {}", name_of("anyOf")));
    }
    if each("oneOf").is_some_and(|schemas| count(schemas) != 1) {
        found.push(format!("{at}: instance failed to match exactly one schema of {}", name_of("oneOf")));
    }
    if rules.get("not").is_some_and(|schema| fits(root, schema, value, depth)) {
        found.push(format!("{at}: instance matched a schema which it should not have"));
    }
}

fn name_of(keyword: &str) -> String {
    format!("`{keyword}`")
}

fn numbers(rules: &Rules, number: f64, say: &mut impl FnMut(String)) {
    let limit = |name: &str| rules.get(name).and_then(Value::as_f64);
    let exclusive = |name: &str| rules.get(name).and_then(Value::as_bool) == Some(true);
    if let Some(minimum) = limit("minimum")
        && (number < minimum || number <= minimum && exclusive("exclusiveMinimum"))
    {
        say(format!("numeric instance is lower than the required minimum (minimum: {minimum}, found: {number})"));
    }
    if let Some(maximum) = limit("maximum")
        && (number > maximum || number >= maximum && exclusive("exclusiveMaximum"))
    {
        say(format!("numeric instance is greater than the required maximum (maximum: {maximum}, found: {number})"));
    }
    if let Some(step) = limit("multipleOf")
        && step > 0.0
    {
        let times = number / step;
        if (times - times.round()).abs() > 1e-9 {
            say(format!("{number} is not a multiple of {step}"));
        }
    }
}

fn texts(rules: &Rules, text: &str, say: &mut impl FnMut(String)) {
    let length = text.chars().count();
    let limit = |name: &str| rules.get(name).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    if let Some(minimum) = limit("minLength").filter(|minimum| length < *minimum) {
        say(format!("string is too short (length: {length}, required minimum: {minimum})"));
    }
    if let Some(maximum) = limit("maxLength").filter(|maximum| length > *maximum) {
        say(format!("string is too long (length: {length}, maximum allowed: {maximum})"));
    }
    if let Some(pattern) = rules.get("pattern").and_then(Value::as_str)
        && !contains(pattern, text)
    {
        say(format!("ECMA 262 regex {pattern:?} does not match input string"));
    }
}

/// Whether a pattern fits anywhere in a text; a pattern that can't be read fits nothing.
fn contains(pattern: &str, text: &str) -> bool {
    java_regex::matches_whole(&format!(r"[\s\S]*?(?:{pattern})[\s\S]*"), text).unwrap_or(false)
}

fn arrays(root: &Root<'_>, rules: &Rules, items: &[Value], at: &str, depth: usize, found: &mut Vec<String>) {
    let limit = |name: &str| rules.get(name).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    if let Some(minimum) = limit("minItems").filter(|minimum| items.len() < *minimum) {
        found.push(format!("{at}: array is too short: must have at least {minimum} elements"));
    }
    if let Some(maximum) = limit("maxItems").filter(|maximum| items.len() > *maximum) {
        found.push(format!("{at}: array is too long: must have at most {maximum} elements"));
    }
    if rules.get("uniqueItems").and_then(Value::as_bool) == Some(true)
        && items.iter().enumerate().any(|(index, item)| items.iter().skip(index + 1).any(|other| same(item, other)))
    {
        found.push(format!("{at}: array must not contain duplicate elements"));
    }
    for (index, item) in items.iter().enumerate() {
        let schema = match rules.get("items") {
            Some(Value::Array(schemas)) => schemas.get(index).or_else(|| rules.get("additionalItems")),
            one => one,
        };
        match schema {
            Some(Value::Bool(false)) => found.push(format!("{at}: array has more elements than the schema allows")),
            Some(schema) => check(root, schema, item, &format!("{at}/{index}"), depth, found),
            None => {}
        }
    }
}

fn objects(root: &Root<'_>, rules: &Rules, entries: &Rules, at: &str, depth: usize, found: &mut Vec<String>) {
    let missing: Vec<&str> = rules
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|name| !entries.contains_key(*name))
        .collect();
    if !missing.is_empty() {
        let prefix = if at.is_empty() { String::new() } else { format!("{at}: ") };
        found.push(format!("{prefix}object has missing required properties ({})", Value::from(missing)));
    }
    let limit = |name: &str| rules.get(name).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    if limit("minProperties").is_some_and(|minimum| entries.len() < minimum) {
        found.push(format!("{at}: object has too few properties"));
    }
    if limit("maxProperties").is_some_and(|maximum| entries.len() > maximum) {
        found.push(format!("{at}: object has too many properties"));
    }
    let map = |name: &str| rules.get(name).and_then(Value::as_object);
    for (name, value) in entries {
        let place = format!("{at}/{name}");
        let mut known = false;
        if let Some(schema) = map("properties").and_then(|properties| properties.get(name)) {
            known = true;
            check(root, schema, value, &place, depth, found);
        }
        for (pattern, schema) in map("patternProperties").into_iter().flatten() {
            if contains(pattern, name) {
                known = true;
                check(root, schema, value, &place, depth, found);
            }
        }
        match rules.get("additionalProperties") {
            Some(Value::Bool(false)) if !known => {
                let prefix = if at.is_empty() { String::new() } else { format!("{at}: ") };
                found.push(format!(
                    "{prefix}object instance has properties which are not allowed by the schema: [{name:?}]"
                ));
            }
            Some(schema @ Value::Object(_)) if !known => check(root, schema, value, &place, depth, found),
            _ => {}
        }
        match map("dependencies").and_then(|dependencies| dependencies.get(name)) {
            Some(Value::Array(needed)) => {
                for needed in needed.iter().filter_map(Value::as_str).filter(|name| !entries.contains_key(*name)) {
                    found.push(format!("{at}: property {name:?} needs property {needed:?}"));
                }
            }
            Some(schema @ Value::Object(_)) => {
                check(root, schema, &Value::Object(entries.clone()), at, depth, found);
            }
            _ => {}
        }
    }
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        name => type_of(value) == name,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// JSON's equality: 1 is 1.0, and the order of keys is nothing.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_fit_or_not_as_draft_4_says() {
        let order = json!({
            "$schema": "http://json-schema.org/draft-04/schema#",
            "type": "object",
            "required": ["item", "count"],
            "additionalProperties": false,
            "properties": {
                "item": { "type": "string", "minLength": 1, "pattern": "^[a-z]+$" },
                "count": { "type": "integer", "minimum": 0, "exclusiveMinimum": true, "maximum": 9 },
                "tags": { "type": "array", "items": { "$ref": "#/definitions/tag" }, "maxItems": 2, "uniqueItems": true },
                "size": { "oneOf": [{ "enum": ["s", "m"] }, { "type": "number" }] },
            },
            "definitions": { "tag": { "type": "string" } },
        });
        for good in
            [json!({ "item": "a", "count": 1 }), json!({ "item": "a", "count": 9.0, "tags": ["x", "y"], "size": 3 })]
        {
            assert_eq!(misfits(&order, &good), Vec::<String>::new(), "{good}");
        }
        for bad in [
            json!([]),
            json!({ "item": "a" }),
            json!({ "item": "A", "count": 1 }),
            json!({ "item": "a", "count": 0 }),
            json!({ "item": "a", "count": 1.5 }),
            json!({ "item": "a", "count": 1, "other": 1 }),
            json!({ "item": "a", "count": 1, "tags": ["x", "x"] }),
            json!({ "item": "a", "count": 1, "tags": [1] }),
            json!({ "item": "a", "count": 1, "size": "l" }),
        ] {
            assert!(!misfits(&order, &bad).is_empty(), "{bad}");
        }
    }

    #[test]
    fn a_schema_without_end_is_no_hang() {
        assert!(!misfits(&json!({ "$ref": "#" }), &json!(1)).is_empty());
        let twice = json!({ "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] });
        assert!(!misfits(&twice, &json!(1)).is_empty());
    }

    proptest! {
        #[test]
        fn an_empty_schema_takes_any_text(text in any::<String>()) {
            let found = misfits(&json!({}), &json!(text));
            prop_assert!(found.is_empty());
            let _ = misfits(&json!({ "pattern": text }), &json!("x"));
        }
    }
}
