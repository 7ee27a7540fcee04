//! Parameters.

use schemars::JsonSchema;
use serde::Deserialize;

/// A value asked for at deploy time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Parameter {
    /// What kind of value it takes.
    #[serde(default)]
    pub r#type: ParameterType,
    /// What it is for.
    #[schemars(example = &"Who is notified of alarms")]
    pub description: Option<String>,
    /// Used when none is given.
    #[schemars(example = &"ops@example.com")]
    pub default: Option<String>,
    /// The only values allowed.
    #[serde(default)]
    #[schemars(extend("examples" = [["small", "large"]]))]
    pub allowed: Vec<String>,
    /// A regular expression the value must match.
    #[schemars(example = &"[a-z0-9-]+")]
    pub pattern: Option<String>,
    /// Never shown again once given.
    #[serde(default)]
    pub secret: bool,
}

/// The kind of a parameter's value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterType {
    /// Any text.
    #[default]
    String,
    /// A number.
    Number,
    /// Texts separated by commas.
    List,
}
