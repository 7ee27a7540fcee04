//! An error of a simulated service, whatever protocol it is told in.

use http::StatusCode;

use super::store::StoreError;

/// The code of an answer when the disk, or the database, is full.
pub const STATE_FULL: &str = "LocalStateFull";
/// The code of an answer when the state can't be written.
pub const STATE_READ_ONLY: &str = "LocalStateReadOnly";
/// The code of an answer when the state folder was taken away.
pub const STATE_GONE: &str = "LocalStateGone";
/// The code of an answer when another process holds the database for too long.
pub const STATE_LOCKED: &str = "LocalStateLocked";

/// What a service says when it refuses: its HTTP status, AWS's code for it, and the message a person reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// AWS's code, for example `ValidationError`.
    pub code: String,
    /// One or more sentences, as AWS words them where that is known.
    pub message: String,
}

impl ApiError {
    /// A refusal that is the caller's to mend: HTTP 400.
    pub fn sender(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: code.into(), message: message.into() }
    }

    /// The `ValidationError` of CloudFormation and its kin.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::sender("ValidationError", message)
    }

    /// A failure of the local target itself: HTTP 500.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "InternalFailure".to_owned(), message: message.into() }
    }

    /// What is not simulated, refused by name: HTTP 501.
    pub fn not_implemented(service: &str, operation: &str) -> Self {
        Self {
            status: StatusCode::NOT_IMPLEMENTED,
            code: "NotImplemented".to_owned(),
            message: format!(
                "The local target does not simulate `{operation}` of `{service}`; deploy to AWS or another endpoint for it"
            ),
        }
    }

    /// The same error with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let message = format!("The local target's state: {error}");
        let code = match error {
            StoreError::Full { .. } => STATE_FULL,
            StoreError::ReadOnly { .. } => STATE_READ_ONLY,
            StoreError::Gone { .. } => STATE_GONE,
            StoreError::Busy => STATE_LOCKED,
            _ => return Self::internal(message),
        };
        // Not one of the statuses that SDKs try again (500, 502, 503, 504: botocore's and smithy-rs's standard retries):
        // trying again does not make room, and whoever waits is to hear of it.
        Self { status: StatusCode::INSUFFICIENT_STORAGE, code: code.to_owned(), message }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}
