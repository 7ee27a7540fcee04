//! The next step of a conversation with tools and knowledge bases: a small loop without understanding. It uses a tool once
//! all that the tool needs was said, asks for what is missing, looks into a knowledge base when a question fits that better,
//! and otherwise says what it can do. With a model server, the model there decides.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::bedrock::Bedrock;
use crate::bedrock::knowledge::{Base, Grounded, How, ground, search};
use crate::bedrock::text::passages::fit;
use crate::bedrock::text::tools::{Tool, ToolParameter, ask_for, fits, purpose, told};
use crate::bedrock::text::words::{stems, words};
use crate::bedrock::text::{ModelRequest, Turn, TurnRole};
use crate::ground::ApiError;

/// From how well a tool fits a message on that it is used, or its input is asked for.
const FITS: f64 = 0.3;

/// What is remembered of a conversation: who said what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bedrock) struct Memory(Vec<(TurnRole, String)>);

/// How many messages are remembered.
const REMEMBERED: usize = 40;

impl Memory {
    /// As it was kept.
    pub fn of(state: Option<&Value>) -> Self {
        let turns = state.and_then(|state| state.get("turns")).and_then(Value::as_array);
        let read = |turn: &Value| {
            let role = if turn.get(0)? == "user" { TurnRole::User } else { TurnRole::Assistant };
            Some((role, turn.get(1)?.as_str()?.to_owned()))
        };
        Self(turns.into_iter().flatten().filter_map(read).collect())
    }

    /// To be kept.
    pub fn to_value(&self) -> Value {
        let turns: Vec<Value> = self
            .0
            .iter()
            .map(|(role, text)| json!([if *role == TurnRole::User { "user" } else { "assistant" }, text]))
            .collect();
        json!({ "turns": turns })
    }

    /// Adds what was said.
    pub fn add(&mut self, role: TurnRole, text: impl Into<String>) {
        self.0.push((role, text.into()));
        let gone = self.0.len().saturating_sub(REMEMBERED);
        self.0.drain(..gone);
    }

    fn said(&self, by: TurnRole) -> Vec<&str> {
        self.0.iter().filter(|(role, _)| *role == by).map(|(_, text)| text.as_str()).collect()
    }
}

/// A conversation, up to its last message by the user.
#[derive(Debug)]
pub(in crate::bedrock) struct Conversation<'a> {
    pub memory: &'a Memory,
    pub tools: &'a [Tool],
    pub bases: &'a [Base],
    /// The model's id.
    pub model: &'a str,
    pub instruction: &'a str,
    /// What tools answered since the last message: name, input, answer.
    pub results: &'a [(String, Value, Value)],
    /// At most so many tokens of an answer.
    pub most: Option<usize>,
}

/// What is next.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::bedrock) enum AgentStep {
    /// Say something, perhaps from passages.
    Say { text: String, grounded: Option<Grounded>, base: Option<String> },
    /// Use a tool.
    Use { tool: String, input: Map<String, Value> },
}

impl AgentStep {
    fn say(text: impl Into<String>) -> Self {
        Self::Say { text: text.into(), grounded: None, base: None }
    }
}

/// Decides the next step.
///
/// # Errors
///
/// When a knowledge base or the model server fails.
pub(in crate::bedrock) async fn next_step(
    bedrock: &Arc<Bedrock>,
    conversation: &Conversation<'_>,
) -> Result<AgentStep, ApiError> {
    if bedrock.host.model_server.is_some() {
        return by_model(bedrock, conversation).await;
    }
    if let Some((tool, _, result)) = conversation.results.last() {
        return Ok(AgentStep::say(told(tool, result)));
    }
    let said = conversation.memory.said(TurnRole::User);
    let last = said.last().copied().unwrap_or_default();
    let fits = fits(conversation.tools, &said);
    let best = fits.first();
    if let Some(best) = best {
        let bare = best.fresh && stems(last).len() <= 3;
        if best.missing.is_empty() && (bare || best.fresh && best.score >= FITS / 2.0) {
            return Ok(AgentStep::Use { tool: best.tool.name.clone(), input: best.input.clone() });
        }
    }
    let score = best.map_or(0.0, |best| best.score);
    if let Some(step) = from_bases(bedrock, conversation, last, score).await? {
        return Ok(step);
    }
    Ok(match best {
        Some(best) if best.missing.is_empty() && score >= FITS => {
            AgentStep::Use { tool: best.tool.name.clone(), input: best.input.clone() }
        }
        Some(best) if !best.missing.is_empty() && (score >= FITS || greets(last)) => {
            let asked = ask_for(&best.missing, &purpose(best.tool));
            AgentStep::say(if greets(last) { format!("Hello! {asked}") } else { asked })
        }
        _ if thanks(last) => AgentStep::say("You are welcome! Is there anything else I can help with?"),
        _ if greets(last) => AgentStep::say("Hello! How can I help you today?"),
        _ => AgentStep::say(at_a_loss(conversation.tools)),
    })
}

