//! The awsQuery protocol, for the services that speak it (CloudFormation, STS).
//!
//! A request is a form ([`params`]), a response an XML document written from a JSON value ([`response`]); a service
//! implements [`QueryService`] and sees neither; [`QueryAdapter`] makes it a [`Service`].

pub mod params;
pub mod response;

pub use params::Params;

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use rusqlite::Transaction;
use serde_json::Value;

use super::service::{CallContext, Intake, Service, ServiceAnswer, ServiceCall, ServiceRequest, unsimulated};
use crate::ground::body::respond;
use crate::ground::{ApiError, Host, RequiredPermission};

/// The largest form, in bytes: a template of 1 MiB whose every byte is escaped, and some room.
pub const MAX_FORM: usize = 4 << 20;

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

    /// What one of its operations needs permission for.
    ///
    /// # Errors
    ///
    /// When the state can't be read.
    fn required_permissions(
        &self,
        db: &Transaction<'_>,
        ctx: &CallContext,
        action: &str,
        params: &Params,
    ) -> Result<Vec<RequiredPermission>, ApiError>;

    /// Carries one operation out. [`Value::Null`] answers with no result element, as operations without output do; an
    /// object becomes `<ActionResult>`. An operation that is not simulated is
    /// [`ApiError::not_implemented`].
    ///
    /// # Errors
    ///
    /// Whatever the service would refuse.
    async fn call(&self, ctx: &CallContext, action: &str, params: Params) -> Result<Value, ApiError>;
}

/// A [`QueryService`] as a [`Service`].
pub struct QueryAdapter {
    service: Arc<dyn QueryService>,
}

impl QueryAdapter {
    /// Adapts a service.
    pub fn boxed(service: impl QueryService + 'static) -> Box<dyn Service> {
        Box::new(Self { service: Arc::new(service) })
    }
}

impl Service for QueryAdapter {
    fn signing_names(&self) -> Vec<&'static str> {
        vec![self.service.signing_name()]
    }

    fn operations(&self) -> Vec<(&'static str, &'static str)> {
        let name = self.service.signing_name();
        self.service.operations().into_iter().map(|operation| (name, operation)).collect()
    }

    fn intake(&self) -> Intake {
        Intake::Buffered { max: MAX_FORM }
    }

    fn parse(&self, request: ServiceRequest) -> Result<Box<dyn ServiceCall>, ApiError> {
        if !request.is_form() {
            return unsimulated(self.service.signing_name(), &request);
        }
        let params = Params::parse(&request.body.bytes())?;
        let action = params.text("Action").unwrap_or_default().to_owned();
        Ok(Box::new(QueryCall { service: Arc::clone(&self.service), action, params, context: request.context }))
    }
}

struct QueryCall {
    service: Arc<dyn QueryService>,
    action: String,
    params: Params,
    context: CallContext,
}

impl ServiceCall for QueryCall {
    fn operation(&self) -> String {
        self.action.clone()
    }

    fn required_permissions(&self, db: &Transaction<'_>) -> Result<Vec<RequiredPermission>, ApiError> {
        self.service.required_permissions(db, &self.context, &self.action, &self.params)
    }

    fn handle(self: Box<Self>, _: Arc<Host>) -> ServiceAnswer {
        Box::pin(async move {
            let Self { service, action, params, context } = *self;
            let result = service.call(&context, &action, params).await?;
            let document = response::document(&action, service.namespace(), &result, &context.request_id);
            Ok(respond(StatusCode::OK, "text/xml", document.into_bytes()))
        })
    }
}
