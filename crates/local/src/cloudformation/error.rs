//! Errors of the CloudFormation API, in the codes and words that its clients match on.

use http::StatusCode;

use crate::ground::ApiError;

/// The result of an API action.
pub type CloudFormationResult<T> = Result<T, ApiError>;

/// The stack named does not exist.
pub fn no_stack(named: &str) -> ApiError {
    ApiError::validation(format!("Stack with id {named} does not exist"))
}

/// The stack named does not exist, as the actions that change stacks word it.
pub fn no_stack_brackets(named: &str) -> ApiError {
    ApiError::validation(format!("Stack [{named}] does not exist"))
}

/// A stack or change set of that name exists.
pub fn already_exists(message: impl Into<String>) -> ApiError {
    ApiError::sender("AlreadyExistsException", message)
}

/// Capabilities that the template needs and the call did not acknowledge.
pub fn capabilities(needed: &str) -> ApiError {
    ApiError::sender("InsufficientCapabilitiesException", format!("Requires capabilities : [{needed}]"))
}

/// The change set named does not exist.
pub fn no_change_set(named: &str) -> ApiError {
    ApiError::sender("ChangeSetNotFound", format!("ChangeSet [{named}] does not exist"))
        .with_status(StatusCode::NOT_FOUND)
}

/// The change set's status does not allow that.
pub fn change_set_status(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidChangeSetStatus", message)
}

/// The client token began another operation already.
pub fn token_used(token: &str) -> ApiError {
    ApiError::sender(
        "TokenAlreadyExistsException",
        format!("Client request token {token} was already used for another operation"),
    )
}

/// More than an account or a stack may have.
pub fn limit_exceeded(what: &str) -> ApiError {
    ApiError::sender("LimitExceededException", format!("Limit exceeded: {what}"))
}

/// Asked for something that the local target does not simulate; it says so rather than pretend.
pub fn not_simulated(what: &str) -> ApiError {
    ApiError::sender(
        "NotImplemented",
        format!("The local target does not simulate {what}; leave it out, or deploy to AWS"),
    )
    .with_status(StatusCode::NOT_IMPLEMENTED)
}
