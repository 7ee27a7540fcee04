//! The common format of text models: `Converse`, `ConverseStream`, `CountTokens`.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Bedrock;
use super::answer::{Answer, Call, Outcome, invalid, without_nulls};
use super::guardrail::{self, Guardrail, Piece, Source};
use super::identify::{self, Target};
use super::stream::{Events, pieces};
use super::text::tools::Tool;
use super::text::words::tokens;
use super::text::{Choice, Reply, Request, Role, Stop, Turn};
use crate::local::errors::ApiError;

/// A conversation answered, with what a guardrail did.
struct Answered {
    content: Vec<Value>,
    stop: &'static str,
    input_tokens: usize,
    output_tokens: usize,
    latency: u128,
    trace: Option<Value>,
}

/// `Converse`.
pub(super) fn converse(bedrock: Arc<Bedrock>, call: Call) -> BoxFuture<'static, Outcome> {
    Box::pin(async move {
        let answered = answer(&bedrock, call).await?;
        let usage = usage(&answered);
        Ok(Answer::Json(without_nulls(json!({
            "output": {"message": {"role": "assistant", "content": answered.content}},
            "stopReason": answered.stop,
            "usage": usage,
            "metrics": {"latencyMs": answered.latency},
            "trace": answered.trace,
        }))))
    })
}

/// `ConverseStream`.
pub(super) fn converse_stream(bedrock: Arc<Bedrock>, call: Call) -> BoxFuture<'static, Outcome> {
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
        Ok(Answer::Events { frames: events.into_frames(), headers: Vec::new() })
    })
}

/// `CountTokens`, by the rule of thumb that all counts here follow.
pub(super) fn count_tokens(db: &Connection, call: &Call) -> Outcome {
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
    Ok(Answer::Json(json!({ "inputTokens": count })))
}

fn usage(answered: &Answered) -> Value {
    json!({
        "inputTokens": answered.input_tokens,
        "outputTokens": answered.output_tokens,
        "totalTokens": answered.input_tokens + answered.output_tokens,
    })
}

/// The tokens of a request.
pub(super) fn count(request: &Request) -> usize {
    let turns = request.turns.iter().map(|turn| {
        tokens(&turn.text)
            + turn.documents.iter().map(|document| tokens(document)).sum::<usize>()
            + turn.results.iter().map(|(_, result)| tokens(&result.to_string())).sum::<usize>()
    });
    let tools = request.tools.iter().map(|tool| tokens(&format!("{} {}", tool.description, tool.schema())));
    tokens(&request.system) + turns.sum::<usize>() + tools.sum::<usize>()
}

