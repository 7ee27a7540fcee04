//! Deploying: change set, plan, approval, artifacts, execution of exactly that change set, events, outputs.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::abort::Abort;
use super::change_set::{self, ChangeSetResult, ReadyChangeSet};
use super::deploy_ends::EarlyEnd;
use super::deployment::{DeployOptions, Deployment, start_and_build};
use super::desired::{Desired, ParameterValues};
use super::events::{EngineVerb, EventEmitter, EventKind};
use super::execution::{Execution, ExecutionState};
use super::finishers;
use super::follow::StackFollower;
use super::outcome::Outcome;
use super::recover::{StartState, resolve_start};
use super::reports::DeployReport;
use super::run::{Approver, Proposal, Run};
use super::smoke::{self, Trial};
use super::uploads::{presence, upload_missing};
use crate::aws::{Identity, ParameterValue, StackSummary};
use crate::finding::{Finding, code};
use crate::plan::{DesiredStack, Plan, PlannedArtifact, Secrets};

/// Deploys a use case, from the account guard to the smoke tests.
pub async fn deploy(
    run: &Run<'_>,
    desired: &Desired,
    options: &DeployOptions,
    approver: &dyn Approver,
) -> DeployReport {
    let emitter =
        EventEmitter::redacting(run.events, Secrets::from_parameters(Some(&desired.template), &desired.parameters));
    let mut desired = desired.clone();
    if options.no_build {
        desired.build_nothing();
    }
    run.ledger().set_use_case(&desired.stack, desired.use_case());
    let result = match steps(run, &emitter, &desired, options, approver).await {
        Ok(report) => Ok(report),
        Err(EarlyEnd::Ended(report)) => Ok(*report),
        Err(EarlyEnd::Stopped(stop)) => Err(stop),
    };
    run.finish(&emitter, &desired.stack, result)
}

/// The steps of a deployment, in their order.
///
/// It keeps what is declined without a trace: the change set is made first, artifacts are uploaded after the plan is approved
/// (a change set does not read them) and before it runs.
async fn steps(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    desired: &Desired,
    options: &DeployOptions,
    approver: &dyn Approver,
) -> Result<DeployReport, EarlyEnd> {
    // 1. The account guard; then everything that is to be uploaded is made ready.
    let (identity, desired, contents) = start_and_build(run, emitter, EngineVerb::Deploy, desired).await?;
    let it = Deployment { run, emitter, desired: &desired, contents: &contents, options, approver };
    // 2. What is there: the stack, and which artifacts.
    let (start, artifacts) = it.look(&identity).await?;
    // 3. What a failed creation has left goes, once its plan is agreed to.
    let (start, agreed) = it.clear_failed(&identity, start, &artifacts).await?;
    // 4. CloudFormation works out what would change.
    let ParameterValues { sent, shown } = it.parameters(&identity, start.stack())?;
    let desired_stack = it.desired_stack(&identity, shown, artifacts);
    let Some(made) = it.change_set(&identity, &start, sent).await? else {
        return Ok(it.only_fill(&identity, &desired_stack, start.stack()).await?);
    };
    // 5. The plan, and the word of whoever approves.
    let plan = Box::pin(it.agreed_plan(&identity, &start, &desired_stack, &made, agreed)).await;
    let plan = it.or_discard(&made, plan).await?;
    // 6. The artifacts that are missing.
    let uploaded = Box::pin(it.upload(&identity, &desired_stack.artifacts)).await;
    it.or_discard(&made, uploaded).await?;
    // 7. Exactly that change set, to its end; then the outputs.
    let execution = it.execute(&made).await?;
    let mut report = it.follow(&identity, &made, execution, plan).await?;
    // 8. What the stack is filled with.
    it.fill(&identity, &made.stack_id, &mut report).await;
    // 9. The smoke tests.
    it.smoke(&made.stack_id, &mut report).await;
    Ok(report)
}

