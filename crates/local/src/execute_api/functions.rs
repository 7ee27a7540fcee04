//! Functions as API Gateway calls them: with which rights, and what comes of it.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::ground::{ACCOUNT_ID, ApiError, DEFAULT_REGION, FunctionAnswer, FunctionCall, FunctionRefusal, Host};
use crate::identity::{self, Credentials};
use crate::lambda::call::{Invocation, InvocationAnswer, Invoker};
use crate::lambda::invoke::invoke;

/// The principal of API Gateway.
const SERVICE: &str = "apigateway.amazonaws.com";

/// How long credentials for one call last.
const CREDENTIALS: SignedDuration = SignedDuration::from_mins(15);

/// Credentials of a role that trusts API Gateway; nothing for any other.
pub(super) async fn assume(host: &Arc<Host>, role: &str) -> Result<Option<Credentials>, ApiError> {
    let (role, now) = (role.to_owned(), host.clock.now());
    host.store
        .write(move |tx| {
            identity::assume_as_service(tx, &role, SERVICE, "BackplaneAssumeRoleSession", &[], CREDENTIALS, now)
        })
        .await
}

/// What is said of a role that API Gateway may not take.
pub(super) fn no_trust(role: &str) -> String {
    format!("API Gateway may not assume the role {role}, or there is none: its trust policy must name {SERVICE}")
}

/// Calls a function as a Python process of this machine, with the rights API Gateway has.
pub(super) async fn run(host: &Arc<Host>, call: FunctionCall) -> Result<FunctionAnswer, FunctionRefusal> {
    let refused = |error: ApiError| {
        if error.code == "NotImplemented" {
            FunctionRefusal::NotSimulated(error.message)
        } else {
            FunctionRefusal::Refused(format!("{}: {}", error.code, error.message))
        }
    };
    let caller = match &call.role {
        Some(role) => {
            let credentials = assume(host, role).await.map_err(refused)?;
            let credentials = credentials.ok_or_else(|| FunctionRefusal::Refused(no_trust(role)))?;
            Invoker::Role(Arc::new(credentials.session))
        }
        None => Invoker::Service {
            principal: SERVICE.to_owned(),
            source_arn: Some(call.source_arn),
            source_account: Some(ACCOUNT_ID.to_owned()),
        },
    };
    let asked = Invocation {
        region: call.function.split(':').nth(3).unwrap_or(DEFAULT_REGION).to_owned(),
        function: call.function,
        qualifier: None,
        payload: call.payload.into(),
        client_context: None,
        caller,
    };
    if call.event {
        let host = Arc::clone(host);
        // Nobody waits: what comes of it is in the function's log.
        tokio::spawn(async move { drop(invoke(&host, &asked).await) });
        return Ok(FunctionAnswer { payload: Vec::new(), failed: false });
    }
    let InvocationAnswer { payload, function_error, .. } = invoke(host, &asked).await.map_err(refused)?;
    Ok(FunctionAnswer { payload: payload.to_vec(), failed: function_error.is_some() })
}

/// The ARN of a function in an integration's or authorizer's address, or the address itself where it is one.
pub(super) fn function_of(uri: &str) -> Option<&str> {
    if uri.starts_with("arn:") && uri.contains(":lambda:") && !uri.contains(":apigateway:") {
        return Some(uri);
    }
    let (_, rest) = uri.split_once("/functions/")?;
    let (function, _) = rest.split_once("/invocations")?;
    (uri.contains(":lambda:path/") && function.starts_with("arn:")).then_some(function)
}
