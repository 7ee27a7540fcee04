//! Planning: what a deployment would do, with nothing left behind by asking.

use super::change_set::{self, Made};
use super::deployment::{Deployment, begin_and_build};
use super::events::{EventKind, Teller};
use super::outcome::{Outcome, Report};
use super::recover::{Start, settle};
use super::run::{DeclineAll, Run};
use super::stop::Stop;
use super::uploads::presence;
use super::wanted::{Desired, ParameterValues};
use crate::plan::{PlanKind, Secrets, for_new_stack};

/// Says what a deployment would do.
///
/// For a stack that exists, a change set is made, read and removed. For a new one CloudFormation is not asked to make
/// anything: a change set would leave a stack in `REVIEW_IN_PROGRESS`, and every resource is added anyway.
pub async fn plan(run: &Run<'_>, desired: &Desired) -> Report {
    let teller = Teller::hiding(run.events, Secrets::of(Some(&desired.template), &desired.parameters));
    run.ledger().about(&desired.stack, desired.use_case());
    let result = look_ahead(run, &teller, desired).await;
    run.finish(&teller, &desired.stack, result)
}

async fn look_ahead(run: &Run<'_>, teller: &Teller<'_>, desired: &Desired) -> Result<Report, Stop> {
    let (identity, desired, contents) = begin_and_build(run, teller, "plan", desired).await?;
    let (desired, options) = (&desired, Default::default());
    let deployment = Deployment { run, teller, desired, contents: &contents, options: &options, approver: &DeclineAll };
    let claim = deployment.claim();
    let (start, artifacts) =
        tokio::join!(settle(run, teller, desired, &identity, &claim, false), presence(run, desired, &identity.account));
    let (start, artifacts) = (start?, artifacts?);
    let ParameterValues { sent, shown } = deployment.parameters(&identity, start.stack())?;
    let wanted = deployment.wanted(&identity, shown, artifacts);
    let plan = match &start {
        Start::New | Start::Shell => {
            deployment.filled(for_new_stack(&wanted, PlanKind::Create), None, &identity).await?
        }
        Start::Recreate(failed) => deployment.plan_to_recreate(&wanted, failed, &identity).await?,
        Start::Update(stack) => {
            let request = deployment.request(&identity, &start, sent).await?;
            match change_set::make(run, teller, &request).await? {
                Made::NoChange => return deployment.no_change(&identity, &wanted, Some(stack)).await,
                Made::Refused(findings) => return Err(deployment.placed(findings).into()),
                Made::Ready(made) => {
                    let plan = deployment.plan_of(&identity, &start, &wanted, &made).await;
                    // The plan is as good when its change set stays; that it does is told at the end.
                    made.try_to_discard(run, teller).await;
                    plan?
                }
            }
        }
    };
    teller.tell(EventKind::PlanReady { plan: Box::new(plan.clone()) });
    Ok(deployment.report(Outcome::Planned, &identity, Some(plan)))
}
