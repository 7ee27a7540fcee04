//! JSON Schema, draft 4, as far as request models use it.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use fancy_regex::Regex;
use serde_json::Value;

use crate::velocity::java_regex;

/// How deep schemas and references may nest.
const MAX_DEPTH: usize = 64;

/// How much is looked at in all: schemas that refer to themselves twice are endless work long before they are too deep, and
/// so are long lists of allowed values for long lists of values.
const MAX_CHECKS: usize = 2_000_000;

/// How many checks a pattern that was given up counts for.
const GIVEN_UP: usize = 100_000;

/// How many reasons are told.
const MAX_REASONS: usize = 50;

/// How many characters of a value are told.
const MAX_SHOWN: usize = 1_000;

/// The whole schema, how many checks are left, and the patterns that were read.
struct Root<'a> {
    schema: &'a Value,
    left: Cell<usize>,
    patterns: RefCell<HashMap<&'a str, Option<Regex>>>,
}

impl<'a> Root<'a> {
    /// Takes some of the checks that are left; says whether there were so many.
    fn charge(&self, checks: usize) -> bool {
        let left = self.left.get().checked_sub(checks);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Whether a pattern fits anywhere in a text; a pattern that can't be read, or takes too long, fits nothing.
    fn contains(&self, pattern: &'a str, text: &str) -> bool {
        let mut patterns = self.patterns.borrow_mut();
        let known = patterns.entry(pattern).or_insert_with(|| java_regex::compile(pattern).ok());
        if !self.charge(1 + text.len() / 64) {
            return false;
        }
        let found = known.as_ref().map(|regex| regex.is_match(text));
        if matches!(found, Some(Err(_))) {
            self.charge(GIVEN_UP);
        }
        matches!(found, Some(Ok(true)))
    }
}

/// What of a value does not fit a schema, one line a reason; empty when all fits.
pub(super) fn misfits(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let root = Root { schema, left: Cell::new(MAX_CHECKS), patterns: RefCell::default() };
    check(&root, schema, value, "", 0, &mut found);
    found.truncate(MAX_REASONS);
    found
}

fn fits<'a>(root: &Root<'a>, schema: &'a Value, value: &Value, depth: usize) -> bool {
    let mut found = Vec::new();
    check(root, schema, value, "", depth, &mut found);
    found.is_empty()
}

fn check<'a>(root: &Root<'a>, schema: &'a Value, value: &Value, at: &str, depth: usize, found: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else { return };
    if found.len() > MAX_REASONS {
        return;
    }
    let listed = ["enum", "required"].iter().filter_map(|name| rules.get(*name).and_then(Value::as_array));
    if depth > MAX_DEPTH {
        found.push(format!("{at}: the schema refers to itself without end"));
        return;
    }
    if !root.charge(1 + listed.map(Vec::len).sum::<usize>()) {
        found.push(too_much(at));
        return;
    }
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
        let shown: String = value.to_string().chars().take(MAX_SHOWN).collect();
        say(format!("instance value ({shown}) not found in enum"));
    }
    match value {
        Value::Number(number) => numbers(rules, number.as_f64().unwrap_or(f64::NAN), &mut say),
        Value::String(text) => texts(root, rules, text, &mut say),
        Value::Array(items) => arrays(root, rules, items, at, depth, found),
        Value::Object(entries) => objects(root, rules, value, entries, at, depth, found),
        _ => {}
    }
    combined(root, rules, value, at, depth, found);
}

fn too_much(at: &str) -> String {
    format!("{at}: the schema asks for more than {MAX_CHECKS} checks of this value")
}

type Rules = serde_json::Map<String, Value>;

fn combined<'a>(root: &Root<'a>, rules: &'a Rules, value: &Value, at: &str, depth: usize, found: &mut Vec<String>) {
    let each = |name: &str| rules.get(name).and_then(Value::as_array);
    for schema in each("allOf").into_iter().flatten() {
        check(root, schema, value, at, depth, found);
    }
    let count = |schemas: &'a Vec<Value>| schemas.iter().filter(|schema| fits(root, schema, value, depth)).count();
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

fn texts<'a>(root: &Root<'a>, rules: &'a Rules, text: &str, say: &mut impl FnMut(String)) {
    let length = text.chars().count();
    let limit = |name: &str| rules.get(name).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    if let Some(minimum) = limit("minLength").filter(|minimum| length < *minimum) {
        say(format!("string is too short (length: {length}, required minimum: {minimum})"));
    }
    if let Some(maximum) = limit("maxLength").filter(|maximum| length > *maximum) {
        say(format!("string is too long (length: {length}, maximum allowed: {maximum})"));
    }
    if let Some(pattern) = rules.get("pattern").and_then(Value::as_str)
        && !root.contains(pattern, text)
    {
        say(format!("ECMA 262 regex {pattern:?} does not match input string"));
    }
}

