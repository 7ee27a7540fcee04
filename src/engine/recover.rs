//! What stands under the stack's name before a deployment, and how to go on from there.

use super::causes::{continue_rollback, is_cause};
use super::change_set::SETTLING_TRIES;
use super::deploy::is_foreign;
use super::empty::empty;
use super::events::{EventKind, Teller};
use super::follow::{End, Follow};
use super::ledger::Effect;
use super::look::USE_CASE_TAG;
use super::run::{Run, Stop};
use super::wanted::Desired;
use crate::aws::{CallError, StackEvent, StackResource, StackState, StackSummary};
use crate::finding::Finding;

/// Where a deployment starts.
#[derive(Debug)]
pub(super) enum Start {
    /// There is no stack, or only the shell of one that was never made.
    New,
    /// There is a stack that can be changed.
    Update(StackSummary),
    /// There is a stack whose creation failed: it goes and is made anew.
    Recreate(StackSummary),
}

impl Start {
    /// The stack to change.
    pub(super) fn stack(&self) -> Option<&StackSummary> {
        match self {
            Start::Update(stack) => Some(stack),
            Start::New | Start::Recreate(_) => None,
        }
    }
}

/// Waits for what runs (or refuses to, when nothing is to be executed anyway), and decides.
pub(super) async fn settle(
    run: &Run<'_>,
    teller: &Teller<'_>,
    desired: &Desired,
    may_wait: bool,
) -> Result<Start, Stop> {
    let name = desired.stack.as_str();
    loop {
        let Some(stack) = run.unless_cancelled(run.clients.stack(name)).await?? else { return Ok(Start::New) };
        if stack.state() == StackState::Review {
            return Ok(Start::New);
        }
        if is_foreign(&stack, desired.tags.get(USE_CASE_TAG).map(String::as_str)) {
            return Err(foreign(&stack).into());
        }
        match stack.state() {
            StackState::InProgress if may_wait => wait_for(run, teller, &stack).await?,
            StackState::InProgress => return Err(busy(&stack).into()),
            StackState::Good | StackState::RolledBackUpdate => return Ok(Start::Update(stack)),
            StackState::Deleted | StackState::Review => return Ok(Start::New),
            StackState::FailedCreate => {
                let history = run.unless_cancelled(run.clients.last_operation(&stack.id)).await??;
                tell_causes(teller, &stack, &history, desired);
                return Ok(Start::Recreate(stack));
            }
            StackState::FailedDelete => {
                let history = run.unless_cancelled(run.clients.stack_events(&stack.id, None)).await??;
                if was_good(&history) {
                    return Err(half_deleted(&stack).into());
                }
                tell_causes(teller, &stack, &history, desired);
                return Ok(Start::Recreate(stack));
            }
            StackState::StuckRollback => {
                let history = run.unless_cancelled(run.clients.last_operation(&stack.id)).await??;
                let failures: Vec<StackEvent> = history.into_iter().filter(is_cause).collect();
                return Err(stuck(&stack, &failures).into());
            }
            StackState::FailedUpdate => return Err(failed_update(&stack).into()),
        }
    }
}

/// Follows an operation somebody else, or an earlier run, began.
pub(super) async fn wait_for(run: &Run<'_>, teller: &Teller<'_>, stack: &StackSummary) -> Result<(), Stop> {
    teller.tell(EventKind::Waiting {
        r#for: format!("`{}` is in `{}`: waiting for that to end", stack.name, stack.status),
    });
    let newest = run.unless_cancelled(run.clients.newest_event(&stack.id)).await??;
    Follow::whatever_runs(stack.id.clone(), newest).until_rest(run, teller).await?;
    Ok(())
}

/// Deletes a stack that never reached a good state, with what its buckets may hold.
pub(super) async fn remove_failed(run: &Run<'_>, teller: &Teller<'_>, stack: &StackSummary) -> Result<(), Stop> {
    teller.note(format!("removing what is left of the failed `{}`", stack.name));
    let resources = run.unless_cancelled(run.clients.stack_resources(&stack.id)).await??;
    for bucket in resources.iter().filter(|resource| is_bucket_there(resource)).filter_map(|r| r.physical_id.as_deref())
    {
        empty(run, teller, bucket, None).await?;
    }
    let end = delete_and_follow(run, teller, &stack.id).await?;
    if StackState::of(&end.status) == StackState::Deleted {
        return Ok(());
    }
    let mut findings = super::causes::explain(&stack.name, &end, &std::collections::BTreeMap::new());
    findings.push(
        Finding::error("D010", format!("the failed `{}` could not be removed", stack.name))
            .help("correct the cause above and deploy again, or take it away with `bedplate destroy`"),
    );
    Err(findings.into())
}

