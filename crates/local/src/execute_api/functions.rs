//! Who runs functions for API Gateway.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::errors::ApiError;
use crate::identity::{self, Credentials};
use crate::lambda::invoke::{Answer, Call, Caller, invoke};
use crate::{ACCOUNT_ID, DEFAULT_REGION, Host};

/// The principal of API Gateway.
const SERVICE: &str = "apigateway.amazonaws.com";

/// How long credentials for one call last.
const CREDENTIALS: SignedDuration = SignedDuration::from_mins(15);

/// Calls functions.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Calls a function and waits for its answer, or hands the event over when nobody waits.
    ///
    /// # Errors
    /// When the function could not be called at all.
    async fn invoke(&self, call: FunctionCall) -> Result<FunctionAnswer, FunctionRefusal>;
}

/// One call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionCall {
    /// The function's ARN, perhaps with a version or alias.
    pub function: String,
    /// The event: JSON.
    pub payload: Vec<u8>,
    /// The ARN of the API's method or authorizer on whose behalf it is called.
    pub source_arn: String,
    /// The role in which API Gateway calls; else the function's own policy must let API Gateway in.
    pub role: Option<String>,
    /// Whether nobody waits for the answer.
    pub event: bool,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionAnswer {
    /// What it gave back, or the error's JSON.
    pub payload: Vec<u8>,
    /// Whether it failed.
    pub failed: bool,
}

/// Why a function could not be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionRefusal {
    /// The local target can't run it: says which and why.
    NotSimulated(String),
    /// It is not there, or API Gateway may not call it: says which.
    Refused(String),
}

/// Who runs the functions of APIs, as an option of the local target: its own Python processes unless said.
#[derive(Clone, Default)]
pub struct FunctionRunner(Option<Arc<dyn Functions>>);

impl FunctionRunner {
    /// Functions run by the caller's own means.
    pub fn new(functions: impl Functions + 'static) -> Self {
        Self(Some(Arc::new(functions)))
    }

    /// Who runs functions, if anyone does.
    pub(crate) fn get(&self) -> Option<Arc<dyn Functions>> {
        self.0.clone()
    }
}

impl fmt::Debug for FunctionRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "FunctionRunner(custom)" } else { "FunctionRunner(python)" })
    }
}

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
            Caller::Role(Arc::new(credentials.session))
        }
        None => Caller::Service {
            principal: SERVICE.to_owned(),
            source_arn: Some(call.source_arn),
            source_account: Some(ACCOUNT_ID.to_owned()),
        },
    };
    let asked = Call {
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
    let Answer { payload, function_error, .. } = invoke(host, &asked).await.map_err(refused)?;
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
