//! What stands under the stack's name before a deployment, and how to go on from there.

use super::abort::Abort;

use super::causes::{continue_rollback, explain, is_cause, place_of};
use super::claim::Claim;
use super::desired::Desired;
use super::destroy_plan::{Disposition, PlannedDeletion};
use super::events::{EventEmitter, EventKind};
use super::follow::wait_for;
use super::inventory::inventory;
use super::run::Run;
use super::teardown::tear_down;
use crate::aws::{Identity, StackEvent, StackState, StackSummary};
use crate::finding::{Finding, TemplatePlaces, code};
use crate::plan::{Action, DataLoss, Risk, RiskKind};

/// Where a deployment starts.
#[derive(Debug)]
pub(super) enum StartState {
    /// There is no stack.
    New,
    /// There is only the shell of one that was never made, left by an earlier run.
    Shell,
    /// There is a stack that can be changed.
    Update(StackSummary),
    /// There is a stack whose creation failed: it goes and is made anew.
    Recreate(FailedStack),
}

impl StartState {
    /// The stack to change.
    pub(super) fn stack(&self) -> Option<&StackSummary> {
        match self {
            StartState::Update(stack) => Some(stack),
            StartState::New | StartState::Shell | StartState::Recreate(_) => None,
        }
    }
}

/// Waits for what runs (or refuses to, when nothing is to be executed anyway), and decides.
pub(super) async fn resolve_start(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    desired: &Desired,
    identity: &Identity,
    claim: &Claim,
    may_execute: bool,
) -> Result<StartState, Abort> {
    let name = desired.stack.as_str();
    loop {
        let Some(stack) = run.attempt(run.clients.stack(name)).await? else { return Ok(StartState::New) };
        match stack.state() {
            StackState::Review => {
                claim.refuse_foreign_review(run, &stack, identity).await?;
                return Ok(StartState::Shell);
            }
            // Only the name is left, and the name is free.
            StackState::Deleted => return Ok(StartState::New),
            _ => {}
        }
        claim.refuse_foreign(&stack)?;
        match claim.other_owner(&stack, identity) {
            Some(other) if may_execute => return Err(other.refusal().into()),
            Some(other) => emitter.emit(EventKind::Warning { finding: other.warning() }),
            None => {}
        }
        match stack.state() {
            StackState::InProgress if may_execute => wait_for(run, emitter, &stack).await?,
            StackState::InProgress => return Err(busy(&stack).into()),
            StackState::Good | StackState::RolledBackUpdate => return Ok(StartState::Update(stack)),
            StackState::Deleted => return Ok(StartState::New),
            StackState::Review => return Ok(StartState::Shell),
            StackState::FailedCreate => {
                let history = run.attempt(run.clients.last_operation(&stack.id)).await?;
                report_causes(emitter, &stack, &history, desired);
                // These statuses themselves say that the creation never came to its end.
                return Ok(StartState::Recreate(FailedStack::describe(run, stack).await?));
            }
            StackState::FailedDelete => {
                let history = run.attempt(run.clients.stack_events(&stack.id, None)).await?;
                if may_have_worked(&stack, &history) {
                    return Err(half_deleted(&stack).into());
                }
                report_causes(emitter, &stack, &history, desired);
                return Ok(StartState::Recreate(FailedStack::describe(run, stack).await?));
            }
            StackState::StuckRollback => {
                let history = run.attempt(run.clients.last_operation(&stack.id)).await?;
                let failures: Vec<StackEvent> = history.into_iter().filter(is_cause).collect();
                return Err(stuck(&stack, &failures).into());
            }
            StackState::FailedUpdate => return Err(failed_update(&stack).into()),
        }
    }
}

/// A stack whose creation failed, with what is left of it.
#[derive(Debug)]
pub(super) struct FailedStack {
    pub(super) stack: StackSummary,
    resources: Vec<PlannedDeletion>,
}

impl FailedStack {
    async fn describe(run: &Run<'_>, stack: StackSummary) -> Result<Self, Abort> {
        let (resources, _) = inventory(run, &stack.id).await?;
        Ok(Self { stack, resources })
    }

    /// The data that goes with it. An empty bucket holds none; what else holds data is not looked into.
    pub(super) fn losses(&self) -> Vec<DataLoss> {
        let holding = self.resources.iter().filter(|resource| resource.disposition == Disposition::Deleted);
        holding
            .filter_map(|resource| {
                let what = resource.data.filter(|_| resource.physical_id.is_some())?;
                let what = match resource.objects {
                    _ if !resource.is_bucket() => what.to_owned(),
                    Some(objects) if objects.count > 0 => {
                        format!("{what}: {}{}", if objects.more { "more than " } else { "" }, objects.count)
                    }
                    _ => return None,
                };
                Some(DataLoss {
                    logical_id: resource.logical_id.clone(),
                    resource_type: resource.resource_type.clone(),
                    physical_id: resource.physical_id.clone(),
                    action: Action::Remove,
                    what,
                })
            })
            .collect()
    }

