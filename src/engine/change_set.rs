//! A change set's life before it runs: made, waited for, read, and removed again when it is not wanted.

use std::time::{Duration, Instant};

use super::events::{EventKind, Teller};
use super::run::{Run, Stop};
use crate::aws::{CallErrorKind, ChangeSetKind, ChangeSetRequest, StackState, ValidationResult};
use crate::cfn::change_set::ChangeSet;
use crate::finding::{Finding, Severity};

/// What CloudFormation says of a change set that would change nothing.
const NO_CHANGE: &[&str] = &["didn't contain changes", "no updates are to be performed"];
/// Tries at removing a change set that is still being made.
const REMOVAL_TRIES: usize = 30;
/// How long the deletion of an empty stack is waited for; it has nothing to delete.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(20);

/// What came of asking for a change set.
pub(super) enum Made {
    /// It can be executed.
    Ready(Box<Ready>),
    /// There is nothing to do; it is removed already.
    NoChange,
    /// CloudFormation refuses it; it is removed already.
    Refused(Vec<Finding>),
}

/// A change set that can be executed.
pub(super) struct Ready {
    /// Its ARN.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// The stack's ARN.
    pub(super) stack_id: String,
    /// Whether the stack was only made for it, and what becomes of the stack when it fails.
    pub(super) kind: ChangeSetKind,
    /// What it holds.
    pub(super) set: ChangeSet,
}

/// Makes a change set and waits until it is ready.
pub(super) async fn make(run: &Run<'_>, teller: &Teller<'_>, request: &ChangeSetRequest) -> Result<Made, Stop> {
    // Not to be left half way: whether it was made decides what has to be removed.
    let (id, stack_id) = run.clients.create_change_set(request).await.map_err(|error| refused(request, error))?;
    let ready = |set: ChangeSet| Ready {
        id: id.clone(),
        name: request.name.clone(),
        stack_id: stack_id.clone(),
        kind: request.kind,
        set,
    };
    let waited = run.unless_cancelled(wait(run, &id)).await;
    let set = match waited {
        Ok(Ok(set)) => set,
        Ok(Err(error)) => {
            let _ = ready(ChangeSet::default()).discard(run, teller).await;
            return Err(if is_gone(&error) { overtaken(&request.stack).into() } else { error.into() });
        }
        Err(stop) => {
            let _ = ready(ChangeSet::default()).discard(run, teller).await;
            return Err(stop);
        }
    };
    if set.status != "FAILED" {
        teller.tell(EventKind::ChangeSetCreated { name: request.name.clone() });
        let made = ready(set);
        for finding in warnings(run, &made).await {
            teller.tell(EventKind::Warning { finding });
        }
        return Ok(Made::Ready(Box::new(made)));
    }
    let reason = set.status_reason.clone().unwrap_or_default();
    let lower = reason.to_ascii_lowercase();
    if NO_CHANGE.iter().any(|words| lower.contains(words)) {
        ready(set).remove(run).await?;
        return Ok(Made::NoChange);
    }
    let validation = run.clients.validation_results(&stack_id, &id).await.unwrap_or_default();
    let _ = ready(set).discard(run, teller).await;
    let mut findings: Vec<Finding> = validation.iter().map(validation_finding).collect();
    if !findings.iter().any(|finding| finding.severity == Severity::Error) {
        let reason = if reason.is_empty() { "CloudFormation gave no reason" } else { reason.trim_end_matches('.') };
        findings.insert(
            0,
            Finding::error("D018", format!("CloudFormation refuses the change set: {reason}"))
                .help("nothing was changed; correct the cause and deploy again"),
        );
    }
    Ok(Made::Refused(findings))
}

/// What is wrong with the request itself.
fn refused(request: &ChangeSetRequest, error: crate::aws::CallError) -> Stop {
    if error.kind == CallErrorKind::Refused {
        let said = error.message.trim_end_matches('.');
        let code = error.code.as_deref().unwrap_or("refused");
        return Finding::error("D018", format!("CloudFormation refuses the change set: {code}: {said}"))
            .help(format!("nothing was changed in `{}`", request.stack))
            .into();
    }
    error.into()
}

