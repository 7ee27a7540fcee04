//! What opens something to anyone.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;

/// A property whose value opens something to anyone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OpenSetting {
    /// The resource type; none: any.
    #[serde(rename = "type")]
    pub type_: Option<String>,
    /// The property, at any depth.
    pub property: String,
    /// The value; a truth value as a word.
    pub value: String,
    /// What it means, as a clause.
    pub means: String,
    /// Whether it is inside a policy that is written as JSON text, which no provider schema describes.
    #[serde(default)]
    pub in_text: bool,
    /// Where this was read.
    pub source: String,
}

/// A resource type and where what is said of it was read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SourcedType {
    /// The resource type.
    #[serde(rename = "type")]
    pub type_: String,
    /// Where this was read.
    pub source: String,
}

/// A condition key that leaves only some of all principals.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NarrowingKey {
    /// The key, in small letters.
    pub key: String,
    /// Where this was read.
    pub source: String,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exposures {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// Settings that open something.
    pub settings: Vec<OpenSetting>,
    /// Types that are open by being there.
    pub by_nature: Vec<SourcedType>,
    /// Condition keys that narrow who gets in.
    pub narrowing_keys: Vec<NarrowingKey>,
    /// Types whose policies limit what passes through them, and open nothing.
    pub filters: Vec<SourcedType>,
}

/// The table, read once.
pub fn exposures() -> &'static Exposures {
    static EXPOSURES: LazyLock<Exposures> =
        LazyLock::new(|| super::embedded("exposures.json", include_str!("../../../schemas/exposures.json")));
    &EXPOSURES
}

impl Exposures {
    /// Whether resources of a type are open by being there.
    pub fn is_open_by_nature(&self, resource_type: &str) -> bool {
        self.by_nature.iter().any(|row| row.type_ == resource_type)
    }

    /// Whether policies of a type open nothing.
    pub fn is_filter(&self, resource_type: &str) -> bool {
        self.filters.iter().any(|row| row.type_ == resource_type)
    }

    /// Whether a condition key, in small letters, leaves only some of all principals.
    pub fn narrows(&self, key: &str) -> bool {
        self.narrowing_keys.iter().any(|row| row.key == key)
    }

    /// The settings of a type by a property.
    pub fn settings_of<'a>(
        &'a self,
        resource_type: &'a str,
        property: &'a str,
    ) -> impl Iterator<Item = &'a OpenSetting> + 'a {
        let fits = move |row: &&OpenSetting| {
            row.property == property && row.type_.as_deref().is_none_or(|type_| type_ == resource_type)
        };
        self.settings.iter().filter(fits)
    }
}
