//! The principal of a request, by its access key.

use http::StatusCode;
use rusqlite::Transaction;

use super::session;
use crate::ground::{ApiError, Credentials};

/// The credentials of a temporary access key that came with a token.
///
/// # Errors
///
/// In the words of S3 or of all other services: when nobody has the key, the token is another's, or they expired.
pub(crate) fn identify(
    db: &Transaction<'_>,
    access_key: &str,
    token: Option<&str>,
    is_s3: bool,
    now: jiff::Timestamp,
) -> Result<Credentials, ApiError> {
    let refuse = |code: &str, message: &str, status| Err(ApiError::sender(code, message).with_status(status));
    let Some(credentials) = session::find(db, access_key)? else {
        return if is_s3 {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            refuse("InvalidAccessKeyId", message, StatusCode::FORBIDDEN)
        } else {
            let message = "The security token included in the request is invalid.";
            refuse("UnrecognizedClientException", message, StatusCode::FORBIDDEN)
        };
    };
    let expired = credentials.session.expires <= now;
    // Of expired ones neither secret nor token is kept.
    if !expired && token != Some(credentials.token.as_str()) {
        return if is_s3 {
            refuse("InvalidToken", "The provided token is malformed or otherwise invalid.", StatusCode::BAD_REQUEST)
        } else {
            let message = "The security token included in the request is invalid.";
            refuse("UnrecognizedClientException", message, StatusCode::FORBIDDEN)
        };
    }
    if expired {
        return if is_s3 {
            refuse("ExpiredToken", "The provided token has expired.", StatusCode::BAD_REQUEST)
        } else {
            let message = "The security token included in the request is expired";
            refuse("ExpiredTokenException", message, StatusCode::FORBIDDEN)
        };
    }
    Ok(credentials)
}
