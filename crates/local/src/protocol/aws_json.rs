//! The awsJson protocols: the operation in a header, JSON in, JSON out.
//!
//! A service is a table: a constant [`JsonService`] with one line an operation. The table is at once what is dispatched and
//! what `GET /_bedplate/operations` tells.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{HeaderValue, Response, StatusCode, header};
use rusqlite::Transaction;
use s3s::Body;
use serde_json::{Value, json};

use super::api_request::ApiRequest;
use super::errors::{Protocol, error_response};
use super::service::{Intake, Service, ServiceAnswer, ServiceCall, ServiceRequest, unsimulated};
use crate::ground::permissions::Denial;
use crate::ground::store::StoreError;
use crate::ground::{ApiError, Host, RequiredPermission};

/// An error of an operation, as the service tells it.
pub trait JsonError: From<ApiError> + From<StoreError> + Send + 'static {
    /// The HTTP status and the body.
    fn answer(&self) -> (StatusCode, Value);
}

impl JsonError for ApiError {
    fn answer(&self) -> (StatusCode, Value) {
        (self.status, json!({ "__type": self.code, "message": self.message }))
    }
}

/// How an operation is carried out, on a request `C` as the service reads it. An answer of null is an empty body, as
/// operations without output have it.
#[derive(Debug)]
pub enum JsonHandler<C, E> {
    /// Within a reading transaction.
    Read(fn(&Transaction<'_>, &C) -> Result<Value, E>),
    /// Within a writing transaction, which a refusal undoes.
    Write(fn(&Transaction<'_>, &C) -> Result<Value, E>),
    /// In steps of its own.
    Steps(fn(Arc<Host>, C) -> BoxFuture<'static, Result<Value, E>>),
}

/// What a request needs permission for.
pub type JsonPermissions = fn(&Transaction<'_>, &ApiRequest) -> Result<Vec<RequiredPermission>, ApiError>;

/// A service that speaks awsJson.
#[derive(Debug)]
pub struct JsonService<C: 'static, E: 'static> {
    /// The name in a credential scope, for example `dynamodb`; its name in `boto3`, too.
    pub name: &'static str,
    /// What targets begin with, for example `DynamoDB_20120810.`.
    pub target: &'static str,
    /// The protocol's version as a content type, for example `application/x-amz-json-1.1`.
    pub content_type: &'static str,
    /// The largest request body, in bytes.
    pub largest: usize,
    /// What its operations need permission for.
    pub required_permissions: JsonPermissions,
    /// The operations, by name.
    pub operations: &'static [(&'static str, JsonHandler<C, E>)],
}

impl<C: From<ApiRequest> + Send + 'static, E: JsonError> Service for &'static JsonService<C, E> {
    fn signing_names(&self) -> Vec<&'static str> {
        vec![self.name]
    }

    fn operations(&self) -> Vec<(&'static str, &'static str)> {
        self.operations.iter().map(|(operation, _)| (self.name, *operation)).collect()
    }

    fn intake(&self) -> Intake {
        Intake::Buffered { max: self.largest }
    }

    fn parse(&self, request: ServiceRequest) -> Result<Box<dyn ServiceCall>, ApiError> {
        let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some(operation) = target.strip_prefix(self.target).filter(|_| !request.is_form()) else {
            return unsimulated(self.name, &request);
        };
        // A role is told first that it may not, also what is not simulated.
        let handler = self.operations.iter().find(|(name, _)| *name == operation).map(|(_, handler)| handler);
        let body = match serde_json::from_slice(&request.body.bytes()) {
            Ok(Value::Object(body)) => body,
            _ if handler.is_none() => return unsimulated(self.name, &request),
            _ => return Err(ApiError::sender("SerializationException", "The request body is not a JSON object")),
        };
        let operation = operation.to_owned();
        let context = request.context;
        let request =
            ApiRequest { operation, region: context.region, body, now: context.now, principal: context.principal };
        Ok(Box::new(JsonCall { service: self, handler, request }))
    }

    fn denial(&self, _: Protocol, denial: &Denial) -> ApiError {
        denial.refusal("AccessDeniedException", StatusCode::BAD_REQUEST)
    }

    fn refusal(&self, protocol: Protocol, error: ApiError, request_id: &str) -> Response<Body> {
        match protocol {
            // A form is no request of this protocol.
            Protocol::Query | Protocol::Ec2 => error_response(protocol, &error, request_id),
            _ => self.respond(Err(error.into())),
        }
    }
}

impl<C, E: JsonError> JsonService<C, E> {
    fn respond(&self, done: Result<Value, E>) -> Response<Body> {
        let (status, body) = match done {
            Ok(answer) => (StatusCode::OK, answer),
            Err(refused) => refused.answer(),
        };
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        response
    }
}

struct JsonCall<C: 'static, E: 'static> {
    service: &'static JsonService<C, E>,
    /// None when it is not simulated.
    handler: Option<&'static JsonHandler<C, E>>,
    request: ApiRequest,
}

impl<C: From<ApiRequest> + Send + 'static, E: JsonError> ServiceCall for JsonCall<C, E> {
    fn operation(&self) -> String {
        self.request.operation.clone()
    }

    fn required_permissions(&self, db: &Transaction<'_>) -> Result<Vec<RequiredPermission>, ApiError> {
        (self.service.required_permissions)(db, &self.request)
    }

    fn handle(self: Box<Self>, host: Arc<Host>) -> ServiceAnswer {
        Box::pin(async move {
            let Self { service, handler, request } = *self;
            let Some(handler) = handler else {
                return Err(ApiError::not_implemented(service.name, &request.operation));
            };
            let request = C::from(request);
            let done = match *handler {
                JsonHandler::Read(operation) => host.store.read(move |tx| operation(tx, &request)).await,
                JsonHandler::Write(operation) => host.store.write(move |tx| operation(tx, &request)).await,
                JsonHandler::Steps(operation) => operation(host, request).await,
            };
            Ok(service.respond(done))
        })
    }
}
