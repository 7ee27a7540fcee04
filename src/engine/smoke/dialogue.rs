//! Searches in knowledge bases and conversations with agents, and whether what came back is what is expected.

use std::time::Duration;

use uuid::Uuid;

use super::deployed::{DeployedStack, within};
use super::failure::Failure;
use super::test::ChatAgent;
use super::text::{Hidden, is_like};
use crate::aws::{AgentAddress, AgentReply, Passage};
use crate::spec::{Expect, ExpectTurn, Seconds, SmokeTurn};

/// How long a search may take where the test does not say.
const LONGEST_SEARCH: Duration = Duration::from_secs(60);
/// How long an answer may take where the test does not say: an agent thinks, uses tools and thinks again.
const LONGEST_TURN: Duration = Duration::from_secs(180);

/// Characters of what was said that a reason repeats.
const SAID: usize = 40;

pub(super) async fn retrieve(
    deployed: &DeployedStack<'_>,
    output: &str,
    query: &str,
    expect: &Expect,
) -> Result<(), Failure> {
    let id = deployed.output(output, "knowledge base")?;
    let (passages, elapsed) = within(expect.within, LONGEST_SEARCH, deployed.clients.retrieve(id, query)).await?;
    // A search may not find yet what an ingestion has just reported as indexed.
    found(&passages, expect).map_err(Failure::early)?;
    in_time(expect.within, elapsed, "expect")
}

pub(super) async fn chat(deployed: &DeployedStack<'_>, agent: &ChatAgent, turns: &[SmokeTurn]) -> Result<(), Failure> {
    let address = match agent {
        ChatAgent::Harness { output } => AgentAddress::Harness(deployed.output(output, "agent")?.to_owned()),
        ChatAgent::Classic { agent_output, alias_output } => AgentAddress::Classic {
            agent: deployed.output(agent_output, "agent")?.to_owned(),
            alias: deployed.output(alias_output, "agent")?.to_owned(),
        },
    };
    // One that nobody used before: an agent remembers.
    let session = Uuid::new_v4().to_string();
    for (index, turn) in turns.iter().enumerate() {
        let at = format!("turns/{index}");
        let which = |failure| of_turn(failure, &at, &turn.say);
        let asking = deployed.clients.say(&address, &session, &turn.say);
        let (said, elapsed) = within(turn.expect.within, LONGEST_TURN, asking).await.map_err(which)?;
        let at = format!("{at}/expect");
        answered(&said, &turn.expect, &at).and_then(|()| in_time(turn.expect.within, elapsed, &at)).map_err(which)?;
    }
    Ok(())
}

/// A failure of a turn, which says of which.
pub(super) fn of_turn(failure: Failure, at: &str, said: &str) -> Failure {
    let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = said.chars().take(SAID).collect();
    if short.len() < said.len() {
        short.push('…');
    }
    let at = if failure.at.is_empty() { at.to_owned() } else { failure.at };
    Failure { at, reason: format!("to `{short}`: {}", failure.reason), ..failure }
}

/// Whether the passages are those that are expected.
fn found(passages: &[Passage], expect: &Expect) -> Result<(), Failure> {
    let least = expect.passages.unwrap_or(1);
    let count = passages.len();
    if u32::try_from(count).is_ok_and(|count| count < least) {
        let at = if expect.passages.is_some() { "expect/passages" } else { "" };
        let wanted = if least == 1 { "one".to_owned() } else { least.to_string() };
        return Err(Failure::unmet(at, format!("{count} passages were found, expected {wanted} at least")));
    }
    let texts: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
    if let Some(expected) = &expect.text {
        is_like(&texts.join("\n\n"), expected, "expect/text", "what was found", &Hidden::default())?;
    }
    let sources: Vec<&str> = passages.iter().map(|passage| passage.source.as_str()).collect();
    come_from(&sources, &expect.sources, "expect", "what was found comes from")
}

/// Whether an agent's answer is the one that is expected.
fn answered(said: &AgentReply, expect: &ExpectTurn, at: &str) -> Result<(), Failure> {
    if let Some(expected) = &expect.text {
        is_like(&without_thoughts(&said.text), expected, &format!("{at}/text"), "the answer", &Hidden::default())?;
    }
    for (index, tool) in expect.tools.iter().enumerate() {
        if !said.tools.contains(tool) {
            let used = listed(said.tools.iter().map(String::as_str));
            let text = Hidden::default().shown(&said.text);
            let reason = format!("the tool `{tool}` was not used, but {used}; the answer is: {text}");
            return Err(Failure::unmet(format!("{at}/tools/{index}"), reason));
        }
    }
    let sources: Vec<&str> = said.sources.iter().map(String::as_str).collect();
    let cited = come_from(&sources, &expect.sources, at, "the answer cites");
    // The agent may have searched a knowledge base that did not find anything yet.
    if sources.is_empty() { cited.map_err(Failure::early) } else { cited }
}

/// What an answer says to the user: Nova models put their thoughts into `<thinking>` tags before it when they have tools.
/// Source: Amazon Nova user guide, invoking tools.
fn without_thoughts(text: &str) -> String {
    let mut said = String::new();
    let mut rest = text;
    while let Some((before, thoughts)) = rest.split_once("<thinking>") {
        let Some((_, after)) = thoughts.split_once("</thinking>") else { break };
        said.push_str(before);
        rest = after;
    }
    said.push_str(rest);
    said
}

