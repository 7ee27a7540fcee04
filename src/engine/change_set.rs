//! A change set's life before it runs: made, waited for, read, and removed again when it is not wanted.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::abort::Abort;
use super::effect::Effect;
use super::events::{EventEmitter, EventKind};
use super::ledger::Known;
use super::run::Run;
use crate::aws::{
    CallError, CallErrorKind, ChangeSetKind, ChangeSetRequest, ListedChangeSet, StackState, ValidationResult,
};
use crate::cfn::change_set::ChangeSet;
use crate::finding::{Finding, Severity, code};

/// What CloudFormation says of a change set that would change nothing.
const NO_CHANGE: &[&str] = &["didn't contain changes", "no updates are to be performed"];
/// How often it is asked whether a change set was made whose answer was lost.
pub(super) const RECONCILE_TRIES: usize = 5;
/// Tries at removing a change set that is still being made.
const DELETE_TRIES: usize = 30;
/// The age from which a change set of this program is taken for one that a run left behind.
const LEFT_BEHIND: SignedDuration = SignedDuration::from_hours(1);
/// How long the deletion of an empty stack is waited for; it has nothing to delete.
const DELETE_TIMEOUT: Duration = Duration::from_secs(20);

/// What came of asking for a change set.
pub(super) enum ChangeSetResult {
    /// It can be executed.
    Ready(Box<ReadyChangeSet>),
    /// There is nothing to do; it is removed already.
    NoChange,
    /// CloudFormation refuses it; it is removed already.
    Refused(Vec<Finding>),
}

/// A change set that can be executed.
pub(super) struct ReadyChangeSet {
    /// Its ARN.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// The stack's name.
    stack: String,
    /// The stack's ARN.
    pub(super) stack_id: String,
    /// Whether the stack was only made for change sets, and what becomes of the stack when it fails.
    pub(super) kind: ChangeSetKind,
    /// The empty stack that holds it was there before, left by an earlier run.
    has_shell: bool,
    /// What it holds.
    pub(super) set: ChangeSet,
}

/// Makes a change set and waits until it is ready.
pub(super) async fn make(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    request: &ChangeSetRequest,
) -> Result<ChangeSetResult, Abort> {
    let (id, stack_id) = Box::pin(create(run, request)).await?;
    let ready = |set: ChangeSet| ReadyChangeSet {
        id: id.clone(),
        name: request.name.clone(),
        stack: request.stack.clone(),
        stack_id: stack_id.clone(),
        kind: request.kind,
        has_shell: request.has_shell,
        set,
    };
    let waited = run.unless_cancelled(wait(run, &id)).await;
    let set = match waited {
        Ok(Ok(set)) => set,
        Ok(Err(error)) => {
            ready(ChangeSet::default()).try_to_discard(run, emitter).await;
            return Err(if is_gone(&error) { superseded(&request.stack).into() } else { error.into() });
        }
        Err(stop) => {
            ready(ChangeSet::default()).try_to_discard(run, emitter).await;
            return Err(stop);
        }
    };
    if set.status != "FAILED" {
        emitter.emit(EventKind::ChangeSetCreated { name: request.name.clone() });
        let made = ready(set);
        for finding in warnings(run, &made).await {
            emitter.emit(EventKind::Warning { finding });
        }
        return Ok(ChangeSetResult::Ready(Box::new(made)));
    }
    let reason = set.status_reason.clone().unwrap_or_default();
    let lower = reason.to_ascii_lowercase();
    if NO_CHANGE.iter().any(|words| lower.contains(words)) {
        // One that stays is in the ledger, and told at the end.
        run.until_cleaned(ready(set).remove(run)).await?.ok();
        return Ok(ChangeSetResult::NoChange);
    }
    let validation = run.until_answered(run.clients.validation_results(&stack_id, &id)).await;
    let validation = validation.ok().and_then(Result::ok).unwrap_or_default();
    ready(set).try_to_discard(run, emitter).await;
    let mut findings: Vec<Finding> = validation.iter().map(validation_finding).collect();
    if !findings.iter().any(|finding| finding.severity == Severity::Error) {
        let reason = if reason.is_empty() { "CloudFormation gave no reason" } else { reason.trim_end_matches('.') };
        findings.insert(
            0,
            Finding::error(code::D018, format!("CloudFormation refuses the change set: {reason}"))
                .help("correct the cause and deploy again"),
        );
    }
    Ok(ChangeSetResult::Refused(findings))
}

