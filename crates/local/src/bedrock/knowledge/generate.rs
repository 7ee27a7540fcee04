//! Answering from a knowledge base, with citations: `RetrieveAndGenerate`, whole or as a stream.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::base::Base;
use super::search::{Hit, How, search};
use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, invalid, without_nulls};
use crate::bedrock::guardrail::{self, GuardedText, Guardrail, Piece};
use crate::bedrock::identify::{self, ModelTarget};
use crate::bedrock::stream::{Events, pieces};
use crate::bedrock::text::passages;
use crate::bedrock::text::words::{first_tokens, stems, tokens};
use crate::bedrock::text::{ModelRequest, Turn, TurnRole};
use crate::bedrock::{Bedrock, store};
use crate::ground::ApiError;

/// What is said when nothing answers. Source: Bedrock user guide, "RetrieveAndGenerate".
const UNKNOWN: &str = "Sorry, I am unable to assist you with this request.";

/// How long a session is kept, in seconds. Source: Bedrock user guide, "RetrieveAndGenerate" (24 hours).
const SESSION: i64 = 86_400;

/// The most sentences of an answer.
const SENTENCES: usize = 3;

/// An answer, with what each of its parts is from.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::bedrock) struct Grounded {
    pub text: String,
    /// Where a part is, in characters, and what it is from.
    pub parts: Vec<(usize, usize, Vec<Value>)>,
}

impl Grounded {
    /// As the API shows citations. Spans count characters, the last one included.
    pub fn citations(&self) -> Vec<Value> {
        self.parts
            .iter()
            .map(|(start, end, references)| {
                let text: String = self.text.chars().skip(*start).take(end - start).collect();
                json!({
                    "generatedResponsePart": {"textResponsePart": {"text": text, "span": {"start": start, "end": end.saturating_sub(1)}}},
                    "retrievedReferences": references,
                })
            })
            .collect()
    }
}

/// Answers a question from chunks: their best sentences, or a real model's words; nothing when they don't answer.
///
/// # Errors
///
/// When the model server fails.
pub(in crate::bedrock) async fn ground(
    bedrock: &Arc<Bedrock>,
    model: &str,
    question: &str,
    hits: &[Hit],
    most: Option<usize>,
) -> Result<Option<Grounded>, ApiError> {
    if hits.is_empty() {
        return Ok(None);
    }
    if bedrock.host.model_server.is_some() {
        let passages: Vec<String> = hits.iter().map(|hit| format!("<passage>\n{}\n</passage>", hit.text)).collect();
        let system =
            format!("Answer the question from these passages alone, in a few sentences.\n{}", passages.join("\n"));
        let turns = vec![Turn::text(TurnRole::User, question)];
        let reply = bedrock.reply(model, ModelRequest { system, turns, most, ..ModelRequest::default() }).await?;
        let length = reply.text.chars().count();
        let references = hits.iter().map(Hit::reference).collect();
        return Ok(Some(Grounded { parts: vec![(0, length, references)], text: reply.text }));
    }
    let texts: Vec<&str> = hits.iter().map(|hit| hit.text.as_str()).collect();
    let mut answer = Grounded { text: String::new(), parts: Vec::new() };
    for found in passages::answer(question, &texts, SENTENCES) {
        if !answer.text.is_empty() {
            answer.text.push(' ');
        }
        let start = answer.text.chars().count();
        answer.text.push_str(&found.sentence);
        let references = hits.get(found.passage).map(Hit::reference).into_iter().collect();
        answer.parts.push((start, answer.text.chars().count(), references));
    }
    if answer.text.is_empty() {
        return Ok(None);
    }
    if let Some(most) = most.filter(|most| tokens(&answer.text) > *most) {
        answer.text = first_tokens(&answer.text, most).to_owned();
        let length = answer.text.chars().count();
        answer.parts.retain(|(start, ..)| *start < length);
        if let Some(last) = answer.parts.last_mut() {
            last.1 = last.1.min(length);
        }
    }
    Ok(Some(answer))
}

struct GenerationInput {
    target: ModelTarget,
    base: Base,
    guardrail: Option<Guardrail>,
    before: Option<Value>,
}

/// What is told.
struct GenerationEvents {
    session: String,
    answer: Grounded,
    action: Option<&'static str>,
}

/// `RetrieveAndGenerate`.
pub(in crate::bedrock) fn retrieve_and_generate(
    bedrock: Arc<Bedrock>,
    call: BedrockRequest,
) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let GenerationEvents { session, answer, action } = answer(&bedrock, call).await?;
        Ok(BedrockAnswer::Json(without_nulls(json!({
            "sessionId": session,
            "output": {"text": answer.text},
            "citations": answer.citations(),
            "guardrailAction": action,
        }))))
    })
}

/// `RetrieveAndGenerateStream`: each part of the answer, and then what it is from.
pub(in crate::bedrock) fn retrieve_and_generate_stream(
    bedrock: Arc<Bedrock>,
    call: BedrockRequest,
) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let GenerationEvents { session, answer, action } = answer(&bedrock, call).await?;
        let mut events = Events::default();
        let mut said = 0;
        let ends = answer.parts.iter().map(|(_, end, _)| *end).zip(answer.citations().into_iter().map(Some));
        // What no part covers comes at the end.
        for (end, citation) in ends.chain([(usize::MAX, None)]) {
            let text: String = answer.text.chars().skip(said).take(end.saturating_sub(said)).collect();
            said = said.max(end);
            for piece in pieces(&text) {
                events.push("output", &json!({ "text": piece }))?;
            }
            if let Some(citation) = citation {
                events.push("citation", &citation)?;
            }
        }
        if let Some(action) = action {
            events.push("guardrail", &json!({ "action": action }))?;
        }
        let headers = vec![("x-amzn-bedrock-knowledge-base-session-id", session)];
        Ok(BedrockAnswer::Events { frames: events.into_frames(), headers })
    })
}

