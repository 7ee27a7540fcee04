//! The awsQuery protocol, for the services that speak it (CloudFormation, STS).
//!
//! A request is a form ([`params`]), a response an XML document written from a JSON value ([`response`]); a service
//! implements [`QueryService`] and sees neither.

pub mod params;
pub mod response;

pub use params::Params;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::ground::ApiError;

/// What every call brings with it.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The region of the credential scope.
    pub region: String,
    /// The account, always [`crate::ACCOUNT_ID`].
    pub account: String,
    /// Who asks.
    pub principal: crate::ground::Principal,
    /// The id this request is answered under.
    pub request_id: String,
    /// When it came in.
    pub now: Timestamp,
}

/// A simulated service that speaks awsQuery.
#[async_trait]
pub trait QueryService: Send + Sync {
    /// The name in a credential scope, for example `cloudformation`.
    fn signing_name(&self) -> &'static str;

    /// The API version clients send, for example `2010-05-15`.
    fn version(&self) -> &'static str;

    /// The XML namespace of its responses.
    fn namespace(&self) -> &'static str;

    /// The operations it simulates.
    fn operations(&self) -> Vec<&'static str>;

    /// Carries one operation out. [`Value::Null`] answers with no result element, as operations without output do; an
    /// object becomes `<ActionResult>`. An operation that is not simulated is
    /// [`ApiError::not_implemented`].
    ///
    /// # Errors
    ///
    /// Whatever the service would refuse.
    async fn call(&self, ctx: &CallContext, action: &str, params: Params) -> Result<Value, ApiError>;
}
