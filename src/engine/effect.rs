//! What a run does to the account, as data.

use serde::Serialize;

/// Something a run does to the account and that stays until somebody takes it back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "effect", rename_all = "kebab-case")]
pub enum Effect {
    /// A stack that holds the artifact bucket is made.
    ArtifactBucket {
        /// The bucket.
        bucket: String,
        /// The stack.
        stack: String,
    },
    /// Files are put into a bucket; counted.
    ObjectsUploaded {
        /// The bucket.
        bucket: String,
        /// How many.
        count: u64,
    },
    /// An empty stack is made, in `REVIEW_IN_PROGRESS`, to hold a change set.
    StackShell {
        /// The stack.
        stack: String,
    },
    /// What an earlier run left behind is removed: a change set, or without one an empty stack in `REVIEW_IN_PROGRESS`.
    LeftoverRemoval {
        /// The stack.
        stack: String,
        /// The change set's name.
        #[serde(skip_serializing_if = "Option::is_none")]
        change_set: Option<String>,
    },
    /// A change set is made.
    ChangeSet {
        /// The stack.
        stack: String,
        /// The change set's name.
        name: String,
    },
    /// A change set is executed.
    Execution {
        /// The stack.
        stack: String,
        /// The change set's name.
        name: String,
        /// The operation's token, which its events carry.
        token: String,
    },
    /// A stack is deleted.
    StackDeletion {
        /// The stack.
        stack: String,
        /// The operation's token, which its events carry.
        token: String,
    },
    /// Versions of objects, and delete markers, are deleted; counted.
    ObjectsDeleted {
        /// The bucket.
        bucket: String,
        /// How many.
        count: u64,
    },
    /// Uploads that nobody finished are given up; counted.
    UploadsAborted {
        /// The bucket.
        bucket: String,
        /// How many.
        count: u64,
    },
    /// A bucket is deleted beside its stack.
    BucketDeletion {
        /// The bucket.
        bucket: String,
    },
    /// Rows are written; counted.
    RowsWritten {
        /// The table.
        table: String,
        /// How many.
        count: u64,
    },
    /// Documents are read into a knowledge base.
    Ingestion {
        /// Such as `knowledge-bases.bank.sources.documents`.
        component: String,
    },
    /// A request that changes something and is none of the above.
    Request {
        /// The operation, such as `PutObject`.
        operation: String,
    },
}

/// How many there are of an effect that is counted.
pub(super) fn counted(effect: &Effect) -> Option<u64> {
    match effect {
        Effect::ObjectsUploaded { count, .. }
        | Effect::ObjectsDeleted { count, .. }
        | Effect::UploadsAborted { count, .. }
        | Effect::RowsWritten { count, .. } => Some(*count),
        _ => None,
    }
}

/// Says how many there are of an effect that is counted.
pub(super) fn set_count(effect: &mut Effect, to: u64) {
    match effect {
        Effect::ObjectsUploaded { count, .. }
        | Effect::ObjectsDeleted { count, .. }
        | Effect::UploadsAborted { count, .. }
        | Effect::RowsWritten { count, .. } => *count = to,
        _ => {}
    }
}
