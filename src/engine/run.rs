//! What every verb is given: clients, a listener, a way to stop it, and someone to ask.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::abort::Abort;
use super::destroy_plan::DestroyPlan;
use super::effect::Effect;
use super::events::{EngineVerb, EventEmitter, EventKind, EventSink};
use super::ledger::{EffectError, Ledger};
use super::outcome::Outcome;
use super::reports::{Report, VerbResults};
use crate::aws::{CallError, Clients, Identity};
use crate::finding::Finding;
use crate::plan::Plan;

/// How long the answer to a request that changes something is waited for after an interrupt: to know is worth a moment.
const GRACE: Duration = Duration::from_secs(3);
/// How long taking something back may take after an interrupt.
const CLEANUP: Duration = Duration::from_secs(10);

/// One run of a verb.
pub struct Run<'a> {
    /// Where it goes.
    pub clients: &'a Clients,
    /// Who listens.
    pub events: &'a dyn EventSink,
    /// Cancelled when the user interrupts. Before execution everything this run made is removed; during it the stack
    /// goes on in CloudFormation and the next run picks it up.
    pub cancel: CancellationToken,
    /// What it has changed so far.
    ledger: Ledger,
    /// Requests nobody watched that were sent by these clients before.
    unwatched: usize,
}

/// What somebody is asked to agree to.
#[derive(Debug)]
pub enum Proposal<'a> {
    /// A deployment.
    Deploy(&'a Plan),
    /// The destruction of a stack.
    Destroy(&'a DestroyPlan),
}

/// Answers for the user: asks, or has been told.
#[async_trait]
pub trait Approver: Send + Sync {
    /// Whether to go ahead.
    async fn approve(&self, proposal: Proposal<'_>) -> bool;

    /// What stands against it before anybody is asked: risks that a yes given beforehand does not cover, each with what
    /// would cover it. With any, nothing is done.
    fn uncovered(&self, _: &Proposal<'_>) -> Vec<Finding> {
        Vec::new()
    }
}

/// Agrees to everything: `--yes`.
#[derive(Debug, Clone, Copy)]
pub struct ApproveAll;

#[async_trait]
impl Approver for ApproveAll {
    async fn approve(&self, _: Proposal<'_>) -> bool {
        true
    }
}

/// Agrees to nothing: there is nobody to ask.
#[derive(Debug, Clone, Copy)]
pub struct DeclineAll;

#[async_trait]
impl Approver for DeclineAll {
    async fn approve(&self, _: Proposal<'_>) -> bool {
        false
    }
}

impl<'a> Run<'a> {
    /// A run with an empty ledger.
    pub fn new(clients: &'a Clients, events: &'a dyn EventSink, cancel: CancellationToken) -> Self {
        Self { clients, events, cancel, ledger: Ledger::default(), unwatched: clients.unwatched_count() }
    }

    /// What it has changed so far, for whoever has to end it from outside.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

impl Run<'_> {
    /// Carries out a request that changes something, with its effect in the ledger before it is sent. Given up on the way, it
    /// counts as not known.
    pub(super) fn effect<T>(
        &self,
        effect: Effect,
        call: impl Future<Output = Result<T, CallError>> + Send,
    ) -> impl Future<Output = Result<T, EffectError>> + Send {
        self.ledger.carry_out(effect, call)
    }

    /// Carries out a request that takes back what the ledger holds; what becomes of that entry is the caller's to say.
    pub(super) fn undo<T>(
        &self,
        call: impl Future<Output = Result<T, CallError>> + Send,
    ) -> impl Future<Output = Result<T, EffectError>> + Send {
        EffectError::watch(Box::pin(call))
    }

    /// Waits for the answer to a request that changes something; after an interrupt not for long.
    pub(super) fn until_answered<T>(
        &self,
        work: impl Future<Output = T> + Send,
    ) -> impl Future<Output = Result<T, Abort>> + Send {
        // A request's future is large, and those of a whole run lie in one another: here and below each is put on the heap
        // before it is moved any further.
        self.unless_late(Box::pin(work), GRACE)
    }

    /// Waits until something is taken back; after an interrupt not for long.
    pub(super) fn until_cleaned<T>(
        &self,
        work: impl Future<Output = T> + Send,
    ) -> impl Future<Output = Result<T, Abort>> + Send {
        self.unless_late(Box::pin(work), CLEANUP)
    }

    async fn unless_late<T>(&self, work: impl Future<Output = T> + Send + Unpin, grace: Duration) -> Result<T, Abort> {
        let late = async {
            self.cancel.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = late => Err(Abort::Interrupted),
        }
    }

    /// The account guard, and the first event.
    pub(super) async fn start(
        &self,
        emitter: &EventEmitter<'_>,
        verb: EngineVerb,
        stack: &str,
    ) -> Result<Identity, Abort> {
        let identity = self.attempt(self.clients.identity()).await?.clone();
        emitter.emit(EventKind::Started {
            verb,
            target: self.clients.target().kind.to_string(),
            endpoint: self.clients.endpoint().map(str::to_owned),
            account: identity.account.clone(),
            region: self.clients.region().to_owned(),
            stack: stack.to_owned(),
        });
        Ok(identity)
    }

    /// Waits for something that may fail, and that can be left at any moment without leaving anything behind.
    pub(super) fn attempt<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, Abort>>
    where
        Abort: From<E>,
    {
        let work = self.unless_cancelled(work);
        async move { Ok(work.await??) }
    }

    /// Waits for something that can be left at any moment without leaving anything behind. The work is kept on the heap: a
    /// deploy is many such steps within each other, and would not fit a thread's stack.
    pub(super) fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = Result<T, Abort>> {
        let mut work = Box::pin(work);
        async move {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => Err(Abort::Interrupted),
                done = &mut work => Ok(done),
            }
        }
    }

    /// The report of a verb that stopped early, or of one that came to its end, with the last event told. What it did and
    /// what is not known of it is the ledger's word.
    pub(super) fn finish<R: VerbResults>(
        &self,
        emitter: &EventEmitter<'_>,
        stack: &str,
        result: Result<Report<R>, Abort>,
    ) -> Report<R> {
        let region = self.clients.region();
        for operation in self.clients.unwatched_since(self.unwatched) {
            self.ledger.add(Effect::Request { operation });
        }
        let account = self.ledger.account(region);
        let mut report = match result {
            Ok(report) => report,
            Err(Abort::Interrupted) => {
                let mut report = Report::new(Outcome::Interrupted, region, stack);
                report.findings.push(account.interrupted(stack));
                report
            }
            Err(Abort::Failed(findings)) => {
                let outcome = match () {
                    () if account.stack_state_is_unknown() => Outcome::Unknown,
                    () if account.running().is_some() => Outcome::OutOfSight,
                    () => Outcome::Failed,
                };
                let mut report = Report::new(outcome, region, stack);
                report.findings = findings;
                report
            }
        };
        report.findings.extend(account.findings());
        report.account_of_changes = account;
        for finding in &mut report.findings {
            emitter.redact(finding);
        }
        emitter.emit(EventKind::Finished {
            stack: stack.to_owned(),
            outcome: report.outcome,
            exit_code: report.outcome.exit_code().code(),
            findings: report.findings.clone(),
            changes: report.account_of_changes.clone(),
            left: report.results.left().to_vec(),
        });
        report
    }
}