/// Whether a change set went away under us: another one that runs takes all the others of its stack along.
pub(super) fn is_gone(error: &crate::aws::CallError) -> bool {
    error.is("ChangeSetNotFound") || error.is("ChangeSetNotFoundException")
}

/// Somebody else was faster.
pub(super) fn overtaken(stack: &str) -> Finding {
    let message = format!("`{stack}` was changed by somebody else after this plan was made");
    Finding::error("D028", message).help("nothing was changed by this run; deploy again to see a new plan")
}

async fn wait(run: &Run<'_>, id: &str) -> Result<ChangeSet, crate::aws::CallError> {
    loop {
        run.clients.pace().turn().await;
        let set = run.clients.change_set(id).await?;
        if !matches!(set.status.as_str(), "CREATE_PENDING" | "CREATE_IN_PROGRESS" | "") {
            return Ok(set);
        }
    }
}

/// What CloudFormation's validation warns of. It is a courtesy: without the permission to ask there are no warnings.
async fn warnings(run: &Run<'_>, made: &Ready) -> Vec<Finding> {
    let results = run.unless_cancelled(run.clients.validation_results(&made.stack_id, &made.id)).await;
    let results = results.ok().and_then(Result::ok).unwrap_or_default();
    results.iter().filter(|result| !result.fails).map(validation_finding).collect()
}

fn validation_finding(result: &ValidationResult) -> Finding {
    let what = match (&result.logical_id, &result.resource_type) {
        (Some(id), Some(kind)) => format!("`{id}` ({kind}): "),
        (Some(id), None) => format!("`{id}`: "),
        _ => String::new(),
    };
    let reason = result.reason.as_deref().unwrap_or("CloudFormation gave no reason").trim_end_matches('.');
    let message = format!("{what}{reason}");
    let finding = if result.fails {
        Finding::error("D019", message)
            .help("CloudFormation found it before changing anything; correct it and deploy again")
    } else {
        Finding::warning("D020", message)
    };
    match (&result.logical_id, &result.path) {
        (Some(id), Some(path)) => {
            finding.in_template(format!("Resources/{id}/{}", path.trim_matches('/').replace('.', "/")))
        }
        (Some(id), None) => finding.in_template(format!("Resources/{id}")),
        _ => finding,
    }
}

impl Ready {
    /// Removes it, and tells.
    pub(super) async fn discard(&self, run: &Run<'_>, teller: &Teller<'_>) -> Result<(), Stop> {
        self.remove(run).await?;
        teller.tell(EventKind::ChangeSetRemoved { name: self.name.clone() });
        Ok(())
    }

    /// Removes it, and with it the empty stack that was only there to hold it. Not to be interrupted.
    async fn remove(&self, run: &Run<'_>) -> Result<(), Stop> {
        let mut tries = 0;
        loop {
            match run.clients.delete_change_set(&self.id).await {
                Ok(()) => break,
                // It cannot be removed while it is being made.
                Err(error) if error.is("InvalidChangeSetStatus") && tries < REMOVAL_TRIES => {
                    tries += 1;
                    run.clients.pace().turn().await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.kind.creates() {
            remove_empty_stack(run, &self.stack_id).await?;
        }
        Ok(())
    }
}

/// Deletes a stack in `REVIEW_IN_PROGRESS` that holds no other change set.
async fn remove_empty_stack(run: &Run<'_>, stack_id: &str) -> Result<(), Stop> {
    let Some(stack) = run.clients.stack(stack_id).await? else { return Ok(()) };
    if stack.state() != StackState::Review {
        return Ok(());
    }
    if !run.clients.change_set_names(stack_id).await?.is_empty() {
        return Ok(());
    }
    let token = format!("bedplate-{}", uuid::Uuid::new_v4());
    run.clients.delete_stack(stack_id, &token).await?;
    let patience = Instant::now() + REMOVAL_PATIENCE;
    while Instant::now() < patience {
        match run.clients.stack(stack_id).await? {
            Some(stack) if stack.state() != StackState::Deleted => run.clients.pace().turn().await,
            _ => break,
        }
    }
    Ok(())
}
