//! A call of a function, and what comes of it.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::ground::{ApiError, Session};

/// Why a function was not called; an error of the function itself is an [`InvocationAnswer`].
pub(crate) type InvocationError = ApiError;

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) enum Invoker {
    /// Someone whose right was looked at before, or who may do everything.
    Decided,
    /// A session of a role, for example the one API Gateway calls an integration with.
    Role(Arc<Session>),
    /// A service, whose right is in the function's own policy.
    Service {
        /// For example `apigateway.amazonaws.com`.
        principal: String,
        /// The ARN of what it calls for.
        source_arn: Option<String>,
        /// The account of what it calls for.
        source_account: Option<String>,
    },
}

/// A call of a function.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    /// A name, or a partial or whole ARN, perhaps with a qualifier.
    pub function: String,
    /// A version or an alias.
    pub qualifier: Option<String>,
    /// The region it is called in.
    pub region: String,
    /// The event: JSON; an empty one stands for `{}`.
    pub payload: Bytes,
    /// JSON, as the context object shows it.
    pub client_context: Option<Value>,
    /// Who calls.
    pub caller: Invoker,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvocationAnswer {
    /// JSON: what the handler returned, or the error.
    pub payload: Bytes,
    /// `Unhandled` when the payload is an error.
    pub function_error: Option<&'static str>,
    /// `$LATEST` or a number.
    pub executed_version: String,
    /// The end of what the call logged.
    pub log_tail: String,
}
