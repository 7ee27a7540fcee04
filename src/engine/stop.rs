//! Why a verb stops before its end.

use crate::aws::CallError;
use crate::finding::Finding;

/// Why a verb stops before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Something is wrong.
    Failed(Vec<Finding>),
    /// The user interrupted.
    Interrupted,
}

impl From<Finding> for Stop {
    fn from(finding: Finding) -> Self {
        Stop::Failed(vec![finding])
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Stop::Failed(vec![error.finding()])
    }
}

impl From<Vec<Finding>> for Stop {
    fn from(findings: Vec<Finding>) -> Self {
        Stop::Failed(findings)
    }
}