/// Whether each document that is expected is among the sources. A document is named by its file or by the end of its way.
fn come_from(sources: &[&str], expected: &[String], at: &str, what: &str) -> Result<(), Failure> {
    for (index, wanted) in expected.iter().enumerate() {
        let is = |source: &&str| {
            source.strip_suffix(wanted.as_str()).is_some_and(|way| way.is_empty() || way.ends_with('/'))
        };
        if !sources.iter().any(is) {
            let names = listed(sources.iter().map(|source| source.rsplit('/').next().unwrap_or(source)));
            return Err(Failure::unmet(format!("{at}/sources/{index}"), format!("{what} {names}, not `{wanted}`")));
        }
    }
    Ok(())
}

pub(super) fn in_time(expected: Option<Seconds>, elapsed: Duration, at: &str) -> Result<(), Failure> {
    match expected.filter(|within| elapsed > Duration::from_secs(within.0.into())) {
        None => Ok(()),
        Some(within) => {
            let reason = format!("took {:.1} seconds, expected {within} at most", elapsed.as_secs_f64());
            Err(Failure::unmet(format!("{at}/within"), reason))
        }
    }
}

/// Names in order, each once; `nothing` when there are none.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut once: Vec<&str> = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    if once.is_empty() { "nothing".to_owned() } else { format!("`{}`", once.join("`, `")) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn passage(text: &str, source: &str) -> Passage {
        Passage { text: text.to_owned(), source: source.to_owned() }
    }

    #[test]
    fn passages_are_counted_read_and_traced_to_their_documents() {
        let passages = [passage("60 days", "s3://b/docs/certificates.md"), passage("exams", "s3://b/exams.md")];
        let failure_of = |expected: Value| {
            let expected = serde_json::from_value(expected).expect("an expectation");
            found(&passages, &expected).err().map(|failure| (failure.at, failure.reason))
        };
        let all = json!({"passages": 2, "text": {"contains": ["60", "exams"]}, "sources": ["docs/certificates.md"]});
        assert_eq!(failure_of(all), None);
        let few = failure_of(json!({"passages": 3})).expect("a reason");
        assert_eq!(few, ("expect/passages".into(), "2 passages were found, expected 3 at least".into()));
        assert_eq!(failure_of(json!({"text": {"contains": "70"}})).expect("a reason").0, "expect/text/contains/0");
        let (at, reason) = failure_of(json!({"sources": ["exams.md", "ficates.md"]})).expect("a reason");
        assert_eq!(at, "expect/sources/1");
        assert_eq!(reason, "what was found comes from `certificates.md`, `exams.md`, not `ficates.md`");
        assert!(!found(&[], &Expect::default()).expect_err("a reason").unsettled, "only `retrieve` knows when it asks");
        let none = found(&[], &Expect::default()).expect_err("a reason").reason;
        assert_eq!(none, "0 passages were found, expected one at least");
    }

    #[test]
    fn what_a_model_thinks_is_not_what_it_says() {
        let text = "<thinking>\nno account id: Pending?</thinking> Which account? <thinking>x</thinking>Tell me";
        assert_eq!(without_thoughts(text), " Which account? Tell me");
        assert_eq!(without_thoughts("a <thinking> b"), "a <thinking> b");
    }

    #[test]
    fn an_answer_is_judged_by_words_tools_and_citations() {
        let said = AgentReply {
            text: "It is Pending".to_owned(),
            sources: vec!["s3://b/proof.md".to_owned()],
            tools: vec!["account-status".to_owned()],
        };
        let failure_of = |expected: Value| {
            let expected = serde_json::from_value(expected).expect("an expectation");
            answered(&said, &expected, "turns/1/expect").err().map(|failure| (failure.at, failure.reason))
        };
        let all = json!({"text": {"contains": "Pending"}, "tools": ["account-status"], "sources": ["proof.md"]});
        assert_eq!(failure_of(all), None);
        assert_eq!(
            failure_of(json!({"text": {"not-contains": "Pending"}})).expect("a reason").0,
            "turns/1/expect/text/not-contains/0"
        );
        let (at, reason) = failure_of(json!({"tools": ["transfer"]})).expect("a reason");
        assert_eq!(at, "turns/1/expect/tools/0");
        assert_eq!(reason, "the tool `transfer` was not used, but `account-status`; the answer is: It is Pending");
        assert_eq!(
            failure_of(json!({"sources": ["a.md"]})).expect("a reason").1,
            "the answer cites `proof.md`, not `a.md`"
        );
        let expected: ExpectTurn = serde_json::from_value(json!({"sources": ["a.md"]})).expect("an expectation");
        assert!(!answered(&said, &expected, "turns/1/expect").expect_err("another source").unsettled);
        let nothing_cited = AgentReply { sources: Vec::new(), ..said.clone() };
        assert!(answered(&nothing_cited, &expected, "turns/1/expect").expect_err("no source").unsettled);
    }
}
