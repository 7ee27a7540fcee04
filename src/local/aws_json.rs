//! The awsJson protocols: the operation in a header, JSON in, JSON out.
//!
//! A service is a table: a constant [`Service`] with one line an operation, which [`super::JSON_SERVICES`] names. The table
//! is at once what is dispatched and what `GET /_bedplate/operations` tells.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use rusqlite::Transaction;
use s3s::Body;
use serde_json::{Map, Value, json};

use super::errors::{ApiError, operation_name};
use super::identity::Who;
use super::store::StoreError;
use super::{Host, admission};

/// One request, read.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The region of the credential scope.
    pub region: String,
    /// The parameters.
    pub body: Map<String, Value>,
    /// When it came in.
    pub now: Timestamp,
    /// Who asks; whether they may was decided before.
    pub who: Who,
}

impl Asked {
    /// A parameter, unless it is null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    /// A text, where it is one.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }
}

/// What an operation refuses, as the service tells it.
pub trait Refuses: From<ApiError> + From<StoreError> + Send + 'static {
    /// The HTTP status and the body.
    fn answer(&self) -> (StatusCode, Value);
}

impl Refuses for ApiError {
    fn answer(&self) -> (StatusCode, Value) {
        (self.status, json!({ "__type": self.code, "message": self.message }))
    }
}

/// How an operation is carried out, on a call `C` as the service reads it. An answer of null is an empty body, as
/// operations without output have it.
#[derive(Debug)]
pub enum Work<C, E> {
    /// Within a reading transaction.
    Read(fn(&Transaction<'_>, &C) -> Result<Value, E>),
    /// Within a writing transaction, which a refusal undoes.
    Write(fn(&Transaction<'_>, &C) -> Result<Value, E>),
    /// In steps of its own.
    Steps(fn(Arc<Host>, C) -> BoxFuture<'static, Result<Value, E>>),
}

/// A service that speaks awsJson.
#[derive(Debug)]
pub struct Service<C: 'static, E: 'static> {
    /// The name in a credential scope, for example `dynamodb`; its name in `boto3`, too.
    pub name: &'static str,
    /// What targets begin with, for example `DynamoDB_20120810.`.
    pub target: &'static str,
    /// The protocol's version as a content type, for example `application/x-amz-json-1.1`.
    pub content_type: &'static str,
    /// The largest request body, in bytes.
    pub largest: usize,
    /// The operations, by name.
    pub operations: &'static [(&'static str, Work<C, E>)],
}

/// A [`Service`], whatever it reads calls into.
pub trait JsonService: Sync {
    /// The name in a credential scope.
    fn name(&self) -> &'static str;

    /// The operations it has.
    fn operations(&self) -> Vec<&'static str>;

    /// Answers one request, whose caller's right was decided before.
    fn answer(
        &'static self,
        host: Arc<Host>,
        request: Request<Body>,
        region: String,
    ) -> BoxFuture<'static, Response<Body>>;
}

impl<C: From<Asked> + Send + 'static, E: Refuses> JsonService for Service<C, E> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn operations(&self) -> Vec<&'static str> {
        self.operations.iter().map(|(name, _)| *name).collect()
    }

    fn answer(
        &'static self,
        host: Arc<Host>,
        request: Request<Body>,
        region: String,
    ) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move {
            let (status, body) = match self.carry_out(&host, request, region).await {
                Ok(answer) => (StatusCode::OK, answer),
                Err(refused) => refused.answer(),
            };
            let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            let kind = HeaderValue::from_static(self.content_type);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        })
    }
}

impl<C: From<Asked> + Send + 'static, E: Refuses> Service<C, E> {
    async fn carry_out(&self, host: &Arc<Host>, request: Request<Body>, region: String) -> Result<Value, E> {
        let (parts, body) = request.into_parts();
        let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let name = target.strip_prefix(self.target);
        let known = name.and_then(|name| self.operations.iter().find(|(known, _)| *known == name));
        let Some((_, work)) = known else {
            let asked = operation_name(&parts.headers, &parts.method, &parts.uri);
            return Err(ApiError::not_implemented(self.name, &asked).into());
        };
        let body = admission::read_at_most(body, self.largest).await?;
        let Ok(Value::Object(body)) = serde_json::from_slice(&body) else {
            return Err(ApiError::sender("SerializationException", "The request body is not a JSON object").into());
        };
        let who = parts.extensions.get::<Who>().cloned().unwrap_or_else(Who::local);
        let call = C::from(Asked { region, body, now: host.clock.now(), who });
        match *work {
            Work::Read(operation) => host.store.read(move |tx| operation(tx, &call)).await,
            Work::Write(operation) => host.store.write(move |tx| operation(tx, &call)).await,
            Work::Steps(operation) => operation(Arc::clone(host), call).await,
        }
    }
}
