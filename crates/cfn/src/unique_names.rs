//! Names that two resources cannot share, `schemas/unique-names.json`, beside the identifiers of the provider schemas.

use std::sync::LazyLock;

use serde::Deserialize;

/// What is unique of a type whose id the service makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UniqueName {
    /// The resource type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The properties that are unique together; the last is the name.
    pub properties: Vec<String>,
    /// The service as its refusals name it.
    pub service: String,
    /// The status of its refusal.
    pub status: u16,
    /// The words of its refusal, with `${Name}`.
    pub refusal: String,
    /// Where this was read.
    pub source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct UniqueNameTable {
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "as-of")]
    _as_of: String,
    names: Vec<UniqueName>,
}

static TABLE: LazyLock<UniqueNameTable> = LazyLock::new(|| {
    // The file is in the binary, and a test reads it.
    serde_json::from_str(include_str!("../../../schemas/unique-names.json")).unwrap_or_default()
});

/// What is unique of a type, where its identifier does not say it.
pub fn unique_name(type_: &str) -> Option<&'static UniqueName> {
    TABLE.names.iter().find(|name| name.type_ == type_)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_is_one_of_its_type() {
        assert!(!TABLE.names.is_empty());
        for name in &TABLE.names {
            let schema = crate::Schemas::embedded().get(&name.type_).expect("a type");
            for property in &name.properties {
                assert!(schema.property(property).is_some(), "{property} of {}", name.type_);
            }
        }
    }
}