/// Whether a resource is a bucket that exists.
pub(super) fn is_bucket_there(resource: &StackResource) -> bool {
    resource.resource_type == "AWS::S3::Bucket"
        && !matches!(resource.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED" | "CREATE_FAILED")
}

/// Deletes a stack, named by its ARN, and tells what happens. By its ARN, since the name is gone once the stack is.
pub(super) async fn delete_and_follow(run: &Run<'_>, teller: &Teller<'_>, stack_id: &str) -> Result<End, Stop> {
    let token = format!("bedplate-{}", uuid::Uuid::new_v4());
    let newest = run.unless_cancelled(run.clients.newest_event(stack_id)).await??;
    // From here on an interruption leaves the operation to CloudFormation.
    run.unless_cancelled(std::future::ready(())).await?;
    let stack = name_of(stack_id).to_owned();
    let effect = Effect::StackDeletion { stack: stack.clone(), token: token.clone() };
    let asked = run.effect(effect.clone(), run.clients.delete_stack(stack_id, &token));
    match run.until_answered(asked).await? {
        Ok(()) => {}
        Err(failed) if failed.lost => {
            Box::pin(is_deleting(run, stack_id, &effect, newest.as_deref(), failed.error)).await?
        }
        Err(failed) => return Err(failed.into()),
    }
    let end = Follow::operation(stack_id.to_owned(), token, newest).until_rest(run, teller).await?;
    run.ledger().ended(&stack, &end.status);
    Ok(end)
}

/// Finds out whether a stack is being deleted when no answer says so: it, or an event of it with this run's token, tells; else
/// the same request is sent again, which the token makes the same one.
async fn is_deleting(
    run: &Run<'_>,
    stack_id: &str,
    effect: &Effect,
    newest: Option<&str>,
    first: CallError,
) -> Result<(), Stop> {
    let Effect::StackDeletion { token, .. } = effect else { return Err(first.into()) };
    for _ in 0..SETTLING_TRIES {
        run.clients.pace().turn().await;
        let stack = match run.until_answered(run.clients.stack(stack_id)).await? {
            Ok(stack) => stack,
            Err(error) if error.is_passing() => continue,
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
            Err(error) if error.is_passing() => continue,
            Err(_) => break,
        }
        run.ledger().strike(effect);
        let again = run.effect(effect.clone(), run.clients.delete_stack(stack_id, token));
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

fn tell_causes(teller: &Teller<'_>, stack: &StackSummary, history: &[StackEvent], desired: &Desired) {
    let cause = history.iter().find(|event| is_cause(event) && event.status == "CREATE_FAILED");
    let (said, place) = match cause {
        Some(event) => (
            format!("`{}`: {}", event.logical_id, event.reason.as_deref().unwrap_or("no reason was given")),
            desired.places.get(&event.logical_id).cloned(),
        ),
        None => (stack.reason.clone().unwrap_or_else(|| "no reason was given".to_owned()), None),
    };
    let said = said.trim_end_matches('.');
    let message = format!("`{}` is in `{}`: its last creation failed ({said})", stack.name, stack.status);
    let finding = Finding::warning("D011", message).at(place);
    teller.tell(EventKind::Warning {
        finding: finding.help("it never worked, so this deployment removes it and makes it anew"),
    });
}

/// Whether the stack was ever in a good state, and so may hold what somebody needs.
fn was_good(history: &[StackEvent]) -> bool {
    let good = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"];
    history.iter().any(|event| event.is_stack() && good.contains(&event.status.as_str()))
}

pub(super) fn foreign(stack: &StackSummary) -> Finding {
    let whose = match stack.tags.get(USE_CASE_TAG) {
        Some(name) => format!("belongs to the use case `{name}`"),
        None => "was not made by Bedplate".to_owned(),
    };
    Finding::error("D012", format!("the stack `{}` {whose}", stack.name))
        .help("choose another name for the use case or another `--stage`")
}

fn busy(stack: &StackSummary) -> Finding {
    Finding::error(
        "D021",
        format!("`{}` is in `{}`, and a plan would be out of date at once", stack.name, stack.status),
    )
    .help("watch it with `bedplate status` and plan again when it has ended; `bedplate deploy` waits by itself")
}

fn half_deleted(stack: &StackSummary) -> Finding {
    let reason = stack.reason.as_deref().unwrap_or("no reason was given").trim_end_matches('.');
    Finding::error("D013", format!("deleting `{}` failed earlier ({reason})", stack.name))
        .help("take the rest of it away with `bedplate destroy`, then deploy again")
}

fn stuck(stack: &StackSummary, failures: &[StackEvent]) -> Finding {
    let cause = failures.last().and_then(|event| {
        event.reason.as_deref().map(|reason| format!(" (`{}`: {})", event.logical_id, reason.trim_end_matches('.')))
    });
    let message = format!("`{}` is in `{}`{}", stack.name, stack.status, cause.unwrap_or_default());
    // Making it anew would take its data along.
    Finding::error("D014", message).help(continue_rollback(&stack.name, failures))
}

fn failed_update(stack: &StackSummary) -> Finding {
    let reason = stack.reason.as_deref().unwrap_or("no reason was given").trim_end_matches('.');
    Finding::error("D015", format!("`{}` is in `{}` ({reason})", stack.name, stack.status)).help(format!(
        "bring it back to its last good state with `aws cloudformation rollback-stack --stack-name {}`, then deploy again",
        stack.name
    ))
}
