//! Attribute values: DynamoDB's JSON in and out, sizes, limits and comparison.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::error::DynamoDbError;
use super::number::Number;

/// The largest item, in bytes, names included. Source: quotas in the DynamoDB developer guide.
pub const LARGEST_ITEM: usize = 400 * 1024;
/// How deep lists and maps nest. Source: as above.
const DEPTH: usize = 32;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// Text.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
    /// True or false.
    Bool(bool),
    /// Null.
    Null,
    /// A list.
    L(Vec<Attribute>),
    /// A map.
    M(Item),
    /// A set of texts.
    Ss(BTreeSet<String>),
    /// A set of numbers.
    Ns(BTreeSet<Number>),
    /// A set of byte strings.
    Bs(BTreeSet<Vec<u8>>),
}

/// Attributes by name.
pub type Item = BTreeMap<String, Attribute>;

impl Attribute {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// What DynamoDB says of a value that is none.
    pub fn read(value: &Value) -> Result<Self, DynamoDbError> {
        Self::read_at(value, 0)
    }

    fn read_at(value: &Value, depth: usize) -> Result<Self, DynamoDbError> {
        if depth > DEPTH {
            return Err(DynamoDbError::invalid("Nesting Levels have exceeded supported limits"));
        }
        let Value::Object(tagged) = value else {
            return Err(DynamoDbError::unreadable("Unexpected value type in payload"));
        };
        let mut entries = tagged.iter().filter(|(_, value)| !value.is_null());
        let Some((tag, value)) = entries.next() else {
            return Err(DynamoDbError::invalid(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ));
        };
        if entries.next().is_some() {
            return Err(DynamoDbError::invalid(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
                 datatypes",
            ));
        }
        Ok(match tag.as_str() {
            "S" => Self::S(text(value)?.to_owned()),
            "N" => Self::N(number(value)?),
            "B" => Self::B(bytes(value)?),
            "BOOL" => Self::Bool(value.as_bool().ok_or_else(unexpected)?),
            "NULL" => match value.as_bool().ok_or_else(unexpected)? {
                true => Self::Null,
                false => {
                    return Err(DynamoDbError::values("Null attribute value types must have the value of true"));
                }
            },
            "L" => {
                let entries = value.as_array().ok_or_else(unexpected)?;
                Self::L(entries.iter().map(|entry| Self::read_at(entry, depth + 1)).collect::<Result<_, _>>()?)
            }
            "M" => Self::M(read_map(value, depth + 1)?),
            "SS" => Self::Ss(set(value, "string", |entry| Ok(text(entry)?.to_owned()))?),
            "NS" => Self::Ns(set(value, "number", number)?),
            "BS" => Self::Bs(set(value, "binary", bytes)?),
            _ => {
                return Err(DynamoDbError::invalid(
                    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
                ));
            }
        })
    }

    /// DynamoDB's JSON.
    pub fn json(&self) -> Value {
        match self {
            Self::S(text) => json!({ "S": text }),
            Self::N(number) => json!({ "N": number.to_string() }),
            Self::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
            Self::Bool(flag) => json!({ "BOOL": flag }),
            Self::Null => json!({ "NULL": true }),
            Self::L(entries) => json!({ "L": entries.iter().map(Self::json).collect::<Vec<_>>() }),
            Self::M(entries) => json!({ "M": item_json(entries) }),
            Self::Ss(set) => json!({ "SS": set }),
            Self::Ns(set) => json!({ "NS": set.iter().map(Number::to_string).collect::<Vec<_>>() }),
            Self::Bs(set) => json!({ "BS": set.iter().map(|bytes| STANDARD.encode(bytes)).collect::<Vec<_>>() }),
        }
    }

