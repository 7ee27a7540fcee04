//! An answer on its way back.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use s3s::Body;
use serde_json::{Value, json};

/// The header that says what is at fault.
const REASON: &str = "x-bedplate-reason";

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// The status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// An answer without anything in it.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// An answer of JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status).with("content-type", "application/json").body(body.to_string())
    }

    /// An answer of API Gateway's own: a message, and the kind of error.
    pub fn message(status: u16, kind: &str, message: &str) -> Self {
        Self::json(status, &json!({ "message": message })).with("x-amzn-errortype", kind)
    }

    /// What the local target does not simulate, refused by name.
    pub fn not_simulated(what: &str) -> Self {
        let message = format!("The local target does not simulate {what}; deploy to AWS or another endpoint for it");
        let mut reply = Self::message(501, "NotImplemented", &message);
        reply.explain(&message);
        reply
    }

    /// The same with a header, which replaces one of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a header.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Says in a header of our own what is at fault, which AWS would write into a log.
    pub fn explain(&mut self, reason: &str) {
        let visible: String = reason.chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).take(2_000).collect();
        self.set(REASON, visible.trim());
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The answer as HTTP has it; headers that HTTP can't carry are left out.
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        for (name, value) in self.headers {
            // How long the body is, and how it is framed, is for whoever sends it to say.
            if matches!(&*name.to_ascii_lowercase(), "content-length" | "transfer-encoding" | "connection") {
                continue;
            }
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
