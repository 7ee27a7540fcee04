//! The common format of text models: `Converse`, `ConverseStream`, `CountTokens`.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Bedrock;
use super::answer::{BedrockAnswer, BedrockRequest, BedrockResult, invalid, without_nulls};
use super::guardrail::{self, GuardedText, Guardrail, Piece};
use super::identify::{self, ModelTarget};
use super::request::{check_sampling, check_turns, request_of};
use super::stream::{Events, pieces};
use super::text::words::tokens;
use super::text::{ModelReply, ModelRequest, Stop, TurnRole};
use crate::ground::ApiError;

/// A conversation answered, with what a guardrail did.
struct ConverseAnswer {
    content: Vec<Value>,
    stop: &'static str,
    input_tokens: usize,
    output_tokens: usize,
    latency: u128,
    trace: Option<Value>,
}

/// `Converse`.
pub(super) fn converse(bedrock: Arc<Bedrock>, call: BedrockRequest) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let answered = answer(&bedrock, call).await?;
        let usage = usage(&answered);
        Ok(BedrockAnswer::Json(without_nulls(json!({
            "output": {"message": {"role": "assistant", "content": answered.content}},
            "stopReason": answered.stop,
            "usage": usage,
            "metrics": {"latencyMs": answered.latency},
            "trace": answered.trace,
        }))))
    })
}

/// `ConverseStream`.
pub(super) fn converse_stream(bedrock: Arc<Bedrock>, call: BedrockRequest) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let answered = answer(&bedrock, call).await?;
        let mut events = Events::default();
        events.push("messageStart", &json!({"role": "assistant"}))?;
        for (index, block) in answered.content.iter().enumerate() {
            if let Some(text) = block.get("text").and_then(Value::as_str) {
                for piece in pieces(text) {
                    events.push("contentBlockDelta", &json!({"contentBlockIndex": index, "delta": {"text": piece}}))?;
                }
            } else if let Some(used) = block.get("toolUse") {
                let start = json!({"toolUse": {"toolUseId": used.get("toolUseId"), "name": used.get("name")}});
                events.push("contentBlockStart", &json!({"contentBlockIndex": index, "start": start}))?;
                let input = used.get("input").map(Value::to_string).unwrap_or_default();
                let delta = json!({"toolUse": {"input": input}});
                events.push("contentBlockDelta", &json!({"contentBlockIndex": index, "delta": delta}))?;
            }
            events.push("contentBlockStop", &json!({"contentBlockIndex": index}))?;
        }
        events.push("messageStop", &json!({"stopReason": answered.stop}))?;
        let metadata = json!({
            "usage": usage(&answered),
            "metrics": {"latencyMs": answered.latency},
            "trace": answered.trace,
        });
        events.push("metadata", &without_nulls(metadata))?;
        Ok(BedrockAnswer::Events { frames: events.into_frames(), headers: Vec::new() })
    })
}

/// `CountTokens`, by the rule of thumb that all counts here follow.
pub(super) fn count_tokens(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    identify::target(db, &call.region, call.label("modelId"), call.now)?;
    let input = call.body.get("input").ok_or_else(|| invalid("`input` is required"))?;
    let count = if let Some(body) = input.pointer("/invokeModel/body").and_then(Value::as_str) {
        let body = STANDARD.decode(body).map_err(|_| invalid("`body` is not base64"))?;
        tokens(&String::from_utf8_lossy(&body))
    } else if let Some(converse) = input.get("converse") {
        count(&request_of(converse)?)
    } else {
        return Err(invalid("`input` must have `invokeModel` or `converse`"));
    };
    Ok(BedrockAnswer::Json(json!({ "inputTokens": count })))
}

fn usage(answered: &ConverseAnswer) -> Value {
    json!({
        "inputTokens": answered.input_tokens,
        "outputTokens": answered.output_tokens,
        "totalTokens": answered.input_tokens + answered.output_tokens,
    })
}

/// The tokens of a request.
pub(super) fn count(request: &ModelRequest) -> usize {
    let turns = request.turns.iter().map(|turn| {
        tokens(&turn.text)
            + turn.documents.iter().map(|document| tokens(document)).sum::<usize>()
            + turn.results.iter().map(|(_, result)| tokens(&result.to_string())).sum::<usize>()
    });
    let tools = request.tools.iter().map(|tool| tokens(&format!("{} {}", tool.description, tool.schema())));
    tokens(&request.system) + turns.sum::<usize>() + tools.sum::<usize>()
}