/// What a change set leaves behind when it is not removed: itself, and the stack that holds it.
fn effects(request: &ChangeSetRequest) -> (Effect, Option<Effect>) {
    let set = Effect::ChangeSet { stack: request.stack.clone(), name: request.name.clone() };
    let makes_shell = request.kind.creates() && !request.has_shell;
    (set, makes_shell.then(|| Effect::StackShell { stack: request.stack.clone() }))
}

/// Asks for a change set, and when the answer is lost finds out whether it was made.
async fn create(run: &Run<'_>, request: &ChangeSetRequest) -> Result<(String, String), Abort> {
    let (set, shell) = effects(request);
    // Not to be left half way: whether it was made decides what has to be removed.
    let asked = run.effect(set.clone(), run.clients.create_change_set(request));
    let shell_made = || shell.iter().for_each(|shell| run.ledger().add(shell.clone()));
    let failed = match run.until_answered(asked).await {
        Ok(Ok(ids)) => {
            shell_made();
            return Ok(ids);
        }
        Ok(Err(failed)) => failed,
        Err(stop) => {
            shell_made();
            if let Some(shell) = &shell {
                run.ledger().doubt(shell);
            }
            return Err(stop);
        }
    };
    if !failed.lost {
        return Err(refused(request, failed.error));
    }
    // A name that somebody gave may be that of an older change set; one with this run's own number is ours.
    let taken = failed.error.is("AlreadyExistsException") || failed.error.is("AlreadyExists");
    if !taken || request.is_named_by_us() {
        for _ in 0..RECONCILE_TRIES {
            run.unless_cancelled(run.clients.pace().turn()).await?;
            let found = run.until_answered(run.clients.change_set_ids(&request.stack, &request.name)).await?;
            match found {
                Ok(Some(ids)) => {
                    run.ledger().confirm(&set);
                    shell_made();
                    return Ok(ids);
                }
                // It never arrived; the token makes it the same request should it still do so.
                Ok(None) => {
                    run.ledger().retract(&set);
                    let again = run.effect(set.clone(), run.clients.create_change_set(request));
                    match run.until_answered(again).await? {
                        Ok(ids) => {
                            shell_made();
                            return Ok(ids);
                        }
                        Err(failed) if failed.lost => {}
                        Err(failed) => {
                            run.ledger().reopen(&set);
                            return Err(refused(request, failed.error));
                        }
                    }
                }
                Err(error) if error.is_transient() => {}
                Err(_) => break,
            }
        }
    }
    shell_made();
    if let Some(shell) = &shell {
        run.ledger().doubt(shell);
    }
    Err(failed.into())
}

/// What is wrong with the request itself.
fn refused(request: &ChangeSetRequest, error: CallError) -> Abort {
    if error.kind == CallErrorKind::Refused {
        let said = error.message.trim_end_matches('.');
        let code = error.code.as_deref().unwrap_or("refused");
        return Finding::error(
            code::D018,
            format!("CloudFormation refuses the change set for `{}`: {code}: {said}", request.stack),
        )
        .help("correct what it names and deploy again")
        .into();
    }
    error.into()
}

/// Whether a change set went away under us: another one that runs takes all the others of its stack along.
pub(super) fn is_gone(error: &CallError) -> bool {
    error.is("ChangeSetNotFound") || error.is("ChangeSetNotFoundException")
}

/// Somebody else was faster.
pub(super) fn superseded(stack: &str) -> Finding {
    let message = format!("`{stack}` was changed by someone else after this plan was made");
    Finding::error(code::D028, message).help("this plan was not carried out; deploy again to see a new one")
}

async fn wait(run: &Run<'_>, id: &str) -> Result<ChangeSet, CallError> {
    loop {
        run.clients.pace().turn().await;
        let set = run.clients.change_set(id).await?;
        if !matches!(set.status.as_str(), "CREATE_PENDING" | "CREATE_IN_PROGRESS" | "") {
            return Ok(set);
        }
    }
}

/// What CloudFormation's validation warns of. It is a courtesy: without the permission to ask there are no warnings.
async fn warnings(run: &Run<'_>, made: &ReadyChangeSet) -> Vec<Finding> {
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
        Finding::error(code::D019, message)
            .help("CloudFormation found it before changing anything; correct it and deploy again")
    } else {
        Finding::warning(code::D020, message)
    };
    match (&result.logical_id, &result.path) {
        (Some(id), Some(path)) => finding.in_template(in_resource(id, path)),
        (Some(id), None) => finding.in_template(format!("Resources/{id}")),
        _ => finding,
    }
}

