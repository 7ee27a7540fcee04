//! Deploying: change set, plan, approval, artifacts, execution of exactly that change set, events, outputs.

use uuid::Uuid;

use super::abort::Abort;
use super::causes::{explain, not_cleaned_up};
use super::change_set::{self, ChangeSetResult};
use super::deployment::{DeployOptions, Deployment, start_and_build};
use super::desired::{Desired, ParameterValues};
use super::events::{EngineVerb, EventEmitter, EventKind};
use super::execution::{Execution, ExecutionState};
use super::finishers;
use super::operation_end::OperationEnd;
use super::outcome::{Outcome, Report};
use super::recover::{StartState, resolve_start};
use super::run::{Approver, Proposal, Run};
use super::smoke;
use super::uploads::{presence, upload_missing};
use crate::aws::{Identity, StackState, StackSummary, is_local_state};
use crate::finding::{Finding, code};
use crate::plan::{DesiredStack, Plan, PlannedArtifact, Secrets};

/// Deploys a use case, from the account guard to the outputs.
///
/// The order keeps what is declined without a trace: the change set is made first, artifacts are uploaded after the
/// plan is approved (a change set does not read them) and before it runs.
pub async fn deploy(run: &Run<'_>, desired: &Desired, options: &DeployOptions, approver: &dyn Approver) -> Report {
    let emitter =
        EventEmitter::redacting(run.events, Secrets::from_parameters(Some(&desired.template), &desired.parameters));
    let mut desired = desired.clone();
    if options.no_build {
        desired.build_nothing();
    }
    let desired = &desired;
    run.ledger().set_use_case(&desired.stack, desired.use_case());
    let result = start_and_build(run, &emitter, EngineVerb::Deploy, desired).await;
    let result = match result {
        Ok((identity, desired, contents)) => {
            let deployment =
                Deployment { run, emitter: &emitter, desired: &desired, contents: &contents, options, approver };
            deployment.carry_out(&identity).await
        }
        Err(stop) => Err(stop),
    };
    run.finish(&emitter, &desired.stack, result)
}

