//! Deleting a stack with what is in its buckets: proven again at the last moment, emptied, deleted, and once more when
//! that fails.

use std::collections::BTreeSet;

use super::abort::Abort;
use super::bucket_origin::{BucketOrigin, bucket_origin, is_like_aws};
use super::causes::explain;
use super::change_set::RECONCILE_TRIES;
use super::destroy_plan::{Disposition, PlannedDeletion};
use super::effect::Effect;
use super::empty::empty;
use super::events::{EventEmitter, EventKind};
use super::follow::StackFollower;
use super::operation_end::OperationEnd;
use super::run::Run;
use super::side_by_side::side_by_side;
use crate::aws::{CallError, CallErrorKind, StackState, StackSummary};
use crate::finding::{Finding, code};

/// Buckets emptied at once; each has several batches in flight of its own.
const BUCKETS_AT_ONCE: usize = 4;

/// Deletes a stack and what is in the buckets that it made. A bucket that is not proven to be the stack's is not touched,
/// and is let go of when that is what keeps the stack from being deleted; `resources` then says so.
pub(super) async fn tear_down(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    stack: &StackSummary,
    resources: &mut [PlannedDeletion],
) -> Result<OperationEnd, Abort> {
    // The first look was before somebody was asked, and that may have taken a while.
    prove(run, emitter, resources).await?;
    spare(run, resources).await?;
    empty_buckets(run, emitter, resources).await?;
    let end = delete_and_follow(run, emitter, &stack.id, &[]).await?;
    if StackState::from_status(&end.status) != StackState::FailedDelete {
        return Ok(end);
    }
    for finding in explain(&stack.name, &end, &crate::finding::TemplatePlaces::default()) {
        emitter.emit(EventKind::Warning { finding });
    }
    emitter.note("deleting failed; emptying the buckets again and trying once more");
    prove(run, emitter, resources).await?;
    empty_buckets(run, emitter, resources).await?;
    let retained = resources_to_retain(run, stack, resources).await?;
    if !retained.is_empty() {
        let names = retained.join("`, `");
        emitter.note(format!("not proven to be this stack's: `{names}`; `{}` is deleted without it", stack.name));
    }
    delete_and_follow(run, emitter, &stack.id, &retained).await
}

/// Looks once more at every bucket that is to be emptied: one that is gone, or no longer proven to be the stack's, is
/// taken out.
async fn prove(run: &Run<'_>, emitter: &EventEmitter<'_>, resources: &mut [PlannedDeletion]) -> Result<(), Abort> {
    for resource in resources.iter_mut().filter(|resource| resource.is_to_be_emptied()) {
        let Some(bucket) = resource.physical_id.clone() else { continue };
        match run.attempt(bucket_origin(run.clients, &bucket, &resource.stack_id)).await? {
            BucketOrigin::Stack => {}
            BucketOrigin::Gone => resource.objects = None,
            BucketOrigin::Other(reason) => {
                let message = format!("`{bucket}` is no longer proven to be this stack's: {reason}");
                let finding = Finding::warning(code::D070, message).help("it is left alone");
                emitter.emit(EventKind::Warning { finding });
                resource.leave_alone(reason);
            }
        }
    }
    Ok(())
}

