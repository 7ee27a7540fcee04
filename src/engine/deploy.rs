//! Deploying: change set, plan, approval, artifacts, execution of exactly that change set, events, outputs.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::artifact_bucket::ensure;
use super::causes::{explain, not_cleaned_up};
use super::change_set::{self, Made};
use super::events::{EventKind, Teller};
use super::finishers::{self, Content};
use super::follow::{End, Follow};
use super::look::USE_CASE_TAG;
use super::outcome::{Outcome, Report};
use super::packaging::build;
use super::recover::{Start, remove_failed, settle};
use super::run::{Approver, Proposal, Run, Stop};
use super::smoke;
use super::survey::survey;
use super::uploads::{presence, upload_missing};
use super::wanted::{Desired, ParameterValues};
use crate::aws::{
    CallError, ChangeSetKind, ChangeSetRequest, Identity, ParameterValue, StackState, StackSummary, TemplateSource,
};
use crate::cfn::Template;
use crate::finding::Finding;
use crate::plan::{
    Current, Plan, PlanKind, PlannedArtifact, Risk, RiskKind, Secrets, Wanted, for_new_stack, from_change_set,
    of_content,
};

/// The longest template a request carries; a longer one goes through S3.
/// Source: `TemplateBody` in the CloudFormation API reference.
const LONGEST_BODY: usize = 51_200;
/// The longest template there is. Source: CloudFormation quotas.
const LONGEST_TEMPLATE: usize = 1_048_576;

/// What a deployment may be told beside what to deploy.
#[derive(Debug, Clone, Default)]
pub struct DeployOptions {
    /// A name for the change set, for a pipeline that wants to find it again; else one is made from the template's
    /// digest and the run.
    pub change_set_name: Option<String>,
    /// A new stack that fails to be made is deleted and not left in `ROLLBACK_COMPLETE`.
    pub delete_on_failure: bool,
    /// The smoke tests are not tried.
    pub no_smoke: bool,
    /// How long a smoke test is tried again whose failure may pass; not at all where it is zero.
    pub smoke_patience: Duration,
}

/// Deploys a use case, from the account guard to the outputs.
///
/// The order keeps what is declined without a trace: the change set is made first, artifacts are uploaded after the
/// plan is approved (a change set does not read them) and before it runs.
pub async fn deploy(run: &Run<'_>, desired: &Desired, options: &DeployOptions, approver: &dyn Approver) -> Report {
    let teller = Teller::hiding(run.events, Secrets::of(Some(&desired.template), &desired.parameters));
    let result = begin_and_build(run, &teller, "deploy", desired).await;
    let result = match result {
        Ok((identity, desired, contents)) => {
            let deployment =
                Deployment { run, teller: &teller, desired: &desired, contents: &contents, options, approver };
            deployment.carry_out(&identity).await
        }
        Err(stop) => Err(stop),
    };
    run.finish(&teller, &desired.stack, result)
}

/// Says where it goes, then makes the artifacts ready, whose addresses are part of what is deployed, and reads what the
/// stack is to be filled with.
pub(super) async fn begin_and_build(
    run: &Run<'_>,
    teller: &Teller<'_>,
    verb: &'static str,
    desired: &Desired,
) -> Result<(Identity, Desired, Vec<Content>), Stop> {
    let identity = run.begin(teller, verb, &desired.stack).await?;
    let built = build(run, teller, &desired.packages).await?;
    let mut desired = desired.clone();
    desired.artifacts.extend(built);
    let contents = finishers::read(run, &desired.finishers).await?;
    Ok((identity, desired, contents))
}

/// Whether a stack is not this use case's to change. Without a use case to compare with, every stack will do.
pub(super) fn is_foreign(stack: &StackSummary, use_case: Option<&str>) -> bool {
    use_case.is_some() && stack.tags.get(USE_CASE_TAG).map(String::as_str) != use_case
}

/// A deployment on its way; planning borrows its first half.
pub(super) struct Deployment<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) teller: &'a Teller<'a>,
    pub(super) desired: &'a Desired,
    pub(super) contents: &'a [Content],
    pub(super) options: &'a DeployOptions,
    pub(super) approver: &'a dyn Approver,
}