/// A place in a resource. CloudFormation gives paths of properties as well as such that begin at the template's root.
fn in_resource(id: &str, path: &str) -> String {
    let path = path.trim_matches('/').replace('.', "/");
    let whole = format!("Resources/{id}");
    match path.strip_prefix(&whole) {
        Some("") => whole,
        Some(rest) if rest.starts_with('/') => format!("{whole}{rest}"),
        _ if path.is_empty() => whole,
        _ => format!("{whole}/{path}"),
    }
}

impl ReadyChangeSet {
    /// Removes it, and tells.
    pub(super) async fn discard(&self, run: &Run<'_>, emitter: &EventEmitter<'_>) -> Result<(), Abort> {
        run.until_cleaned(self.remove(run)).await??;
        emitter.emit(EventKind::ChangeSetRemoved { name: self.name.clone() });
        Ok(())
    }

    /// Removes it after something else went wrong, which is what is reported. Whether it stays is the ledger's to tell.
    pub(super) async fn try_to_discard(&self, run: &Run<'_>, emitter: &EventEmitter<'_>) -> bool {
        self.discard(run, emitter).await.is_ok()
    }

    /// What it leaves behind when it is not removed.
    fn effect(&self) -> Effect {
        Effect::ChangeSet { stack: self.stack.clone(), name: self.name.clone() }
    }

    /// The stack that was only made to hold it.
    fn shell(&self) -> Effect {
        Effect::StackShell { stack: self.stack.clone() }
    }

    /// It runs: it is no longer something to remove.
    pub(super) fn is_executed(&self, run: &Run<'_>) {
        run.ledger().retract(&self.effect());
        run.ledger().retract(&self.shell());
    }

    /// Removes it, and with it the stack that is only there to hold it.
    async fn remove(&self, run: &Run<'_>) -> Result<(), Abort> {
        if self.kind.creates() {
            return self.remove_with_shell(run).await;
        }
        self.remove_alone(run).await?;
        // A courtesy to whoever looks at the stack's change sets.
        delete_stale_change_sets(run, &self.stack, &self.stack_id).await.ok();
        Ok(())
    }

    /// Removes the change set and leaves its stack.
    async fn remove_alone(&self, run: &Run<'_>) -> Result<(), Abort> {
        let mut tries = 0;
        loop {
            let doubt = InDoubt::begin(run, vec![self.effect()]);
            match run.undo(run.clients.delete_change_set(&self.id)).await {
                Ok(()) => {
                    doubt.gone();
                    return Ok(());
                }
                // It cannot be removed while it is being made.
                Err(failed) if failed.error.is("InvalidChangeSetStatus") && tries < DELETE_TRIES => {
                    doubt.unchanged();
                    tries += 1;
                    run.clients.pace().turn().await;
                }
                Err(failed) => {
                    if !failed.lost {
                        doubt.unchanged();
                    }
                    return Err(failed.into());
                }
            }
        }
    }

    /// Removes both by one request: between two, an interrupt would leave a stack that nothing tells whose it is.
    async fn remove_with_shell(&self, run: &Run<'_>) -> Result<(), Abort> {
        match self.in_shell(run).await {
            Ok(Shell::Alone) => {}
            Ok(Shell::Gone) => {
                run.ledger().retract(&self.effect());
                run.ledger().retract(&self.shell());
                return Ok(());
            }
            Ok(Shell::Shared) => {
                self.remove_alone(run).await?;
                run.ledger().retract(&self.shell());
                return Ok(());
            }
            // Alone the stack would tell nobody whose it is.
            Err(error) => return Err(error.into()),
        }
        let mut effects = vec![self.effect()];
        if !self.has_shell {
            effects.push(self.shell());
        }
        let doubt = InDoubt::begin(run, effects);
        let token = format!("bedplate-{}", uuid::Uuid::new_v4());
        let delete = run.clients.delete_stack(&self.stack_id, &token);
        let asked = if self.has_shell {
            run.effect(Effect::LeftoverRemoval { stack: self.stack.clone(), change_set: None }, delete).await
        } else {
            run.undo(delete).await
        };
        if let Err(failed) = asked {
            if !failed.lost {
                doubt.unchanged();
            }
            return Err(failed.into());
        }
        let deadline = Instant::now() + DELETE_TIMEOUT;
        while Instant::now() < deadline {
            match run.clients.stack(&self.stack_id).await? {
                Some(stack) if stack.state() != StackState::Deleted => run.clients.pace().turn().await,
                _ => break,
            }
        }
        doubt.gone();
        Ok(())
    }