    /// The name of its type, such as `SS`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::L(_) => "L",
            Self::M(_) => "M",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
        }
    }

    /// Bytes it takes in an item, without its name.
    pub fn stored_size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::L(entries) => 3 + entries.iter().map(|entry| 1 + entry.stored_size()).sum::<usize>(),
            Self::M(entries) => 3 + entries.len() + item_size(entries),
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(Number::size).sum(),
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
        }
    }

    /// What the function `size` gives; none for types it does not take.
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::S(text) => Some(text.len()),
            Self::B(bytes) => Some(bytes.len()),
            Self::L(entries) => Some(entries.len()),
            Self::M(entries) => Some(entries.len()),
            Self::Ss(set) => Some(set.len()),
            Self::Ns(set) => Some(set.len()),
            Self::Bs(set) => Some(set.len()),
            Self::N(_) | Self::Bool(_) | Self::Null => None,
        }
    }

    /// The order of two values of one ordered type; none for all others.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(a), Self::S(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::N(a), Self::N(b)) => Some(a.cmp(b)),
            (Self::B(a), Self::B(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// Bytes that compare as values of its type do; none for what can't be a key.
    pub fn sortable(&self) -> Option<Vec<u8>> {
        match self {
            Self::S(text) => Some(text.as_bytes().to_vec()),
            Self::N(number) => Some(number.sortable()),
            Self::B(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

/// Reads attributes by name.
///
/// # Errors
///
/// As [`Attribute::read`].
pub fn read_item(value: &Value) -> Result<Item, DynamoDbError> {
    read_map(value, 0)
}

fn read_map(value: &Value, depth: usize) -> Result<Item, DynamoDbError> {
    let Value::Object(entries) = value else { return Err(unexpected()) };
    entries.iter().map(|(name, value)| Ok((name.clone(), Attribute::read_at(value, depth)?))).collect()
}

/// Attributes by name in DynamoDB's JSON.
pub fn item_json(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), value.json())).collect::<Map<_, _>>())
}

/// Bytes of names and values.
pub fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.stored_size()).sum()
}

fn unexpected() -> DynamoDbError {
    DynamoDbError::unreadable("Unexpected value type in payload")
}

fn text(value: &Value) -> Result<&str, DynamoDbError> {
    value.as_str().ok_or_else(|| DynamoDbError::unreadable("NUMBER_VALUE cannot be converted to String"))
}

fn number(value: &Value) -> Result<Number, DynamoDbError> {
    Number::parse(text(value)?).map_err(DynamoDbError::invalid)
}

fn bytes(value: &Value) -> Result<Vec<u8>, DynamoDbError> {
    STANDARD
        .decode(text(value)?)
        .map_err(|_| DynamoDbError::unreadable("Base64 encoded length is unexpected or not Base64"))
}

fn set<T: Ord>(
    value: &Value,
    kind: &str,
    entry: impl Fn(&Value) -> Result<T, DynamoDbError>,
) -> Result<BTreeSet<T>, DynamoDbError> {
    let entries = value.as_array().ok_or_else(unexpected)?;
    if entries.is_empty() {
        return Err(DynamoDbError::values(format!("An {kind} set  may not be empty")));
    }
    let mut set = BTreeSet::new();
    for value in entries {
        if !set.insert(entry(value)?) {
            let all: Vec<String> =
                entries.iter().map(|entry| entry.as_str().map_or_else(|| entry.to_string(), str::to_owned)).collect();
            return Err(DynamoDbError::values(format!("Input collection [{}] contains duplicates.", all.join(", "))));
        }
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_as_it_was_given() {
        for value in [
            json!({"S": ""}),
            json!({"N": "1.5"}),
            json!({"B": "AAE="}),
            json!({"BOOL": false}),
            json!({"NULL": true}),
            json!({"L": [{"S": "a"}, {"L": []}]}),
            json!({"M": {"a": {"M": {}}}}),
            json!({"SS": ["a", "b"]}),
            json!({"NS": ["-1", "2"]}),
            json!({"BS": ["AA==", "AQ=="]}),
        ] {
            assert_eq!(Attribute::read(&value).expect("a value").json(), value);
        }
    }

    #[test]
    fn sets_are_equal_in_any_order_and_numbers_in_any_notation() {
        let read = |value: Value| Attribute::read(&value).expect("a value");
        assert_eq!(read(json!({"SS": ["a", "b"]})), read(json!({"SS": ["b", "a"]})));
        assert_eq!(read(json!({"N": "1.0"})), read(json!({"N": "1"})));
        assert_ne!(read(json!({"N": "1"})), read(json!({"S": "1"})));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let mut deep = json!({"S": "a"});
        for _ in 0..40 {
            deep = json!({ "L": [deep] });
        }
        for (value, code) in [
            (json!({}), "ValidationException"),
            (json!({"S": "a", "N": "1"}), "ValidationException"),
            (json!({"X": "a"}), "ValidationException"),
            (json!({"SS": []}), "ValidationException"),
            (json!({"SS": ["a", "a"]}), "ValidationException"),
            (json!({"NS": ["1", "1.0"]}), "ValidationException"),
            (json!({"NULL": false}), "ValidationException"),
            (json!({"N": 1}), "SerializationException"),
            (json!({"B": "*"}), "SerializationException"),
            (json!("a"), "SerializationException"),
            (deep, "ValidationException"),
        ] {
            assert_eq!(Attribute::read(&value).expect_err("no value").code, code, "{value}");
        }
    }
}
