//! The principal of a request.

use std::sync::Arc;

use http::StatusCode;
use rusqlite::Transaction;

use super::session::{self, Credentials, PREFIX, Session};
use crate::ground::ApiError;
use crate::ground::{ACCOUNT_ID, LOCAL_KEY};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Whoever signs with a key that is no temporary one, or not at all: they may do everything.
    Administrator {
        /// The access key.
        access_key: String,
    },
    /// A session of a role.
    Role(Arc<Session>),
}

impl Who {
    /// The administrator with no key of its own.
    pub fn local() -> Self {
        Self::Administrator { access_key: LOCAL_KEY.to_owned() }
    }

    /// The ARN.
    pub fn arn(&self) -> String {
        match self {
            Self::Administrator { access_key } => format!("arn:aws:iam::{ACCOUNT_ID}:user/{}", user_name(access_key)),
            Self::Role(session) => session.arn(),
        }
    }

    /// The unique id, as `GetCallerIdentity` tells it.
    pub fn user_id(&self) -> String {
        match self {
            Self::Administrator { access_key } => access_key.clone(),
            Self::Role(session) => session.user_id(),
        }
    }
}

/// An access key as the user name of an ARN: only what IAM allows in one.
fn user_name(access_key: &str) -> String {
    let name: String =
        access_key.chars().filter(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(*c)).take(64).collect();
    if name.is_empty() { LOCAL_KEY.to_owned() } else { name }
}

/// Whether an access key is one of temporary credentials made here.
pub(crate) fn is_temporary(access_key: &str) -> bool {
    access_key.starts_with(PREFIX)
}

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
