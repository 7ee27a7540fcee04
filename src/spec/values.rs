//! Small values an author writes with a unit: `7d`, `60s`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A whole number of days, written `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(pub u32);

/// A whole number of seconds, written `60s`, `5m` or `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u32);

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.strip_suffix('d').and_then(|digits| whole(digits));
        number.map(Days).ok_or_else(|| D::Error::custom(format!("`{text}` is not a number of days such as `7d`")))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let seconds = [('s', 1), ('m', 60), ('h', 3600)]
            .iter()
            .find_map(|(unit, factor)| text.strip_suffix(*unit).and_then(whole)?.checked_mul(*factor));
        seconds
            .map(Seconds)
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
        json_schema!({ "type": "string", "pattern": "^[0-9]+d$", "examples": ["7d"] })
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+[smh]$", "examples": ["60s", "5m"] })
    }
}
