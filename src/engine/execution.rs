//! Executing a change set, and finding out whether it runs when no answer says so.
//!
//! A request to execute whose answer is lost may have been carried out: then CloudFormation runs it, whatever the last try was
//! answered. Its events carry this run's token, which no other run has; a change set that can still be executed was not; and
//! the same request with the same token is the same request.

use super::abort::Abort;
use super::change_set::{Ready, SETTLING_TRIES, is_gone, overtaken};
use super::effect::Effect;
use super::follow::Follow;
use super::ledger::EffectError;
use super::run::Run;
use crate::aws::CallError;

/// Whether a change set is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Executed {
    /// It is not.
    No,
    /// It is, by this run.
    Yes,
    /// The answer was lost, and nobody could be asked.
    Unknown,
}

/// A change set that is to run.
pub(super) struct Execution<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) made: &'a Ready,
    /// The stack's name.
    pub(super) stack: &'a str,
    /// This run's token.
    pub(super) token: &'a str,
    /// The stack's newest event before.
    pub(super) newest: &'a Option<String>,
}

impl Execution<'_> {
    /// Begins it and gives what to follow.
    pub(super) async fn start(&self) -> Result<Follow, (Abort, Executed)> {
        match self.ask().await {
            Ok(Ok(())) => Ok(self.ours()),
            Ok(Err(failed)) if failed.lost => self.find_out(failed.error).await,
            Ok(Err(failed)) => Err((self.why_not(failed.error), Executed::No)),
            Err(stop) => Err((stop, Executed::Unknown)),
        }
    }

    async fn ask(&self) -> Result<Result<(), EffectError>, Abort> {
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

    fn ours(&self) -> Follow {
        Follow::operation(self.made.stack_id.clone(), self.token.to_owned(), self.newest.clone())
    }

    fn runs(&self, follow: Follow) -> Result<Follow, (Abort, Executed)> {
        self.run.ledger().confirm(&self.effect());
        self.made.is_executed(self.run);
        Ok(follow)
    }

    /// Asks the stack and the change set, and again with the same token while it can still be executed.
    async fn find_out(&self, first: CallError) -> Result<Follow, (Abort, Executed)> {
        let unknown = |stop: Abort| (stop, Executed::Unknown);
        let clients = self.run.clients;
        for _ in 0..SETTLING_TRIES {
            let events = clients.stack_events(&self.made.stack_id, self.newest.as_deref());
            match self.run.until_answered(events).await.map_err(unknown)? {
                Ok(events) if events.iter().any(|event| event.token.as_deref() == Some(self.token)) => {
                    return self.runs(self.ours());
                }
                Ok(_) => {}
                Err(error) if error.is_passing() => continue,
                Err(_) => break,
            }
            match self.run.until_answered(clients.change_set(&self.made.id)).await.map_err(unknown)? {
                Ok(set) if set.execution_status == "AVAILABLE" => {
                    self.run.ledger().strike(&self.effect());
                    match self.ask().await.map_err(unknown)? {
                        Ok(()) => return Ok(self.ours()),
                        Err(failed) if failed.lost => {}
                        // Not even now; and once the change set is removed it never will be.
                        Err(failed) => return self.give_up(failed.error).await,
                    }
                }
                // It runs, though no event says by whom: an endpoint may write no tokens.
                Ok(set) if set.execution_status.starts_with("EXECUTE_") => {
                    return self.runs(Follow::whatever_runs(self.made.stack_id.clone(), self.newest.clone()));
                }
                Ok(_) => {}
                // The execution of another change set took it along, and no event of the stack is ours.
                Err(error) if is_gone(&error) => {
                    self.run.ledger().strike(&self.effect());
                    return Err((overtaken(self.stack).into(), Executed::No));
                }
                Err(error) if error.is_passing() => {}
                Err(_) => break,
            }
        }
        Err(self.in_doubt(first))
    }

    /// What is not known of the execution covers what is not known of the change set.
    fn in_doubt(&self, error: CallError) -> (Abort, Executed) {
        self.made.is_executed(self.run);
        (error.into(), Executed::Unknown)
    }

    /// An earlier try may still be on its way: it comes to nothing once the change set is gone.
    async fn give_up(&self, error: CallError) -> Result<Follow, (Abort, Executed)> {
        let removal = self.run.undo(self.run.clients.delete_change_set(&self.made.id));
        match self.run.until_answered(removal).await {
            Ok(Ok(())) => {
                self.run.ledger().strike(&self.effect());
                Err((self.why_not(error), Executed::No))
            }
            // It can't be removed because it is being executed after all.
            Ok(Err(failed)) if failed.error.is("InvalidChangeSetStatus") => self.runs(self.ours()),
            _ => {
                self.run.ledger().reopen(&self.effect());
                Err(self.in_doubt(error))
            }
        }
    }

    /// Why a change set that was ready does not run.
    fn why_not(&self, error: CallError) -> Abort {
        let stale = error.is("InvalidChangeSetStatus") || error.is("InvalidChangeSetStatusException");
        if stale || is_gone(&error) {
            return overtaken(self.stack).into();
        }
        error.into()
    }
}
