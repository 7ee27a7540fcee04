//! The one way a value enters a partial: as JSON, which is also YAML's flow style, on one line.

use std::fmt::Write as _;

use serde_json::Value;

/// Writes a value as JSON that a YAML 1.1 or 1.2 reader takes for the same value.
///
/// YAML folds U+0085, U+2028 and U+2029 as line ends and refuses control characters and byte order marks; all of those
/// are written as `\u` escapes. Characters beyond U+FFFF stay themselves: YAML has no surrogate pairs.
pub(super) fn json(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                string(out, key);
                out.push_str(": ");
                write(out, member);
            }
            out.push('}');
        }
        // `null`, booleans and numbers are spelt alike in both languages.
        other => out.push_str(&other.to_string()),
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if needs_escape(c) => {
                // Every such character is in the basic plane, so four digits hold it.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn needs_escape(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        let text = "a\"b\\c\nd\u{85}e\u{2028}f\u{feff}g\u{1f600}{{x}} ${y} # z: [";
        assert_eq!(json(&json!(text)), "\"a\\\"b\\\\c\\nd\\u0085e\\u2028f\\ufeffg\u{1f600}{{x}} ${y} # z: [\"");
    }

    proptest! {
        #[test]
        fn both_languages_read_the_same_value(
            text in prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter),
            key in prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter),
            number in any::<i64>(),
        ) {
            prop_assume!(key != "x");
            let value = json!({ key: [text, number, null, true, {}] , "x": [] });
            let written = json(&value);
            prop_assert!(!written.contains('\n'));
            let as_json: Value = serde_json::from_str(&written).expect("JSON");
            prop_assert_eq!(&as_json, &value);
            let as_yaml = crate::yaml::parse_cloudformation(&format!("a: {written}\n")).expect("YAML");
            prop_assert_eq!(as_yaml.value.get("a"), Some(&value));
        }
    }
}
