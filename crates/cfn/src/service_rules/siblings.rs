//! Names that two resources of one place cannot both have.

use serde::Deserialize;
use serde_json::Value;

use super::lookup::{Found, find, literal};

/// A rule about a name that is unique within another resource, or whatever the case of its letters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SiblingRule {
    /// Its name in the table.
    pub id: String,
    /// The resource type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The property with the name.
    pub property: String,
    /// The property that names what the resource is in, where the name need not be unique beyond it.
    #[serde(default)]
    pub within: Option<String>,
    /// Whether names are the same that differ in the case of their letters.
    #[serde(default)]
    pub ignoring_case: bool,
    /// What is wrong, in a sentence, with `{name}` and `{other}`.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The service's name in the answers of its handlers.
    pub service: String,
    /// Who says so.
    pub source: String,
}

/// All rules about names.
pub fn sibling_rules() -> &'static [SiblingRule] {
    &super::rules().siblings
}

/// What two resources must not share: where they are, and the name. Nothing where only a deploy can tell.
pub fn same_sibling(rule: &SiblingRule, properties: &Value) -> Option<(String, String)> {
    let value = |path: &str| match find(properties, path) {
        Found::Value(value) => Some(value),
        _ => None,
    };
    let name = value(&rule.property).and_then(literal)?;
    let name = if rule.ignoring_case { name.to_lowercase() } else { name };
    let place = match &rule.within {
        None => String::new(),
        Some(within) => value(within)?.to_string(),
    };
    Some((place, name))
}
