//! Trying the tests of a use case, and what their ends say of its stack.

use std::time::{Duration, Instant};

use super::deployed::DeployedStack;
use super::failure::Failure;
use super::result::SmokeResult;
use super::retry;
use super::test::{PreparedSmokeTest, Probe};
use crate::aws::{CallErrorKind, StackState, StackSummary};
use crate::engine::abort::Abort;
use crate::engine::claim::Claim;
use crate::engine::desired::Desired;
use crate::engine::events::{EngineVerb, EventEmitter, EventKind};
use crate::engine::outcome::Outcome;
use crate::engine::reports::SmokeReport;
use crate::engine::run::Run;
use crate::finding::{Finding, code};
use crate::plan::Secrets;

/// Tries the tests of a use case on its stack as it is deployed, each once.
pub async fn smoke(run: &Run<'_>, desired: &Desired) -> SmokeReport {
    let emitter =
        EventEmitter::redacting(run.events, Secrets::from_parameters(Some(&desired.template), &desired.parameters));
    run.ledger().set_use_case(&desired.stack, desired.use_case());
    let result = stands(run, &emitter, desired).await;
    run.finish(&emitter, &desired.stack, result)
}

async fn stands(run: &Run<'_>, emitter: &EventEmitter<'_>, desired: &Desired) -> Result<SmokeReport, Abort> {
    let identity = run.start(emitter, EngineVerb::Smoke, &desired.stack).await?;
    let stack = run.attempt(run.clients.stack(&desired.stack)).await?;
    let mut report = SmokeReport::new(Outcome::Absent, run.clients.region(), &desired.stack);
    report.account = Some(identity.account);
    let Some(stack) = stack.filter(|stack| stack.state() != StackState::Review) else { return Ok(report) };
    // What is called does something: it must be this use case's.
    Claim::for_deployment(desired, false).refuse_foreign(&stack)?;
    report.outcome = Outcome::Tested;
    let mut trial = Trial::default();
    let end = tried(run, emitter, desired, &stack, Duration::ZERO, &mut trial).await;
    if trial.has_failed() {
        report.outcome = Outcome::SmokeFailed;
    }
    report.findings = trial.findings;
    report.results.smoke = trial.results;
    match end {
        Ok(()) => {}
        Err(Abort::Interrupted) => {
            report.outcome = Outcome::Interrupted;
            let again = run.ledger().command("smoke");
            let message = format!("interrupted while `{}` was being tried", desired.stack);
            report.findings.push(Finding::note(code::D063, message).help(format!("try the rest with `{again}`")));
        }
        Err(Abort::Failed(findings)) => {
            if report.outcome != Outcome::SmokeFailed {
                report.outcome = Outcome::Untested;
            }
            report.findings.extend(findings);
        }
    }
    Ok(report)
}

/// Whether the target still answers and the stack is still there: without either, a test that failed says nothing of the stack.
async fn is_verdict(run: &Run<'_>, test: &PreparedSmokeTest, stack: &StackSummary) -> Result<(), Abort> {
    match run.unless_cancelled(run.clients.stack(&stack.id)).await? {
        Ok(Some(now)) if now.state() != StackState::Deleted => Ok(()),
        Ok(_) => Err(Finding::error(code::D062, format!("`{}` is gone while it was being tried", stack.name)).into()),
        Err(error) if error.is_transient() || error.kind == CallErrorKind::Expired => {
            let message =
                format!("smoke test `{}` could not be tried: that says nothing of `{}`", test.name, stack.name);
            let again = run.ledger().command("smoke");
            let help = format!("when the cause above is gone, try it and the rest with `{again}`");
            Err(vec![error.finding(), Finding::error(code::D095, message).at(test.place.clone()).help(help)].into())
        }
        // It answers.
        Err(_) => Ok(()),
    }
}

/// What has come of trying the tests of a stack.
#[derive(Debug, Default)]
pub(in crate::engine) struct Trial {
    /// How each test ended, in order.
    pub(in crate::engine) results: Vec<SmokeResult>,
    /// Why those failed that did.
    pub(in crate::engine) findings: Vec<Finding>,
}

impl Trial {
    /// A test failed, which is a verdict on the stack.
    pub(in crate::engine) fn has_failed(&self) -> bool {
        self.results.iter().any(|result| !result.ok)
    }
}

/// Tries everything and puts down how it went. A test whose failure may pass is tried again for as long as `retry_for`.
pub(in crate::engine) async fn tried(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    desired: &Desired,
    stack: &StackSummary,
    retry_for: Duration,
    trial: &mut Trial,
) -> Result<(), Abort> {
    let resources = run.attempt(run.clients.stack_resources(&stack.id)).await?;
    let ids = resources.into_iter().filter_map(|resource| Some((resource.logical_id, resource.physical_id?))).collect();
    let deployed = DeployedStack { clients: run.clients, stack, ids };
    for test in &desired.smoke {
        let start = Instant::now();
        let failure = retry::until_settled(run, emitter, test, &deployed, retry_for).await?;
        if failure.is_some() {
            is_verdict(run, test, stack).await?;
        }
        let mut result = SmokeResult {
            name: test.name.clone(),
            ok: failure.is_none(),
            reason: None,
            elapsed: start.elapsed(),
            place: test.place.clone(),
        };
        if let Some(Failure { code, at, reason, .. }) = failure {
            let place = test.place_of(&at);
            let help = match (code, &test.what) {
                (code::D060, Probe::Call(_) | Probe::Invoke { .. } | Probe::Connect { .. }) => {
                    "see the function's log for why; correct it, or what the spec expects, and deploy again"
                }
                (code::D060, _) => "correct what it answers from, or what the spec expects, and deploy again",
                _ => {
                    "the stack is deployed; check whether it can be reached and used from here, then run `bedplate smoke`"
                }
            };
            let help = help.replace("`bedplate smoke`", &format!("`{}`", run.ledger().command("smoke")));
            let mut finding = Finding::error(code, format!("smoke test `{}`: {reason}", test.name));
            finding = finding.at(place.clone()).help(help);
            emitter.redact(&mut finding);
            trial.findings.push(finding);
            result.reason = Some(emitter.redacted(&reason));
            result.place = place;
        }
        emitter.emit(EventKind::SmokeTested { result: result.clone() });
        trial.results.push(result);
    }
    Ok(())
}
