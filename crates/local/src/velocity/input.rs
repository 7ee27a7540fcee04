//! What a template is given, how much it may write, and why it may fail.

use serde_json::Value as Json;

/// The largest text a template may write, in bytes: API Gateway's limit of a payload.
pub const MAX_OUTPUT: usize = 10 << 20;

/// What a template sees of a request or of an answer.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The payload as text.
    pub body: String,
    /// Path parameters.
    pub path: Vec<(String, String)>,
    /// Query-string parameters.
    pub querystring: Vec<(String, String)>,
    /// Headers.
    pub header: Vec<(String, String)>,
    /// `$context`, an object.
    pub context: Json,
    /// `$stageVariables`, an object of texts.
    pub stage_variables: Json,
}

/// Why a template could not be read or carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the template: {message}")]
pub struct VelocityError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// Whether it is the payload that is no JSON, which is its sender's fault.
    pub bad_body: bool,
}

impl VelocityError {
    pub(crate) fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), bad_body: false }
    }
}
