//! Deploying: change set, plan, approval, artifacts, execution of exactly that change set, events, outputs.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::artifact_bucket::{self, ArtifactBucket, ensure};
use super::causes::{explain, not_cleaned_up};
use super::change_set::{self, Made};
use super::claim::{Claim, OWNER_TAG};
use super::events::{EventKind, Teller};
use super::execution::{Executed, Execution};
use super::finishers::{self, Content};
use super::follow::End;
use super::ledger::Effect;
use super::outcome::{Outcome, Report};
use super::packaging::{Unbuilt, build};
use super::recover::{FailedStack, Start, settle};
use super::run::{Approver, Proposal, Run, Stop};
use super::smoke;
use super::uploads::{presence, upload_missing};
use super::wanted::{Desired, ParameterValues};
use crate::artifacts::ArtifactRequest;
use crate::aws::{
    ChangeSetKind, ChangeSetRequest, Identity, ParameterValue, StackState, StackSummary, TemplateSource, is_local_state,
};
use crate::cfn::Template;
use crate::finding::Finding;
use crate::plan::{
    Current, Plan, PlanKind, PlannedArtifact, Risk, Secrets, Wanted, for_new_stack, from_change_set, of_content,
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
    /// A stack of another owner is taken over.
    pub take_over: bool,
    /// The smoke tests are not tried.
    pub no_smoke: bool,
    /// No helper program is run to make artifacts: a layer that is not in the cache is refused.
    pub no_build: bool,
    /// How long a smoke test is tried again whose failure may pass; not at all where it is zero.
    pub smoke_patience: Duration,
}

/// Deploys a use case, from the account guard to the outputs.
///
/// The order keeps what is declined without a trace: the change set is made first, artifacts are uploaded after the
/// plan is approved (a change set does not read them) and before it runs.
pub async fn deploy(run: &Run<'_>, desired: &Desired, options: &DeployOptions, approver: &dyn Approver) -> Report {
    let teller = Teller::hiding(run.events, Secrets::of(Some(&desired.template), &desired.parameters));
    let mut desired = desired.clone();
    if options.no_build {
        desired.build_nothing();
    }
    let desired = &desired;
    run.ledger().about(&desired.stack, desired.use_case());
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
    if !built.unbuilt.is_empty() {
        not_built(teller, verb, &built.unbuilt, &desired)?;
    }
    desired.artifacts.extend(built.artifacts);
    desired.unbuilt = built.unbuilt;
    if !desired.artifacts.is_empty() {
        desired.artifact_bucket = match artifact_bucket::find(run, &identity.account, None).await? {
            ArtifactBucket::Own { name } => Some(name),
            ArtifactBucket::Missing { .. } => None,
            ArtifactBucket::Unusable(finding) => return Err((*finding).into()),
        };
    }
    let contents = finishers::read(run, &desired.finishers).await?;
    Ok((identity, desired, contents))
}

