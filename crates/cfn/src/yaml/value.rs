//! The second pass: values, through serde_yaml, straight into JSON values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::{YamlError, YamlErrorKind};
use super::{Dialect, tags};

/// Marks an error that is ours, not the parser's, in the text that passes through serde_yaml.
const OURS: &str = "\u{1}";

/// Reads the values of a text that the first pass has found safe.
pub(super) fn read(text: &str, dialect: Dialect) -> Result<Value, YamlError> {
    Seed { dialect }.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| translate(&error))
}

fn translate(error: &serde_yaml::Error) -> YamlError {
    let place = error.location().map_or((1, 1), |location| (location.line(), location.column()));
    let text = error.to_string();
    // serde_yaml puts the path before a message and the place after it; both are said elsewhere.
    let bare = match text.rfind(" at line ") {
        Some(end) => text.get(..end).unwrap_or(&text),
        None => &text,
    };
    if let Some((_, ours)) = bare.split_once(OURS) {
        let (message, help) = ours.split_once(OURS).unwrap_or((ours, ""));
        let problem = YamlError::new(YamlErrorKind::Unsupported, place, message);
        return if help.is_empty() { problem } else { problem.help(help) };
    }
    if bare.contains("as i128") || bare.contains("as u128") {
        return YamlError::new(YamlErrorKind::Unsupported, place, "the number is too large")
            .help("put it in quotes to have it as text");
    }
    if bare.contains("recursion limit") {
        return YamlError::new(YamlErrorKind::TooDeep, place, "the document is nested too deep");
    }
    if bare.contains("repetition limit") {
        return YamlError::new(YamlErrorKind::TooDeep, place, "the document's aliases expand too far");
    }
    YamlError::new(YamlErrorKind::Syntax, place, format!("this is not valid YAML: {bare}"))
        .help("check the indentation and the quotes here and on the line above")
}

fn ours<E: Error>(message: impl fmt::Display, help: &str) -> E {
    E::custom(format!("{OURS}{message}{OURS}{help}"))
}

/// Reads any value.
#[derive(Clone, Copy)]
struct Seed {
    dialect: Dialect,
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| ours("`.nan` and `.inf` are not valid values", "put it in quotes if it is text"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key { dialect: self.dialect })? {
            let value = entries.next_value_seed(self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let (tag, variant) = access.variant::<String>()?;
        let value = variant.newtype_variant_seed(self)?;
        match self.dialect {
            Dialect::CloudFormation => Ok(tags::long_form(&tag, value)),
            Dialect::Plain => Err(ours(format_args!("the tag `{tag}` has no place here"), "")),
        }
    }
}

/// Reads a key.
#[derive(Clone, Copy)]
struct Key {
    dialect: Dialect,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        match self.dialect {
            // An account id or a port as a key is text, exactly as written.
            Dialect::CloudFormation => deserializer.deserialize_str(self),
            Dialect::Plain => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text key")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<String, E> {
        Ok(value)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<String, E> {
        Err(not_text(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<String, E> {
        Err(not_text(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<String, E> {
        Err(not_text(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<String, E> {
        Err(not_text(value))
    }

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        Err(ours("a key is missing before the `:`", "write the key, in quotes if it is meant to be `null` or `~`"))
    }
}

fn not_text<E: Error>(value: impl fmt::Display) -> E {
    ours(format_args!("the key `{value}` is not text"), &format!("write it in quotes: `\"{value}\"`"))
}