async fn answer(bedrock: &Arc<Bedrock>, call: BedrockRequest) -> Result<ConverseAnswer, ApiError> {
    let began = Instant::now();
    let (region, id, now) = (call.region.clone(), call.label("modelId").to_owned(), call.now);
    let config = call.body.get("guardrailConfig").cloned();
    let found = bedrock.host.store.read(move |tx| -> Result<(ModelTarget, Option<Guardrail>), ApiError> {
        let target = identify::target(tx, &region, &id, now)?;
        let guardrail = match &config {
            Some(config) => {
                let text = |name: &str| config.get(name).and_then(Value::as_str).unwrap_or_default();
                Some(guardrail::find(tx, &region, text("guardrailIdentifier"), text("guardrailVersion"))?)
            }
            None => None,
        };
        Ok((target, guardrail))
    });
    let (target, guardrail) = found.await?;
    if target.model.output != "text" {
        return Err(invalid(
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        ));
    }
    let mut request = match &target.prompt {
        Some(prompt) => of_prompt(prompt, &call.body)?,
        None => {
            let request = request_of(&call.body)?;
            check_turns(&request)?;
            request
        }
    };
    check_sampling(&target, &request, &call.body)?;
    let mut trace = Trace { wanted: traced(&call.body), ..Trace::default() };
    if let Some(guardrail) = &guardrail
        && let Some(blocked) = before(guardrail, &call.body, &mut request, &mut trace)
    {
        return Ok(ConverseAnswer {
            content: vec![json!({ "text": blocked })],
            stop: "guardrail_intervened",
            input_tokens: 0,
            output_tokens: 0,
            latency: began.elapsed().as_millis(),
            trace: trace.told(),
        });
    }
    let input_tokens = count(&request);
    let seed =
        format!("{}{}", request.turns.len(), request.turns.last().map(|turn| turn.text.as_str()).unwrap_or_default());
    let reply = bedrock.reply(&target.id, request).await?;
    let mut output_tokens = tokens(&reply.text);
    let mut stop = match &reply.stop {
        Stop::Ended => "end_turn",
        Stop::Full => "max_tokens",
        Stop::Sequence(_) => "stop_sequence",
        Stop::Tool => "tool_use",
    };
    let text = match &guardrail {
        Some(guardrail) => match after(guardrail, &reply.text, &call.body, &mut trace) {
            Some(changed) => {
                stop = "guardrail_intervened";
                changed
            }
            None => reply.text.clone(),
        },
        None => reply.text.clone(),
    };
    let content = content_of(&text, &reply, &seed);
    output_tokens +=
        reply.uses.iter().map(|(name, input)| tokens(name) + tokens(&json!(input).to_string())).sum::<usize>();
    Ok(ConverseAnswer {
        content,
        stop,
        input_tokens,
        output_tokens,
        latency: began.elapsed().as_millis(),
        trace: trace.told(),
    })
}

/// The blocks of an answer.
fn content_of(text: &str, reply: &ModelReply, seed: &str) -> Vec<Value> {
    let mut content = Vec::new();
    if !text.is_empty() || reply.uses.is_empty() {
        content.push(json!({ "text": text }));
    }
    for (index, (name, input)) in reply.uses.iter().enumerate() {
        let id = format!("tooluse_{}", tool_id(&format!("{index}{name}{seed}")));
        content.push(json!({"toolUse": {"toolUseId": id, "name": name, "input": input}}));
    }
    content
}

/// An id that follows from what it is for.
pub(super) fn tool_id(seed: &str) -> String {
    hex::encode(Sha256::digest(seed.as_bytes())).chars().take(22).collect()
}

fn traced(body: &Value) -> bool {
    body.pointer("/guardrailConfig/trace").and_then(Value::as_str).is_some_and(|trace| trace.starts_with("enabled"))
}

/// What a guardrail found, for the trace.
#[derive(Default)]
struct Trace {
    wanted: bool,
    input: Option<Value>,
    output: Option<Value>,
    said: Option<String>,
    reason: Option<&'static str>,
}

impl Trace {
    fn told(self) -> Option<Value> {
        let found = self.input.is_some() || self.output.is_some();
        (self.wanted && found).then(|| {
            without_nulls(json!({"guardrail": {
                "modelOutput": self.said.map(|said| vec![said]),
                "inputAssessment": self.input,
                "outputAssessments": self.output,
                "actionReason": self.reason,
            }}))
        })
    }
}

