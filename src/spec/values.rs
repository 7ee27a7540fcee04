//! Small values an author writes with a unit: `7d`, `60s`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A whole number of days, written `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(pub u32);

/// A whole number of seconds, written `60s`, `5m` or `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u32);

impl Days {
    fn parse(text: &str) -> Option<Self> {
        text.strip_suffix('d').and_then(whole).map(Days)
    }
}

impl Seconds {
    fn parse(text: &str) -> Option<Self> {
        [('s', 1), ('m', 60), ('h', 3600)]
            .iter()
            .find_map(|(unit, factor)| text.strip_suffix(*unit).and_then(whole)?.checked_mul(*factor))
            .map(Seconds)
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}d", self.0)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            hours if hours > 0 && hours % 3600 == 0 => write!(f, "{}h", hours / 3600),
            minutes if minutes > 0 && minutes % 60 == 0 => write!(f, "{}m", minutes / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Days::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is not a number of days such as `7d`")))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Seconds::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a duration such as `60s`, `5m` or `1h`")))
    }
}

/// Reads digits and nothing else: no sign, no space, no underscore.
fn whole(digits: &str) -> Option<u32> {
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

impl JsonSchema for Days {
    fn schema_name() -> Cow<'static, str> {
        "Days".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+d$",
            "description": "A whole number of days.",
            "examples": ["7d"],
            "x-unit": "a number of days",
        })
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+[smh]$",
            "description": "A whole number of seconds, minutes or hours.",
            "examples": ["60s", "5m"],
            "x-unit": "a duration",
        })
    }
}

/// Whether a text decodes as the unit its schema (one of the two above) names.
pub(super) fn has_unit(text: &str, schema: &Value) -> bool {
    match schema.get("x-unit").and_then(Value::as_str) {
        Some("a number of days") => Days::parse(text).is_some(),
        _ => Seconds::parse(text).is_some(),
    }
}
