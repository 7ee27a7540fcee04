//! Requests in, answers and errors out: the restJson1 protocol of the Bedrock services.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use s3s::Body;
use serde_json::Value;

use super::Bedrock;
use super::agentcore::{self, Door};
use super::answer::{Answer, Call, invalid};
use super::operations::{Found, Work};
use super::stream::CONTENT_TYPE;
use crate::ground::{ApiError, Host};
use crate::protocol::errors::Protocol;

/// The largest request body, in bytes. Source: Bedrock API reference, `InvokeModel` (25,000,000 characters).
const LARGEST: usize = 25_000_000;

/// The names Bedrock's requests are signed under.
pub const SIGNING_NAMES: &[&str] = &["bedrock", "bedrock-agentcore"];

/// The Bedrock services for the server.
#[derive(Debug)]
pub struct Front {
    bedrock: Arc<Bedrock>,
}

impl Front {
    /// Over what the services share.
    pub fn new(host: Arc<Host>) -> Self {
        Self { bedrock: Bedrock::new(host) }
    }

    /// Who may come in to a gateway's own endpoint.
    ///
    /// # Errors
    ///
    /// When there is no such gateway, or it takes another token than the one that came.
    pub(crate) async fn door(&self, gateway: &str, headers: &HeaderMap) -> Result<Door, ApiError> {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        Door::of(&self.bedrock, gateway, authorization).await
    }

    /// Answers a request at a gateway's own endpoint, once its caller was let in.
    pub(crate) async fn mcp(&self, request: Request<Body>, gateway: &str, request_id: &str) -> Response<Body> {
        agentcore::answer_mcp(&self.bedrock, request, gateway).await.unwrap_or_else(|error| refusal(&error, request_id))
    }

    /// Answers one operation, whose caller's right was decided before.
    pub(crate) async fn answer(
        &self,
        found: Found,
        input: Value,
        request: Request<Bytes>,
        query: BTreeMap<String, String>,
        region: String,
    ) -> Result<Response<Body>, ApiError> {
        let Some(work) = found.work else { return Err(ApiError::not_implemented(found.service, found.operation)) };
        let (parts, bytes) = request.into_parts();
        if bytes.len() > LARGEST {
            return Err(invalid(format!("The request is larger than {LARGEST} bytes")));
        }
        let now = self.bedrock.host.clock.now();
        let call = Call { region, labels: found.labels, query, headers: parts.headers, bytes, body: input, now };
        let answer = match work {
            Work::Read(operation) => self.bedrock.host.store.read(move |tx| operation(tx, &call)).await?,
            Work::Steps(operation) => operation(Arc::clone(&self.bedrock), call).await?,
        };
        Ok(respond(found.status, answer))
    }
}

fn refusal(error: &ApiError, request_id: &str) -> Response<Body> {
    let (kind, body) = Protocol::RestJson.render(error, request_id);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = error.status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in Protocol::RestJson.headers(error) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

fn respond(status: u16, answer: Answer) -> Response<Body> {
    let (body, headers) = match answer {
        Answer::Json(value) => (value.to_string().into_bytes(), vec![("content-type", "application/json".to_owned())]),
        Answer::Bytes { body, headers } => (body, headers),
        Answer::Events { frames, mut headers } => {
            headers.push(("content-type", CONTENT_TYPE.to_owned()));
            (frames, headers)
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
