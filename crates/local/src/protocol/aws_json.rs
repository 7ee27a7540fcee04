//! The awsJson protocols: the operation in a header, JSON in, JSON out.
//!
//! A service is a table: a constant [`Service`] with one line an operation, which the server names. The table
//! is at once what is dispatched and what `GET /_bedplate/operations` tells.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use rusqlite::Transaction;
use s3s::Body;
use serde_json::{Map, Value, json};

use crate::ground::store::StoreError;
use crate::ground::{ApiError, Host, Principal};

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
    pub principal: Principal,
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

    /// What targets begin with.
    fn target(&self) -> &'static str;

    /// The largest request body, in bytes.
    fn largest(&self) -> usize;

    /// A refusal, as the service words its own.
    fn refusal(&self, error: ApiError) -> Response<Body>;

    /// Carries one of its operations out for a caller whose right was decided before.
    fn answer(&'static self, host: Arc<Host>, name: String, asked: Asked) -> BoxFuture<'static, Response<Body>>;
}

impl<C: From<Asked> + Send + 'static, E: Refuses> JsonService for Service<C, E> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn operations(&self) -> Vec<&'static str> {
        self.operations.iter().map(|(name, _)| *name).collect()
    }

    fn target(&self) -> &'static str {
        self.target
    }

    fn largest(&self) -> usize {
        self.largest
    }

    fn refusal(&self, error: ApiError) -> Response<Body> {
        self.told(Err(error.into()))
    }

    fn answer(&'static self, host: Arc<Host>, name: String, asked: Asked) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async move { self.told(self.carry_out(&host, &name, asked).await) })
    }
}

impl<C: From<Asked> + Send + 'static, E: Refuses> Service<C, E> {
    fn told(&self, done: Result<Value, E>) -> Response<Body> {
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

    async fn carry_out(&self, host: &Arc<Host>, name: &str, asked: Asked) -> Result<Value, E> {
        let Some((_, work)) = self.operations.iter().find(|(known, _)| *known == name) else {
            return Err(ApiError::not_implemented(self.name, name).into());
        };
        let call = C::from(asked);
        match *work {
            Work::Read(operation) => host.store.read(move |tx| operation(tx, &call)).await,
            Work::Write(operation) => host.store.write(move |tx| operation(tx, &call)).await,
            Work::Steps(operation) => operation(Arc::clone(host), call).await,
        }
    }
}
