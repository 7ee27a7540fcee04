//! How a smoke test ended, as data.

use std::time::Duration;

use serde::Serialize;

use crate::engine::seconds::seconds;
use crate::finding::Place;

/// How a smoke test ended.
#[derive(Debug, Clone, Serialize)]
pub struct SmokeResult {
    /// As the spec has it.
    pub name: String,
    /// Whether what came back was what is expected.
    pub ok: bool,
    /// What was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Seconds until the answer, or until none was waited for any more.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Where the spec says what was not met, or where the test is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}