/// An answer from a knowledge base, when it fits the question better than a tool does.
async fn from_bases(
    bedrock: &Arc<Bedrock>,
    conversation: &Conversation<'_>,
    last: &str,
    tool: f64,
) -> Result<Option<AgentStep>, ApiError> {
    if conversation.bases.is_empty() || greets(last) || thanks(last) {
        return Ok(None);
    }
    // "What do I have to do?" is about what was just said.
    let before = conversation.memory.said(TurnRole::Assistant).last().copied().unwrap_or_default();
    let question = if stems(last).len() < 2 { format!("{} {last}", gist(before)) } else { last.to_owned() };
    if stems(&question).is_empty() {
        return Ok(None);
    }
    for base in conversation.bases {
        let hits = search(bedrock, base, &question, How::default()).await?;
        let Some(grounded) = ground(bedrock, conversation.model, &question, &hits, conversation.most).await? else {
            continue;
        };
        let around: Vec<&str> = hits.iter().map(|hit| hit.text.as_str()).collect();
        if fit(&question, &around.join("\n")) > tool {
            let text = grounded.text.clone();
            return Ok(Some(AgentStep::Say { text, grounded: Some(grounded), base: Some(base.id.clone()) }));
        }
    }
    Ok(None)
}

/// What an answer was about: its words of a program, such as `InvalidAddressProof`, else all of it.
fn gist(answer: &str) -> String {
    let inner = |word: &&str| {
        let mut letters = word.chars().zip(word.chars().skip(1));
        letters.any(|(one, next)| one.is_lowercase() && next.is_uppercase())
    };
    let words: Vec<&str> = answer.split(|c: char| !c.is_alphanumeric()).filter(inner).collect();
    if words.is_empty() { answer.to_owned() } else { words.join(" ") }
}

fn greets(text: &str) -> bool {
    const GREETINGS: &[&str] = &["hi", "hello", "hey", "good", "morning", "afternoon", "evening", "there", "greetings"];
    let mut words = words(text).peekable();
    words.peek().is_some() && words.all(|word| GREETINGS.contains(&word.as_str()))
}

fn thanks(text: &str) -> bool {
    const THANKS: &[&str] =
        &["thanks", "thank", "you", "very", "much", "a", "lot", "great", "ok", "okay", "bye", "goodbye"];
    let mut words = words(text).peekable();
    words.peek().is_some() && words.all(|word| THANKS.contains(&word.as_str()))
}

fn at_a_loss(tools: &[Tool]) -> String {
    let purposes: Vec<String> = tools.iter().map(purpose).filter(|purpose| !purpose.is_empty()).collect();
    if purposes.is_empty() {
        "I am sorry, I can't help with that.".to_owned()
    } else {
        format!("I am sorry, I can't help with that. I can help with {}.", purposes.join(", "))
    }
}

/// How a knowledge base is offered to a real model.
const LOOK: &str = "search_knowledge_base";

