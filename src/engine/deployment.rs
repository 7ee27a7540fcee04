//! A deployment in preparation: what it is of, its plan and its change set. Deploying goes on from there, planning ends there.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::abort::Abort;
use super::artifact_bucket::{ArtifactBucket, ensure, find};
use super::artifact_names::folder;
use super::change_set::ReadyChangeSet;
use super::claim::{Claim, OWNER_TAG};
use super::desired::{Desired, ParameterValues};
use super::effect::Effect;
use super::events::{EngineVerb, EventEmitter, EventKind};
use super::finishers::{self, Content};
use super::outcome::Outcome;
use super::package::Unbuilt;
use super::packaging::build;
use super::recover::{FailedStack, StartState};
use super::reports::{Report, VerbResults};
use super::run::{Approver, Run};
use crate::artifacts::ArtifactRequest;
use crate::aws::{ChangeSetKind, ChangeSetRequest, Identity, ParameterValue, StackSummary, TemplateSource};
use crate::cfn::Template;
use crate::finding::{Finding, code};
use crate::plan::{
    Current, DesiredStack, Plan, PlanKind, PlannedArtifact, Risk, for_new_stack, from_change_set, of_content,
};
use crate::render::DEPLOYER;

/// The longest template a request carries; a longer one goes through S3.
/// Source: `TemplateBody` in the CloudFormation API reference.
const LONGEST_BODY: usize = 51_200;

/// The longest template there is. Source: CloudFormation quotas.
const LONGEST_TEMPLATE: usize = 1_048_576;

/// What a deployment may be told beside what to deploy.
#[derive(Debug, Clone, Default)]
pub struct DeployOptions {
    /// A name for the change set, so that a pipeline can refer to it; else one is made from the template's
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
    pub smoke_retry_for: Duration,
}

/// Says where it goes, then makes the artifacts ready, whose addresses are part of what is deployed, and reads what the
/// stack is to be filled with.
pub(super) async fn start_and_build(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    verb: EngineVerb,
    desired: &Desired,
) -> Result<(Identity, Desired, Vec<Content>), Abort> {
    let identity = run.start(emitter, verb, &desired.stack).await?;
    let built = build(run, emitter, &desired.packages).await?;
    let mut desired = desired.clone();
    // A parameter of that name in a template made elsewhere is not this one.
    if !desired.names.contains_key(DEPLOYER) && desired.template.parameters().any(|it| it.name == DEPLOYER) {
        desired.parameters.insert(DEPLOYER.to_owned(), run.clients.principal(&identity).await?);
    }
    if !built.unbuilt.is_empty() {
        not_built(emitter, verb, &built.unbuilt, &desired)?;
    }
    desired.artifacts.extend(built.artifacts);
    desired.unbuilt = built.unbuilt;
    if !desired.artifacts.is_empty() {
        desired.artifact_bucket = match find(run, &identity.account, None).await? {
            ArtifactBucket::Own { name } => Some(name),
            ArtifactBucket::Missing { .. } => None,
            ArtifactBucket::Unusable(finding) => return Err((*finding).into()),
        };
    }
    let contents = finishers::read(run, &desired.finishers).await?;
    Ok((identity, desired, contents))
}

/// What was not built is told in a plan; nothing else goes on without it.
fn not_built(
    emitter: &EventEmitter<'_>,
    verb: EngineVerb,
    unbuilt: &[Unbuilt],
    desired: &Desired,
) -> Result<(), Abort> {
    let place = |component: &str| {
        let package = desired.packages.iter().find(|package| package.component == component)?;
        match &package.request {
            ArtifactRequest::Layer { place, .. }
            | ArtifactRequest::Function { place, .. }
            | ArtifactRequest::Packaged { place, .. } => place.clone(),
        }
    };
    let findings = unbuilt.iter().map(|unbuilt| {
        let component = &unbuilt.component;
        let finding = if verb == EngineVerb::Plan {
            let message = format!("`{component}` is not built: the plan takes it for changed, whatever it would hold");
            Finding::warning(code::A032, message)
        } else {
            Finding::error(
                code::A031,
                format!("`{component}` is not in the cache, and `--no-build` says not to build it"),
            )
        };
        finding
            .at(place(component))
            .help("leave `--no-build` out to have pip fetch its packages, of which nothing is run")
    });
    if verb != EngineVerb::Plan {
        return Err(findings.collect::<Vec<_>>().into());
    }
    findings.for_each(|finding| emitter.emit(EventKind::Warning { finding }));
    Ok(())
}

/// A deployment on its way; planning borrows its first half.
pub(super) struct Deployment<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) emitter: &'a EventEmitter<'a>,
    pub(super) desired: &'a Desired,
    pub(super) contents: &'a [Content],
    pub(super) options: &'a DeployOptions,
    pub(super) approver: &'a dyn Approver,
}