impl Deployment<'_> {
    async fn carry_out(&self, identity: &Identity) -> Result<Report, Stop> {
        let (start, artifacts) = tokio::join!(
            settle(self.run, self.teller, self.desired, true),
            presence(self.run, self.desired, &identity.account),
        );
        let (start, artifacts) = (start?, artifacts?);
        if let Start::Recreate(failed) = &start {
            let shown = self.parameters(identity, None)?.shown;
            let wanted = self.wanted(identity, shown, artifacts.clone());
            let mut plan = self.filled(for_new_stack(&wanted, PlanKind::Recreate), None, identity).await?;
            plan.risks = self.data_of(failed).await?;
            if !self.agreed(&plan).await? {
                return Ok(self.declined(identity, plan));
            }
            // Agreed to once: what is made anew below is the plan just shown, resource by resource.
            remove_failed(self.run, self.teller, failed).await?;
            return self.with_change_set(identity, Start::New, artifacts, Some(plan)).await;
        }
        self.with_change_set(identity, start, artifacts, None).await
    }

    async fn with_change_set(
        &self,
        identity: &Identity,
        start: Start,
        artifacts: Vec<PlannedArtifact>,
        agreed: Option<Plan>,
    ) -> Result<Report, Stop> {
        let ParameterValues { sent, shown } = self.parameters(identity, start.stack())?;
        let request = self.request(identity, &start, sent).await?;
        let made = change_set::make(self.run, self.teller, &request).await?;
        let wanted = self.wanted(identity, shown, artifacts.clone());
        let made = match made {
            Made::Ready(made) => made,
            Made::NoChange => return self.only_fill(identity, &wanted, start.stack()).await,
            Made::Refused(findings) => return Err(self.placed(findings).into()),
        };
        let carried = self.approve_and_execute(identity, &start, &wanted, &made, agreed).await;
        match carried {
            Ok(mut report) => {
                if report.outcome == Outcome::Declined {
                    made.discard(self.run, self.teller).await?;
                }
                if report.outcome == Outcome::Deployed {
                    self.fill(identity, &made.stack_id, &mut report).await;
                    self.smoke(&made.stack_id, &mut report).await;
                }
                Ok(report)
            }
            Err((stop, executed)) => {
                if executed {
                    return self.out_of_sight(identity, &made, stop);
                }
                // The first failure is the one to report; a change set that stays is seen in the console.
                let _ = made.discard(self.run, self.teller).await;
                Err(stop)
            }
        }
    }

    /// With an error: whether execution had begun.
    async fn approve_and_execute(
        &self,
        identity: &Identity,
        start: &Start,
        wanted: &Wanted<'_>,
        made: &change_set::Ready,
        agreed: Option<Plan>,
    ) -> Result<Report, (Stop, bool)> {
        let before = |stop: Stop| (stop, false);
        let plan = match agreed {
            Some(plan) => plan,
            None => {
                let plan = self.plan_of(identity, start, wanted, made).await.map_err(before)?;
                if !self.agreed(&plan).await.map_err(before)? {
                    return Ok(self.declined(identity, plan));
                }
                plan
            }
        };
        upload_missing(self.run, self.teller, self.desired, &wanted.artifacts, &identity.account)
            .await
            .map_err(before)?;
        let newest = self.run.unless_cancelled(self.run.clients.newest_event(&made.stack_id)).await.map_err(before)?;
        let newest = newest.map_err(|error| before(error.into()))?;
        let token = format!("bedplate-{}", Uuid::new_v4());
        // From here on an interruption leaves the operation to CloudFormation.
        self.run.unless_cancelled(std::future::ready(())).await.map_err(before)?;
        let executed = self.run.clients.execute_change_set(&made.id, &token, made.kind).await;
        executed.map_err(|error| before(self.not_begun(error)))?;
        self.teller.tell(EventKind::Executing { name: made.name.clone(), token: token.clone() });
        let follow = Follow::operation(made.stack_id.clone(), token, newest);
        match follow.until_rest(self.run, self.teller).await {
            Ok(end) => self.ended(identity, made, end, plan).await.map_err(|stop| (stop, true)),
            Err(Stop::Interrupted) => Ok(self.left_running(identity, made, plan)),
            Err(stop) => Err((stop, true)),
        }
    }

    pub(super) async fn plan_of(
        &self,
        identity: &Identity,
        start: &Start,
        wanted: &Wanted<'_>,
        made: &change_set::Ready,
    ) -> Result<Plan, Stop> {
        let Some(stack) = start.stack() else {
            let plan = from_change_set(wanted, &Current::default(), &made.set, PlanKind::Create);
            return self.filled(plan, None, identity).await;
        };
        let old = self.run.unless_cancelled(self.run.clients.template_of(&stack.id)).await??;
        let old = Template::parse(&old).ok();
        let current =
            Current { status: Some(&stack.status), template: old.as_ref(), parameters: stack.parameters.clone() };
        let plan = from_change_set(wanted, &current, &made.set, PlanKind::Update);
        self.filled(plan, Some(&stack.id), identity).await
    }

    /// A plan with what the stack would be filled with.
    pub(super) async fn filled(
        &self,
        mut plan: Plan,
        stack_id: Option<&str>,
        identity: &Identity,
    ) -> Result<Plan, Stop> {
        plan.content = finishers::planned(self.run, self.contents, stack_id, &plan.changes, &identity.account).await?;
        let place = |component: &str| self.contents.iter().find(|it| it.component() == component)?.place().cloned();
        plan.risks
            .extend(of_content(&plan.content).into_iter().map(|risk| Risk { place: place(&risk.resource), ..risk }));
        Ok(plan)
    }

    /// What a stack that never came to a good state holds all the same: objects in its buckets.
    pub(super) async fn data_of(&self, stack: &StackSummary) -> Result<Vec<Risk>, Stop> {
        let (resources, _) = survey(self.run, &stack.id).await?;
        let holding = resources.into_iter().filter_map(|resource| {
            let objects = resource.objects.filter(|objects| objects.count > 0)?;
            let more = if objects.more { "more than " } else { "" };
            Some(Risk {
                kind: RiskKind::DataLoss,
                pointer: self.desired.pointers.get(&resource.logical_id).cloned(),
                place: self.desired.places.get(&resource.logical_id).cloned(),
                resource: resource.logical_id,
                resource_type: Some(resource.resource_type),
                physical: resource.physical_id,
                reason: format!("it is deleted, and with it {more}{} object versions", objects.count),
            })
        });
        Ok(holding.collect())
    }

    /// Fills a stack that stands as it should; the report says how that went.
    async fn fill(&self, identity: &Identity, stack_id: &str, report: &mut Report) {
        match finishers::carry_out(self.run, self.teller, self.contents, stack_id, &identity.account).await {
            Ok(()) => {}
            Err(Stop::Interrupted) => {
                report.outcome = Outcome::Interrupted;
                let message = format!("interrupted while `{}` was being filled; the stack stands", self.desired.stack);
                report.findings.push(Finding::note("D041", message).help("deploy again: only what is missing is done"));
            }
            Err(Stop::Failed(findings)) => {
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
            let stack = self.run.unless_cancelled(self.run.clients.stack(stack_id)).await??;
            let gone = || Finding::error("D062", format!("`{}` is gone before it was tried", self.desired.stack));
            let stack = stack.ok_or_else(gone)?;
            smoke::tried(self.run, self.teller, self.desired, &stack, self.options.smoke_patience, report).await
        };
        match trying.await {
            Ok(()) => {}
            Err(Stop::Interrupted) => {
                report.outcome = Outcome::Interrupted;
                let message = format!("interrupted while `{}` was being tried; the stack stands", self.desired.stack);
                report.findings.push(Finding::note("D063", message).help("try the rest with `bedplate smoke`"));
            }
            Err(Stop::Failed(findings)) => {
                report.outcome = Outcome::SmokeFailed;
                report.findings.extend(findings);
            }
        }
    }

    /// The stack needs no change; what it is filled with may.
    async fn only_fill(
        &self,
        identity: &Identity,
        wanted: &Wanted<'_>,
        stack: Option<&StackSummary>,
    ) -> Result<Report, Stop> {
        let mut report = self.no_change(identity, wanted, stack).await?;
        let (Some(plan), Some(stack)) = (&report.plan, stack) else { return Ok(report) };
        if plan.has_changes() {
            if !self.agreed(plan).await? {
                return Ok(self.declined(identity, plan.clone()));
            }
            report.outcome = Outcome::Deployed;
            self.fill(identity, &stack.id, &mut report).await;
            self.smoke(&stack.id, &mut report).await;
        } else if !self.options.no_smoke && !self.desired.smoke.is_empty() {
            self.teller.note("nothing changed: its smoke tests are not tried again; `bedplate smoke` does");
        }
        Ok(report)
    }

    async fn agreed(&self, plan: &Plan) -> Result<bool, Stop> {
        self.teller.tell(EventKind::PlanReady { plan: Box::new(plan.clone()) });
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

    async fn ended(&self, identity: &Identity, made: &change_set::Ready, end: End, plan: Plan) -> Result<Report, Stop> {
        let outcome = match StackState::of(&end.status) {
            StackState::Good => Outcome::Deployed,
            StackState::RolledBackUpdate | StackState::Deleted => Outcome::RolledBack,
            StackState::FailedCreate if end.status == "ROLLBACK_COMPLETE" => Outcome::RolledBack,
            _ => Outcome::FailedState,
        };
        let mut report = self.report(outcome, identity, Some(plan));
        report.stack_id = Some(made.stack_id.clone());
        report.status = Some(end.status.clone());
        if outcome == Outcome::Deployed {
            let stack = self.run.clients.stack(&made.stack_id).await?;
            report.outputs = stack.map(|stack| stack.outputs).unwrap_or_default();
            report.findings = not_cleaned_up(&end, &self.desired.places);
            self.teller.tell(EventKind::OutputsReady { outputs: report.outputs.clone() });
        } else {
            report.findings = explain(&self.desired.stack, &end, &self.desired.places);
        }
        report.after_complete = Some(end.seen.elapsed());
        Ok(report)
    }

    /// Why a change set that was ready does not run.
    fn not_begun(&self, error: CallError) -> Stop {
        let stale = error.is("InvalidChangeSetStatus") || error.is("InvalidChangeSetStatusException");
        if stale || change_set::is_gone(&error) {
            return change_set::overtaken(&self.desired.stack).into();
        }
        error.into()
    }

    /// The operation goes on though it can no longer be followed.
    fn out_of_sight(&self, identity: &Identity, made: &change_set::Ready, stop: Stop) -> Result<Report, Stop> {
        let Stop::Failed(findings) = stop else { return Err(stop) };
        let mut report = self.report(Outcome::OutOfSight, identity, None);
        report.stack_id = Some(made.stack_id.clone());
        report.findings = findings;
        report.findings.push(self.goes_on(format!("CloudFormation goes on with `{}` unseen", self.desired.stack)));
        Ok(report)
    }

    fn goes_on(&self, message: String) -> Finding {
        Finding::note("D016", message).help(
            "watch it with `bedplate status`; the next `bedplate deploy` waits for it to end and goes on from there",
        )
    }

    fn left_running(&self, identity: &Identity, made: &change_set::Ready, plan: Plan) -> Report {
        let mut report = self.report(Outcome::Interrupted, identity, Some(plan));
        report.stack_id = Some(made.stack_id.clone());
        report
            .findings
            .push(self.goes_on(format!("interrupted; CloudFormation goes on with `{}`", self.desired.stack)));
        report
    }

    pub(super) async fn no_change(
        &self,
        identity: &Identity,
        wanted: &Wanted<'_>,
        stack: Option<&StackSummary>,
    ) -> Result<Report, Stop> {
        let current = Current {
            status: stack.map(|stack| stack.status.as_str()),
            template: None,
            parameters: stack.map(|stack| stack.parameters.clone()).unwrap_or_default(),
        };
        let plan = from_change_set(wanted, &current, &Default::default(), PlanKind::NoChange);
        let plan = self.filled(plan, stack.map(|stack| stack.id.as_str()), identity).await?;
        let mut report = self.report(Outcome::NoChange, identity, Some(plan));
        if let Some(stack) = stack {
            report.stack_id = Some(stack.id.clone());
            report.status = Some(stack.status.clone());
            report.outputs = stack.outputs.clone();
        }
        self.teller.tell(EventKind::OutputsReady { outputs: report.outputs.clone() });
        Ok(report)
    }

    pub(super) fn report(&self, outcome: Outcome, identity: &Identity, plan: Option<Plan>) -> Report {
        let mut report = Report::new(outcome, self.run.clients.region(), &self.desired.stack);
        report.account = Some(identity.account.clone());
        report.plan = plan;
        report
    }

    pub(super) fn parameters(
        &self,
        identity: &Identity,
        stack: Option<&StackSummary>,
    ) -> Result<ParameterValues, Stop> {
        Ok(self.desired.parameter_values(&identity.account, self.run.clients.region(), stack)?)
    }

    pub(super) fn wanted<'w>(
        &'w self,
        identity: &'w Identity,
        shown: BTreeMap<String, String>,
        artifacts: Vec<PlannedArtifact>,
    ) -> Wanted<'w> {
        Wanted {
            stack: &self.desired.stack,
            account: Some(&identity.account),
            region: self.run.clients.region(),
            template: Some(&self.desired.template),
            parameters: shown,
            places: self.desired.places.clone(),
            pointers: self.desired.pointers.clone(),
            artifacts,
        }
    }

    pub(super) async fn request(
        &self,
        identity: &Identity,
        start: &Start,
        values: BTreeMap<String, ParameterValue>,
    ) -> Result<ChangeSetRequest, Stop> {
        let text = self.desired.template.value().to_string();
        let digest = hex::encode(Sha256::digest(text.as_bytes()));
        let token = Uuid::new_v4();
        let name = self.options.change_set_name.clone();
        let short = |text: &str| text.chars().take(12).collect::<String>();
        Ok(ChangeSetRequest {
            stack: self.desired.stack.clone(),
            name: name.unwrap_or_else(|| format!("bedplate-{}-{}", short(&digest), short(&token.simple().to_string()))),
            kind: match (start.stack(), self.options.delete_on_failure) {
                (Some(_), _) => ChangeSetKind::Update,
                (None, false) => ChangeSetKind::Create,
                (None, true) => ChangeSetKind::CreateOrDelete,
            },
            template: self.template_source(identity, text, &digest).await?,
            parameters: values,
            capabilities: self.desired.capabilities.clone(),
            tags: self.desired.tags.clone(),
            token: format!("bedplate-{token}"),
        })
    }

    async fn template_source(&self, identity: &Identity, text: String, digest: &str) -> Result<TemplateSource, Stop> {
        if text.len() <= LONGEST_BODY {
            return Ok(TemplateSource::Body(text));
        }
        if text.len() > LONGEST_TEMPLATE {
            let message = format!("the template has {} bytes; CloudFormation takes {LONGEST_TEMPLATE}", text.len());
            return Err(Finding::error("D017", message).help("split the use case into two").into());
        }
        let (bucket, _) = ensure(self.run, self.teller, &identity.account).await?;
        let key = format!("{}/{digest}.template", self.desired.stack);
        let clients = self.run.clients;
        if !self.run.unless_cancelled(clients.object_exists(&bucket, &key, &identity.account)).await?? {
            let upload = clients.upload_bytes(&bucket, &key, text.into_bytes(), &identity.account);
            self.run.unless_cancelled(upload).await??;
        }
        Ok(TemplateSource::Url(clients.object_url(&bucket, &key)))
    }

    /// The findings at their places in the spec, where the template's path names a resource.
    pub(super) fn placed(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let place = |finding: &Finding| {
            let path = finding.template_path.as_deref()?.strip_prefix("Resources/")?;
            self.desired.places.get(path.split('/').next()?).cloned()
        };
        findings
            .into_iter()
            .map(|finding| {
                let place = place(&finding);
                finding.at(place)
            })
            .collect()
    }
}

impl Report {
    /// From seeing the stack's last event to the end of the work after it, filling it aside.
    pub fn stack_complete_to_end(&self) -> Option<Duration> {
        self.after_complete
    }
}
