//! Whether a text is as it is expected, and what of it a reason repeats.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json_path::JsonPath;

use super::failure::Failure;
use crate::spec::{ExpectText, ExpectedValue, escape};

/// Characters of a text that a reason repeats.
const SHOWN: usize = 200;

/// What must not be repeated, however a text comes to hold it: the secrets that were sent.
#[derive(Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    pub(super) fn add(&mut self, secret: &str) {
        // As JSON writes it, too: an answer may repeat it in a document.
        let in_json = Value::from(secret).to_string();
        let in_json = in_json.trim_matches('"').to_owned();
        self.0.extend([secret.to_owned(), in_json].into_iter().filter(|secret| !secret.is_empty()));
        // The longest first: one may be a part of another.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// The beginning of a text, on one line. The query of an address that is signed beforehand is a credential and is left
    /// out.
    pub(super) fn shown(&self, text: &str) -> String {
        if text.trim().is_empty() {
            return "nothing".to_owned();
        }
        let text = self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut open = String::new();
        let mut rest = text.as_str();
        while let Some((before, query)) = rest.split_once('?') {
            let end = query.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '\\' | '`'));
            let (query, after) = query.split_at(end.unwrap_or(query.len()));
            open.push_str(before);
            open.push('?');
            let lower = query.to_ascii_lowercase();
            open.push_str(if lower.contains("signature=") || lower.contains("token=") { "…" } else { query });
            rest = after;
        }
        open.push_str(rest);
        if open.chars().count() > SHOWN {
            open = open.chars().take(SHOWN).chain(['…']).collect();
        }
        open
    }
}

/// Whether a text is as it is expected; `at` is the way to the expectation, `what` the text in words, such as `the answer`.
pub(super) fn is_like(text: &str, expected: &ExpectText, at: &str, what: &str, hidden: &Hidden) -> Result<(), Failure> {
    let said = || hidden.shown(text);
    for (index, wanted) in expected.contains.0.iter().enumerate() {
        if !text.contains(wanted.as_str()) {
            let reason = format!("`{}` is not in {what}: {}", hidden.shown(wanted), said());
            return Err(Failure::unmet(format!("{at}/contains/{index}"), reason));
        }
    }
    for (index, pattern) in expected.matches.0.iter().enumerate() {
        // Loading the spec has seen that it is a regular expression.
        if !regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text)) {
            let reason = format!("{what} does not match `{}`: {}", hidden.shown(pattern), said());
            return Err(Failure::unmet(format!("{at}/matches/{index}"), reason));
        }
    }
    for (index, unwanted) in expected.not_contains.0.iter().enumerate() {
        if text.contains(unwanted.as_str()) {
            let reason = format!("`{}` is in {what}: {}", hidden.shown(unwanted), said());
            return Err(Failure::unmet(format!("{at}/not-contains/{index}"), reason));
        }
    }
    Ok(())
}

/// Whether one of the values is what is wanted; the failure is that of the first.
pub(super) fn is_wanted(
    values: &[&Value],
    wanted: &ExpectedValue,
    at: &str,
    what: &str,
    hidden: &Hidden,
) -> Result<(), Failure> {
    let mut first = None;
    for value in values {
        let met = match wanted {
            ExpectedValue::Like(expected) => is_like(&as_text(value), expected, at, what, hidden),
            ExpectedValue::Value(wanted) if same(value, wanted) => Ok(()),
            ExpectedValue::Value(wanted) => {
                let (is, wanted) = (hidden.shown(&value.to_string()), hidden.shown(&wanted.to_string()));
                Err(Failure::unmet(at, format!("{what} is {is}, expected {wanted}")))
            }
        };
        match met {
            Ok(()) => return Ok(()),
            Err(failure) => first = first.or(Some(failure)),
        }
    }
    Err(first.unwrap_or_else(|| Failure::unmet(at, format!("there is nothing that could be {what}"))))
}

