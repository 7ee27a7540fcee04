//! A request to a service, read once. What it is decided by and what carries it out is the same [`ServiceCall`]: nothing
//! looks at the bytes again, so that nobody is let in for one thing and does another. S3, whose bodies are streams, reads
//! its own requests.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use s3s::Body;
use serde_json::{Map, Value};

use super::services::JSON_SERVICES;
use crate::ground::ApiError;
use crate::ground::body::{decoded, read_at_most};
use crate::protocol::aws_json::JsonService;
use crate::protocol::errors::{Protocol, operation_name};
use crate::protocol::query::Params;
use crate::{bedrock, lambda};

/// The largest form, in bytes: a template of 1 MiB whose every byte is escaped, and some room.
pub(super) const MAX_FORM: usize = 4 << 20;

/// The largest body of all other services, in bytes: code of 50 MB for a function, in Base64.
const LARGEST: usize = 80 << 20;

/// A request to a service.
pub(crate) struct ServiceCall {
    /// The signing name.
    pub service: String,
    /// The region of the signature.
    pub region: String,
    pub method: Method,
    /// Percent-encoded, as sent.
    pub path: String,
    pub headers: HeaderMap,
    /// The parameters of the address; each is there once.
    pub query: BTreeMap<String, String>,
    /// The body without its content coding.
    pub body: Bytes,
    /// What it asks for.
    pub operation: Operation,
}

/// What a request asks of its service.
pub(crate) enum Operation {
    /// An action in a form.
    Query { action: String, params: Params },
    /// An operation named in a header, with parameters in JSON.
    Json { name: String, input: Map<String, Value>, of: &'static dyn JsonService },
    /// An operation of Lambda's, by method and path.
    Lambda(lambda::Route),
    /// One of a Bedrock service's, by method and path; the body as JSON, an empty object where it is none.
    Bedrock { found: bedrock::Found, input: Value },
    /// One that is not simulated here, or not known, under the name it is refused by.
    Other(String),
}

impl Operation {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Query { action, .. } => action,
            Self::Json { name, .. } => name,
            Self::Lambda(route) => route.operation,
            Self::Bedrock { found, .. } => found.operation,
            Self::Other(name) => name,
        }
    }
}

/// A request whose body was read and not yet looked at.
pub(crate) struct Unread {
    pub service: String,
    pub region: String,
    pub parts: Parts,
    /// As it was sent, which is what a signature is of.
    pub body: Bytes,
}

/// How a request is refused: as the service's protocol has it.
pub(crate) enum RefusedAs {
    /// As a protocol has it.
    Protocol(Protocol),
    /// As a service of the JSON protocol words its own.
    Service(&'static dyn JsonService),
}

/// Whether a request is a form of awsQuery.
pub(crate) fn is_form(method: &Method, headers: &HeaderMap, path: &str) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    *method == Method::POST && path == "/" && media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

impl Unread {
    /// Takes the body of a request in.
    ///
    /// # Errors
    ///
    /// When it breaks off or is larger than the service takes.
    pub async fn of(service: &str, region: String, parts: Parts, body: Body) -> Result<Self, ApiError> {
        let body = read_at_most(body, largest(service, &parts)).await?;
        Ok(Self { service: service.to_owned(), region, parts, body })
    }

    /// How its refusals are told.
    pub fn refused_as(&self) -> RefusedAs {
        refused_as(&self.service, &self.parts)
    }

    /// Reads what it asks for.
    ///
    /// # Errors
    ///
    /// When the body is not what it must be.
    pub fn read(self) -> Result<ServiceCall, ApiError> {
        let Self { service, region, parts, body } = self;
        let Parts { method, uri, headers, .. } = parts;
        let limit = if is_form(&method, &headers, uri.path()) { MAX_FORM } else { LARGEST };
        let limit = json_service(&service).map_or(limit, |known| known.largest());
        let body = decoded(&headers, body, limit)?;
        let other = || Operation::Other(operation_name(&headers, &method, &uri));
        let operation = if is_form(&method, &headers, uri.path()) {
            let params = Params::parse(&body)?;
            Operation::Query { action: params.text("Action").unwrap_or_default().to_owned(), params }
        } else if let Some(of) = json_service(&service) {
            let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
            match target.strip_prefix(of.target()) {
                None => other(),
                Some(name) => match serde_json::from_slice(&body) {
                    Ok(Value::Object(input)) => Operation::Json { name: name.to_owned(), input, of },
                    _ if !of.operations().contains(&name) => other(),
                    _ => {
                        let message = "The request body is not a JSON object";
                        return Err(ApiError::sender("SerializationException", message));
                    }
                },
            }
        } else if service == "lambda" {
            let route = lambda::route(&method, uri.path(), uri.query().unwrap_or_default());
            route.map_or_else(other, Operation::Lambda)
        } else if bedrock::SIGNING_NAMES.contains(&service.as_str()) {
            let agentcore = service == "bedrock-agentcore";
            match bedrock::find(&method, uri.path(), agentcore, !body.is_empty()) {
                None => other(),
                Some(found) => {
                    // Models' bodies may be anything; whoever wants JSON says so.
                    let input = serde_json::from_slice(&body).ok().filter(Value::is_object);
                    Operation::Bedrock { found, input: input.unwrap_or_else(|| Value::Object(Map::new())) }
                }
            }
        } else {
            other()
        };
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        Ok(ServiceCall { service, region, path: uri.path().to_owned(), method, headers, query, body, operation })
    }
}

/// How the refusals of a request to a service are told.
pub(crate) fn refused_as(service: &str, parts: &Parts) -> RefusedAs {
    let is_form = is_form(&parts.method, &parts.headers, parts.uri.path());
    match json_service(service).filter(|_| !is_form) {
        Some(known) => RefusedAs::Service(known),
        None => RefusedAs::Protocol(Protocol::of(&parts.headers, service, is_form)),
    }
}

fn json_service(service: &str) -> Option<&'static dyn JsonService> {
    JSON_SERVICES.iter().find(|known| known.name() == service).copied()
}

fn largest(service: &str, parts: &Parts) -> usize {
    if is_form(&parts.method, &parts.headers, parts.uri.path()) {
        MAX_FORM
    } else {
        json_service(service).map_or(LARGEST, |known| known.largest())
    }
}