/// CloudFormation deletes an empty bucket by its name, whoever made it: so a stack with one that is not its own is not
/// deleted at all. Some endpoints that stand for AWS delete one that holds objects too (ministack 1.5.33 does).
async fn spare(run: &Run<'_>, resources: &[PlannedDeletion]) -> Result<(), Abort> {
    for resource in
        resources.iter().filter(|resource| resource.disposition == Disposition::LeftAlone && !resource.orphaned)
    {
        let Some(bucket) = &resource.physical_id else { continue };
        match run.unless_cancelled(run.clients.object_versions(bucket, None, None)).await? {
            Ok(page) if page.versions.is_empty() => {
                let help = "delete the bucket by hand if it is not needed, or put an object into it; then destroy again: \
                            CloudFormation deletes no bucket that holds something, and the stack is deleted without it";
                return Err(would_go(resource, bucket, "is empty: CloudFormation would delete it").help(help).into());
            }
            Ok(_) if !is_like_aws(run.clients) => {
                let help = "move what it holds, delete the bucket by hand, and destroy again";
                return Err(would_go(resource, bucket, "this endpoint may delete it").help(help).into());
            }
            // One that is denied is denied to CloudFormation, which deletes with the same rights.
            Ok(_) => {}
            Err(error) if matches!(error.kind, CallErrorKind::Denied | CallErrorKind::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn would_go(resource: &PlannedDeletion, bucket: &str, how: &str) -> Finding {
    let (id, reason) = (&resource.logical_id, resource.reason.as_deref().unwrap_or_default());
    let message = format!(
        "`{bucket}`, the bucket of `{id}`, is not proven to be this stack's ({reason}), and {how} with the stack"
    );
    Finding::error(code::D070, message)
}

async fn empty_buckets(run: &Run<'_>, emitter: &EventEmitter<'_>, resources: &[PlannedDeletion]) -> Result<(), Abort> {
    let buckets = resources.iter().filter(|resource| resource.is_to_be_emptied());
    let buckets = buckets.filter_map(|resource| resource.physical_id.as_deref());
    side_by_side(buckets.map(|bucket| empty(run, emitter, bucket, None)), BUCKETS_AT_ONCE).await?;
    Ok(())
}

/// What CloudFormation is told to keep: buckets that are not the stack's and that it could not delete. Those of nested
/// stacks cannot be named.
async fn resources_to_retain(
    run: &Run<'_>,
    stack: &StackSummary,
    resources: &[PlannedDeletion],
) -> Result<Vec<String>, Abort> {
    let others: BTreeSet<&str> = resources
        .iter()
        .filter(|resource| {
            resource.disposition == Disposition::LeftAlone && !resource.orphaned && resource.stack_id == stack.id
        })
        .map(|resource| resource.logical_id.as_str())
        .collect();
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let listed = run.attempt(run.clients.stack_resources(&stack.id)).await?;
    let stuck = listed.into_iter().filter(|resource| resource.status == "DELETE_FAILED");
    Ok(stuck.map(|resource| resource.logical_id).filter(|id| others.contains(id.as_str())).collect())
}

/// Deletes a stack, named by its ARN, and tells what happens. By its ARN, since the name is gone once the stack is.
async fn delete_and_follow(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    stack_id: &str,
    retain: &[String],
) -> Result<OperationEnd, Abort> {
    let token = format!("bedplate-{}", uuid::Uuid::new_v4());
    let newest = run.attempt(run.clients.newest_event(stack_id)).await?;
    // From here on an interruption leaves the operation to CloudFormation.
    run.unless_cancelled(std::future::ready(())).await?;
    let stack = name_of(stack_id).to_owned();
    let effect = Effect::StackDeletion { stack: stack.clone(), token: token.clone() };
    let asked = run.effect(effect.clone(), run.clients.delete_stack_but(stack_id, &token, retain));
    match run.until_answered(asked).await? {
        Ok(()) => {}
        Err(failed) if failed.lost => {
            Box::pin(is_deleting(run, stack_id, retain, &effect, newest.as_deref(), failed.error)).await?
        }
        Err(failed) => return Err(failed.into()),
    }
    let end = StackFollower::operation(stack_id.to_owned(), token, newest).until_terminal(run, emitter).await?;
    run.ledger().operation_ended(&stack, &end.status);
    Ok(end)
}

/// Finds out whether a stack is being deleted when no answer says so: it, or an event of it with this run's token, tells; else
/// the same request is sent again, which the token makes the same one.
async fn is_deleting(
    run: &Run<'_>,
    stack_id: &str,
    retain: &[String],
    effect: &Effect,
    newest: Option<&str>,
    first: CallError,
) -> Result<(), Abort> {
    let Effect::StackDeletion { token, .. } = effect else { return Err(first.into()) };
    for _ in 0..RECONCILE_TRIES {
        run.clients.pace().turn().await;
        let stack = match run.until_answered(run.clients.stack(stack_id)).await? {
            Ok(stack) => stack,
            Err(error) if error.is_transient() => continue,
            Err(_) => break,
        };
        if stack.is_none_or(|stack| stack.status.starts_with("DELETE_") && stack.state() != StackState::FailedDelete) {
            run.ledger().confirm(effect);
            return Ok(());
        }
        match run.until_answered(run.clients.stack_events(stack_id, newest)).await? {
            Ok(events) if events.iter().any(|event| event.token.as_ref() == Some(token)) => {
                run.ledger().confirm(effect);
                return Ok(());
            }
            Ok(_) => {}
            Err(error) if error.is_transient() => continue,
            Err(_) => break,
        }
        run.ledger().retract(effect);
        let again = run.effect(effect.clone(), run.clients.delete_stack_but(stack_id, token, retain));
        match run.until_answered(again).await? {
            Ok(()) => return Ok(()),
            Err(failed) if failed.lost => {}
            Err(failed) => {
                // The first one may still be on its way.
                run.ledger().reopen(effect);
                return Err(failed.into());
            }
        }
    }
    Err(first.into())
}

/// The name in a stack's ARN, `arn:…:stack/NAME/ID`.
fn name_of(stack_id: &str) -> &str {
    stack_id.split_once(":stack/").and_then(|(_, rest)| rest.split('/').next()).unwrap_or(stack_id)
}