/// Whether a text is JSON that has what is wanted at each path; `at` is the way to the paths.
pub(super) fn holds(
    text: &str,
    expected: &BTreeMap<String, ExpectedValue>,
    at: &str,
    hidden: &Hidden,
) -> Result<(), Failure> {
    if expected.is_empty() {
        return Ok(());
    }
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        return Err(Failure::unmet(at, format!("the answer is not JSON: {}", hidden.shown(text))));
    };
    for (path, wanted) in expected {
        let at = format!("{at}/{}", escape(path));
        // Loading the spec has seen that it is a path.
        let Ok(query) = JsonPath::parse(path) else { continue };
        let found = query.query(&document).all();
        if found.is_empty() {
            let reason = format!("nothing is at `{path}` of the answer: {}", hidden.shown(text));
            return Err(Failure::unmet(at, reason));
        }
        is_wanted(&found, wanted, &at, &format!("`{path}`"), hidden)?;
    }
    Ok(())
}

/// A text as it is, everything else as JSON.
fn as_text(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

/// Equal; numbers by what they count, so that `1` is `1.0`.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| same(one, other))
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn like(value: Value) -> ExpectText {
        serde_json::from_value(value).expect("an expectation")
    }

    fn failure_of(text: &str, expected: Value) -> Option<(String, String)> {
        let failure = is_like(text, &like(expected), "expect/body", "the answer", &Hidden::default()).err()?;
        Some((failure.at, failure.reason))
    }

    #[test]
    fn each_expectation_of_a_text_is_told_by_its_place() {
        assert_eq!(
            failure_of("Pending", json!({"contains": ["Pend", "ing"], "matches": "^P", "not-contains": "x"})),
            None
        );
        let (at, reason) = failure_of("b", json!({"contains": ["b", "a"]})).expect("a reason");
        assert_eq!((at.as_str(), reason.as_str()), ("expect/body/contains/1", "`a` is not in the answer: b"));
        let (at, reason) = failure_of("ab", json!({"matches": "^a+$"})).expect("a reason");
        assert_eq!((at.as_str(), reason.as_str()), ("expect/body/matches/0", "the answer does not match `^a+$`: ab"));
        let (at, reason) = failure_of("a b", json!({"not-contains": "b"})).expect("a reason");
        assert_eq!((at.as_str(), reason.as_str()), ("expect/body/not-contains/0", "`b` is in the answer: a b"));
    }

    #[test]
    fn one_value_of_several_is_enough_and_numbers_are_what_they_count() {
        let wanted = |values: &[Value], wanted: Value| {
            let wanted: ExpectedValue = serde_json::from_value(wanted).expect("wanted");
            let values: Vec<&Value> = values.iter().collect();
            is_wanted(&values, &wanted, "at", "`$.a`", &Hidden::default()).err().map(|failure| failure.reason)
        };
        assert_eq!(wanted(&[json!(1), json!(2)], json!(2.0)), None);
        assert_eq!(wanted(&[json!(["a"])], json!(["a"])), None);
        assert_eq!(wanted(&[json!("7")], json!(7)).expect("a reason"), "`$.a` is \"7\", expected 7");
        assert_eq!(wanted(&[json!({"a": "b"})], json!({"contains": "\"b\""})), None);
        assert!(wanted(&[], json!(null)).is_some());
    }

    #[test]
    fn a_reason_repeats_no_signature_no_secret_and_no_novel() {
        let mut hidden = Hidden::default();
        hidden.add("t\"oken");
        let said = hidden.shown("\"https://b.s3/x.png?X-Amz-Signature=5ec4e7\" or\n https://a/?q=1");
        assert_eq!(said, "\"https://b.s3/x.png?…\" or https://a/?q=1");
        assert_eq!(hidden.shown(r#"t"oken and "t\"oken""#), r#"… and "…""#);
        assert_eq!(hidden.shown(&"x".repeat(900)).chars().count(), SHOWN + 1);
    }
}
