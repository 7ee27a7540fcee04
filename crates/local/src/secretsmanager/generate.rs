//! Values made at random, by `GenerateSecretString` of a template.
//!
//! Source: CloudFormation resource reference, `AWS::SecretsManager::Secret GenerateSecretString`.

use rand::Rng as _;
use rand::seq::SliceRandom as _;
use serde_json::{Map, Value};

use crate::ground::scalar::text;

/// Characters of a value unless the template says.
const LENGTH: usize = 32;
/// The longest value.
const LONGEST: usize = 4096;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Draws a value; a refusal is in the service's words as far as they are known.
///
/// # Errors
///
/// A length that is none, no characters left to draw from, or a template that is no JSON object.
pub fn value(wanted: &Value) -> Result<String, String> {
    let drawn = draw(wanted)?;
    let (template, key) = (text(wanted, "SecretStringTemplate"), text(wanted, "GenerateStringKey"));
    match (template, key) {
        (None, None) => Ok(drawn),
        (Some(template), Some(key)) => {
            let mut object: Map<String, Value> = serde_json::from_str(&template)
                .map_err(|_| "Could not parse SecretStringTemplate JSON. Verify that the JSON is valid.".to_owned())?;
            object.insert(key, Value::String(drawn));
            Ok(Value::Object(object).to_string())
        }
        _ => Err("You must specify both SecretStringTemplate and GenerateStringKey, or neither of them.".to_owned()),
    }
}

fn draw(wanted: &Value) -> Result<String, String> {
    let flag = |name: &str| text(wanted, name).as_deref() == Some("true");
    let length = match text(wanted, "PasswordLength") {
        None => LENGTH,
        Some(length) => length
            .parse()
            .ok()
            .filter(|length| (1..=LONGEST).contains(length))
            .ok_or_else(|| format!("PasswordLength must be between 1 and {LONGEST}"))?,
    };
    let excluded = text(wanted, "ExcludeCharacters").unwrap_or_default();
    let kinds = [
        ("ExcludeLowercase", LOWER),
        ("ExcludeUppercase", UPPER),
        ("ExcludeNumbers", DIGITS),
        ("ExcludePunctuation", PUNCTUATION),
    ];
    let mut kinds: Vec<Vec<char>> = kinds
        .into_iter()
        .filter(|(exclude, _)| !flag(exclude))
        .map(|(_, all)| all.chars().filter(|c| !excluded.contains(*c)).collect())
        .collect();
    if flag("IncludeSpace") && !excluded.contains(' ') {
        kinds.push(vec![' ']);
    }
    kinds.retain(|kind: &Vec<char>| !kind.is_empty());
    let all: Vec<char> = kinds.concat();
    if all.is_empty() {
        return Err("The password cannot be generated: every character is excluded.".to_owned());
    }
    let each = text(wanted, "RequireEachIncludedType").as_deref() != Some("false");
    if each && length < kinds.len() {
        return Err(format!("PasswordLength must be at least {} to hold each included type", kinds.len()));
    }
    let mut rng = rand::rng();
    let mut pick = |from: &[char]| from.get(rng.random_range(0..from.len())).copied();
    let mut drawn: Vec<char> = if each { kinds.iter().filter_map(|kind| pick(kind)).collect() } else { Vec::new() };
    while drawn.len() < length {
        drawn.extend(pick(&all));
    }
    drawn.shuffle(&mut rand::rng());
    Ok(drawn.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_has_the_length_and_the_kinds_asked_for() {
        for _ in 0..50 {
            let plain = value(&json!({})).expect("a value");
            assert_eq!(plain.chars().count(), 32);
            for kind in [LOWER, UPPER, DIGITS, PUNCTUATION] {
                assert!(plain.contains(|c| kind.contains(c)), "{plain} has none of {kind}");
            }
            let short = value(&json!({ "PasswordLength": "4", "ExcludeCharacters": "abc" })).expect("a value");
            assert_eq!(short.len(), 4);
            assert!(!short.contains(['a', 'b', 'c']));
        }
        let digits = json!({ "PasswordLength": 9, "ExcludeLowercase": true, "ExcludeUppercase": true,
                             "ExcludePunctuation": true });
        assert!(value(&digits).expect("a value").chars().all(|c| c.is_ascii_digit()));
    }

    #[test]
    fn a_template_takes_the_value_in() {
        let wanted = json!({ "SecretStringTemplate": "{\"user\":\"admin\"}", "GenerateStringKey": "password" });
        let made: Value = serde_json::from_str(&value(&wanted).expect("a value")).expect("JSON");
        assert_eq!(made["user"], "admin");
        assert_eq!(made["password"].as_str().map(str::len), Some(32));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        for (wanted, words) in [
            (json!({ "PasswordLength": 0 }), "between 1 and 4096"),
            (json!({ "PasswordLength": 3 }), "at least 4"),
            (json!({ "GenerateStringKey": "x" }), "both"),
            (json!({ "GenerateStringKey": "x", "SecretStringTemplate": "[]" }), "parse"),
            (
                json!({ "ExcludeLowercase": true, "ExcludeUppercase": true, "ExcludeNumbers": true,
                        "ExcludePunctuation": true }),
                "excluded",
            ),
        ] {
            let refusal = value(&wanted).expect_err("refused");
            assert!(refusal.contains(words), "{refusal}");
        }
    }
}