/// What was not built is told in a plan; nothing else goes on without it.
fn not_built(teller: &Teller<'_>, verb: &str, unbuilt: &[Unbuilt], desired: &Desired) -> Result<(), Stop> {
    let place = |component: &str| {
        let package = desired.packages.iter().find(|package| package.component == component)?;
        match &package.request {
            ArtifactRequest::Layer { place, .. } | ArtifactRequest::Function { place, .. } => place.clone(),
        }
    };
    let findings = unbuilt.iter().map(|unbuilt| {
        let component = &unbuilt.component;
        let finding = if verb == "plan" {
            let message = format!("`{component}` is not built: the plan takes it for changed, whatever it would hold");
            Finding::warning("A032", message)
        } else {
            Finding::error("A031", format!("`{component}` is not in the cache, and `--no-build` says not to build it"))
        };
        finding
            .at(place(component))
            .help("leave `--no-build` out to have pip fetch its packages, of which nothing is run")
    });
    if verb != "plan" {
        return Err(findings.collect::<Vec<_>>().into());
    }
    findings.for_each(|finding| teller.tell(EventKind::Warning { finding }));
    Ok(())
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
        let claim = self.claim();
        let (start, artifacts) = tokio::join!(
            settle(self.run, self.teller, self.desired, identity, &claim, true),
            presence(self.run, self.desired, &identity.account),
        );
        let (start, artifacts) = (start?, artifacts?);
        if let Start::Recreate(failed) = start {
            let shown = self.parameters(identity, None)?.shown;
            let wanted = self.wanted(identity, shown, artifacts.clone());
            let plan = self.plan_to_recreate(&wanted, &failed, identity).await?;
            if !self.agreed(&plan).await? {
                return Ok(self.declined(identity, plan));
            }
            // Agreed to once: what is made anew below is the plan just shown, resource by resource.
            failed.remove(self.run, self.teller).await?;
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
        let made = Box::pin(change_set::make(self.run, self.teller, &request)).await?;
        let wanted = self.wanted(identity, shown, artifacts.clone());
        let made = match made {
            Made::Ready(made) => made,
            Made::NoChange => return self.only_fill(identity, &wanted, start.stack()).await,
            Made::Refused(findings) => return Err(self.placed(findings).into()),
        };
        let carried = Box::pin(self.approve_and_execute(identity, &start, &wanted, &made, agreed)).await;
        match carried {
            Ok(mut report) => {
                if report.outcome == Outcome::Declined {
                    // One that stays is told at the end; the answer was no all the same.
                    made.try_to_discard(self.run, self.teller).await;
                }
                if report.outcome == Outcome::Deployed {
                    self.fill(identity, &made.stack_id, &mut report).await;
                    self.smoke(&made.stack_id, &mut report).await;
                }
                Ok(report)
            }
            Err((stop, Executed::Yes)) => self.out_of_sight(identity, &made, stop),
            Err((stop, Executed::Unknown)) => Err(stop),
            Err((stop, Executed::No)) => {
                // The first failure is the one to report; a change set that stays is in the ledger.
                made.try_to_discard(self.run, self.teller).await;
                Err(stop)
            }
        }
    }

    /// With an error: whether the change set is executed.
    async fn approve_and_execute(
        &self,
        identity: &Identity,
        start: &Start,
        wanted: &Wanted<'_>,
        made: &change_set::Ready,
        agreed: Option<Plan>,
    ) -> Result<Report, (Stop, Executed)> {
        let before = |stop: Stop| (stop, Executed::No);
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
        let execution = Execution { run: self.run, made, stack: &self.desired.stack, token: &token, newest: &newest };
        let follow = Box::pin(execution.start()).await?;
        self.teller.tell(EventKind::Executing { name: made.name.clone(), token: token.clone() });
        match follow.until_rest(self.run, self.teller).await {
            Ok(end) => Ok(self.ended(identity, made, end, plan).await),
            Err(Stop::Interrupted) => Ok(self.left_running(identity, made, plan)),
            Err(stop) => Err((stop, Executed::Yes)),
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

    /// The plan for a stack whose creation failed, with the data that goes with what is left of it.
    pub(super) async fn plan_to_recreate(
        &self,
        wanted: &Wanted<'_>,
        failed: &FailedStack,
        identity: &Identity,
    ) -> Result<Plan, Stop> {
        let mut plan = for_new_stack(wanted, PlanKind::Recreate);
        plan.data_loss.extend(failed.losses());
        plan.risks = failed.risks(self.desired);
        self.filled(plan, None, identity).await
    }

    /// What this deployment says of the stack it is about.
    pub(super) fn claim(&self) -> Claim {
        Claim::of(self.desired, self.options.take_over)
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
                report.findings.push(Finding::note("D063", message).help(self.try_again()));
            }
            Err(Stop::Failed(findings)) => {
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
            self.teller.note("it is up to date: its smoke tests are not tried again; `bedplate smoke` does");
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

    async fn ended(&self, identity: &Identity, made: &change_set::Ready, end: End, plan: Plan) -> Report {
        self.run.ledger().ended(&self.desired.stack, &end.status);
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
            report.findings = not_cleaned_up(&end, &self.desired.places);
            match self.run.until_answered(self.run.clients.stack(&made.stack_id)).await {
                Ok(Ok(stack)) => {
                    report.outputs = stack.map(|stack| stack.outputs).unwrap_or_default();
                    self.teller.tell(EventKind::OutputsReady { outputs: report.outputs.clone() });
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
        Finding::warning("D094", message).help(format!(
            "`{again}` does what is missing, `{}` prints the outputs and `{}` tries the smoke tests",
            self.run.ledger().command("outputs"),
            self.run.ledger().command("smoke"),
        ))
    }

    /// The operation goes on though it can no longer be followed.
    fn out_of_sight(&self, identity: &Identity, made: &change_set::Ready, stop: Stop) -> Result<Report, Stop> {
        let Stop::Failed(findings) = stop else { return Err(stop) };
        let mut report = self.report(Outcome::OutOfSight, identity, None);
        report.stack_id = Some(made.stack_id.clone());
        let stack = &self.desired.stack;
        let message = if findings.iter().any(|finding| is_local_state(finding.code)) {
            format!("`{stack}` stands in the middle of its operation, which goes on when the local target can write")
        } else {
            format!("CloudFormation goes on with `{stack}` unseen")
        };
        report.findings = findings;
        report.findings.push(self.goes_on(message));
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
            tags: self.tags(identity, start),
            token: format!("bedplate-{token}"),
            has_shell: matches!(start, Start::Shell),
        })
    }

    /// The stack's tags, its owner's among them. CloudFormation hands them down to everything in the stack, so an owner
    /// that is there stays as it is unless the stack is taken over.
    fn tags(&self, identity: &Identity, start: &Start) -> BTreeMap<String, String> {
        let claim = self.claim();
        let present = start.stack().and_then(|stack| stack.tags.get(OWNER_TAG)).filter(|_| !claim.take_over);
        let owner = present.cloned().unwrap_or_else(|| claim.owner(identity));
        let mut tags = self.desired.tags.clone();
        if let Some(stack) = start.stack().filter(|_| claim.take_over) {
            // Taken over as it is: what else it was marked with goes only when a later deployment leaves it out.
            let others = stack.tags.iter().filter(|(key, _)| !key.starts_with("aws:") && !tags.contains_key(*key));
            let others: Vec<(String, String)> = others.map(|(key, value)| (key.clone(), value.clone())).collect();
            tags.extend(others);
        }
        tags.insert(OWNER_TAG.to_owned(), owner);
        tags
    }

    async fn template_source(&self, identity: &Identity, text: String, digest: &str) -> Result<TemplateSource, Stop> {
        if text.len() <= LONGEST_BODY {
            return Ok(TemplateSource::Body(text));
        }
        if text.len() > LONGEST_TEMPLATE {
            let message = format!("the template has {} bytes; CloudFormation takes {LONGEST_TEMPLATE}", text.len());
            return Err(Finding::error("D017", message).help("split the use case into two").into());
        }
        let (bucket, _) = ensure(self.run, self.teller, &identity.account, None).await?;
        let key = format!("{}{digest}.template", artifact_bucket::folder(&self.desired.stack));
        let clients = self.run.clients;
        if !self.run.unless_cancelled(clients.object_exists(&bucket, &key, &identity.account)).await?? {
            let upload = clients.upload_bytes(&bucket, &key, text.into_bytes(), &identity.account);
            let effect = Effect::ObjectsUploaded { bucket: bucket.clone(), count: 1 };
            self.run.unless_cancelled(self.run.effect(effect, upload)).await??;
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
