//! Smoke tests: what a spec says must hold of what is deployed, tried from outside as its users would. Calls go to the
//! addresses the stack gives, functions are invoked by the names it gave them, knowledge bases and agents asked by the ids
//! of its outputs.
//!
//! | file | holds |
//! | --- | --- |
//! | `of_spec` | the tests of a spec, and which resources they ask |
//! | `http` | calls and invocations, and what comes back of them |
//! | `dialogue` | searches and conversations, and what comes back of them |
//! | `socket` | conversations over a WebSocket |
//! | `picture` | whether bytes are a picture |
//! | `text` | whether a text is as it is expected, and what of it a reason repeats |
//! | `patience` | what is tried a second time |

mod dialogue;
mod http;
mod of_spec;
mod patience;
mod picture;
mod socket;
mod text;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::events::{EventKind, Teller};
use super::outcome::{Outcome, Report};
use super::run::{Run, Stop};
use super::wanted::Desired;
use crate::aws::{CallErrorKind, Clients, StackState, StackSummary};
use crate::finding::{Finding, Place};
use crate::plan::Secrets;
use crate::spec::{Expect, SmokeTurn};

pub(super) use of_spec::of_spec;
pub use patience::PATIENCE;

/// Something to try on what is deployed.
#[derive(Debug, Clone)]
pub struct SmokeTest {
    /// As the spec has it, such as `GET apis.posters /posters` or `functions.design`.
    pub name: String,
    /// Where the spec has it.
    pub place: Option<Place>,
    what: What,
    expect: Expect,
    /// Where everything of it stands in the spec, by its way from the test, such as `expect/status`.
    places: BTreeMap<String, Place>,
}

#[derive(Debug, Clone)]
enum What {
    Call(Call),
    Invoke {
        /// The function's logical id.
        function: String,
        payload: Vec<u8>,
    },
    Retrieve {
        /// The output that is the knowledge base's id.
        output: String,
        query: String,
    },
    Chat {
        agent: Agent,
        turns: Vec<SmokeTurn>,
    },
    Connect {
        connection: Connection,
        turns: Vec<SmokeTurn>,
    },
}

/// A connection to a WebSocket API.
#[derive(Debug, Clone)]
struct Connection {
    /// The output that is the API's address.
    output: String,
    headers: Vec<(String, Vec<Sent>)>,
    signed: bool,
}

/// A request to an API.
#[derive(Debug, Clone)]
struct Call {
    /// The output that is the API's address.
    output: String,
    method: String,
    /// Path and query, percent-encoded.
    target: String,
    headers: Vec<(String, Vec<Sent>)>,
    /// The logical id of the API key sent with it.
    api_key: Option<String>,
    /// JSON.
    body: Option<Vec<u8>>,
    signed: bool,
}

/// A piece of a header's value.
#[derive(Debug, Clone)]
enum Sent {
    Text(String),
    /// A secret by its logical id and the spec's name; of a JSON object, what stands under the key.
    Secret {
        id: String,
        name: String,
        key: Option<String>,
    },
}

/// An agent by the outputs that tell how to talk to it.
#[derive(Debug, Clone)]
enum Agent {
    Classic { agent_output: String, alias_output: String },
    Harness { output: String },
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

/// Why a test failed.
#[derive(Debug, PartialEq, Eq)]
struct Failure {
    code: &'static str,
    /// What was not met, by its way from the test, such as `expect/body/contains`; empty for the test itself.
    at: String,
    reason: String,
    /// What came back may be right in a moment: see [`patience`].
    unsettled: bool,
}

impl Failure {
    /// Something came back that is not as it is expected.
    fn unmet(at: impl Into<String>, reason: String) -> Self {
        Self { code: "D060", at: at.into(), reason, unsettled: false }
    }

    /// Nothing came back, or a service refused.
    fn unanswered(reason: String) -> Self {
        let unsettled = patience::unsettled(None, &reason);
        Self { code: "D061", at: String::new(), reason, unsettled }
    }
}

/// What is deployed, for those that ask it.
struct Deployed<'a> {
    clients: &'a Clients,
    stack: &'a StackSummary,
    /// Physical ids by logical id.
    ids: BTreeMap<String, String>,
}

impl Deployed<'_> {
    fn output(&self, key: &str, what: &str) -> Result<&str, Failure> {
        let output = self.stack.outputs.iter().find(|it| it.key == key);
        output.map(|it| it.value.as_str()).ok_or_else(|| Self::missing(what))
    }

    fn id(&self, logical: &str, what: &str) -> Result<&str, Failure> {
        self.ids.get(logical).map(String::as_str).ok_or_else(|| Self::missing(what))
    }

    fn missing(what: &str) -> Failure {
        Failure::unanswered(format!("the stack that is deployed has no such {what}"))
    }
}

