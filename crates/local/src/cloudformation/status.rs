//! The states of stacks, resources and change sets, and which operation a stack's state lets start.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a stack, or a resource within one, stands. Source: the `StackStatus` and `ResourceStatus` enumerations of the
/// CloudFormation API model; imports have no place here, as the local target does not import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// A stack that only has a change set so far.
    ReviewInProgress,
    /// Being created.
    CreateInProgress,
    /// Creation failed, and nothing was taken back.
    CreateFailed,
    /// Created.
    CreateComplete,
    /// A failed creation is being taken back.
    RollbackInProgress,
    /// Taking a creation back failed.
    RollbackFailed,
    /// A failed creation was taken back.
    RollbackComplete,
    /// Being deleted.
    DeleteInProgress,
    /// Deletion failed.
    DeleteFailed,
    /// Deleted.
    DeleteComplete,
    /// Left in place on deletion, by its policy or by request.
    DeleteSkipped,
    /// Being updated.
    UpdateInProgress,
    /// Updated; what it no longer needs is being deleted.
    UpdateCompleteCleanupInProgress,
    /// Updated.
    UpdateComplete,
    /// An update failed, and nothing was taken back.
    UpdateFailed,
    /// A failed update is being taken back.
    UpdateRollbackInProgress,
    /// Taking an update back failed.
    UpdateRollbackFailed,
    /// Taken back; what the failed update had made is being deleted.
    UpdateRollbackCompleteCleanupInProgress,
    /// A failed update was taken back.
    UpdateRollbackComplete,
}

impl Status {
    /// The name as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::ReviewInProgress => "REVIEW_IN_PROGRESS",
            Status::CreateInProgress => "CREATE_IN_PROGRESS",
            Status::CreateFailed => "CREATE_FAILED",
            Status::CreateComplete => "CREATE_COMPLETE",
            Status::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Status::RollbackFailed => "ROLLBACK_FAILED",
            Status::RollbackComplete => "ROLLBACK_COMPLETE",
            Status::DeleteInProgress => "DELETE_IN_PROGRESS",
            Status::DeleteFailed => "DELETE_FAILED",
            Status::DeleteComplete => "DELETE_COMPLETE",
            Status::DeleteSkipped => "DELETE_SKIPPED",
            Status::UpdateInProgress => "UPDATE_IN_PROGRESS",
            Status::UpdateCompleteCleanupInProgress => "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            Status::UpdateComplete => "UPDATE_COMPLETE",
            Status::UpdateFailed => "UPDATE_FAILED",
            Status::UpdateRollbackInProgress => "UPDATE_ROLLBACK_IN_PROGRESS",
            Status::UpdateRollbackFailed => "UPDATE_ROLLBACK_FAILED",
            Status::UpdateRollbackCompleteCleanupInProgress => "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            Status::UpdateRollbackComplete => "UPDATE_ROLLBACK_COMPLETE",
        }
    }

    /// Whether an operation is under way.
    pub fn in_progress(self) -> bool {
        self.as_str().ends_with("_IN_PROGRESS") && self != Status::ReviewInProgress
    }

    /// Whether this is the status of a failed step.
    pub fn failed(self) -> bool {
        self.as_str().ends_with("_FAILED")
    }

    /// Whether an update, by call or by change set, may start from here.
    pub fn can_update(self) -> bool {
        matches!(
            self,
            Status::CreateComplete | Status::UpdateComplete | Status::UpdateRollbackComplete | Status::UpdateFailed
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a change set can be run. Source: `ExecutionStatus` of the API model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionStatus {
    /// It failed to be made.
    Unavailable,
    /// It can be run.
    Available,
    /// It is being run.
    ExecuteInProgress,
    /// It was run to its end.
    ExecuteComplete,
    /// It was run and failed.
    ExecuteFailed,
    /// The stack changed since.
    Obsolete,
}

impl ExecutionStatus {
    /// Whether it was run, well or badly: then another one may have its name.
    pub fn over(self) -> bool {
        matches!(self, ExecutionStatus::ExecuteComplete | ExecutionStatus::ExecuteFailed)
    }

    /// The name as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            ExecutionStatus::Unavailable => "UNAVAILABLE",
            ExecutionStatus::Available => "AVAILABLE",
            ExecutionStatus::ExecuteInProgress => "EXECUTE_IN_PROGRESS",
            ExecutionStatus::ExecuteComplete => "EXECUTE_COMPLETE",
            ExecutionStatus::ExecuteFailed => "EXECUTE_FAILED",
            ExecutionStatus::Obsolete => "OBSOLETE",
        }
    }
}

/// What an operation does to its stack. Source: `OperationType` of the API model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OperationType {
    /// Makes a new stack.
    CreateStack,
    /// Changes one.
    UpdateStack,
    /// Deletes one.
    DeleteStack,
    /// Takes up a rollback that failed.
    ContinueRollback,
    /// Takes a failed create or update back, on request or by itself.
    Rollback,
    /// Makes a change set.
    CreateChangeset,
}

impl OperationType {
    /// The name as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            OperationType::CreateStack => "CREATE_STACK",
            OperationType::UpdateStack => "UPDATE_STACK",
            OperationType::DeleteStack => "DELETE_STACK",
            OperationType::ContinueRollback => "CONTINUE_ROLLBACK",
            OperationType::Rollback => "ROLLBACK",
            OperationType::CreateChangeset => "CREATE_CHANGESET",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_serialised_names() {
        for status in [
            Status::ReviewInProgress,
            Status::UpdateCompleteCleanupInProgress,
            Status::UpdateRollbackCompleteCleanupInProgress,
            Status::DeleteSkipped,
        ] {
            assert_eq!(serde_json::json!(status), serde_json::json!(status.as_str()));
        }
        assert_eq!(serde_json::json!(ExecutionStatus::ExecuteComplete), "EXECUTE_COMPLETE");
        assert_eq!(serde_json::json!(OperationType::CreateChangeset), OperationType::CreateChangeset.as_str());
    }

    #[test]
    fn a_review_is_not_work_under_way() {
        assert!(!Status::ReviewInProgress.in_progress());
        assert!(Status::UpdateRollbackInProgress.in_progress());
        assert!(!Status::RollbackComplete.can_update());
    }
}
