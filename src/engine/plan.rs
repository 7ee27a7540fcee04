//! Planning: what a deployment would do, with nothing left behind by asking.

use super::abort::Abort;
use super::change_set::{self, ChangeSetResult};
use super::deployment::{Deployment, start_and_build};
use super::desired::{Desired, ParameterValues};
use super::events::{EngineVerb, EventEmitter, EventKind};
use super::outcome::Outcome;
use super::recover::{StartState, resolve_start};
use super::reports::{PlanReport, PlanResults};
use super::run::{DeclineAll, Run};
use super::uploads::presence;
use crate::plan::{PlanKind, Secrets, for_new_stack};

/// Says what a deployment would do.
///
/// For a stack that exists, a change set is made, read and removed. For a new one CloudFormation is not asked to make
/// anything: a change set would leave a stack in `REVIEW_IN_PROGRESS`, and every resource is added anyway.
pub async fn plan(run: &Run<'_>, desired: &Desired) -> PlanReport {
    let emitter =
        EventEmitter::redacting(run.events, Secrets::from_parameters(Some(&desired.template), &desired.parameters));
    run.ledger().set_use_case(&desired.stack, desired.use_case());
    let result = look_ahead(run, &emitter, desired).await;
    run.finish(&emitter, &desired.stack, result)
}

async fn look_ahead(run: &Run<'_>, emitter: &EventEmitter<'_>, desired: &Desired) -> Result<PlanReport, Abort> {
    let (identity, desired, contents) = start_and_build(run, emitter, EngineVerb::Plan, desired).await?;
    let (desired, options) = (&desired, Default::default());
    let deployment =
        Deployment { run, emitter, desired, contents: &contents, options: &options, approver: &DeclineAll };
    let claim = deployment.claim();
    let (start, artifacts) = tokio::join!(
        resolve_start(run, emitter, desired, &identity, &claim, false),
        presence(run, desired, &identity.account)
    );
    let (start, artifacts) = (start?, artifacts?);
    let ParameterValues { sent, shown } = deployment.parameters(&identity, start.stack())?;
    let desired_stack = deployment.desired_stack(&identity, shown, artifacts);
    let plan = match &start {
        StartState::New | StartState::Shell => {
            deployment.filled(for_new_stack(&desired_stack, PlanKind::Create), None, &identity).await?
        }
        StartState::Recreate(failed) => deployment.plan_to_recreate(&desired_stack, failed, &identity).await?,
        StartState::Update(stack) => {
            let request = deployment.request(&identity, &start, sent).await?;
            match change_set::make(run, emitter, &request).await? {
                ChangeSetResult::NoChange => {
                    let plan = deployment.plan_without_change(&identity, &desired_stack, Some(stack)).await?;
                    return Ok(deployment.report(Outcome::NoChange, &identity, PlanResults { plan: Some(plan) }));
                }
                ChangeSetResult::Refused(findings) => return Err(deployment.placed(findings).into()),
                ChangeSetResult::Ready(made) => {
                    let plan = deployment.plan_of(&identity, &start, &desired_stack, &made).await;
                    // The plan is as good when its change set stays; that it does is told at the end.
                    made.try_to_discard(run, emitter).await;
                    plan?
                }
            }
        }
    };
    emitter.emit(EventKind::PlanReady { plan: Box::new(plan.clone()) });
    Ok(deployment.report(Outcome::Planned, &identity, PlanResults { plan: Some(plan) }))
}
