//! The shape of a value: the part of JSON Schema the provider schemas use.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A set of JSON types; empty means any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Types(u8);

impl Types {
    /// Text.
    pub const STRING: Self = Self(1);
    /// A whole number.
    pub const INTEGER: Self = Self(2);
    /// A number.
    pub const NUMBER: Self = Self(4);
    /// True or false.
    pub const BOOLEAN: Self = Self(8);
    /// A list.
    pub const ARRAY: Self = Self(16);
    /// A mapping.
    pub const OBJECT: Self = Self(32);
    /// Nothing.
    pub const NULL: Self = Self(64);
    /// Everything that CloudFormation turns into each other: text, numbers, true and false.
    pub const SCALAR: Self = Self(15);

    const NAMES: [(&'static str, &'static str, Self); 7] = [
        ("string", "text", Self::STRING),
        ("integer", "a whole number", Self::INTEGER),
        ("number", "a number", Self::NUMBER),
        ("boolean", "true or false", Self::BOOLEAN),
        ("array", "a list", Self::ARRAY),
        ("object", "a mapping", Self::OBJECT),
        ("null", "nothing", Self::NULL),
    ];

    /// Whether it says nothing about the type.
    pub fn is_any(self) -> bool {
        self.0 == 0
    }

    /// Whether both have a type in common, or one of them says nothing.
    pub fn meets(self, other: Self) -> bool {
        self.is_any() || other.is_any() || self.0 & other.0 != 0
    }

    /// Whether it names this type.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(own, ..)| *own == name).map(|(.., types)| *types)
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            Self::NAMES.iter().filter(|(.., types)| self.has(*types)).map(|(_, words, _)| *words).collect();
        match names.split_last() {
            None => f.write_str("anything"),
            Some((last, [])) => f.write_str(last),
            Some((last, rest)) => write!(f, "{} or {last}", rest.join(", ")),
        }
    }
}

impl<'de> Deserialize<'de> for Types {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Types;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a JSON type, or a list of them")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Types, E> {
                Types::of(name).ok_or_else(|| E::custom(format!("unknown type {name}")))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Types, A::Error> {
                let mut all = Types::default();
                while let Some(Types(one)) = names.next_element()? {
                    all.0 |= one;
                }
                Ok(all)
            }
        }
        deserializer.deserialize_any(Names)
    }
}

/// What a mapping may hold beyond the properties its shape names.
#[derive(Debug, Clone, Default)]
pub enum Extra {
    /// Anything.
    #[default]
    Any,
    /// Nothing.
    None,
    /// Values of a shape.
    Shaped(Box<Shape>),
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rule;
        impl<'de> Visitor<'de> for Rule {
            type Value = Extra;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a shape")
            }
            fn visit_bool<E: de::Error>(self, any: bool) -> Result<Extra, E> {
                Ok(if any { Extra::Any } else { Extra::None })
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Extra, A::Error> {
                Shape::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(|shape| Extra::Shaped(Box::new(shape)))
            }
        }
        deserializer.deserialize_any(Rule)
    }
}

/// The shape of a value. A field that is empty asks for nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Shape {
    /// The shared shape this one also is: a definition's name, or `.Name` for a property of the resource.
    #[serde(rename = "$ref")]
    pub reference: Option<Box<str>>,
    /// The JSON types it may have.
    #[serde(rename = "type")]
    pub types: Types,
    /// The members of a mapping.
    pub properties: BTreeMap<Box<str>, Shape>,
    /// Members whose names match a pattern.
    pub pattern_properties: BTreeMap<Box<str>, Shape>,
    /// Members beyond those.
    pub additional_properties: Extra,
    /// Members that must be there.
    pub required: Vec<Box<str>>,
    /// Exactly one of these must be there.
    pub required_xor: Vec<Box<str>>,
    /// At least one of these must be there.
    pub required_or: Vec<Box<str>>,
    /// Where the key is there, the others must be too.
    pub dependent_required: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// Where the key is there, the others must not be.
    pub dependent_excluded: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// Where the key is there, the whole must have the shape.
    pub dependent_shapes: BTreeMap<Box<str>, Shape>,
    /// The entries of a list.
    pub items: Option<Box<Shape>>,
    /// The first entries of a list, one by one.
    pub prefix_items: Vec<Shape>,
    /// The values there are.
    #[serde(rename = "enum")]
    pub choices: Vec<Value>,
    /// The texts there are, in any case.
    pub enum_case_insensitive: Vec<Box<str>>,
    /// The one value.
    #[serde(rename = "const")]
    pub constant: Option<Value>,
    /// A pattern somewhere in the text, as ECMA-262 or Java write it.
    pub pattern: Option<Box<str>>,
    /// What kind of text it is, such as `AWS::IAM::Role.Arn`.
    pub format: Option<Box<str>>,
    /// Least characters.
    pub min_length: Option<u64>,
    /// Most characters.
    pub max_length: Option<u64>,
    /// Smallest number.
    pub minimum: Option<f64>,
    /// Largest number.
    pub maximum: Option<f64>,
    /// Numbers are larger.
    pub exclusive_minimum: Option<f64>,
    /// Numbers are smaller.
    pub exclusive_maximum: Option<f64>,
    /// Numbers are multiples.
    pub multiple_of: Option<f64>,
    /// Least entries of a list.
    pub min_items: Option<u64>,
    /// Most entries of a list.
    pub max_items: Option<u64>,
    /// No two entries are equal.
    pub unique_items: bool,
    /// No two entries have the same values at these members.
    pub unique_keys: Vec<Box<str>>,
    /// Least members of a mapping.
    pub min_properties: Option<u64>,
    /// Most members of a mapping.
    pub max_properties: Option<u64>,
    /// Exactly one of these shapes.
    pub one_of: Vec<Shape>,
    /// At least one of these shapes.
    pub any_of: Vec<Shape>,
    /// All of these shapes.
    pub all_of: Vec<Shape>,
    /// Not this shape.
    pub not: Option<Box<Shape>>,
    /// If it has this shape …
    #[serde(rename = "if")]
    pub condition: Option<Box<Shape>>,
    /// … it has this one too,
    pub then: Option<Box<Shape>>,
    /// and else this one.
    #[serde(rename = "else")]
    pub otherwise: Option<Box<Shape>>,
}
