//! Requests in, answers and errors out: the awsJson1_0 protocol.

use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use rusqlite::Connection;
use s3s::Body;
use serde_json::Value;

use super::arguments::Call;
use super::error::Refused;
use super::{batch_ops, item_ops, read_ops, table_ops};
use crate::local::Host;
use crate::local::errors::operation_name;

/// The largest request body, in bytes. Source: quotas in the DynamoDB developer guide.
const LARGEST: usize = 16 << 20;
/// What targets begin with.
const TARGET: &str = "DynamoDB_20120810.";

type Operation = fn(&Connection, &Call) -> Result<Value, Refused>;

/// The operations: whether each writes.
const OPERATIONS: &[(&str, bool, Operation)] = &[
    ("BatchGetItem", false, batch_ops::get),
    ("BatchWriteItem", true, batch_ops::write),
    ("DeleteItem", true, item_ops::delete),
    ("DescribeTable", false, table_ops::describe),
    ("GetItem", false, item_ops::get),
    ("ListTables", false, table_ops::list),
    ("PutItem", true, item_ops::put),
    ("Query", false, read_ops::query),
    ("Scan", false, read_ops::scan),
    ("UpdateItem", true, item_ops::update),
];

/// DynamoDB for the server.
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
    pub async fn answer(&self, request: Request<Body>, region: String) -> Response<Body> {
        let (status, body) = match self.carry_out(request, region).await {
            Ok(answer) => (StatusCode::OK, answer),
            Err(refused) => refused.answer(),
        };
        let mut response = Response::new(Body::from(body.to_string().into_bytes()));
        *response.status_mut() = status;
        let kind = HeaderValue::from_static("application/x-amz-json-1.0");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }

    async fn carry_out(&self, request: Request<Body>, region: String) -> Result<Value, Refused> {
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let name = target.strip_prefix(TARGET);
        let known = name.and_then(|name| OPERATIONS.iter().find(|(known, ..)| *known == name));
        let Some((_, writes, operation)) = known else {
            return Err(Refused::not_simulated(&operation_name(request.headers(), request.method(), request.uri())));
        };
        let body = match Limited::new(request.into_body(), LARGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(Refused::invalid(format!("The request is larger than {LARGEST} bytes")));
            }
            Err(error) => return Err(Refused::unreadable(format!("The request body broke off: {error}"))),
        };
        let Ok(Value::Object(request)) = serde_json::from_slice(&body) else {
            return Err(Refused::unreadable("The request body is not a JSON object"));
        };
        let call = Call { region, request };
        let operation = *operation;
        if *writes {
            self.host.store.write(move |tx| operation(tx, &call)).await
        } else {
            self.host.store.read(move |tx| operation(tx, &call)).await
        }
    }
}
