//! Why a verb stops before its end.

use crate::aws::CallError;
use crate::finding::Finding;

/// Why a verb stops before its end.
#[derive(Debug)]
pub(super) enum Abort {
    /// Something is wrong.
    Failed(Vec<Finding>),
    /// The user interrupted.
    Interrupted,
}

impl From<Finding> for Abort {
    fn from(finding: Finding) -> Self {
        Abort::Failed(vec![finding])
    }
}

impl From<CallError> for Abort {
    fn from(error: CallError) -> Self {
        Abort::Failed(vec![error.finding()])
    }
}

impl From<Vec<Finding>> for Abort {
    fn from(findings: Vec<Finding>) -> Self {
        Abort::Failed(findings)
    }
}