impl Deployment<'_> {
    /// The plan that a change set comes to.
    pub(super) async fn plan_of(
        &self,
        identity: &Identity,
        start: &StartState,
        desired_stack: &DesiredStack<'_>,
        made: &ReadyChangeSet,
    ) -> Result<Plan, Abort> {
        let Some(stack) = start.stack() else {
            let plan = from_change_set(desired_stack, &Current::default(), &made.set, PlanKind::Create);
            return self.filled(plan, None, identity).await;
        };
        let old = self.run.attempt(self.run.clients.template_of(&stack.id)).await?;
        let old = Template::parse(&old).ok();
        let current =
            Current { status: Some(&stack.status), template: old.as_ref(), parameters: stack.parameters.clone() };
        let plan = from_change_set(desired_stack, &current, &made.set, PlanKind::Update);
        self.filled(plan, Some(&stack.id), identity).await
    }

    /// The plan for a stack whose creation failed, with the data that goes with what is left of it.
    pub(super) async fn plan_to_recreate(
        &self,
        desired_stack: &DesiredStack<'_>,
        failed: &FailedStack,
        identity: &Identity,
    ) -> Result<Plan, Abort> {
        let mut plan = for_new_stack(desired_stack, PlanKind::Recreate);
        plan.data_loss.extend(failed.losses());
        plan.risks = failed.risks(self.desired);
        self.filled(plan, None, identity).await
    }

    /// What this deployment says of the stack it is about.
    pub(super) fn claim(&self) -> Claim {
        Claim::for_deployment(self.desired, self.options.take_over)
    }

    /// A plan with what the stack would be filled with.
    pub(super) async fn filled(
        &self,
        mut plan: Plan,
        stack_id: Option<&str>,
        identity: &Identity,
    ) -> Result<Plan, Abort> {
        plan.content = finishers::planned(self.run, self.contents, stack_id, &plan.changes, &identity.account).await?;
        let place = |component: &str| self.contents.iter().find(|it| it.component() == component)?.place().cloned();
        plan.risks
            .extend(of_content(&plan.content).into_iter().map(|risk| Risk { place: place(&risk.resource), ..risk }));
        Ok(plan)
    }

    /// The plan for a stack that needs no change; what it is filled with may. Its outputs are told as they are.
    pub(super) async fn plan_without_change(
        &self,
        identity: &Identity,
        desired_stack: &DesiredStack<'_>,
        stack: Option<&StackSummary>,
    ) -> Result<Plan, Abort> {
        let current = Current {
            status: stack.map(|stack| stack.status.as_str()),
            template: None,
            parameters: stack.map(|stack| stack.parameters.clone()).unwrap_or_default(),
        };
        let plan = from_change_set(desired_stack, &current, &Default::default(), PlanKind::NoChange);
        let plan = self.filled(plan, stack.map(|stack| stack.id.as_str()), identity).await?;
        let outputs = stack.map(|stack| stack.outputs.clone()).unwrap_or_default();
        self.emitter.emit(EventKind::OutputsReady { outputs });
        Ok(plan)
    }

    /// A report that is begun.
    pub(super) fn report<R: VerbResults>(&self, outcome: Outcome, identity: &Identity, results: R) -> Report<R> {
        let mut report = Report::new(outcome, self.run.clients.region(), &self.desired.stack);
        report.account = Some(identity.account.clone());
        report.results = results;
        report
    }

    /// The values of the template's parameters.
    pub(super) fn parameters(
        &self,
        identity: &Identity,
        stack: Option<&StackSummary>,
    ) -> Result<ParameterValues, Abort> {
        Ok(self.desired.parameter_values(&identity.account, self.run.clients.region(), stack)?)
    }

    /// What is desired_stack, as a plan takes it.
    pub(super) fn desired_stack<'w>(
        &'w self,
        identity: &'w Identity,
        shown: BTreeMap<String, String>,
        artifacts: Vec<PlannedArtifact>,
    ) -> DesiredStack<'w> {
        DesiredStack {
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

    /// The change set to ask for.
    pub(super) async fn request(
        &self,
        identity: &Identity,
        start: &StartState,
        values: BTreeMap<String, ParameterValue>,
    ) -> Result<ChangeSetRequest, Abort> {
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
            has_shell: matches!(start, StartState::Shell),
        })
    }

    /// The stack's tags, its owner's among them. CloudFormation hands them down to everything in the stack, so an owner
    /// that is there stays as it is unless the stack is taken over.
    fn tags(&self, identity: &Identity, start: &StartState) -> BTreeMap<String, String> {
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

    async fn template_source(&self, identity: &Identity, text: String, digest: &str) -> Result<TemplateSource, Abort> {
        if text.len() <= LONGEST_BODY {
            return Ok(TemplateSource::Body(text));
        }
        if text.len() > LONGEST_TEMPLATE {
            let message = format!("the template has {} bytes; CloudFormation takes {LONGEST_TEMPLATE}", text.len());
            return Err(Finding::error(code::D017, message).help("split the use case into two").into());
        }
        let (bucket, _) = ensure(self.run, self.emitter, &identity.account, None).await?;
        let key = format!("{}{digest}.template", folder(&self.desired.stack));
        let clients = self.run.clients;
        if !self.run.attempt(clients.object_exists(&bucket, &key, &identity.account)).await? {
            let upload = clients.upload_bytes(&bucket, &key, text.into_bytes(), &identity.account);
            let effect = Effect::ObjectsUploaded { bucket: bucket.clone(), count: 1 };
            self.run.attempt(self.run.effect(effect, upload)).await?;
        }
        Ok(TemplateSource::Url(clients.object_url(&bucket, &key)))
    }

    /// The findings at their places in the spec, where they are about a part of the template.
    pub(super) fn placed(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let place = |finding: &Finding| {
            let path = finding.template_path.as_deref()?;
            self.desired.places.at(&self.desired.template.pointer(path, '/')).cloned()
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
