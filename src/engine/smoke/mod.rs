//! Smoke tests: what a spec says must hold of what is deployed, tried from outside as its users would. Calls go to the
//! addresses the stack gives, functions are invoked by the names it gave them; nothing is tried a second time.

mod judge;
mod of_spec;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::events::{EventKind, Teller};
use super::outcome::{Outcome, Report};
use super::run::{Run, Stop};
use super::wanted::Desired;
use crate::aws::{Answered, ApiCall, StackState, StackSummary};
use crate::finding::{Finding, Place};
use crate::plan::Secrets;
use crate::spec::Expect;

pub(super) use of_spec::of_spec;

/// How long a call may take where the test does not say: API Gateway itself gives up after 29 or 30 seconds.
const LONGEST_CALL: Duration = Duration::from_secs(60);
/// How long a function may take where the test does not say: the longest timeout a function can have, and its start.
const LONGEST_INVOCATION: Duration = Duration::from_secs(16 * 60);

/// Something to try on what is deployed.
#[derive(Debug, Clone)]
pub struct SmokeTest {
    /// As the spec has it, such as `GET apis.posters /posters` or `functions.design`.
    pub name: String,
    /// Where the spec has it.
    pub place: Option<Place>,
    what: What,
    expect: Expect,
    /// Where the spec says what must come back, by the name of the expectation.
    places: BTreeMap<&'static str, Place>,
}

#[derive(Debug, Clone)]
enum What {
    Call {
        /// The output that is the API's address.
        output: String,
        method: String,
        /// Path and query, percent-encoded.
        target: String,
        /// JSON.
        body: Option<Vec<u8>>,
        signed: bool,
    },
    Invoke {
        /// The function's logical id.
        function: String,
        payload: Vec<u8>,
    },
}

/// How a smoke test ended.
#[derive(Debug, Clone, Serialize)]
pub struct SmokeResult {
    /// As the spec has it.
    pub name: String,
    /// Whether what came back was what is expected.
    pub ok: bool,
    /// What was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Seconds until the answer, or until none was waited for any more.
    #[serde(serialize_with = "super::events::seconds")]
    pub elapsed: Duration,
    /// Where the spec says what was not met, or where the test is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Tries the tests of a use case on its stack as it is deployed.
pub async fn smoke(run: &Run<'_>, desired: &Desired) -> Report {
    let teller = Teller::hiding(run.events, Secrets::of(Some(&desired.template), &desired.parameters));
    let result = stands(run, &teller, desired).await;
    run.finish(&teller, &desired.stack, result)
}

async fn stands(run: &Run<'_>, teller: &Teller<'_>, desired: &Desired) -> Result<Report, Stop> {
    let identity = run.begin(teller, "smoke", &desired.stack).await?;
    let stack = run.unless_cancelled(run.clients.stack(&desired.stack)).await??;
    let mut report = Report::new(Outcome::Absent, run.clients.region(), &desired.stack);
    report.account = Some(identity.account);
    let Some(stack) = stack.filter(|stack| stack.state() != StackState::Review) else { return Ok(report) };
    report.outcome = Outcome::Tested;
    report.stack_id = Some(stack.id.clone());
    report.status = Some(stack.status.clone());
    tried(run, teller, desired, &stack, &mut report).await?;
    Ok(report)
}

/// Tries everything and puts down how it went; a test that fails makes the outcome [`Outcome::SmokeFailed`].
pub(super) async fn tried(
    run: &Run<'_>,
    teller: &Teller<'_>,
    desired: &Desired,
    stack: &StackSummary,
    report: &mut Report,
) -> Result<(), Stop> {
    let resources = run.unless_cancelled(run.clients.stack_resources(&stack.id)).await??;
    let functions: BTreeMap<String, String> =
        resources.into_iter().filter_map(|resource| Some((resource.logical_id, resource.physical_id?))).collect();
    for test in &desired.smoke {
        let start = Instant::now();
        let mut result = SmokeResult {
            name: test.name.clone(),
            ok: true,
            reason: None,
            elapsed: Duration::ZERO,
            place: test.place.clone(),
        };
        let answer = run.unless_cancelled(test.send(run, stack, &functions)).await?;
        result.elapsed = start.elapsed();
        let wrong = match answer {
            Ok(answer) => {
                test.judge(&answer, result.elapsed).map(|(expectation, reason)| ("D060", expectation, reason))
            }
            Err(reason) => Some(("D061", "", reason)),
        };
        if let Some((code, expectation, reason)) = wrong {
            let place = test.places.get(expectation).or(test.place.as_ref()).cloned();
            let help = match code {
                "D060" => "see the function's log for why; correct it, or what the spec expects, and deploy again",
                _ => "the stack stands; look whether its address can be reached from here, then `bedplate smoke`",
            };
            let mut finding = Finding::error(code, format!("smoke test `{}`: {reason}", test.name));
            finding = finding.at(place.clone()).help(help);
            teller.hide(&mut finding);
            report.findings.push(finding);
            report.outcome = Outcome::SmokeFailed;
            result.ok = false;
            result.reason = Some(teller.hidden(&reason));
            result.place = place;
        }
        teller.tell(EventKind::SmokeTested { result: result.clone() });
        report.smoke.push(result);
    }
    Ok(())
}

impl SmokeTest {
    /// Asks once.
    ///
    /// # Errors
    /// In words, when there was nothing to ask or nothing came back.
    async fn send(
        &self,
        run: &Run<'_>,
        stack: &StackSummary,
        functions: &BTreeMap<String, String>,
    ) -> Result<Answered, String> {
        let within = self.expect.within.map(|within| Duration::from_secs(within.0.into()));
        let longest = match self.what {
            What::Call { .. } => within.unwrap_or(LONGEST_CALL),
            What::Invoke { .. } => within.unwrap_or(LONGEST_INVOCATION),
        };
        let asking = async {
            match &self.what {
                What::Call { output, method, target, body, signed } => {
                    let url = stack.outputs.iter().find(|it| it.key == *output);
                    let url = url.ok_or("the stack that is deployed has no such API")?.value.trim_end_matches('/');
                    let (method, url) = (method.clone(), format!("{url}{target}"));
                    run.clients.call_api(ApiCall { method, url, body: body.clone(), signed: *signed }).await
                }
                What::Invoke { function, payload } => {
                    let name = functions.get(function).ok_or("the stack that is deployed has no such function")?;
                    run.clients.invoke_function(name, payload.clone()).await
                }
            }
        };
        let waited = tokio::time::timeout(longest, asking).await;
        waited.unwrap_or_else(|_| Err(format!("no answer within {} seconds", longest.as_secs())))
    }
}
