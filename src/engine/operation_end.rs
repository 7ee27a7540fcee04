//! How an operation on a stack ended.

use std::time::Instant;

use crate::aws::StackEvent;

/// How an operation ended.
#[derive(Debug)]
pub(super) struct OperationEnd {
    /// The stack's status.
    pub(super) status: String,
    /// Why.
    pub(super) reason: Option<String>,
    /// What failed on the way, in order, without what only followed from it.
    pub(super) failures: Vec<StackEvent>,
    /// When the end was seen.
    pub(super) seen: Instant,
}

impl OperationEnd {
    /// The first failure, which the others followed from.
    pub(super) fn root_cause(&self) -> Option<&StackEvent> {
        self.failures.first()
    }
}