impl Deployment<'_> {
    /// The stack as it is, and which artifacts are in the bucket already.
    async fn look(&self, identity: &Identity) -> Result<(StartState, Vec<PlannedArtifact>), Abort> {
        let claim = self.claim();
        let (start, artifacts) = tokio::join!(
            resolve_start(self.run, self.emitter, self.desired, identity, &claim, true),
            presence(self.run, self.desired, &identity.account),
        );
        Ok((start?, artifacts?))
    }

    /// Removes a stack whose creation failed, and gives the plan that was agreed to for that. It is agreed to once: what is
    /// made anew afterwards is the plan just shown, resource by resource.
    async fn clear_failed(
        &self,
        identity: &Identity,
        start: StartState,
        artifacts: &[PlannedArtifact],
    ) -> Result<(StartState, Option<Plan>), EarlyEnd> {
        let StartState::Recreate(failed) = start else { return Ok((start, None)) };
        let shown = self.parameters(identity, None)?.shown;
        let desired_stack = self.desired_stack(identity, shown, artifacts.to_vec());
        let plan = self.plan_to_recreate(&desired_stack, &failed, identity).await?;
        if !self.agreed(&plan).await? {
            return Err(self.declined(identity, plan).into());
        }
        failed.remove(self.run, self.emitter).await?;
        Ok((StartState::New, Some(plan)))
    }

    /// The change set that comes to what is desired; none when nothing would change.
    async fn change_set(
        &self,
        identity: &Identity,
        start: &StartState,
        values: BTreeMap<String, ParameterValue>,
    ) -> Result<Option<Box<ReadyChangeSet>>, Abort> {
        let request = self.request(identity, start, values).await?;
        match Box::pin(change_set::make(self.run, self.emitter, &request)).await? {
            ChangeSetResult::Ready(made) => Ok(Some(made)),
            ChangeSetResult::NoChange => Ok(None),
            ChangeSetResult::Refused(findings) => Err(self.placed(findings).into()),
        }
    }

    /// After a step between the change set and its execution: one that did not go on takes the change set away again.
    async fn or_discard<T>(&self, made: &ReadyChangeSet, done: Result<T, EarlyEnd>) -> Result<T, EarlyEnd> {
        if done.is_err() {
            // How the step ended is what is reported; a change set that stays is in the ledger.
            made.try_to_discard(self.run, self.emitter).await;
        }
        done
    }

    /// The plan that is agreed to: an earlier one, else the change set's.
    async fn agreed_plan(
        &self,
        identity: &Identity,
        start: &StartState,
        desired_stack: &DesiredStack<'_>,
        made: &ReadyChangeSet,
        agreed: Option<Plan>,
    ) -> Result<Plan, EarlyEnd> {
        if let Some(plan) = agreed {
            return Ok(plan);
        }
        let plan = self.plan_of(identity, start, desired_stack, made).await?;
        if self.agreed(&plan).await? { Ok(plan) } else { Err(self.declined(identity, plan).into()) }
    }

    /// The artifacts that are not in the bucket yet.
    async fn upload(&self, identity: &Identity, artifacts: &[PlannedArtifact]) -> Result<(), EarlyEnd> {
        Ok(upload_missing(self.run, self.emitter, self.desired, artifacts, &identity.account).await?)
    }

    /// The stack's newest event before the execution, which is the last moment to turn back.
    async fn newest_event(&self, made: &ReadyChangeSet) -> Result<Option<String>, Abort> {
        let newest = self.run.attempt(self.run.clients.newest_event(&made.stack_id)).await?;
        self.run.unless_cancelled(std::future::ready(())).await?;
        Ok(newest)
    }

    /// Begins to execute the change set, and gives what to follow.
    async fn execute(&self, made: &ReadyChangeSet) -> Result<StackFollower, EarlyEnd> {
        let newest = self.newest_event(made).await.map_err(EarlyEnd::from);
        // From here on an interruption leaves the operation to CloudFormation.
        let newest = self.or_discard(made, newest).await?;
        let token = format!("bedplate-{}", Uuid::new_v4());
        let execution = Execution { run: self.run, made, stack: &self.desired.stack, token: &token, newest: &newest };
        match Box::pin(execution.start()).await {
            Ok(follow) => {
                self.emitter.emit(EventKind::Executing { name: made.name.clone(), token: token.clone() });
                Ok(follow)
            }
            Err((stop, ExecutionState::Unknown)) => Err(stop.into()),
            Err((stop, ExecutionState::No)) => self.or_discard(made, Err(stop.into())).await,
        }
    }

    /// Follows the execution to its end.
    async fn follow(
        &self,
        identity: &Identity,
        made: &ReadyChangeSet,
        execution: StackFollower,
        plan: Plan,
    ) -> Result<DeployReport, EarlyEnd> {
        match Box::pin(execution.until_terminal(self.run, self.emitter)).await {
            Ok(end) => Ok(self.ended(identity, made, end, plan).await),
            Err(Abort::Interrupted) => Ok(self.left_running(identity, made, plan)),
            Err(stop) => Err(self.out_of_sight(identity, made, stop)),
        }
    }

    /// Fills a stack that stands as it should; the report says how that went.
    async fn fill(&self, identity: &Identity, stack_id: &str, report: &mut DeployReport) {
        if report.outcome != Outcome::Deployed {
            return;
        }
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
    async fn smoke(&self, stack_id: &str, report: &mut DeployReport) {
        if report.outcome != Outcome::Deployed || self.options.no_smoke || self.desired.smoke.is_empty() {
            return;
        }
        let mut trial = Trial::default();
        let trying = async {
            let stack = self.run.attempt(self.run.clients.stack(stack_id)).await?;
            let gone = || Finding::error(code::D062, format!("`{}` is gone before it was tried", self.desired.stack));
            let stack = stack.ok_or_else(gone)?;
            smoke::tried(self.run, self.emitter, self.desired, &stack, self.options.smoke_retry_for, &mut trial).await
        };
        let end = trying.await;
        if trial.has_failed() {
            report.outcome = Outcome::SmokeFailed;
        }
        report.findings.extend(trial.findings);
        report.results.smoke = trial.results;
        match end {
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
    ) -> Result<DeployReport, Abort> {
        let plan = self.plan_without_change(identity, desired_stack, stack).await?;
        let changes = plan.has_changes();
        if changes && stack.is_some() && !self.agreed(&plan).await? {
            return Ok(self.declined(identity, plan));
        }
        let mut report = self.planned(Outcome::NoChange, identity, Some(plan));
        let Some(stack) = stack else { return Ok(report) };
        report.results.stack_id = Some(stack.id.clone());
        report.results.status = Some(stack.status.clone());
        report.results.outputs = stack.outputs.clone();
        if changes {
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
}
