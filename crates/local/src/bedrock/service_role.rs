//! What Bedrock's own roles may do: the roles of knowledge bases, agents, gateways and harnesses, under which the service
//! works for them.

use std::sync::Arc;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::Bedrock;
use super::model_permissions::models_needed;
use crate::ground::{ACCOUNT_ID, ApiError, RequestContext};
use crate::identity::{Principal, RequiredPermission, Session, assume_as_service, authorize_now};

/// How long the service works with a role at a stretch.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// For whom a role works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceRole {
    /// The role's ARN.
    pub role: String,
    /// For example `bedrock.amazonaws.com`.
    pub service: &'static str,
    /// The ARN of what it works for.
    pub source: String,
    pub region: String,
}

impl ServiceRole {
    /// A session of the role, when its trust policy lets the service take it.
    ///
    /// # Errors
    ///
    /// `AccessDeniedException` when it does not.
    pub async fn session(&self, bedrock: &Arc<Bedrock>, now: Timestamp) -> Result<Arc<Session>, ApiError> {
        let own = self.clone();
        let taken = bedrock.host.store.write(move |tx| {
            let context = [("aws:SourceArn", own.source.as_str()), ("aws:SourceAccount", ACCOUNT_ID)];
            assume_as_service(tx, &own.role, own.service, "bedrock", &context, LIFETIME, now)
        });
        match taken.await? {
            Some(credentials) => Ok(Arc::new(credentials.session)),
            None => Err(denied(format!(
                "{} is not able to assume the role {}; look at its trust policy, and whether the role is there",
                self.service, self.role
            ))),
        }
    }

    /// Decides whether the role may do all of something.
    ///
    /// # Errors
    ///
    /// `AccessDeniedException` in the words of the denial.
    pub async fn may(
        &self,
        bedrock: &Arc<Bedrock>,
        needs: Vec<RequiredPermission>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let session = self.session(bedrock, now).await?;
        self.decide(bedrock, &session, needs, now).await
    }

    /// The same within a session that was begun before.
    ///
    /// # Errors
    ///
    /// `AccessDeniedException` in the words of the denial.
    pub async fn decide(
        &self,
        bedrock: &Arc<Bedrock>,
        session: &Arc<Session>,
        needs: Vec<RequiredPermission>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let principal = Principal::Role(Arc::clone(session));
        let context = RequestContext { now, ..bedrock.host.request_context(&self.region) };
        let decided = authorize_now(&bedrock.host, &principal, needs, context).await?;
        decided.or_refuse(|denial| denied(denial.message()))
    }
}

fn denied(message: String) -> ApiError {
    ApiError::sender("AccessDeniedException", message).with_status(StatusCode::FORBIDDEN)
}

/// What calling a model needs.
pub(super) async fn of_model(
    bedrock: &Arc<Bedrock>,
    region: &str,
    action: &str,
    id: &str,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let (region, action, id) = (region.to_owned(), action.to_owned(), id.to_owned());
    bedrock.host.store.read(move |tx| models_needed(tx, &region, &action, &id)).await
}