/// Tries the tests of a use case on its stack as it is deployed, each once.
pub async fn smoke(run: &Run<'_>, desired: &Desired) -> Report {
    let teller = Teller::hiding(run.events, Secrets::of(Some(&desired.template), &desired.parameters));
    run.ledger().about(&desired.stack, desired.use_case());
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
    match tried(run, teller, desired, &stack, Duration::ZERO, &mut report).await {
        Ok(()) => {}
        Err(Stop::Interrupted) => {
            report.outcome = Outcome::Interrupted;
            let again = run.ledger().command("smoke");
            let message = format!("interrupted while `{}` was being tried", desired.stack);
            report.findings.push(Finding::note("D063", message).help(format!("try the rest with `{again}`")));
        }
        Err(Stop::Failed(findings)) => {
            if report.outcome != Outcome::SmokeFailed {
                report.outcome = Outcome::Untested;
            }
            report.findings.extend(findings);
        }
    }
    Ok(report)
}

/// Whether the target still answers and the stack is still there: without either, a test that failed says nothing of the stack.
async fn is_verdict(run: &Run<'_>, test: &SmokeTest, stack: &StackSummary) -> Result<(), Stop> {
    match run.unless_cancelled(run.clients.stack(&stack.id)).await? {
        Ok(Some(now)) if now.state() != StackState::Deleted => Ok(()),
        Ok(_) => Err(Finding::error("D062", format!("`{}` is gone while it was being tried", stack.name)).into()),
        Err(error) if error.is_passing() || error.kind == CallErrorKind::Expired => {
            let message =
                format!("smoke test `{}` could not be tried: that says nothing of `{}`", test.name, stack.name);
            let again = run.ledger().command("smoke");
            let help = format!("when the cause above is gone, try it and the rest with `{again}`");
            Err(vec![error.finding(), Finding::error("D095", message).at(test.place.clone()).help(help)].into())
        }
        // It answers.
        Err(_) => Ok(()),
    }
}

/// Tries everything and puts down how it went; a test that fails makes the outcome [`Outcome::SmokeFailed`]. One whose
/// failure may pass is tried again for as long as `patience`.
pub(super) async fn tried(
    run: &Run<'_>,
    teller: &Teller<'_>,
    desired: &Desired,
    stack: &StackSummary,
    patience: Duration,
    report: &mut Report,
) -> Result<(), Stop> {
    let resources = run.unless_cancelled(run.clients.stack_resources(&stack.id)).await??;
    let ids = resources.into_iter().filter_map(|resource| Some((resource.logical_id, resource.physical_id?))).collect();
    let deployed = Deployed { clients: run.clients, stack, ids };
    for test in &desired.smoke {
        let start = Instant::now();
        let failure = patience::until_settled(run, teller, test, &deployed, patience).await?;
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
                ("D060", What::Call(_) | What::Invoke { .. } | What::Connect { .. }) => {
                    "see the function's log for why; correct it, or what the spec expects, and deploy again"
                }
                ("D060", _) => "correct what it answers from, or what the spec expects, and deploy again",
                _ => {
                    "the stack stands; look whether what it says can be reached and used from here, then `bedplate smoke`"
                }
            };
            let help = help.replace("`bedplate smoke`", &format!("`{}`", run.ledger().command("smoke")));
            let mut finding = Finding::error(code, format!("smoke test `{}`: {reason}", test.name));
            finding = finding.at(place.clone()).help(help);
            teller.hide(&mut finding);
            report.findings.push(finding);
            report.outcome = Outcome::SmokeFailed;
            result.reason = Some(teller.hidden(&reason));
            result.place = place;
        }
        teller.tell(EventKind::SmokeTested { result: result.clone() });
        report.smoke.push(result);
    }
    Ok(())
}

impl SmokeTest {
    /// Asks once, and says whether what came back is what is expected.
    async fn attempt(&self, deployed: &Deployed<'_>) -> Result<(), Failure> {
        match &self.what {
            What::Call(call) => http::call(deployed, call, &self.expect).await,
            What::Invoke { function, payload } => http::invoke(deployed, function, payload, &self.expect).await,
            What::Retrieve { output, query } => dialogue::retrieve(deployed, output, query, &self.expect).await,
            What::Chat { agent, turns } => dialogue::chat(deployed, agent, turns).await,
            What::Connect { connection, turns } => socket::chat(deployed, connection, turns, &self.expect).await,
        }
    }

    /// Where something of it stands, or the nearest thing around that; the test itself where that is nowhere.
    fn place_of(&self, at: &str) -> Option<Place> {
        let mut way = at;
        loop {
            if let Some(place) = self.places.get(way) {
                return Some(place.clone());
            }
            match way.rsplit_once('/') {
                Some((around, _)) => way = around,
                None => return self.place.clone(),
            }
        }
    }
}

/// Waits for an answer, as long as the spec says, else as long as it can take.
async fn within<T>(
    expected: Option<crate::spec::Seconds>,
    longest: Duration,
    asking: impl Future<Output = Result<T, String>>,
) -> Result<(T, Duration), Failure> {
    let longest = expected.map_or(longest, |within| Duration::from_secs(within.0.into()));
    let start = Instant::now();
    match tokio::time::timeout(longest, asking).await {
        Ok(Ok(answer)) => Ok((answer, start.elapsed())),
        Ok(Err(reason)) => Err(Failure::unanswered(reason)),
        Err(_) => Err(Failure::unanswered(format!("no answer within {} seconds", longest.as_secs()))),
    }
}
