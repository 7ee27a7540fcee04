//! Requests in, answers and errors out: the restJson1 protocol of the Bedrock services.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use rusqlite::Transaction;
use s3s::Body;
use serde_json::{Map, Value};

use super::Bedrock;
use super::actions;
use super::agentcore::{self, GatewayAuth};
use super::answer::{BedrockAnswer, BedrockRequest, invalid};
use super::operations::{BedrockHandler, MatchedOperation, find, simulated};
use super::stream::CONTENT_TYPE;
use crate::ground::{ApiError, Host, RequiredPermission};
use crate::protocol::service::{Registration, Service, ServiceAnswer, ServiceCall, ServiceRequest, unsimulated};

/// The largest request body, in bytes. Source: Bedrock API reference, `InvokeModel` (25,000,000 characters).
const LARGEST: usize = 25_000_000;

/// The names Bedrock's requests are signed under.
const SIGNING_NAMES: &[&str] = &["bedrock", AGENTCORE];

/// The signing name of AgentCore, whose paths would otherwise be read as Bedrock's own.
const AGENTCORE: &str = "bedrock-agentcore";

/// The service in the registry.
pub const SERVICE: Registration = Registration {
    schemas: &[super::SCHEMA],
    start: |host| Box::new(BedrockService { bedrock: Bedrock::new(Arc::clone(host)) }),
};

/// The Bedrock services for the server.
#[derive(Debug)]
struct BedrockService {
    bedrock: Arc<Bedrock>,
}

impl Service for BedrockService {
    fn signing_names(&self) -> Vec<&'static str> {
        SIGNING_NAMES.to_vec()
    }

    fn operations(&self) -> Vec<(&'static str, &'static str)> {
        simulated().collect()
    }

    fn parse(&self, request: ServiceRequest) -> Result<Box<dyn ServiceCall>, ApiError> {
        let (bytes, signed_for) = (request.body.bytes(), request.signing_name.as_str());
        let (method, path) = (&request.method, request.uri.path());
        let Some(found) = find(method, path, signed_for == AGENTCORE, !bytes.is_empty()) else {
            return unsimulated(signed_for, &request);
        };
        let MatchedOperation { service, operation, status, labels, work: handler } = found;
        if handler.is_some() && bytes.len() > LARGEST {
            return Err(invalid(format!("The request is larger than {LARGEST} bytes")));
        }
        let query = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes());
        // Models' bodies may be anything; whoever wants JSON says so.
        let body = serde_json::from_slice(&bytes).ok().filter(Value::is_object);
        let call = BedrockRequest {
            region: request.context.region,
            labels,
            query: query.into_owned().collect(),
            headers: request.headers,
            bytes,
            body: body.unwrap_or_else(|| Value::Object(Map::new())),
            now: request.context.now,
        };
        Ok(Box::new(BedrockCall { bedrock: Arc::clone(&self.bedrock), service, operation, status, handler, call }))
    }
}

/// A request to one of the Bedrock services.
struct BedrockCall {
    bedrock: Arc<Bedrock>,
    service: &'static str,
    operation: &'static str,
    status: u16,
    /// None when it is not simulated.
    handler: Option<BedrockHandler>,
    call: BedrockRequest,
}

impl ServiceCall for BedrockCall {
    fn operation(&self) -> String {
        self.operation.to_owned()
    }

    fn required_permissions(&self, db: &Transaction<'_>) -> Result<Vec<RequiredPermission>, ApiError> {
        if self.service.starts_with(AGENTCORE) {
            agentcore::actions::required_permissions(self.operation, &self.call)
        } else {
            actions::required_permissions(db, self.operation, &self.call)
        }
    }

    fn handle(self: Box<Self>, host: Arc<Host>) -> ServiceAnswer {
        Box::pin(async move {
            let Self { bedrock, service, operation, status, handler, call } = *self;
            let Some(handler) = handler else { return Err(ApiError::not_implemented(service, operation)) };
            let answer = match handler {
                BedrockHandler::Read(operation) => host.store.read(move |tx| operation(tx, &call)).await?,
                BedrockHandler::Steps(operation) => operation(bedrock, call).await?,
            };
            Ok(respond(status, answer))
        })
    }
}

/// The endpoints of AgentCore's gateways.
#[derive(Debug)]
pub(crate) struct GatewayEndpoints {
    bedrock: Arc<Bedrock>,
}

impl GatewayEndpoints {
    /// Over what the services share.
    pub fn new(host: &Arc<Host>) -> Self {
        Self { bedrock: Bedrock::new(Arc::clone(host)) }
    }

    /// Who may come in to a gateway.
    ///
    /// # Errors
    ///
    /// When there is no such gateway, or it takes another token than the one that came.
    pub async fn auth(&self, gateway: &str, headers: &HeaderMap) -> Result<GatewayAuth, ApiError> {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        GatewayAuth::of(&self.bedrock, gateway, authorization).await
    }

    /// Answers a request to a gateway, once its caller was let in.
    ///
    /// # Errors
    ///
    /// When the gateway has what is not simulated, or the body can't be had.
    pub async fn answer(&self, request: Request<Body>, gateway: &str) -> Result<Response<Body>, ApiError> {
        agentcore::answer_mcp(&self.bedrock, request, gateway).await
    }
}

fn respond(status: u16, answer: BedrockAnswer) -> Response<Body> {
    let (body, headers) = match answer {
        BedrockAnswer::Json(value) => {
            (value.to_string().into_bytes(), vec![("content-type", "application/json".to_owned())])
        }
        BedrockAnswer::Bytes { body, headers } => (body, headers),
        BedrockAnswer::Events { frames, mut headers } => {
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