/// Judges what goes in: says what is told instead when it is blocked, and masks what is to be masked.
fn before(guardrail: &Guardrail, body: &Value, request: &mut ModelRequest, trace: &mut Trace) -> Option<String> {
    let marked = guarded_texts(body);
    let users =
        || request.turns.iter().enumerate().filter(|(_, turn)| turn.role == TurnRole::User && !turn.text.is_empty());
    let (places, judged): (Vec<usize>, Vec<Piece>) = if marked.is_empty() {
        users().map(|(at, turn)| (at, Piece::of(turn.text.clone()))).unzip()
    } else {
        (Vec::new(), marked.into_iter().map(Piece::of).collect())
    };
    let verdict = guardrail::judge(guardrail, GuardedText::Input, &judged);
    trace.input = Some(json!({ &guardrail.id: verdict.assessment }));
    if verdict.blocked {
        trace.reason = Some("Guardrail blocked.");
        return Some(guardrail.message(GuardedText::Input).to_owned());
    }
    if verdict.masked {
        trace.reason = Some("Guardrail masked.");
        for (at, text) in places.into_iter().zip(verdict.texts) {
            if let Some(turn) = request.turns.get_mut(at) {
                turn.text = text;
            }
        }
    }
    None
}

/// Texts that a request marks for the guardrail.
fn guarded_texts(body: &Value) -> Vec<String> {
    let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
    let blocks = messages.flat_map(|message| message.get("content").and_then(Value::as_array).into_iter().flatten());
    let guarded = blocks.filter_map(|block| block.get("guardContent")?.get("text"));
    let plain = |text: &&Value| {
        let qualifiers = text.get("qualifiers").and_then(Value::as_array);
        qualifiers.is_none_or(|list| list.is_empty() || list.iter().any(|one| one == "guard_content"))
    };
    guarded.filter(plain).filter_map(|text| text.get("text")?.as_str()).map(str::to_owned).collect()
}

/// Judges what comes out: what is told instead, when anything is.
fn after(guardrail: &Guardrail, text: &str, body: &Value, trace: &mut Trace) -> Option<String> {
    let mut judged = vec![Piece::of(text)];
    let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
    for block in messages.flat_map(|message| message.get("content").and_then(Value::as_array).into_iter().flatten()) {
        let Some(marked) = block.pointer("/guardContent/text") else { continue };
        let has = |name: &str| {
            marked.get("qualifiers").and_then(Value::as_array).is_some_and(|list| list.iter().any(|one| one == name))
        };
        let text = marked.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (grounds, query) = (has("grounding_source"), has("query"));
        if grounds || query {
            judged.push(Piece { text, grounds, query });
        }
    }
    let verdict = guardrail::judge(guardrail, GuardedText::Output, &judged);
    trace.output = Some(json!({ &guardrail.id: [verdict.assessment] }));
    trace.said = Some(text.to_owned());
    if verdict.blocked {
        trace.reason = Some("Guardrail blocked.");
        Some(guardrail.message(GuardedText::Output).to_owned())
    } else if verdict.masked {
        trace.reason = Some("Guardrail masked.");
        verdict.texts.into_iter().next()
    } else {
        None
    }
}

/// A request by a managed prompt; what the prompt itself says can't be said beside it.
pub(super) fn of_prompt(prompt: &super::prompts::Prompt, body: &Value) -> Result<ModelRequest, ApiError> {
    for name in ["system", "toolConfig", "inferenceConfig", "additionalModelRequestFields"] {
        if body.get(name).is_some() {
            return Err(invalid(format!("`{name}` can't be given beside a prompt; the prompt says it")));
        }
    }
    let empty = json!({});
    let (system, mut turns) = prompt.fill(body.get("promptVariables").unwrap_or(&empty))?;
    if body.get("messages").and_then(Value::as_array).is_some_and(|messages| !messages.is_empty()) {
        turns.extend(request_of(body)?.turns);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of tokens")]
    let most = prompt.inference("MaxTokens").map(|number| number.max(0.0) as usize);
    let (temperature, top_p) = (prompt.inference("Temperature"), prompt.inference("TopP"));
    Ok(ModelRequest { system, turns, most, temperature, top_p, ..ModelRequest::default() })
}
