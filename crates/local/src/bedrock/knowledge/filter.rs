//! Filters on the metadata of chunks.

use serde_json::{Map, Value};

use crate::bedrock::answer::invalid;
use crate::ground::ApiError;

/// Whether metadata meet a filter.
///
/// # Errors
///
/// When the filter is none.
pub(super) fn meets(metadata: &Map<String, Value>, filter: &Value) -> Result<bool, ApiError> {
    let Some((kind, value)) = filter.as_object().filter(|one| one.len() == 1).and_then(|one| one.iter().next()) else {
        return Err(invalid("A filter has exactly one operator"));
    };
    if kind == "andAll" || kind == "orAll" {
        let parts = value.as_array().filter(|parts| parts.len() > 1);
        let parts = parts.ok_or_else(|| invalid(format!("`{kind}` takes a list of two filters or more")))?;
        let mut met = kind == "andAll";
        for part in parts {
            let one = meets(metadata, part)?;
            met = if kind == "andAll" { met && one } else { met || one };
        }
        return Ok(met);
    }
    let (Some(key), Some(wanted)) = (value.get("key").and_then(Value::as_str), value.get("value")) else {
        return Err(invalid(format!("`{kind}` takes a `key` and a `value`")));
    };
    let found = metadata.get(key);
    let list = |wanted: &Value| {
        wanted.as_array().is_some_and(|list| found.is_some_and(|found| list.iter().any(|one| same(one, found))))
    };
    let order = found.and_then(|found| compare(found, wanted));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(match kind.as_str() {
        "equals" => found.is_some_and(|found| same(found, wanted)),
        "notEquals" => found.is_some_and(|found| !same(found, wanted)),
        "greaterThan" => order.is_some_and(|order| order.is_gt()),
        "greaterThanOrEquals" => order.is_some_and(|order| order.is_ge()),
        "lessThan" => order.is_some_and(|order| order.is_lt()),
        "lessThanOrEquals" => order.is_some_and(|order| order.is_le()),
        "in" => list(wanted),
        "notIn" => found.is_some() && !list(wanted),
        "startsWith" => found.is_some() && text(found).starts_with(&text(Some(wanted))),
        "stringContains" => match found {
            Some(Value::Array(entries)) => entries.iter().any(|one| text(Some(one)).contains(&text(Some(wanted)))),
            found => found.is_some() && text(found).contains(&text(Some(wanted))),
        },
        "listContains" => found.and_then(Value::as_array).is_some_and(|list| list.iter().any(|one| same(one, wanted))),
        other => return Err(invalid(format!("`{other}` is not an operator of a filter"))),
    })
}

fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn compare(one: &Value, other: &Value) -> Option<std::cmp::Ordering> {
    one.as_f64()?.partial_cmp(&other.as_f64()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn met(filter: Value) -> bool {
        let Value::Object(metadata) = json!({"unit": 3, "topic": "vectors", "tags": ["a", "b"]}) else {
            panic!("an object")
        };
        meets(&metadata, &filter).expect("a filter")
    }

    #[test]
    fn operators_do_what_they_say() {
        assert!(met(json!({"equals": {"key": "unit", "value": 3.0}})));
        assert!(met(
            json!({"andAll": [{"greaterThan": {"key": "unit", "value": 2}}, {"startsWith": {"key": "topic", "value": "vec"}}]})
        ));
        assert!(met(
            json!({"orAll": [{"lessThan": {"key": "unit", "value": 2}}, {"listContains": {"key": "tags", "value": "b"}}]})
        ));
        assert!(met(json!({"in": {"key": "topic", "value": ["vectors", "prompts"]}})));
        assert!(!met(json!({"notIn": {"key": "topic", "value": ["vectors"]}})));
        assert!(!met(json!({"notEquals": {"key": "absent", "value": 1}})));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let metadata = Map::new();
        for filter in [
            json!({}),
            json!({"like": {"key": "a", "value": "b"}}),
            json!({"equals": {"key": "a"}}),
            json!({"andAll": []}),
        ] {
            assert!(meets(&metadata, &filter).is_err(), "{filter}");
        }
    }
}
