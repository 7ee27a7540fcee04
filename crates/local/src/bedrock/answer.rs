//! One request as operations see it, and what they answer.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::ground::ApiError;
use crate::ground::sources;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct BedrockRequest {
    /// The region of its signature.
    pub region: String,
    /// The values in its path.
    pub labels: BTreeMap<String, String>,
    /// The values in its query.
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    /// As it came.
    pub bytes: Bytes,
    /// As JSON; an empty object when it is none.
    pub body: Value,
    /// When it came.
    pub now: jiff::Timestamp,
}

impl BedrockRequest {
    /// A value of the path.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A text of the body.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }

    /// When it came, as AWS writes it.
    pub fn stamp(&self) -> String {
        stamp(self.now)
    }
}

/// A time as AWS writes it.
pub(super) fn stamp(time: jiff::Timestamp) -> String {
    sources::stamp(time)
}

/// What an operation answers.
#[derive(Debug)]
pub(super) enum BedrockAnswer {
    /// A document.
    Json(Value),
    /// A body of another type, with headers.
    Bytes { body: Vec<u8>, headers: Vec<(&'static str, String)> },
    /// An event stream, with headers.
    Events { frames: Vec<u8>, headers: Vec<(&'static str, String)> },
}

pub(super) type BedrockResult = Result<BedrockAnswer, ApiError>;

/// `ValidationException`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("ValidationException", message)
}

/// `ResourceNotFoundException`.
pub(super) fn missing(message: impl Into<String>) -> ApiError {
    ApiError::sender("ResourceNotFoundException", message).with_status(StatusCode::NOT_FOUND)
}

/// `ConflictException`.
pub(super) fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::sender("ConflictException", message).with_status(StatusCode::CONFLICT)
}

/// CloudFormation's properties under the names of the API: the first letter of every key is small.
pub(super) fn api_names(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(name, value)| (small(name), api_names(value))).collect::<Map<String, Value>>(),
        ),
        Value::Array(entries) => Value::Array(entries.iter().map(api_names).collect()),
        other => other.clone(),
    }
}

fn small(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// A page of a list: as many as `maxResults` says, from where `nextToken` says; in body or query.
pub(super) fn page(call: &BedrockRequest, name: &str, all: Vec<Value>) -> Result<BedrockAnswer, ApiError> {
    let given = |name: &str| match call.body.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => call.query.get(name).cloned(),
    };
    let from = match given("nextToken") {
        Some(token) => token.parse::<usize>().map_err(|_| invalid("The provided token is not valid"))?,
        None => 0,
    };
    let most = given("maxResults").and_then(|text| text.parse::<usize>().ok()).unwrap_or(1000).max(1);
    let rest = all.len().saturating_sub(from);
    let items: Vec<Value> = all.into_iter().skip(from).take(most).collect();
    let mut answer = json!({ name: items });
    if rest > most
        && let Some(answer) = answer.as_object_mut()
    {
        answer.insert("nextToken".to_owned(), json!((from + most).to_string()));
    }
    Ok(BedrockAnswer::Json(answer))
}

/// Removes what is null, as AWS leaves out what is not set.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name, without_nulls(value)))
                .collect(),
        ),
        Value::Array(entries) => Value::Array(entries.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