    /// What else the stack holds that was only made for change sets, once this one is no longer being made.
    async fn in_shell(&self, run: &Run<'_>) -> Result<Shell, CallError> {
        let mut tries = 0;
        loop {
            match run.clients.stack(&self.stack_id).await? {
                None => return Ok(Shell::Gone),
                Some(stack) if stack.state() == StackState::Deleted => return Ok(Shell::Gone),
                Some(stack) if stack.state() != StackState::Review => return Ok(Shell::Shared),
                Some(_) => {}
            }
            let sets = run.clients.change_sets(&self.stack_id).await?;
            let now = Timestamp::now();
            if sets.iter().any(|set| set.name != self.name && !set.is_left_behind(now)) {
                return Ok(Shell::Shared);
            }
            if tries == DELETE_TRIES || !sets.iter().any(|set| set.name == self.name && set.pending) {
                return Ok(Shell::Alone);
            }
            tries += 1;
            run.clients.pace().turn().await;
        }
    }
}

/// What a stack that was only made for change sets is to one of them.
enum Shell {
    /// It holds no other that is in use.
    Alone,
    /// It holds others, or one of them was executed.
    Shared,
    /// It is no longer there.
    Gone,
}

/// Removes the change sets that earlier runs left behind.
async fn delete_stale_change_sets(run: &Run<'_>, stack: &str, stack_id: &str) -> Result<(), CallError> {
    let now = Timestamp::now();
    for set in run.clients.change_sets(stack_id).await? {
        let id = if set.is_left_behind(now) { run.clients.change_set_ids(stack_id, &set.name).await? } else { None };
        if let Some((id, _)) = id {
            let effect = Effect::LeftoverRemoval { stack: stack.to_owned(), change_set: Some(set.name) };
            run.effect(effect, run.clients.delete_change_set(&id)).await.ok();
        }
    }
    Ok(())
}

impl ListedChangeSet {
    /// Whether an earlier run left it behind, by its name and its age: a younger one may be that of a run that waits for
    /// an answer.
    fn is_left_behind(&self, now: Timestamp) -> bool {
        let old = self.made.is_some_and(|made| now.duration_since(made) > LEFT_BEHIND);
        old && self.unused && is_ours(&self.name)
    }
}

/// Whether a name is one that this program gives: `bedplate-`, a digest's beginning, a run's number.
fn is_ours(name: &str) -> bool {
    let hex = |part: &str| part.len() == 12 && part.chars().all(|c| c.is_ascii_hexdigit());
    let parts = name.strip_prefix("bedplate-").and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(digest, number)| hex(digest) && hex(number))
}

/// While something is being taken back it is not known whether it is still there; so it stays when that is broken off.
struct InDoubt<'a> {
    run: &'a Run<'a>,
    effects: Vec<(Effect, Known)>,
}

impl<'a> InDoubt<'a> {
    fn begin(run: &'a Run<'a>, effects: Vec<Effect>) -> Self {
        let doubted = effects.into_iter().filter_map(|effect| run.ledger().doubt(&effect).map(|known| (effect, known)));
        let effects = doubted.collect();
        Self { run, effects }
    }

    /// It is gone.
    fn gone(self) {
        for (effect, _) in &self.effects {
            self.run.ledger().retract(effect);
        }
    }

    /// It is as it was.
    fn unchanged(self) {
        for (effect, known) in &self.effects {
            self.run.ledger().restore(effect, *known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_resource_is_told_once() {
        for (path, place) in [
            ("Resources/C", "Resources/C"),
            ("/Resources/C/Properties/Name", "Resources/C/Properties/Name"),
            ("Properties.Name", "Resources/C/Properties/Name"),
            ("/Properties/Name", "Resources/C/Properties/Name"),
            ("Resources/CD/Properties", "Resources/C/Resources/CD/Properties"),
            ("", "Resources/C"),
        ] {
            assert_eq!(in_resource("C", path), place, "{path}");
        }
    }
}
