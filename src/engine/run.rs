//! What every verb is given: clients, a listener, a way to stop it, and someone to ask.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::events::{EventKind, EventSink, Teller};
use super::outcome::{Outcome, Report};
use super::removal::Removal;
use crate::aws::{CallError, Clients, Identity};
use crate::finding::Finding;
use crate::plan::Plan;

/// One run of a verb.
pub struct Run<'a> {
    /// Where it goes.
    pub clients: &'a Clients,
    /// Who listens.
    pub events: &'a dyn EventSink,
    /// Cancelled when the user interrupts. Before execution everything this run made is removed; during it the stack
    /// goes on in CloudFormation and the next run picks it up.
    pub cancel: CancellationToken,
}

/// What somebody is asked to agree to.
#[derive(Debug)]
pub enum Proposal<'a> {
    /// A deployment.
    Deploy(&'a Plan),
    /// A removal.
    Destroy(&'a Removal),
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

/// Why a verb stops before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Something is wrong.
    Failed(Vec<Finding>),
    /// The user interrupted.
    Interrupted,
}

impl From<Finding> for Stop {
    fn from(finding: Finding) -> Self {
        Stop::Failed(vec![finding])
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Stop::Failed(vec![error.finding()])
    }
}

impl From<Vec<Finding>> for Stop {
    fn from(findings: Vec<Finding>) -> Self {
        Stop::Failed(findings)
    }
}

impl Run<'_> {
    /// The account guard, and the first event.
    pub(super) async fn begin(&self, teller: &Teller<'_>, verb: &'static str, stack: &str) -> Result<Identity, Stop> {
        let identity = self.unless_cancelled(self.clients.identity()).await??.clone();
        teller.tell(EventKind::Started {
            verb,
            target: self.clients.target().kind.to_string(),
            endpoint: self.clients.endpoint().map(str::to_owned),
            account: identity.account.clone(),
            region: self.clients.region().to_owned(),
            stack: stack.to_owned(),
        });
        Ok(identity)
    }

    /// Waits for something that can be left at any moment without leaving anything behind.
    pub(super) async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Stop::Interrupted),
            done = work => Ok(done),
        }
    }

    /// The report of a verb that stopped early, or of one that came to its end, with the last event told.
    pub(super) fn finish(&self, teller: &Teller<'_>, stack: &str, result: Result<Report, Stop>) -> Report {
        let region = self.clients.region();
        let mut report = match result {
            Ok(report) => report,
            Err(Stop::Interrupted) => {
                let mut report = Report::new(Outcome::Interrupted, region, stack);
                report.findings.push(Finding::note("D001", format!("interrupted before `{stack}` was changed")));
                report
            }
            Err(Stop::Failed(findings)) => {
                let mut report = Report::new(Outcome::Failed, region, stack);
                report.findings = findings;
                report
            }
        };
        for finding in &mut report.findings {
            teller.hide(finding);
        }
        teller.tell(EventKind::Finished {
            outcome: report.outcome,
            exit_code: report.outcome.exit_code(),
            left: report.left.clone(),
        });
        report
    }
}
