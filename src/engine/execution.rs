//! Executing a change set, and finding out whether it confirm_started when no answer says so.
//!
//! A request to execute whose answer is lost may have been carried out: then CloudFormation confirm_started it, whatever the last try was
//! answered. Its events carry this run's token, which no other run has; a change set that can still be executed was not; and
//! the same request with the same token is the same request.

use super::abort::Abort;
use super::change_set::{RECONCILE_TRIES, ReadyChangeSet, is_gone, superseded};
use super::effect::Effect;
use super::follow::StackFollower;
use super::ledger::EffectError;
use super::run::Run;
use crate::aws::CallError;

/// Whether a change set is executed though the request to do so failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExecutionState {
    /// It is not.
    No,
    /// The answer was lost, and nobody could be asked.
    Unknown,
}

/// A change set that is to run.
pub(super) struct Execution<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) made: &'a ReadyChangeSet,
    /// The stack's name.
    pub(super) stack: &'a str,
    /// This run's token.
    pub(super) token: &'a str,
    /// The stack's newest event before.
    pub(super) newest: &'a Option<String>,
}

impl Execution<'_> {
    /// Begins it and gives what to follow.
    pub(super) async fn start(&self) -> Result<StackFollower, (Abort, ExecutionState)> {
        match self.send().await {
            Ok(Ok(())) => Ok(self.own_operation()),
            Ok(Err(failed)) if failed.lost => self.reconcile(failed.error).await,
            Ok(Err(failed)) => Err((self.refusal(failed.error), ExecutionState::No)),
            Err(stop) => Err((stop, ExecutionState::Unknown)),
        }
    }

    async fn send(&self) -> Result<Result<(), EffectError>, Abort> {
        let call = self.run.clients.execute_change_set(&self.made.id, self.token, self.made.kind);
        let answer = self.run.until_answered(self.run.effect(self.effect(), call)).await?;
        if answer.is_ok() {
            self.made.is_executed(self.run);
        }
        Ok(answer)
    }

    fn effect(&self) -> Effect {
        Effect::Execution { stack: self.stack.to_owned(), name: self.made.name.clone(), token: self.token.to_owned() }
    }

    fn own_operation(&self) -> StackFollower {
        StackFollower::operation(self.made.stack_id.clone(), self.token.to_owned(), self.newest.clone())
    }

    fn confirm_started(&self, follow: StackFollower) -> Result<StackFollower, (Abort, ExecutionState)> {
        self.run.ledger().confirm(&self.effect());
        self.made.is_executed(self.run);
        Ok(follow)
    }

    /// Asks the stack and the change set, and again with the same token while it can still be executed.
    async fn reconcile(&self, first: CallError) -> Result<StackFollower, (Abort, ExecutionState)> {
        let unknown = |stop: Abort| (stop, ExecutionState::Unknown);
        let clients = self.run.clients;
        for _ in 0..RECONCILE_TRIES {
            let events = clients.stack_events(&self.made.stack_id, self.newest.as_deref());
            match self.run.until_answered(events).await.map_err(unknown)? {
                Ok(events) if events.iter().any(|event| event.token.as_deref() == Some(self.token)) => {
                    return self.confirm_started(self.own_operation());
                }
                Ok(_) => {}
                Err(error) if error.is_transient() => continue,
                Err(_) => break,
            }
            match self.run.until_answered(clients.change_set(&self.made.id)).await.map_err(unknown)? {
                Ok(set) if set.execution_status == "AVAILABLE" => {
                    self.run.ledger().retract(&self.effect());
                    match self.send().await.map_err(unknown)? {
                        Ok(()) => return Ok(self.own_operation()),
                        Err(failed) if failed.lost => {}
                        // Not even now; and once the change set is removed it never will be.
                        Err(failed) => return self.give_up(failed.error).await,
                    }
                }
                // It confirm_started, though no event says by whom: an endpoint may write no tokens.
                Ok(set) if set.execution_status.starts_with("EXECUTE_") => {
                    return self.confirm_started(StackFollower::any_operation(
                        self.made.stack_id.clone(),
                        self.newest.clone(),
                    ));
                }
                Ok(_) => {}
                // The execution of another change set took it along, and no event of the stack is own_operation.
                Err(error) if is_gone(&error) => {
                    self.run.ledger().retract(&self.effect());
                    return Err((superseded(self.stack).into(), ExecutionState::No));
                }
                Err(error) if error.is_transient() => {}
                Err(_) => break,
            }
        }
        Err(self.in_doubt(first))
    }

    /// What is not known of the execution covers what is not known of the change set.
    fn in_doubt(&self, error: CallError) -> (Abort, ExecutionState) {
        self.made.is_executed(self.run);
        (error.into(), ExecutionState::Unknown)
    }

    /// An earlier try may still be on its way: it comes to nothing once the change set is gone.
    async fn give_up(&self, error: CallError) -> Result<StackFollower, (Abort, ExecutionState)> {
        let removal = self.run.undo(self.run.clients.delete_change_set(&self.made.id));
        match self.run.until_answered(removal).await {
            Ok(Ok(())) => {
                self.run.ledger().retract(&self.effect());
                Err((self.refusal(error), ExecutionState::No))
            }
            // It can't be removed because it is being executed after all.
            Ok(Err(failed)) if failed.error.is("InvalidChangeSetStatus") => self.confirm_started(self.own_operation()),
            _ => {
                self.run.ledger().reopen(&self.effect());
                Err(self.in_doubt(error))
            }
        }
    }

    /// Why a change set that was ready does not run.
    fn refusal(&self, error: CallError) -> Abort {
        let stale = error.is("InvalidChangeSetStatus") || error.is("InvalidChangeSetStatusException");
        if stale || is_gone(&error) {
            return superseded(self.stack).into();
        }
        error.into()
    }
}
