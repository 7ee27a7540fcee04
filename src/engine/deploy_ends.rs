//! How a deployment can end, at its last step and before.

use super::abort::Abort;
use super::causes::{explain, not_cleaned_up};
use super::change_set::ReadyChangeSet;
use super::deployment::Deployment;
use super::events::EventKind;
use super::operation_end::OperationEnd;
use super::outcome::Outcome;
use super::reports::{DeployReport, DeployResults};
use super::run::Proposal;
use crate::aws::{Identity, StackState, is_local_state};
use crate::finding::{Finding, code};
use crate::plan::Plan;

/// A deployment that does not get to its last step.
pub(super) enum EarlyEnd {
    /// It ended in order.
    Ended(Box<DeployReport>),
    /// It was stopped.
    Stopped(Abort),
}

impl From<Abort> for EarlyEnd {
    fn from(stop: Abort) -> Self {
        Self::Stopped(stop)
    }
}

impl From<DeployReport> for EarlyEnd {
    fn from(report: DeployReport) -> Self {
        Self::Ended(Box::new(report))
    }
}

impl Deployment<'_> {
    /// A report that is begun.
    pub(super) fn planned(&self, outcome: Outcome, identity: &Identity, plan: Option<Plan>) -> DeployReport {
        self.report(outcome, identity, DeployResults { plan, ..DeployResults::default() })
    }

    /// The report of a deployment that nobody agreed to, with what stood against it.
    pub(super) fn declined(&self, identity: &Identity, plan: Plan) -> DeployReport {
        let findings = self.approver.uncovered(&Proposal::Deploy(&plan));
        let mut report = self.planned(Outcome::Declined, identity, Some(plan));
        report.findings = findings;
        report
    }

    pub(super) async fn ended(
        &self,
        identity: &Identity,
        made: &ReadyChangeSet,
        end: OperationEnd,
        plan: Plan,
    ) -> DeployReport {
        self.run.ledger().operation_ended(&self.desired.stack, &end.status);
        let outcome = match StackState::from_status(&end.status) {
            StackState::Good => Outcome::Deployed,
            StackState::RolledBackUpdate | StackState::Deleted => Outcome::RolledBack,
            StackState::FailedCreate if end.status == "ROLLBACK_COMPLETE" => Outcome::RolledBack,
            _ => Outcome::FailedState,
        };
        let mut report = self.planned(outcome, identity, Some(plan));
        report.results.stack_id = Some(made.stack_id.clone());
        report.results.status = Some(end.status.clone());
        if outcome == Outcome::Deployed {
            report.findings = not_cleaned_up(&end, &self.desired.places);
            match self.run.until_answered(self.run.clients.stack(&made.stack_id)).await {
                Ok(Ok(stack)) => {
                    report.results.outputs = stack.map(|stack| stack.outputs).unwrap_or_default();
                    self.emitter.emit(EventKind::OutputsReady { outputs: report.results.outputs.clone() });
                }
                Ok(Err(error)) => {
                    report.outcome = Outcome::Unfinished;
                    report.findings.push(error.finding());
                    report.findings.push(self.without_outputs());
                }
                Err(_) => {
                    report.outcome = Outcome::Interrupted;
                    report.findings.push(self.without_outputs());
                }
            }
        } else {
            report.findings = explain(&self.desired.stack, &end, &self.desired.places);
        }
        report.results.after_complete = Some(end.seen.elapsed());
        report
    }

    /// The stack is complete, and what comes after that was not come to.
    fn without_outputs(&self) -> Finding {
        let message = format!("`{}` is deployed; what comes after that was not done", self.desired.stack);
        let again = self.run.ledger().command("deploy");
        Finding::warning(code::D094, message).help(format!(
            "`{again}` does what is missing, `{}` prints the outputs and `{}` tries the smoke tests",
            self.run.ledger().command("outputs"),
            self.run.ledger().command("smoke"),
        ))
    }

    /// The operation goes on though it can no longer be followed.
    pub(super) fn out_of_sight(&self, identity: &Identity, made: &ReadyChangeSet, stop: Abort) -> EarlyEnd {
        let Abort::Failed(findings) = stop else { return stop.into() };
        let mut report = self.planned(Outcome::OutOfSight, identity, None);
        report.results.stack_id = Some(made.stack_id.clone());
        let stack = &self.desired.stack;
        let message = if findings.iter().any(|finding| is_local_state(finding.code)) {
            format!("`{stack}` is in the middle of an operation, which goes on when the local target can write")
        } else {
            format!("CloudFormation goes on with `{stack}` unseen")
        };
        report.findings = findings;
        report.findings.push(self.goes_on(message));
        report.into()
    }

    fn goes_on(&self, message: String) -> Finding {
        Finding::note(code::D016, message).help(
            "watch it with `bedplate status`; the next `bedplate deploy` waits for it to end and goes on from there",
        )
    }

    pub(super) fn left_running(&self, identity: &Identity, made: &ReadyChangeSet, plan: Plan) -> DeployReport {
        let mut report = self.planned(Outcome::Interrupted, identity, Some(plan));
        report.results.stack_id = Some(made.stack_id.clone());
        report
            .findings
            .push(self.goes_on(format!("interrupted; CloudFormation goes on with `{}`", self.desired.stack)));
        report
    }
}
