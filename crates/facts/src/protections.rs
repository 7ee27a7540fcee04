//! Settings that are data, or that protect data.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;

/// A property that is the data of its resource: another value replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReplacedValue {
    /// The resource type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The top-level property.
    pub property: String,
    /// What another value means, as a clause.
    pub means: String,
    /// Where this was read.
    pub source: String,
}

/// A setting that protects data while it has one value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Protection {
    /// The resource type; none: any.
    #[serde(rename = "type")]
    pub type_: Option<String>,
    /// The property; inside others by dots, `*` for each entry of a list.
    pub at: String,
    /// The value that protects; a truth value as a word.
    pub on: String,
    /// Whether it protects where it is not set.
    #[serde(default)]
    pub by_default: bool,
    /// What its end means, as a clause.
    pub means: String,
    /// Where this was read.
    pub source: String,
}

/// A time in which a deletion can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DeletionWindow {
    /// The resource type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The top-level property.
    pub property: String,
    /// How long it is where the property is not set.
    pub absent: u64,
    /// The unit, in the plural.
    pub unit: String,
    /// Where this was read.
    pub source: String,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Protections {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// Properties that are data.
    pub replaced: Vec<ReplacedValue>,
    /// Settings that protect data.
    pub protections: Vec<Protection>,
    /// Times in which a deletion can be taken back.
    pub windows: Vec<DeletionWindow>,
}

/// The table, read once.
pub fn protections() -> &'static Protections {
    static PROTECTIONS: LazyLock<Protections> =
        LazyLock::new(|| super::embedded("protections.json", include_str!("../../../schemas/protections.json")));
    &PROTECTIONS
}
