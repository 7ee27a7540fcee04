//! What was done and what may have been, in words, and the commands that go with it.

use super::effect::Effect;
use crate::aws::StackState;

fn several(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// What was done, in words.
pub(super) fn done(effect: &Effect, ended: Option<&str>) -> String {
    let good = ended.is_some_and(|status| StackState::from_status(status) == StackState::Good);
    match (effect, ended) {
        (Effect::ArtifactBucket { bucket, stack }, _) if good => {
            format!("the artifact bucket `{bucket}` was made, by the stack `{stack}`")
        }
        (Effect::ArtifactBucket { bucket, stack }, None) => {
            format!("CloudFormation goes on making the artifact bucket `{bucket}`, by the stack `{stack}`")
        }
        (Effect::ArtifactBucket { bucket, stack }, Some(status)) => {
            format!("making the artifact bucket `{bucket}` failed; its stack `{stack}` ended in `{status}`")
        }
        (Effect::ObjectsUploaded { bucket, count }, _) => {
            format!("{} uploaded to `{bucket}`", several(*count, "file"))
        }
        (Effect::StackShell { stack }, _) => {
            format!("the stack `{stack}`, which is empty and in `REVIEW_IN_PROGRESS`, was made and is still there")
        }
        (Effect::LeftoverRemoval { stack, change_set: None }, _) => {
            format!("the empty stack `{stack}`, which an earlier run had left behind, was deleted")
        }
        (Effect::LeftoverRemoval { stack, change_set: Some(name) }, _) => {
            format!("the change set `{name}` of `{stack}`, which an earlier run had left behind, was removed")
        }
        (Effect::ChangeSet { stack, name }, _) => {
            format!("the change set `{name}` of `{stack}` was made and is still there")
        }
        (Effect::Execution { stack, .. }, None) => format!("CloudFormation goes on with `{stack}`"),
        (Effect::Execution { stack, .. }, Some(status)) => {
            format!("`{stack}` was changed, and ended in `{status}`")
        }
        (Effect::StackDeletion { stack, .. }, None) => format!("CloudFormation goes on deleting `{stack}`"),
        (Effect::StackDeletion { stack, .. }, Some("DELETE_COMPLETE")) => format!("the stack `{stack}` was deleted"),
        (Effect::StackDeletion { stack, .. }, Some(status)) => {
            format!("deleting `{stack}` was tried, and ended in `{status}`")
        }
        (Effect::ObjectsDeleted { bucket, count }, _) => {
            format!("{} of `{bucket}` deleted", several(*count, "object version"))
        }
        (Effect::UploadsAborted { bucket, count }, _) => {
            format!("{} to `{bucket}` given up", several(*count, "unfinished upload"))
        }
        (Effect::BucketDeletion { bucket }, _) => format!("the bucket `{bucket}` was deleted"),
        (Effect::RowsWritten { table, count }, _) => format!("{} written to `{table}`", several(*count, "row")),
        (Effect::Ingestion { component }, _) => format!("reading the documents of `{component}` was begun"),
        (Effect::Request { operation }, _) => format!("`{operation}` was asked for"),
    }
}

/// What may have been done, in words.
pub(super) fn unknown(effect: &Effect) -> String {
    match effect {
        Effect::ArtifactBucket { bucket, .. } => {
            format!("it is not known whether the artifact bucket `{bucket}` is being made: the answer was lost")
        }
        Effect::ObjectsUploaded { bucket, count } => {
            format!("it is not known whether {} reached `{bucket}`", several(*count, "more file"))
        }
        Effect::StackShell { stack } => {
            format!("it is not known whether `{stack}` exists, empty and in `REVIEW_IN_PROGRESS`")
        }
        Effect::LeftoverRemoval { stack, change_set: None } => {
            format!("it is not known whether the empty stack `{stack}`, left behind by an earlier run, was deleted")
        }
        Effect::LeftoverRemoval { stack, change_set: Some(name) } => {
            format!(
                "it is not known whether the change set `{name}` of `{stack}`, left behind by an earlier run, was removed"
            )
        }
        Effect::ChangeSet { stack, name } => {
            format!("it is not known whether the change set `{name}` of `{stack}` exists")
        }
        Effect::Execution { stack, name, .. } => format!(
            "it is not known whether CloudFormation executes the change set `{name}` on `{stack}`: the answer was lost; when \
             it does not, the change set is still there"
        ),
        Effect::StackDeletion { stack, .. } => {
            format!("it is not known whether CloudFormation deletes `{stack}`: the answer was lost")
        }
        Effect::ObjectsDeleted { bucket, count } => {
            format!("it is not known whether {} of `{bucket}` were deleted", several(*count, "more object version"))
        }
        Effect::UploadsAborted { bucket, .. } => {
            format!("it is not known whether unfinished uploads to `{bucket}` were given up")
        }
        Effect::BucketDeletion { bucket } => format!("it is not known whether the bucket `{bucket}` was deleted"),
        Effect::RowsWritten { table, count } => {
            format!("it is not known whether {} reached `{table}`", several(*count, "more row"))
        }
        Effect::Ingestion { component } => {
            format!("it is not known whether the documents of `{component}` are being read")
        }
        Effect::Request { operation } => format!("it is not known what became of `{operation}`"),
    }
}

/// The command that takes back what was left behind.
pub(super) fn remedy(effect: &Effect, region: &str) -> Option<String> {
    match effect {
        Effect::ChangeSet { stack, name } => Some(format!(
            "aws cloudformation delete-change-set --stack-name {stack} --change-set-name {name} --region {region}"
        )),
        Effect::StackShell { stack } => {
            Some(format!("aws cloudformation delete-stack --stack-name {stack} --region {region}"))
        }
        _ => None,
    }
}

/// The command that shows a stack.
pub(super) fn describe_stack(stack: &str, region: &str) -> String {
    format!("aws cloudformation describe-stacks --stack-name {stack} --region {region}")
}