impl Deployment<'_> {
    async fn carry_out(&self, identity: &Identity) -> Result<Report, Abort> {
        let claim = self.claim();
        let (start, artifacts) = tokio::join!(
            resolve_start(self.run, self.emitter, self.desired, identity, &claim, true),
            presence(self.run, self.desired, &identity.account),
        );
        let (start, artifacts) = (start?, artifacts?);
        if let StartState::Recreate(failed) = start {
            let shown = self.parameters(identity, None)?.shown;
            let desired_stack = self.desired_stack(identity, shown, artifacts.clone());
            let plan = self.plan_to_recreate(&desired_stack, &failed, identity).await?;
            if !self.agreed(&plan).await? {
                return Ok(self.declined(identity, plan));
            }
            // Agreed to once: what is made anew below is the plan just shown, resource by resource.
            failed.remove(self.run, self.emitter).await?;
            return self.with_change_set(identity, StartState::New, artifacts, Some(plan)).await;
        }
        self.with_change_set(identity, start, artifacts, None).await
    }

    async fn with_change_set(
        &self,
        identity: &Identity,
        start: StartState,
        artifacts: Vec<PlannedArtifact>,
        agreed: Option<Plan>,
    ) -> Result<Report, Abort> {
        let ParameterValues { sent, shown } = self.parameters(identity, start.stack())?;
        let request = self.request(identity, &start, sent).await?;
        let made = Box::pin(change_set::make(self.run, self.emitter, &request)).await?;
        let desired_stack = self.desired_stack(identity, shown, artifacts.clone());
        let made = match made {
            ChangeSetResult::Ready(made) => made,
            ChangeSetResult::NoChange => return self.only_fill(identity, &desired_stack, start.stack()).await,
            ChangeSetResult::Refused(findings) => return Err(self.placed(findings).into()),
        };
        let carried = Box::pin(self.approve_and_execute(identity, &start, &desired_stack, &made, agreed)).await;
        match carried {
            Ok(mut report) => {
                if report.outcome == Outcome::Declined {
                    // One that stays is told at the end; the answer was no all the same.
                    made.try_to_discard(self.run, self.emitter).await;
                }
                if report.outcome == Outcome::Deployed {
                    self.fill(identity, &made.stack_id, &mut report).await;
                    self.smoke(&made.stack_id, &mut report).await;
                }
                Ok(report)
            }
            Err((stop, ExecutionState::Yes)) => self.out_of_sight(identity, &made, stop),
            Err((stop, ExecutionState::Unknown)) => Err(stop),
            Err((stop, ExecutionState::No)) => {
                // The first failure is the one to report; a change set that stays is in the ledger.
                made.try_to_discard(self.run, self.emitter).await;
                Err(stop)
            }
        }
    }

    /// With an error: whether the change set is executed.
    async fn approve_and_execute(
        &self,
        identity: &Identity,
        start: &StartState,
        desired_stack: &DesiredStack<'_>,
        made: &change_set::ReadyChangeSet,
        agreed: Option<Plan>,
    ) -> Result<Report, (Abort, ExecutionState)> {
        let before = |stop: Abort| (stop, ExecutionState::No);
        let plan = match agreed {
            Some(plan) => plan,
            None => {
                let plan = self.plan_of(identity, start, desired_stack, made).await.map_err(before)?;
                if !self.agreed(&plan).await.map_err(before)? {
                    return Ok(self.declined(identity, plan));
                }
                plan
            }
        };
        upload_missing(self.run, self.emitter, self.desired, &desired_stack.artifacts, &identity.account)
            .await
            .map_err(before)?;
        let newest = self.run.unless_cancelled(self.run.clients.newest_event(&made.stack_id)).await.map_err(before)?;
        let newest = newest.map_err(|error| before(error.into()))?;
        let token = format!("bedplate-{}", Uuid::new_v4());
        // From here on an interruption leaves the operation to CloudFormation.
        self.run.unless_cancelled(std::future::ready(())).await.map_err(before)?;
        let execution = Execution { run: self.run, made, stack: &self.desired.stack, token: &token, newest: &newest };
        let follow = Box::pin(execution.start()).await?;
        self.emitter.emit(EventKind::Executing { name: made.name.clone(), token: token.clone() });
        match follow.until_terminal(self.run, self.emitter).await {
            Ok(end) => Ok(self.ended(identity, made, end, plan).await),
            Err(Abort::Interrupted) => Ok(self.left_running(identity, made, plan)),
            Err(stop) => Err((stop, ExecutionState::Yes)),
        }
    }

    /// Fills a stack that stands as it should; the report says how that went.
    async fn fill(&self, identity: &Identity, stack_id: &str, report: &mut Report) {
        match finishers::carry_out(self.run, self.emitter, self.contents, stack_id, &identity.account).await {
            Ok(()) => {}
            Err(Abort::Interrupted) => {
                report.outcome = Outcome::Interrupted;
                let message =
                    format!("interrupted while `{}` was being filled; the stack is deployed", self.desired.stack);
                report
                    .findings
                    .push(Finding::note(code::D041, message).help("deploy again: only what is missing is done"));
            }
            Err(Abort::Failed(findings)) => {
                report.outcome = Outcome::Unfinished;
                report.findings.extend(findings);
            }
        }
    }

    /// Tries the smoke tests of a stack that is deployed and filled; the report says how that went, and the stack stays.
    async fn smoke(&self, stack_id: &str, report: &mut Report) {
        if report.outcome != Outcome::Deployed || self.options.no_smoke || self.desired.smoke.is_empty() {
            return;
        }
        let trying = async {
            let stack = self.run.attempt(self.run.clients.stack(stack_id)).await?;
            let gone = || Finding::error(code::D062, format!("`{}` is gone before it was tried", self.desired.stack));
            let stack = stack.ok_or_else(gone)?;
            smoke::tried(self.run, self.emitter, self.desired, &stack, self.options.smoke_retry_for, report).await
        };
        match trying.await {
            Ok(()) => {}
            Err(Abort::Interrupted) => {
                report.outcome = Outcome::Interrupted;
                let message =
                    format!("interrupted while `{}` was being tested; the stack is deployed", self.desired.stack);
                report.findings.push(Finding::note(code::D063, message).help(self.try_again()));
            }
            Err(Abort::Failed(findings)) => {
                // Nobody answered: that is no verdict on the stack, unless a test was answered wrongly before.
                if report.outcome != Outcome::SmokeFailed {
                    report.outcome = Outcome::Untested;
                }
                report.findings.extend(findings);
            }
        }
    }

    fn try_again(&self) -> String {
        format!("try the rest with `{}`", self.run.ledger().command("smoke"))
    }

    /// The stack needs no change; what it is filled with may.
    async fn only_fill(
        &self,
        identity: &Identity,
        desired_stack: &DesiredStack<'_>,
        stack: Option<&StackSummary>,
    ) -> Result<Report, Abort> {
        let mut report = self.no_change(identity, desired_stack, stack).await?;
        let (Some(plan), Some(stack)) = (&report.plan, stack) else { return Ok(report) };
        if plan.has_changes() {
            if !self.agreed(plan).await? {
                return Ok(self.declined(identity, plan.clone()));
            }
            report.outcome = Outcome::Deployed;
            self.fill(identity, &stack.id, &mut report).await;
            self.smoke(&stack.id, &mut report).await;
        } else if !self.options.no_smoke && !self.desired.smoke.is_empty() {
            self.emitter.note("it is up to date: its smoke tests are not tried again; `bedplate smoke` does");
        }
        Ok(report)
    }

    async fn agreed(&self, plan: &Plan) -> Result<bool, Abort> {
        self.emitter.emit(EventKind::PlanReady { plan: Box::new(plan.clone()) });
        let proposal = Proposal::Deploy(plan);
        if !self.approver.uncovered(&proposal).is_empty() {
            return Ok(false);
        }
        self.run.unless_cancelled(self.approver.approve(proposal)).await
    }

    /// The report of a deployment that nobody agreed to, with what stood against it.
    fn declined(&self, identity: &Identity, plan: Plan) -> Report {
        let findings = self.approver.uncovered(&Proposal::Deploy(&plan));
        let mut report = self.report(Outcome::Declined, identity, Some(plan));
        report.findings = findings;
        report
    }

    async fn ended(
        &self,
        identity: &Identity,
        made: &change_set::ReadyChangeSet,
        end: OperationEnd,
        plan: Plan,
    ) -> Report {
        self.run.ledger().operation_ended(&self.desired.stack, &end.status);
        let outcome = match StackState::from_status(&end.status) {
            StackState::Good => Outcome::Deployed,
            StackState::RolledBackUpdate | StackState::Deleted => Outcome::RolledBack,
            StackState::FailedCreate if end.status == "ROLLBACK_COMPLETE" => Outcome::RolledBack,
            _ => Outcome::FailedState,
        };
        let mut report = self.report(outcome, identity, Some(plan));
        report.stack_id = Some(made.stack_id.clone());
        report.status = Some(end.status.clone());
        if outcome == Outcome::Deployed {
            report.findings = not_cleaned_up(&end, &self.desired.places);
            match self.run.until_answered(self.run.clients.stack(&made.stack_id)).await {
                Ok(Ok(stack)) => {
                    report.outputs = stack.map(|stack| stack.outputs).unwrap_or_default();
                    self.emitter.emit(EventKind::OutputsReady { outputs: report.outputs.clone() });
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
        report.after_complete = Some(end.seen.elapsed());
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
    fn out_of_sight(
        &self,
        identity: &Identity,
        made: &change_set::ReadyChangeSet,
        stop: Abort,
    ) -> Result<Report, Abort> {
        let Abort::Failed(findings) = stop else { return Err(stop) };
        let mut report = self.report(Outcome::OutOfSight, identity, None);
        report.stack_id = Some(made.stack_id.clone());
        let stack = &self.desired.stack;
        let message = if findings.iter().any(|finding| is_local_state(finding.code)) {
            format!("`{stack}` is in the middle of an operation, which goes on when the local target can write")
        } else {
            format!("CloudFormation goes on with `{stack}` unseen")
        };
        report.findings = findings;
        report.findings.push(self.goes_on(message));
        Ok(report)
    }

    fn goes_on(&self, message: String) -> Finding {
        Finding::note(code::D016, message).help(
            "watch it with `bedplate status`; the next `bedplate deploy` waits for it to end and goes on from there",
        )
    }

    fn left_running(&self, identity: &Identity, made: &change_set::ReadyChangeSet, plan: Plan) -> Report {
        let mut report = self.report(Outcome::Interrupted, identity, Some(plan));
        report.stack_id = Some(made.stack_id.clone());
        report
            .findings
            .push(self.goes_on(format!("interrupted; CloudFormation goes on with `{}`", self.desired.stack)));
        report
    }
}
