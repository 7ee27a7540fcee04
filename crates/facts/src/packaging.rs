//! Properties in which a template may name a local file or folder.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;

/// What stands in the place of a local path once it is packaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressForm {
    /// The text `s3://BUCKET/KEY`.
    Text,
    /// An object with a property for the bucket and one for the key.
    Object,
    /// The URL of a template, which is packaged itself.
    Template,
}

/// A property that may hold a local path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PackagedProperty {
    /// The resource type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The property; a dot between it and one inside it.
    pub property: String,
    /// What stands in its place.
    pub form: AddressForm,
    /// Whether a file that is no zip becomes one.
    #[serde(default)]
    pub zip: bool,
    /// Of an object, the property that names the bucket.
    #[serde(default)]
    pub bucket: String,
    /// Of an object, the property that names the key.
    #[serde(default)]
    pub key: String,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PackagedProperties {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// Where this was read.
    pub source: String,
    /// The properties.
    pub properties: Vec<PackagedProperty>,
}

/// The table, read once.
pub fn packaged_properties() -> &'static PackagedProperties {
    static TABLE: LazyLock<PackagedProperties> =
        LazyLock::new(|| super::embedded("packaging.json", include_str!("../../../schemas/packaging.json")));
    &TABLE
}

impl PackagedProperties {
    /// The properties of a type that may hold a local path.
    pub fn of(&self, resource_type: &str) -> impl Iterator<Item = &PackagedProperty> {
        self.properties.iter().filter(move |row| row.type_ == resource_type)
    }
}
