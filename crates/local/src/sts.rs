//! STS: who am I, and credentials for a role.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use rusqlite::Transaction;
use serde_json::{Value, json};

use crate::ground::{ApiError, Host, RequiredPermission};
use crate::identity::{self, Credentials, RoleAssumption, assume};
use crate::protocol::query::{Params, QueryAdapter, QueryService};
use crate::protocol::service::{CallContext, Registration};

/// Seconds that a session lasts unless said, and the least and most that may be said.
/// Source: STS API reference, `AssumeRole`.
const LIFETIME: (i64, i64, i64) = (3600, 900, 43_200);

/// The service in the registry.
pub const SERVICE: Registration =
    Registration { schemas: &[identity::SCHEMA], start: |host| QueryAdapter::boxed(Sts::new(Arc::clone(host))) };

/// The Security Token Service.
#[derive(Debug)]
pub struct Sts {
    host: Arc<Host>,
}

impl Sts {
    /// Over what the services share.
    pub fn new(host: Arc<Host>) -> Self {
        Self { host }
    }
}

#[async_trait]
impl QueryService for Sts {
    fn signing_name(&self) -> &'static str {
        "sts"
    }

    fn version(&self) -> &'static str {
        "2011-06-15"
    }

    fn namespace(&self) -> &'static str {
        "https://sts.amazonaws.com/doc/2011-06-15/"
    }

    fn operations(&self) -> Vec<&'static str> {
        OPERATIONS.iter().map(|(name, _)| *name).collect()
    }

    /// `GetCallerIdentity` needs none, and `AssumeRole` is decided with the trust policy at hand.
    fn required_permissions(
        &self,
        _: &Transaction<'_>,
        _: &CallContext,
        _: &str,
        _: &Params,
    ) -> Result<Vec<RequiredPermission>, ApiError> {
        Ok(Vec::new())
    }

    async fn call(&self, ctx: &CallContext, action: &str, params: Params) -> Result<Value, ApiError> {
        match OPERATIONS.iter().find(|(name, _)| *name == action) {
            Some((_, operation)) => operation(self, ctx, &params).await,
            None => Err(ApiError::not_implemented("sts", action)),
        }
    }
}

type StsHandler = for<'a> fn(&'a Sts, &'a CallContext, &'a Params) -> BoxFuture<'a, Result<Value, ApiError>>;

/// The operations.
const OPERATIONS: &[(&str, StsHandler)] = &[
    ("AssumeRole", |sts, ctx, params| Box::pin(sts.assume_role(ctx, params))),
    ("GetCallerIdentity", |_, ctx, _| Box::pin(async move { Ok(caller_identity(ctx)) })),
];

fn caller_identity(ctx: &CallContext) -> Value {
    json!({ "Arn": ctx.principal.arn(), "UserId": ctx.principal.user_id(), "Account": ctx.account })
}

impl Sts {
    async fn assume_role(&self, ctx: &CallContext, params: &Params) -> Result<Value, ApiError> {
        for unknown in ["Policy", "PolicyArns", "ExternalId", "SerialNumber", "Tags"] {
            if params.has(unknown) {
                return Err(ApiError::not_implemented("sts", &format!("AssumeRole with {unknown}")));
            }
        }
        let (arn, name) = (params.required("RoleArn")?.to_owned(), params.required("RoleSessionName")?.to_owned());
        let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !(2..=64).contains(&name.len()) || !name.chars().all(fits) {
            return Err(ApiError::validation(format!(
                "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: [\\w+=,.@-]*"
            )));
        }
        let (usual, least, most) = LIFETIME;
        let seconds = params.number("DurationSeconds")?.unwrap_or(usual);
        if !(least..=most).contains(&seconds) {
            return Err(ApiError::validation(format!(
                "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member \
                 must have value between {least} and {most}"
            )));
        }
        let (principal, context) = (ctx.principal.clone(), self.host.request_context(&ctx.region));
        let lifetime = SignedDuration::from_secs(seconds);
        let assumed = self.host.store.write(move |tx| assume(tx, &principal, &arn, &name, lifetime, &context)).await?;
        let assumed = match assumed {
            RoleAssumption::Granted(credentials) => credentials,
            RoleAssumption::Denied(refusal) => return Err(refusal),
        };
        let Credentials { access_key, secret, token, session } = &assumed;
        let expires = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%SZ", session.expires).unwrap_or_default();
        Ok(json!({
            "AssumedRoleUser": { "AssumedRoleId": session.user_id(), "Arn": session.arn() },
            "Credentials": {
                "AccessKeyId": access_key,
                "SecretAccessKey": secret,
                "SessionToken": token,
                "Expiration": expires,
            },
        }))
    }
}
