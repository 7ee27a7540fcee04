//! STS, as far as a deploy needs it: who am I.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::errors::ApiError;
use super::query::{CallContext, Params, QueryService};

/// The Security Token Service.
#[derive(Debug)]
pub struct Sts;

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

    async fn call(&self, ctx: &CallContext, action: &str, _params: Params) -> Result<Value, ApiError> {
        match action {
            "GetCallerIdentity" => Ok(json!({
                "Arn": format!("arn:aws:iam::{}:user/{}", ctx.account, user_name(&ctx.access_key)),
                "UserId": ctx.access_key,
                "Account": ctx.account,
            })),
            other => Err(ApiError::not_implemented("sts", other)),
        }
    }
}

/// An access key as the user name of an ARN: only what IAM allows in one.
fn user_name(access_key: &str) -> String {
    let name: String =
        access_key.chars().filter(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(*c)).take(64).collect();
    if name.is_empty() { super::LOCAL_KEY.to_owned() } else { name }
}