async fn answer(bedrock: &Arc<Bedrock>, call: BedrockRequest) -> Result<GenerationEvents, ApiError> {
    let question = call.body.pointer("/input/text").and_then(Value::as_str).unwrap_or_default().to_owned();
    if question.trim().is_empty() {
        return Err(invalid("`input.text` must say something"));
    }
    let whole = call.body.get("retrieveAndGenerateConfiguration").cloned().unwrap_or_default();
    if whole.get("type").and_then(Value::as_str) != Some("KNOWLEDGE_BASE") {
        return Err(ApiError::not_implemented("bedrock-agent-runtime", "RetrieveAndGenerate from external sources"));
    }
    let own = whole.get("knowledgeBaseConfiguration").cloned().unwrap_or_default();
    let text = |name: &str| own.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (base_id, model) = (text("knowledgeBaseId"), text("modelArn"));
    let guard = own.pointer("/generationConfiguration/guardrailConfiguration").cloned();
    let given = call.text("sessionId").map(str::to_owned);
    let (region, now, asked_session) = (call.region.clone(), call.now, given.clone());
    let found = bedrock.host.store.read(move |tx| -> Result<GenerationInput, ApiError> {
        let base = Base::find(tx, &region, &base_id)?;
        if base.managed {
            return Err(invalid(
                "RetrieveAndGenerate does not support knowledge bases of type MANAGED. Use Retrieve and a model.",
            ));
        }
        let target = identify::target(tx, &region, &model, now)?;
        if target.model.output != "text" {
            return Err(invalid("The model does not generate text"));
        }
        let part = |guard: &Value, name: &str| guard.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let guardrail = match &guard {
            Some(guard) => {
                let (id, version) = (part(guard, "guardrailId"), part(guard, "guardrailVersion"));
                Some(guardrail::find(tx, &region, &id, &version)?)
            }
            None => None,
        };
        let before = match &asked_session {
            Some(id) => match store::session(tx, &base.id, id, now)? {
                Some(state) => Some(state),
                None => {
                    return Err(invalid(format!("Session with Id {id} is not valid. Please check and try again.")));
                }
            },
            None => None,
        };
        Ok(GenerationInput { target, base, guardrail, before })
    });
    let GenerationInput { target, base, guardrail, before } = found.await?;
    let session = given.unwrap_or_else(|| bedrock.host.ids.uuid().to_string());
    let how = How::of(own.get("retrievalConfiguration"), &base)?;
    let most = own.pointer("/generationConfiguration/inferenceConfig/textInferenceConfig/maxTokens");
    let most = most.and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    if let Some(guardrail) = &guardrail
        && guardrail::judge(guardrail, GuardedText::Input, &[Piece::of(question.clone())]).blocked
    {
        let text = guardrail.message(GuardedText::Input);
        return Ok(told(session, text, Some("INTERVENED")));
    }
    // "And how long?" alone asks for nothing: what was asked before helps.
    let earlier = before.as_ref().and_then(|state| state.get("question")?.as_str()).unwrap_or_default();
    let searched = if stems(&question).len() < 3 { format!("{earlier} {question}") } else { question.clone() };
    let hits = search(bedrock, &base, searched.trim(), how).await?;
    let grounded = ground(bedrock, &target.id, searched.trim(), &hits, most).await?;
    let (owner, kept, state) = (base.id.clone(), session.clone(), json!({"question": question}));
    bedrock.host.store.write(move |tx| store::keep_session(tx, &owner, &kept, &state, SESSION, now)).await?;
    let Some(mut grounded) = grounded else {
        let nothing = Grounded { text: UNKNOWN.to_owned(), parts: vec![(0, UNKNOWN.len(), Vec::new())] };
        return Ok(GenerationEvents { session, answer: nothing, action: guardrail.map(|_| "NONE") });
    };
    let mut action = guardrail.as_ref().map(|_| "NONE");
    if let Some(guardrail) = &guardrail {
        let verdict = guardrail::judge(guardrail, GuardedText::Output, &[Piece::of(grounded.text.clone())]);
        if verdict.blocked {
            return Ok(told(session, guardrail.message(GuardedText::Output), Some("INTERVENED")));
        }
        if let (true, Some(text)) = (verdict.masked, verdict.texts.into_iter().next()) {
            // Masks move the parts; the whole is then one.
            let references = grounded.parts.drain(..).flat_map(|(.., references)| references).collect();
            grounded = Grounded { parts: vec![(0, text.chars().count(), references)], text };
            action = Some("INTERVENED");
        }
    }
    Ok(GenerationEvents { session, answer: grounded, action })
}

/// A text that is from nothing.
fn told(session: String, text: &str, action: Option<&'static str>) -> GenerationEvents {
    GenerationEvents { session, answer: Grounded { text: text.to_owned(), parts: Vec::new() }, action }
}
