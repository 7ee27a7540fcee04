//! The artifact bucket by itself: made ahead of the first deployment, or taken away after the last.

use super::abort::Abort;
use super::artifact_bucket::{ArtifactBucket, ensure, find, is_own, not_own};
use super::artifact_names::ARTIFACT_STACK;
use super::causes::explain;
use super::destroy_plan::{DestroyPlan, PlannedDeletion};
use super::events::{EngineVerb, EventEmitter, EventKind};
use super::inventory::inventory;
use super::outcome::Outcome;
use super::reports::{BootstrapReport, DestroyReport};
use super::run::{Approver, Proposal, Run};
use super::status::USE_CASE_TAG;
use super::teardown::tear_down;
use crate::aws::StackState;
use crate::finding::{Finding, code};

/// Makes the artifact bucket of the account and region unless it exists.
pub async fn bootstrap(run: &Run<'_>) -> BootstrapReport {
    bootstrap_named(run, None).await
}

/// The same with a name for the bucket, where the usual one is taken. Its stack remembers it.
pub async fn bootstrap_named(run: &Run<'_>, bucket: Option<&str>) -> BootstrapReport {
    let emitter = EventEmitter::new(run.events);
    let result = make(run, &emitter, bucket).await;
    run.finish(&emitter, ARTIFACT_STACK, result)
}

/// Takes the artifact bucket away. Refused while a stack of a use case is deployed in the account and region: its next
/// update, and its rollback, need what is in it.
pub async fn remove_bootstrap(run: &Run<'_>, approver: &dyn Approver) -> DestroyReport {
    let emitter = EventEmitter::new(run.events);
    let result = remove(run, &emitter, approver).await;
    run.finish(&emitter, ARTIFACT_STACK, result)
}

async fn make(run: &Run<'_>, emitter: &EventEmitter<'_>, bucket: Option<&str>) -> Result<BootstrapReport, Abort> {
    let identity = run.start(emitter, EngineVerb::Bootstrap, ARTIFACT_STACK).await?;
    if let ArtifactBucket::Own { name } = find(run, &identity.account, bucket).await?
        && bucket.is_some_and(|wanted| wanted != name)
    {
        return Err(Finding::error(code::D076, format!("there is an artifact bucket already, `{name}`"))
            .help("an account has one in a region; to have another, run `bedplate bootstrap --remove` first")
            .into());
    }
    let (_, made) = ensure(run, emitter, &identity.account, bucket).await?;
    let mut report = BootstrapReport::new(
        if made { Outcome::Ready } else { Outcome::NoChange },
        run.clients.region(),
        ARTIFACT_STACK,
    );
    report.account = Some(identity.account);
    Ok(report)
}

async fn remove(run: &Run<'_>, emitter: &EventEmitter<'_>, approver: &dyn Approver) -> Result<DestroyReport, Abort> {
    let identity = run.start(emitter, EngineVerb::Bootstrap, ARTIFACT_STACK).await?;
    let region = run.clients.region();
    let mut report = DestroyReport::new(Outcome::Destroyed, region, ARTIFACT_STACK);
    report.account = Some(identity.account.clone());
    let Some(stack) = run.attempt(run.clients.stack(ARTIFACT_STACK)).await? else {
        let message =
            format!("there is no stack `{ARTIFACT_STACK}` in account `{}`, region `{region}`", identity.account);
        report.outcome = Outcome::Absent;
        report.findings.push(Finding::note(code::D023, message));
        return Ok(report);
    };
    if !is_own(&stack) {
        return Err(not_own(&stack).into());
    }
    refuse_used(run).await?;
    let (resources, stays) = inventory(run, &stack.id).await?;
    let mut destroy_plan = DestroyPlan {
        stack: ARTIFACT_STACK.to_owned(),
        account: identity.account.clone(),
        region: region.to_owned(),
        status: stack.status.clone(),
        resources,
        artifacts: Default::default(),
        artifact_bucket: None,
        stays,
    };
    emitter.emit(EventKind::DestroyPlanReady { destroy_plan: Box::new(destroy_plan.clone()) });
    report.results.destroy_plan = Some(destroy_plan.clone());
    report.findings = approver.uncovered(&Proposal::Destroy(&destroy_plan));
    if !report.findings.is_empty() {
        report.outcome = Outcome::Declined;
        return Ok(report);
    }
    if !run.unless_cancelled(approver.approve(Proposal::Destroy(&destroy_plan))).await? {
        report.outcome = Outcome::Declined;
        return Ok(report);
    }
    // Somebody may have deployed since.
    refuse_used(run).await?;
    let end = tear_down(run, emitter, &stack, &mut destroy_plan.resources).await?;
    if StackState::from_status(&end.status) != StackState::Deleted {
        report.outcome = Outcome::FailedState;
        report.findings = explain(ARTIFACT_STACK, &end, &Default::default());
    } else {
        report.results.left = destroy_plan.resources.iter().filter_map(PlannedDeletion::leftover).collect();
        if report.results.left.iter().any(|leftover| !leftover.intended) {
            report.outcome = Outcome::Leftovers;
        }
    }
    report.results.status = Some(end.status);
    Ok(report)
}

async fn refuse_used(run: &Run<'_>) -> Result<(), Abort> {
    let stacks = run.attempt(run.clients.stacks()).await?;
    let users: Vec<&str> =
        stacks.iter().filter(|stack| stack.tags.contains_key(USE_CASE_TAG)).map(|stack| stack.name.as_str()).collect();
    if users.is_empty() {
        return Ok(());
    }
    let message = format!("the artifact bucket is in use by `{}`", users.join("`, `"));
    Err(Finding::error(code::D026, message).help("destroy what is deployed first").into())
}