async fn by_model(bedrock: &Arc<Bedrock>, conversation: &Conversation<'_>) -> Result<AgentStep, ApiError> {
    let mut turns: Vec<Turn> =
        conversation.memory.0.iter().map(|(role, text)| Turn::text(*role, text.clone())).collect();
    for (number, (tool, input, result)) in conversation.results.iter().enumerate() {
        let mut used = Turn::text(TurnRole::Assistant, "");
        used.uses.push((format!("call{number}"), tool.clone(), input.clone()));
        let mut answered = Turn::text(TurnRole::User, "");
        answered.results.push((format!("call{number}"), result.clone()));
        turns.extend([used, answered]);
    }
    let mut tools = conversation.tools.to_vec();
    if !conversation.bases.is_empty() {
        let query = ToolParameter {
            name: "query".to_owned(),
            kind: "string".to_owned(),
            required: true,
            ..ToolParameter::default()
        };
        let description = "Searches the documents of the knowledge base".to_owned();
        tools.push(Tool { name: LOOK.to_owned(), description, parameters: vec![query] });
    }
    let request = ModelRequest {
        system: conversation.instruction.to_owned(),
        turns,
        tools,
        most: conversation.most,
        ..ModelRequest::default()
    };
    let reply = bedrock.reply(conversation.model, request).await?;
    let Some((tool, input)) = reply.uses.into_iter().next() else { return Ok(AgentStep::say(reply.text)) };
    if tool != LOOK {
        return Ok(AgentStep::Use { tool, input });
    }
    let question = input.get("query").and_then(Value::as_str).unwrap_or_default();
    for base in conversation.bases {
        let hits = search(bedrock, base, question, How::default()).await?;
        if let Some(grounded) = ground(bedrock, conversation.model, question, &hits, conversation.most).await? {
            let text = grounded.text.clone();
            return Ok(AgentStep::Say { text, grounded: Some(grounded), base: Some(base.id.clone()) });
        }
    }
    Ok(AgentStep::say("I could not find anything about that."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::LocalOptions;

    fn account() -> Tool {
        Tool::of_schema(
            "getAccountStatus",
            "The status of a new account: looks up how the opening of a customer's new account stands",
            &json!({"required": ["accountId"], "properties": {"accountId": {"type": "integer", "description": "The number of the account"}}}),
        )
    }

    async fn next(said: &[(TurnRole, &str)], results: &[(String, Value, Value)]) -> AgentStep {
        let dir = tempfile::tempdir().expect("a folder");
        let running = crate::start(LocalOptions::new(dir.path())).await.expect("a local target");
        let bedrock = Bedrock::new(Arc::clone(running.host()));
        let mut memory = Memory::default();
        for (role, text) in said {
            memory.add(*role, *text);
        }
        let tools = [account()];
        let conversation = Conversation {
            memory: &memory,
            tools: &tools,
            bases: &[],
            model: "m",
            instruction: "",
            results,
            most: None,
        };
        let step = next_step(&bedrock, &conversation).await.expect("a step");
        running.shutdown().await;
        step
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_dialogue_of_the_course_is_held() {
        let AgentStep::Say { text, .. } = next(&[(TurnRole::User, "Hi")], &[]).await else { panic!("words") };
        assert!(text.starts_with("Hello!") && text.contains("account id"), "{text}");
        let said = [(TurnRole::User, "Hi"), (TurnRole::Assistant, "The account id?"), (TurnRole::User, "7777")];
        let step = next(&said, &[]).await;
        let Value::Object(input) = json!({"accountId": 7777}) else { panic!("an object") };
        assert_eq!(step, AgentStep::Use { tool: "getAccountStatus".to_owned(), input });
        let answer = json!({"accountId": 7777, "accountStatus": "Pending", "reason": "InvalidAddressProof"});
        let results = [("getAccountStatus".to_owned(), json!({"accountId": 7777}), answer)];
        let AgentStep::Say { text, .. } = next(&said, &results).await else { panic!("words") };
        assert!(text.contains("Pending") && text.contains("InvalidAddressProof"), "{text}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_it_can_not_do_is_said() {
        let AgentStep::Say { text, .. } = next(&[(TurnRole::User, "Paint me a picture of a fox")], &[]).await else {
            panic!("words")
        };
        assert!(text.contains("can't help") && text.contains("account status"), "{text}");
        let AgentStep::Say { text, .. } = next(&[(TurnRole::User, "Thank you!")], &[]).await else { panic!("words") };
        assert!(text.contains("welcome"), "{text}");
    }

    #[test]
    fn memory_is_kept_and_limited() {
        let mut memory = Memory::default();
        for number in 0..100 {
            memory.add(TurnRole::User, number.to_string());
        }
        assert_eq!(memory.0.len(), REMEMBERED);
        assert_eq!(Memory::of(Some(&memory.to_value())), memory);
    }
}
