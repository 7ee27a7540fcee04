//! The awsJson1_1 API: targets in, answers and errors out.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use rusqlite::Connection;
use s3s::Body;
use serde_json::{Map, Value};

use super::{operations, read};
use crate::local::Host;
use crate::local::errors::ApiError;

/// What targets begin with.
const TARGET: &str = "Logs_20140328.";

/// One request, read.
#[derive(Debug)]
pub(super) struct Asked {
    pub region: String,
    pub body: Map<String, Value>,
    /// Milliseconds since 1970.
    pub now: i64,
}

type Operation = fn(&Connection, &Asked) -> Result<Value, ApiError>;

/// The operations: whether each writes.
const OPERATIONS: &[(&str, bool, Operation)] = &[
    ("CreateLogGroup", true, operations::create_group),
    ("CreateLogStream", true, operations::create_stream),
    ("DeleteLogGroup", true, operations::delete_group),
    ("DescribeLogGroups", false, operations::describe_groups),
    ("DescribeLogStreams", false, operations::describe_streams),
    ("FilterLogEvents", false, read::filter),
    ("GetLogEvents", false, read::get),
    ("PutLogEvents", true, operations::put_events),
    ("PutRetentionPolicy", true, operations::put_retention),
];

/// CloudWatch Logs for the server.
#[derive(Debug)]
pub struct Front {
    host: Arc<Host>,
}

impl Front {
    /// Over what the services share.
    pub fn new(host: Arc<Host>) -> Self {
        Self { host }
    }

    /// Answers one request.
    ///
    /// # Errors
    ///
    /// What the service refuses.
    pub async fn answer(&self, headers: &HeaderMap, body: &[u8], region: String) -> Result<Response<Body>, ApiError> {
        let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let name = target.strip_prefix(TARGET).unwrap_or(target);
        let Some((_, writes, operation)) = OPERATIONS.iter().find(|(known, ..)| *known == name) else {
            return Err(ApiError::not_implemented("logs", name));
        };
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
            return Err(ApiError::sender("SerializationException", "The request body is not a JSON object"));
        };
        let asked = Asked { region, body, now: self.host.clock.now().as_millisecond() };
        let operation = *operation;
        let answer = if *writes {
            self.host.store.write(move |tx| operation(tx, &asked)).await?
        } else {
            self.host.store.read(move |tx| operation(tx, &asked)).await?
        };
        // Operations without output answer with an empty body.
        let bytes = if answer.is_null() { Vec::new() } else { answer.to_string().into_bytes() };
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = StatusCode::OK;
        let kind = HeaderValue::from_static("application/x-amz-json-1.1");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(response)
    }
}
