//! Which actions on which resources an operation needs: one file a service.
//!
//! Source throughout: the service authorization reference. S3 is asked by the name of its operation once its request is
//! read ([`s3`]); every other service by the request itself ([`needs`]). What a service has no entry for is not let
//! through for a role.

mod agentcore;
mod bedrock;
mod cloudformation;
mod cognito;
mod dynamodb;
mod lambda;
mod logs;
pub mod s3;
mod secretsmanager;
mod ssm;

pub(in crate::local) use bedrock::models_needed;

use http::{HeaderMap, Method};
use rusqlite::Transaction;
use serde_json::Value;

use super::authorize::Need;
use crate::local::ACCOUNT_ID;
use crate::local::errors::ApiError;

/// A request, as far as its needs depend on it.
pub(in crate::local) struct Asked<'a> {
    /// The signing name.
    pub service: &'a str,
    /// The operation's name, or method and path where the protocol has none.
    pub operation: &'a str,
    pub region: &'a str,
    pub method: &'a Method,
    /// Percent-encoded, as sent.
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl Asked<'_> {
    /// The body as JSON; null when it is none.
    fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or(Value::Null)
    }

    /// The segments of the path, decoded.
    fn segments(&self) -> Vec<String> {
        let parts = self.path.split('/').filter(|part| !part.is_empty());
        parts.map(|part| String::from_utf8_lossy(&super::signature::decode(part)).into_owned()).collect()
    }

    /// The ARN of something of this account in the request's region, which may be named by its ARN already.
    fn arn(&self, service: &str, kind: &str, id: &str) -> String {
        if id.starts_with("arn:") {
            id.to_owned()
        } else {
            format!("arn:aws:{service}:{}:{ACCOUNT_ID}:{kind}/{id}", self.region)
        }
    }

    /// A form parameter.
    fn form(&self, name: &str) -> Option<String> {
        let source = if self.body.is_empty() { self.query.as_bytes() } else { self.body };
        form_urlencoded::parse(source).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

type Table = fn(&Transaction<'_>, &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError>;

/// The services, by signing name.
const SERVICES: &[(&str, Table)] = &[
    ("bedrock", bedrock::needs),
    ("bedrock-agentcore", agentcore::needs),
    ("cloudformation", cloudformation::needs),
    ("cognito-idp", cognito::needs),
    ("dynamodb", dynamodb::needs),
    // API Gateway decides itself: only methods that ask for it need a right (see `authorize`).
    ("execute-api", |_, _| Ok(Some(Vec::new()))),
    ("lambda", lambda::needs),
    ("logs", logs::needs),
    ("secretsmanager", secretsmanager::needs),
    ("ssm", ssm::needs),
    // `GetCallerIdentity` needs no right, and `AssumeRole` is decided with the trust policy at hand.
    ("sts", |_, _| Ok(Some(Vec::new()))),
];

/// What a request needs, in the order it is decided; nothing when it is not known.
///
/// # Errors
///
/// When the state can't be read.
pub(in crate::local) fn needs(db: &Transaction<'_>, asked: &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError> {
    match SERVICES.iter().find(|(name, _)| *name == asked.service) {
        Some((_, table)) => table(db, asked),
        None => Ok(None),
    }
}