fn arrays<'a>(root: &Root<'a>, rules: &'a Rules, items: &[Value], at: &str, depth: usize, found: &mut Vec<String>) {
    let limit = |name: &str| rules.get(name).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    if let Some(minimum) = limit("minItems").filter(|minimum| items.len() < *minimum) {
        found.push(format!("{at}: array is too short: must have at least {minimum} elements"));
    }
    if let Some(maximum) = limit("maxItems").filter(|maximum| items.len() > *maximum) {
        found.push(format!("{at}: array is too long: must have at most {maximum} elements"));
    }
    if rules.get("uniqueItems").and_then(Value::as_bool) == Some(true) && has_twice(items) {
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

/// Whether two of some values are the same, by JSON's equality.
fn has_twice(items: &[Value]) -> bool {
    let mut seen = HashSet::with_capacity(items.len());
    items.iter().any(|item| {
        let mut spelling = String::new();
        spell(item, &mut spelling);
        !seen.insert(spelling)
    })
}

/// A value as a text that values have in common which are the same.
fn spell(value: &Value, out: &mut String) {
    use std::fmt::Write as _;
    match value {
        Value::Number(number) => {
            // Zero has no sign.
            let _ = write!(out, "{:?}", number.as_f64().unwrap_or(f64::NAN) + 0.0);
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                spell(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, entry) in entries {
                let _ = write!(out, "{name:?}:");
                spell(entry, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::String(text) => {
            let _ = write!(out, "{text:?}");
        }
        Value::Null | Value::Bool(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

fn objects<'a>(
    root: &Root<'a>,
    rules: &'a Rules,
    whole: &Value,
    entries: &Rules,
    at: &str,
    depth: usize,
    found: &mut Vec<String>,
) {
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
    let of_entries = ["properties", "patternProperties", "additionalProperties", "dependencies"];
    // A schema that says nothing of entries does not have to look at them; schemas that do may look at the same ones again.
    if !of_entries.iter().any(|name| rules.contains_key(*name)) {
        return;
    }
    if !root.charge(entries.len() / 4) {
        found.push(too_much(at));
        return;
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
            if root.contains(pattern, name) {
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
                check(root, schema, whole, at, depth, found);
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

    #[test]
    fn large_values_take_no_longer_than_they_are_long() {
        let began = std::time::Instant::now();
        let numbers: Vec<Value> = (0..200_000).map(Value::from).collect();
        let unique = json!({ "items": { "type": "integer" }, "uniqueItems": true });
        assert_eq!(misfits(&unique, &Value::Array(numbers.clone())), Vec::<String>::new());
        let texts = json!({ "items": { "type": "string" } });
        assert!(misfits(&texts, &Value::Array(numbers.clone())).len() <= MAX_REASONS);
        // Long lists of allowed values, and patterns that go back and forth, are given up.
        let allowed = json!({ "items": { "enum": numbers } });
        assert!(!misfits(&allowed, &Value::Array(numbers.iter().rev().cloned().collect())).is_empty());
        let names: Rules = (0..50_000).map(|index| (format!("{}{index}!", "a".repeat(30)), json!(1))).collect();
        let patterns = json!({ "patternProperties": { "(?=a)(a+)+$": {}, "^(a|aa)+(?!b)$": {} } });
        let _ = misfits(&patterns, &Value::Object(names.clone()));
        let again: Rules = names.keys().map(|name| (name.clone(), json!({ "additionalProperties": {} }))).collect();
        assert!(!misfits(&json!({ "dependencies": again }), &Value::Object(names.clone())).is_empty());
        let all: Rules = names.keys().map(|name| (name.clone(), json!({ "minProperties": 1 }))).collect();
        assert_eq!(misfits(&json!({ "dependencies": all }), &Value::Object(names)), Vec::<String>::new());
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    }

    #[test]
    fn values_are_the_same_by_what_they_are() {
        for (items, twice) in [
            (json!([1, 1.0]), true),
            (json!([0.0, -0.0]), true),
            (json!([1, "1", true, "true", null, "null"]), false),
            (json!([{ "a": 1, "b": 2 }, { "b": 2, "a": 1 }]), true),
            (json!([["a,", "b"], ["a", ",b"]]), false),
            (json!([[], {}, "", 0, false]), false),
        ] {
            assert_eq!(has_twice(items.as_array().expect("a list")), twice, "{items}");
        }
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
