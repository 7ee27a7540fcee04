//! The log of requests: one event a request, by `tracing`, with the request's id, what it asks for, the status and how long it
//! took. Parameters, headers and bodies are in no line, since any of them may be a secret; neither is the address of a custom
//! resource's answer, which is the right to give it.

use std::time::Instant;

use http::{Request, Response};
use tracing::field::{Empty, debug};
use tracing::{Span, info, info_span, warn};

use super::route::Route;
use crate::ground::ApiError;

/// A request under way.
pub(super) struct RequestLog {
    span: Span,
    start: Instant,
}

impl RequestLog {
    /// A request that has come in, and what its head says it is for.
    pub(super) fn start<B>(id: &str, request: &Request<B>, routed: &Result<Route, ApiError>) -> Self {
        let span = info_span!("request", id, service = Empty, operation = Empty);
        if span.is_disabled() {
            return Self { span, start: Instant::now() };
        }
        let (method, path) = (request.method(), request.uri().path());
        // Quoted and escaped: names come from the caller.
        let (service, operation) = match routed {
            Ok(Route::Service { signing_name, .. }) => (signing_name.as_str(), None),
            Ok(Route::DeployedApi(_)) => ("execute-api", Some(format!("{method} {path}"))),
            Ok(Route::WebSocketConnections) => ("execute-api", Some(format!("{method} @connections"))),
            Ok(Route::AgentCoreGateway(_)) => ("bedrock-agentcore", Some("gateway".to_owned())),
            Ok(Route::PoolDocument(_)) => ("cognito-idp", Some(format!("{method} {path}"))),
            Ok(Route::CustomResourceAnswer { .. }) => ("cloudformation", Some("custom resource answer".to_owned())),
            Ok(Route::Page(_)) => ("bedplate", Some(format!("{method} {path}"))),
            Err(_) => ("none", Some(method.to_string())),
        };
        span.record("service", debug(service));
        if let Some(operation) = operation {
            span.record("operation", debug(operation));
        }
        Self { span, start: Instant::now() }
    }

    /// What is done for the request belongs to this span.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The request is answered; a streamed body may still be on its way.
    pub(super) fn end<B>(&self, response: &Response<B>) {
        let status = response.status().as_u16();
        let ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.span.in_scope(|| {
            if response.status().is_server_error() {
                warn!(status, ms, "answered");
            } else {
                info!(status, ms, "answered");
            }
        });
    }
}

/// The operation that the request under way asks for; its name is only made where somebody listens.
pub(super) fn operation(name: impl FnOnce() -> String) {
    let span = Span::current();
    if !span.is_disabled() {
        span.record("operation", debug(name()));
    }
}