    /// What of that needs more than a general yes: objects, which somebody has put there.
    pub(super) fn risks(&self, desired: &Desired) -> Vec<Risk> {
        let holding = self.resources.iter().filter(|resource| resource.disposition == Disposition::Deleted);
        let risk = |resource: &PlannedDeletion| {
            let objects = resource.objects.filter(|objects| objects.count > 0)?;
            let more = if objects.more { "more than " } else { "" };
            Some(Risk {
                kind: RiskKind::DataLoss,
                resource: resource.logical_id.clone(),
                resource_type: Some(resource.resource_type.clone()),
                physical: resource.physical_id.clone(),
                pointer: desired.pointers.get(&resource.logical_id).cloned(),
                place: desired.places.of(&resource.logical_id).cloned(),
                reason: format!("it is deleted, and with it {more}{} object versions", objects.count),
            })
        };
        holding.filter_map(risk).collect()
    }

    /// Deletes it, with what its buckets hold.
    pub(super) async fn remove(mut self, run: &Run<'_>, emitter: &EventEmitter<'_>) -> Result<(), Abort> {
        let stack = &self.stack;
        emitter.note(format!("removing what is left of the failed `{}`", stack.name));
        let end = tear_down(run, emitter, stack, &mut self.resources).await?;
        if StackState::from_status(&end.status) == StackState::Deleted {
            return Ok(());
        }
        let mut findings = explain(&stack.name, &end, &TemplatePlaces::default());
        findings.push(
            Finding::error(code::D010, format!("the failed `{}` could not be removed", stack.name))
                .help("correct the cause above and deploy again, or delete it with `bedplate destroy`"),
        );
        Err(findings.into())
    }
}

fn report_causes(emitter: &EventEmitter<'_>, stack: &StackSummary, history: &[StackEvent], desired: &Desired) {
    let cause = history.iter().find(|event| is_cause(event) && event.status == "CREATE_FAILED");
    let (said, place) = match cause {
        Some(event) => (
            format!("`{}`: {}", event.logical_id, event.reason.as_deref().unwrap_or("no reason was given")),
            place_of(event, &desired.places),
        ),
        None => (stack.reason.clone().unwrap_or_else(|| "no reason was given".to_owned()), None),
    };
    let said = said.trim_end_matches('.');
    let message = format!("`{}` is in `{}`: its last creation failed ({said})", stack.name, stack.status);
    let finding = Finding::warning(code::D011, message).at(place);
    emitter.emit(EventKind::Warning {
        finding: finding.help("it never worked, so this deployment removes it and makes it anew"),
    });
}

/// Whether a stack may ever have worked, and so may hold what somebody needs. No is said only when it is proven: the events
/// reach back to the very first, and none of the stack's own is of anything but a creation that failed and of deletions.
/// Events are gone after 90 days and may be cut off; outputs are there only once a creation has come to its end.
fn may_have_worked(stack: &StackSummary, history: &[StackEvent]) -> bool {
    let is_first = |event: &StackEvent| {
        event.is_stack() && matches!(event.status.as_str(), "REVIEW_IN_PROGRESS" | "CREATE_IN_PROGRESS")
    };
    let of_failure = |event: &StackEvent| {
        let status = event.status.as_str();
        matches!(status, "REVIEW_IN_PROGRESS" | "CREATE_IN_PROGRESS" | "CREATE_FAILED")
            || status.starts_with("ROLLBACK_")
            || status.starts_with("DELETE_")
    };
    let failed =
        history.first().is_some_and(is_first) && history.iter().filter(|event| event.is_stack()).all(of_failure);
    !failed || !stack.outputs.is_empty()
}

fn busy(stack: &StackSummary) -> Finding {
    Finding::error(
        code::D021,
        format!("`{}` is in `{}`, and a plan would be out of date at once", stack.name, stack.status),
    )
    .help("watch it with `bedplate status` and plan again when it has ended; `bedplate deploy` waits by itself")
}

fn half_deleted(stack: &StackSummary) -> Finding {
    let reason = stack.reason.as_deref().unwrap_or("no reason was given").trim_end_matches('.');
    Finding::error(code::D013, format!("deleting `{}` failed earlier ({reason})", stack.name))
        .help("remove the rest of it with `bedplate destroy`, then deploy again")
}

fn stuck(stack: &StackSummary, failures: &[StackEvent]) -> Finding {
    let cause = failures.last().and_then(|event| {
        event.reason.as_deref().map(|reason| format!(" (`{}`: {})", event.logical_id, reason.trim_end_matches('.')))
    });
    let message = format!("`{}` is in `{}`{}", stack.name, stack.status, cause.unwrap_or_default());
    // Making it anew would take its data along.
    Finding::error(code::D014, message).help(continue_rollback(&stack.name, failures))
}

fn failed_update(stack: &StackSummary) -> Finding {
    let reason = stack.reason.as_deref().unwrap_or("no reason was given").trim_end_matches('.');
    Finding::error(code::D015, format!("`{}` is in `{}` ({reason})", stack.name, stack.status)).help(format!(
        "bring it back to its last good state with `aws cloudformation rollback-stack --stack-name {}`, then deploy again",
        stack.name
    ))
}