async fn answer(bedrock: &Arc<Bedrock>, call: Call) -> Result<Answered, ApiError> {
    let began = Instant::now();
    let (region, id, now) = (call.region.clone(), call.label("modelId").to_owned(), call.now);
    let config = call.body.get("guardrailConfig").cloned();
    let found = bedrock.host.store.read(move |tx| -> Result<(Target, Option<Guardrail>), ApiError> {
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
        return Ok(Answered {
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
    Ok(Answered {
        content,
        stop,
        input_tokens,
        output_tokens,
        latency: began.elapsed().as_millis(),
        trace: trace.told(),
    })
}

/// The blocks of an answer.
fn content_of(text: &str, reply: &Reply, seed: &str) -> Vec<Value> {
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
fn before(guardrail: &Guardrail, body: &Value, request: &mut Request, trace: &mut Trace) -> Option<String> {
    let marked = guarded_texts(body);
    let users =
        || request.turns.iter().enumerate().filter(|(_, turn)| turn.role == Role::User && !turn.text.is_empty());
    let (places, judged): (Vec<usize>, Vec<Piece>) = if marked.is_empty() {
        users().map(|(at, turn)| (at, Piece::of(turn.text.clone()))).unzip()
    } else {
        (Vec::new(), marked.into_iter().map(Piece::of).collect())
    };
    let verdict = guardrail::judge(guardrail, Source::Input, &judged);
    trace.input = Some(json!({ &guardrail.id: verdict.assessment }));
    if verdict.blocked {
        trace.reason = Some("Guardrail blocked.");
        return Some(guardrail.message(Source::Input).to_owned());
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
    let verdict = guardrail::judge(guardrail, Source::Output, &judged);
    trace.output = Some(json!({ &guardrail.id: [verdict.assessment] }));
    trace.said = Some(text.to_owned());
    if verdict.blocked {
        trace.reason = Some("Guardrail blocked.");
        Some(guardrail.message(Source::Output).to_owned())
    } else if verdict.masked {
        trace.reason = Some("Guardrail masked.");
        verdict.texts.into_iter().next()
    } else {
        None
    }
}

/// A request by a managed prompt; what the prompt itself says can't be said beside it.
fn of_prompt(prompt: &super::prompts::Prompt, body: &Value) -> Result<Request, ApiError> {
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
    Ok(Request { system, turns, most, temperature, top_p, ..Request::default() })
}

/// The parts of a request in the common format.
///
/// # Errors
///
/// When it has blocks that the stand-in can't read, or blank ones.
pub(super) fn request_of(body: &Value) -> Result<Request, ApiError> {
    let list = |name: &str| body.get(name).and_then(Value::as_array).into_iter().flatten();
    let system: Vec<&str> = list("system")
        .filter_map(|block| block.get("text").or_else(|| block.pointer("/guardContent/text/text"))?.as_str())
        .collect();
    let mut turns = Vec::new();
    for (at, message) in list("messages").enumerate() {
        turns.push(turn_of(at, message)?);
    }
    let config = body.get("inferenceConfig");
    let number = |names: &[&str]| names.iter().find_map(|name| config?.get(*name)?.as_f64());
    let stops = config.and_then(|config| config.get("stopSequences")).and_then(Value::as_array);
    let most = number(&["maxTokens", "max_new_tokens"]);
    if most.is_some_and(|most| most < 1.0) {
        return Err(invalid(
            "Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value \
                            greater than or equal to 1",
        ));
    }
    let mut tools = Vec::new();
    let specs = body.pointer("/toolConfig/tools").and_then(Value::as_array);
    for spec in specs.into_iter().flatten().filter_map(|tool| tool.get("toolSpec")) {
        let text = |name: &str| spec.get(name).and_then(Value::as_str).unwrap_or_default();
        tools.push(Tool::of_schema(
            text("name"),
            text("description"),
            spec.pointer("/inputSchema/json").unwrap_or(&Value::Null),
        ));
    }
    let choice = match body.pointer("/toolConfig/toolChoice") {
        Some(choice) if choice.get("any").is_some() => Choice::Any,
        Some(choice) => match choice.pointer("/tool/name").and_then(Value::as_str) {
            Some(name) => Choice::Named(name.to_owned()),
            None => Choice::Auto,
        },
        None => Choice::Auto,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of tokens, looked at above")]
    let most = most.map(|most| most as usize);
    Ok(Request {
        system: system.join("\n"),
        turns,
        tools,
        choice,
        most,
        stops: stops.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        temperature: number(&["temperature"]),
        top_p: number(&["topP"]),
    })
}

fn turn_of(at: usize, message: &Value) -> Result<Turn, ApiError> {
    let role = match message.get("role").and_then(Value::as_str) {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        other => {
            return Err(invalid(format!(
                "Value '{}' at 'messages.{}.member.role' failed to satisfy constraint: Member must satisfy enum value set: \
                 [user, assistant]",
                other.unwrap_or_default(),
                at + 1
            )));
        }
    };
    let mut turn = Turn::text(role, "");
    let mut texts: Vec<&str> = Vec::new();
    let content = message.get("content").and_then(Value::as_array);
    for (number, block) in content.into_iter().flatten().enumerate() {
        let text = block.get("text").or_else(|| block.pointer("/guardContent/text/text")).and_then(Value::as_str);
        if let Some(text) = text {
            if text.trim().is_empty() {
                return Err(invalid(format!(
                    "The text field in the ContentBlock object at messages.{at}.content.{number} is blank. Add text to the \
                     text field, and try again."
                )));
            }
            texts.push(text);
        } else if let Some(document) = block.get("document") {
            turn.documents.push(document_of(document)?);
        } else if let Some(used) = block.get("toolUse") {
            let text = |name: &str| used.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            turn.uses.push((text("toolUseId"), text("name"), used.get("input").cloned().unwrap_or(Value::Null)));
        } else if let Some(result) = block.get("toolResult") {
            turn.results.push(result_of(result));
        } else if ["image", "video", "audio"].iter().any(|kind| block.get(*kind).is_some()) {
            return Err(ApiError::not_implemented("bedrock-runtime", "Converse with images, video or audio"));
        }
    }
    turn.text = texts.join("\n");
    Ok(turn)
}

fn document_of(document: &Value) -> Result<String, ApiError> {
    let format = document.get("format").and_then(Value::as_str).unwrap_or("txt");
    if let Some(text) = document.pointer("/source/text").and_then(Value::as_str) {
        return Ok(text.to_owned());
    }
    let bytes = document.pointer("/source/bytes").and_then(Value::as_str).and_then(|text| STANDARD.decode(text).ok());
    match (format, bytes) {
        ("txt" | "md" | "csv" | "html", Some(bytes)) => {
            String::from_utf8(bytes).map_err(|_| invalid("The document is not text in UTF-8"))
        }
        _ => Err(ApiError::not_implemented(
            "bedrock-runtime",
            &format!("Converse with documents of the format {format}"),
        )),
    }
}

fn result_of(result: &Value) -> (String, Value) {
    let id = result.get("toolUseId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let content = result.get("content").and_then(Value::as_array);
    let parts: Vec<Value> = content
        .into_iter()
        .flatten()
        .filter_map(|part| part.get("json").or_else(|| part.get("text")).cloned())
        .collect();
    let failed = result.get("status").and_then(Value::as_str) == Some("error");
    let value = match <[Value; 1]>::try_from(parts) {
        Ok([one]) => one,
        Err(parts) => Value::Array(parts),
    };
    if failed {
        let message = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return (id, json!({"error": "failed", "message": message}));
    }
    (id, value)
}

/// The rules of a conversation.
pub(super) fn check_turns(request: &Request) -> Result<(), ApiError> {
    match request.turns.first() {
        None => return Err(invalid("The messages field is required: a conversation has at least one message.")),
        Some(turn) if turn.role == Role::Assistant => {
            return Err(invalid(
                "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
            ));
        }
        Some(_) => {}
    }
    let mut pairs = request.turns.iter().zip(request.turns.iter().skip(1));
    if pairs.any(|(one, next)| one.role == next.role) {
        return Err(invalid(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between \
             user and assistant roles and try again.",
        ));
    }
    Ok(())
}

/// Some models take no temperature and the like.
pub(super) fn check_sampling(target: &Target, request: &Request, body: &Value) -> Result<(), ApiError> {
    if target.model.sampling != Some(false) {
        return Ok(());
    }
    let extra = body.get("additionalModelRequestFields").and_then(Value::as_object);
    let given = [
        ("temperature", request.temperature.is_some()),
        ("top_p", request.top_p.is_some()),
        ("top_k", extra.is_some_and(|extra: &Map<String, Value>| extra.contains_key("top_k"))),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((name, _)) => {
            Err(invalid(format!("The model returned the following errors: `{name}` is deprecated for this model.")))
        }
        None => Ok(()),
    }
}
