//! Cognito user pools. What a person does with a password or a token of their own needs no right.

use rusqlite::Transaction;

use crate::ground::{ACCOUNT_ID, ApiError, RequiredPermission};
use crate::protocol::api_request::ApiRequest;

/// What callers do not sign, and need no right for when they do.
const PUBLIC: &[&str] = &["GetUser", "InitiateAuth", "SignUp"];

/// What an operation needs.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn required_permissions(
    _: &Transaction<'_>,
    asked: &ApiRequest,
) -> Result<Vec<RequiredPermission>, ApiError> {
    if PUBLIC.contains(&asked.operation.as_str()) {
        return Ok(Vec::new());
    }
    let resource = match asked.text("UserPoolId") {
        Some(pool) => format!("arn:aws:cognito-idp:{}:{ACCOUNT_ID}:userpool/{pool}", asked.region),
        None => "*".to_owned(),
    };
    Ok(vec![RequiredPermission::new(format!("cognito-idp:{}", asked.operation), resource)])
}
