//! What needs more than a general yes, as data.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::finding::Place;

/// The kinds of risk, in the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RiskKind {
    /// Data is deleted.
    DataLoss,
    /// Something that holds data is replaced, or perhaps: another one, without the data, takes its place.
    Replacement,
    /// Something may do what it may not do now.
    Rights,
    /// Anyone can reach what they cannot reach now.
    Public,
}

impl RiskKind {
    /// Its name on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            RiskKind::DataLoss => "data-loss",
            RiskKind::Replacement => "replacement",
            RiskKind::Rights => "rights",
            RiskKind::Public => "public",
        }
    }
}

impl fmt::Display for RiskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that needs more than a general yes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Risk {
    /// Of which kind it is.
    pub kind: RiskKind,
    /// The logical id, or the component whose content it is about.
    pub resource: String,
    /// The resource's type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The physical id, when it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical: Option<String>,
    /// Where in the spec it comes from, as a JSON pointer; none for what the spec no longer has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The same as a line.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing, default)]
    pub place: Option<Place>,
    /// What would happen, as a sentence that begins with the resource.
    pub reason: String,
}
