//! Models in their own formats: `InvokeModel` and its stream.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::Bedrock;
use super::answer::{Answer, Call, Outcome, invalid};
use super::converse::{check_sampling, check_turns, count, request_of, tool_id};
use super::guardrail::{self, Guardrail, Piece, Source, harmful};
use super::identify::{self, Target};
use super::stream::{Events, pieces};
use super::text::tools::Tool;
use super::text::words::tokens;
use super::text::{Choice, Reply, Request, Role, Stop, Turn};
use super::{poster, stream};
use crate::local::errors::ApiError;

/// `InvokeModel`.
pub(super) fn invoke(bedrock: Arc<Bedrock>, call: Call) -> BoxFuture<'static, Outcome> {
    Box::pin(async move {
        let (target, guardrail) = find(&bedrock, &call).await?;
        let answer = answer(&bedrock, &call, &target, guardrail.as_ref()).await?;
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-amzn-bedrock-input-token-count", answer.input_tokens.to_string()),
            ("x-amzn-bedrock-output-token-count", answer.output_tokens.to_string()),
        ];
        Ok(Answer::Bytes { body: answer.body.to_string().into_bytes(), headers })
    })
}

/// `InvokeModelWithResponseStream`.
pub(super) fn invoke_stream(bedrock: Arc<Bedrock>, call: Call) -> BoxFuture<'static, Outcome> {
    Box::pin(async move {
        let (target, guardrail) = find(&bedrock, &call).await?;
        let family = Family::of(&target.model.id);
        if !matches!(family, Family::Claude | Family::Nova) {
            return Err(invalid("The model is unsupported for response streaming"));
        }
        let answer = answer(&bedrock, &call, &target, guardrail.as_ref()).await?;
        let parts = if family == Family::Claude { claude_events(&answer.body) } else { nova_events(&answer.body) };
        let mut events = Events::default();
        for part in parts {
            events.push("chunk", &json!({"bytes": STANDARD.encode(part.to_string())}))?;
        }
        let headers = vec![("x-amzn-bedrock-content-type", "application/json".to_owned())];
        Ok(Answer::Events { frames: events.into_frames(), headers })
    })
}

/// The formats there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Claude,
    Nova,
    Stability,
    TitanEmbed,
    TitanEmbedImage,
    CohereEmbed,
    NovaEmbed,
    Other,
}

impl Family {
    fn of(id: &str) -> Self {
        let begins = |prefix: &str| id.starts_with(prefix);
        if begins("anthropic.claude") {
            Self::Claude
        } else if begins("amazon.nova") && id.contains("embeddings") {
            Self::NovaEmbed
        } else if begins("amazon.nova") {
            Self::Nova
        } else if begins("stability.") {
            Self::Stability
        } else if begins("amazon.titan-embed-image") {
            Self::TitanEmbedImage
        } else if begins("amazon.titan-embed") {
            Self::TitanEmbed
        } else if begins("cohere.embed") {
            Self::CohereEmbed
        } else {
            Self::Other
        }
    }
}

struct Answered {
    body: Value,
    input_tokens: usize,
    output_tokens: usize,
}

async fn find(bedrock: &Arc<Bedrock>, call: &Call) -> Result<(Target, Option<Guardrail>), ApiError> {
    let (region, id, now) = (call.region.clone(), call.label("modelId").to_owned(), call.now);
    let header = |name: &str| call.header(name).map(str::to_owned);
    let asked = header("x-amzn-bedrock-guardrailidentifier").zip(header("x-amzn-bedrock-guardrailversion"));
    bedrock
        .host
        .store
        .read(move |tx| {
            let target = identify::target(tx, &region, &id, now)?;
            if target.prompt.is_some() {
                return Err(invalid("A prompt is called with Converse, not with InvokeModel"));
            }
            let guardrail = match asked {
                Some((id, version)) => Some(guardrail::find(tx, &region, &id, &version)?),
                None => None,
            };
            Ok((target, guardrail))
        })
        .await
}

async fn answer(
    bedrock: &Arc<Bedrock>,
    call: &Call,
    target: &Target,
    guardrail: Option<&Guardrail>,
) -> Result<Answered, ApiError> {
    let Ok(Value::Object(body)) = serde_json::from_slice(&call.bytes) else {
        return Err(invalid("Malformed input request, please reformat your input and try again."));
    };
    let family = Family::of(&target.model.id);
    match family {
        Family::Claude | Family::Nova if target.model.output == "text" => {
            let request = if family == Family::Claude {
                claude_request(&body)?
            } else {
                request_of(&Value::Object(body.clone()))?
            };
            check_turns(&request)?;
            check_sampling(target, &request, &json!({"additionalModelRequestFields": body}))?;
            text(bedrock, target, family, request, guardrail).await
        }
        Family::Stability => picture(&body),
        Family::TitanEmbed | Family::TitanEmbedImage | Family::CohereEmbed | Family::NovaEmbed => {
            vectors(bedrock, target, family, &body).await
        }
        _ => Err(ApiError::not_implemented("bedrock-runtime", &format!("InvokeModel of {}", target.model.id))),
    }
}

async fn text(
    bedrock: &Arc<Bedrock>,
    target: &Target,
    family: Family,
    mut request: Request,
    guardrail: Option<&Guardrail>,
) -> Result<Answered, ApiError> {
    let mut intervened = false;
    let mut blocked = None;
    if let Some(guardrail) = guardrail {
        let users = request.turns.iter_mut().filter(|turn| turn.role == Role::User && !turn.text.is_empty());
        for turn in users {
            let verdict = guardrail::judge(guardrail, Source::Input, &[Piece::of(turn.text.clone())]);
            intervened |= verdict.intervened();
            if verdict.blocked {
                blocked = Some(Reply::text(guardrail.message(Source::Input)));
            } else if let Some(text) = verdict.texts.into_iter().next() {
                turn.text = text;
            }
        }
    }
    let input_tokens = count(&request);
    let seed = request.turns.last().map(|turn| turn.text.clone()).unwrap_or_default();
    let mut reply = match blocked {
        Some(reply) => reply,
        None => {
            let mut reply = bedrock.reply(&target.id, request).await?;
            if let Some(guardrail) = guardrail {
                let verdict = guardrail::judge(guardrail, Source::Output, &[Piece::of(reply.text.clone())]);
                intervened |= verdict.intervened();
                if verdict.blocked {
                    reply = Reply::text(guardrail.message(Source::Output));
                } else if let Some(text) = verdict.texts.into_iter().next() {
                    reply.text = text;
                }
            }
            reply
        }
    };
    let output_tokens = tokens(&reply.text);
    reply.text = reply.text.trim_end_matches('\0').to_owned();
    let usage = (input_tokens, output_tokens);
    let mut body = if family == Family::Claude {
        claude_answer(&target.model.id, &reply, usage, &seed)
    } else {
        nova_answer(&reply, usage, &seed)
    };
    if guardrail.is_some()
        && let Some(body) = body.as_object_mut()
    {
        let action = if intervened { "INTERVENED" } else { "NONE" };
        body.insert("amazon-bedrock-guardrailAction".to_owned(), json!(action));
    }
    Ok(Answered { body, input_tokens, output_tokens })
}

/// Anthropic's messages. Source: Bedrock user guide, "Anthropic Claude Messages API".
fn claude_request(body: &Map<String, Value>) -> Result<Request, ApiError> {
    if body.get("anthropic_version").and_then(Value::as_str) != Some("bedrock-2023-05-31") {
        return Err(invalid("anthropic_version: Field required; it must be \"bedrock-2023-05-31\""));
    }
    let Some(most) = body.get("max_tokens").and_then(Value::as_u64).filter(|most| *most > 0) else {
        return Err(invalid("max_tokens: Field required"));
    };
    let mut turns = Vec::new();
    for message in body.get("messages").and_then(Value::as_array).into_iter().flatten() {
        let assistant = message.get("role").and_then(Value::as_str) == Some("assistant");
        let mut turn = Turn::text(if assistant { Role::Assistant } else { Role::User }, "");
        let content = message.get("content").unwrap_or(&Value::Null);
        turn.text = texts_of(content);
        for block in content.as_array().into_iter().flatten() {
            let text = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            match block.get("type").and_then(Value::as_str) {
                Some("tool_use") => {
                    turn.uses.push((text("id"), text("name"), block.get("input").cloned().unwrap_or_default()));
                }
                Some("tool_result") => {
                    let content = block.get("content").map(texts_of).unwrap_or_default();
                    turn.results.push((text("tool_use_id"), Value::String(content)));
                }
                Some("text") | None => {}
                Some(other) => {
                    return Err(ApiError::not_implemented(
                        "bedrock-runtime",
                        &format!("InvokeModel with blocks of type {other}"),
                    ));
                }
            }
        }
        turns.push(turn);
    }
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten().map(|tool| {
        let text = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or_default();
        Tool::of_schema(text("name"), text("description"), tool.get("input_schema").unwrap_or(&Value::Null))
    });
    let kind = body.get("tool_choice").and_then(|choice| choice.get("type")).and_then(Value::as_str);
    let named = body.get("tool_choice").and_then(|choice| choice.get("name")).and_then(Value::as_str);
    let choice = match (kind, named) {
        (Some("any"), _) => Choice::Any,
        (Some("tool"), Some(name)) => Choice::Named(name.to_owned()),
        _ => Choice::Auto,
    };
    let number = |name: &str| body.get(name).and_then(Value::as_f64);
    let stops = body.get("stop_sequences").and_then(Value::as_array);
    Ok(Request {
        system: body.get("system").map(texts_of).unwrap_or_default(),
        turns,
        tools: tools.collect(),
        choice,
        most: usize::try_from(most).ok(),
        stops: stops.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        temperature: number("temperature"),
        top_p: number("top_p"),
    })
}

/// A text, or the texts of blocks.
fn texts_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let texts = blocks.iter().filter_map(|block| block.get("text")?.as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn claude_answer(model: &str, reply: &Reply, usage: (usize, usize), seed: &str) -> Value {
    let mut content = Vec::new();
    if !reply.text.is_empty() || reply.uses.is_empty() {
        content.push(json!({"type": "text", "text": reply.text}));
    }
    for (name, input) in &reply.uses {
        let id = format!("toolu_bdrk_{}", tool_id(&format!("{name}{seed}")));
        content.push(json!({"type": "tool_use", "id": id, "name": name, "input": input}));
    }
    let (stop, sequence) = match &reply.stop {
        Stop::Ended => ("end_turn", None),
        Stop::Full => ("max_tokens", None),
        Stop::Sequence(sequence) => ("stop_sequence", Some(sequence)),
        Stop::Tool => ("tool_use", None),
    };
    json!({
        "model": model.trim_start_matches("anthropic."),
        "id": format!("msg_bdrk_{}", tool_id(&format!("{model}{seed}"))),
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": sequence,
        "usage": {"input_tokens": usage.0, "output_tokens": usage.1},
    })
}

fn nova_answer(reply: &Reply, usage: (usize, usize), seed: &str) -> Value {
    let mut content = Vec::new();
    if !reply.text.is_empty() || reply.uses.is_empty() {
        content.push(json!({ "text": reply.text }));
    }
    for (name, input) in &reply.uses {
        let id = tool_id(&format!("{name}{seed}"));
        content.push(json!({"toolUse": {"toolUseId": id, "name": name, "input": input}}));
    }
    let stop = match reply.stop {
        Stop::Ended => "end_turn",
        Stop::Full => "max_tokens",
        Stop::Sequence(_) => "stop_sequence",
        Stop::Tool => "tool_use",
    };
    json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop,
        "usage": {"inputTokens": usage.0, "outputTokens": usage.1, "totalTokens": usage.0 + usage.1},
    })
}

/// Anthropic's events of an answer.
fn claude_events(body: &Value) -> Vec<Value> {
    let mut start = body.clone();
    if let Some(start) = start.as_object_mut() {
        start.insert("content".to_owned(), json!([]));
        start.insert("stop_reason".to_owned(), Value::Null);
    }
    let mut events = vec![json!({"type": "message_start", "message": start})];
    for (index, block) in body.get("content").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let mut empty = block.clone();
        let mut deltas = Vec::new();
        if let Some(text) = block.get("text").and_then(Value::as_str) {
            deltas.extend(pieces(text).into_iter().map(|piece| json!({"type": "text_delta", "text": piece})));
            empty = json!({"type": "text", "text": ""});
        } else if let Some(input) = block.get("input") {
            deltas.push(json!({"type": "input_json_delta", "partial_json": input.to_string()}));
            if let Some(empty) = empty.as_object_mut() {
                empty.insert("input".to_owned(), json!({}));
            }
        }
        events.push(json!({"type": "content_block_start", "index": index, "content_block": empty}));
        events.extend(
            deltas.into_iter().map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})),
        );
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let delta = json!({"stop_reason": body.get("stop_reason"), "stop_sequence": body.get("stop_sequence")});
    let output = body.pointer("/usage/output_tokens");
    events.push(json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": output}}));
    events.push(json!({"type": "message_stop", "amazon-bedrock-invocationMetrics":
        {"inputTokenCount": body.pointer("/usage/input_tokens"), "outputTokenCount": output}}));
    events
}

/// Nova's events of an answer: those of `ConverseStream`.
fn nova_events(body: &Value) -> Vec<Value> {
    let mut events = vec![json!({"messageStart": {"role": "assistant"}})];
    let content = body.pointer("/output/message/content").and_then(Value::as_array);
    for (index, block) in content.into_iter().flatten().enumerate() {
        if let Some(text) = block.get("text").and_then(Value::as_str) {
            for piece in stream::pieces(text) {
                events.push(json!({"contentBlockDelta": {"delta": {"text": piece}, "contentBlockIndex": index}}));
            }
        } else if let Some(used) = block.get("toolUse") {
            let start = json!({"toolUse": {"toolUseId": used.get("toolUseId"), "name": used.get("name")}});
            events.push(json!({"contentBlockStart": {"start": start, "contentBlockIndex": index}}));
            let input = used.get("input").map(Value::to_string);
            events.push(
                json!({"contentBlockDelta": {"delta": {"toolUse": {"input": input}}, "contentBlockIndex": index}}),
            );
        }
        events.push(json!({"contentBlockStop": {"contentBlockIndex": index}}));
    }
    events.push(json!({"messageStop": {"stopReason": body.get("stopReason")}}));
    events.push(json!({"metadata": {"usage": body.get("usage"), "metrics": {}}}));
    events
}

/// A picture of a text. Source: Bedrock user guide, "Stable Image Core and Ultra", "Stable Diffusion 3.5".
fn picture(body: &Map<String, Value>) -> Result<Answered, ApiError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    for gone in ["text_prompts", "cfg_scale", "steps"] {
        if body.contains_key(gone) {
            return Err(invalid(format!(
                "Malformed input request: extraneous key [{gone}] is not permitted, please reformat your input and try again."
            )));
        }
    }
    let Some(prompt) = text("prompt") else {
        return Err(invalid(
            "Malformed input request: required key [prompt] not found, please reformat your input and try again.",
        ));
    };
    if prompt.is_empty() || prompt.chars().count() > 10_000 {
        return Err(invalid("Malformed input request: prompt must have 1 to 10000 characters."));
    }
    if body.contains_key("image") || text("mode") == Some("image-to-image") {
        return Err(ApiError::not_implemented("bedrock-runtime", "InvokeModel with a picture to begin from"));
    }
    if !matches!(text("output_format"), None | Some("png")) {
        return Err(ApiError::not_implemented("bedrock-runtime", "InvokeModel with an output format other than png"));
    }
    let ratio = text("aspect_ratio").unwrap_or("1:1");
    let Some((width, height)) = poster::size(ratio) else {
        return Err(invalid(format!("Malformed input request: #/aspect_ratio: {ratio} is not a valid enum value.")));
    };
    let seed = match body.get("seed") {
        None => u64::from_str_radix(tool_id(prompt).get(..8).unwrap_or("1"), 16).unwrap_or(1).max(1) % 4_294_967_294,
        Some(seed) => match seed.as_u64().filter(|seed| *seed <= 4_294_967_295) {
            Some(seed) => seed,
            None => return Err(invalid("Malformed input request: #/seed: must be from 0 to 4294967295.")),
        },
    };
    let refused = ["SEXUAL", "VIOLENCE", "HATE"].iter().any(|kind| harmful(kind, prompt));
    let body = if refused {
        json!({"seeds": [seed], "finish_reasons": ["Filter reason: prompt"], "images": []})
    } else {
        let drawn = poster::draw(prompt, seed, width, height);
        json!({"seeds": [seed], "finish_reasons": [null], "images": [STANDARD.encode(drawn)]})
    };
    Ok(Answered { body, input_tokens: tokens(prompt), output_tokens: 0 })
}

/// Vectors in each family's format.
async fn vectors(
    bedrock: &Arc<Bedrock>,
    target: &Target,
    family: Family,
    body: &Map<String, Value>,
) -> Result<Answered, ApiError> {
    let missing = |key: &str| {
        invalid(format!(
            "Malformed input request: required key [{key}] not found, please reformat your input and try again."
        ))
    };
    let whole = Value::Object(body.clone());
    let (texts, wanted): (Vec<String>, Option<&Value>) = match family {
        Family::CohereEmbed => {
            let texts = body.get("texts").and_then(Value::as_array).ok_or_else(|| missing("texts"))?;
            if body.get("input_type").and_then(Value::as_str).is_none() {
                return Err(missing("input_type"));
            }
            if texts.is_empty() || texts.len() > 96 {
                return Err(invalid("Malformed input request: texts must have 1 to 96 entries."));
            }
            (texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(), body.get("output_dimension"))
        }
        Family::NovaEmbed => {
            let text = whole.pointer("/singleEmbeddingParams/text/value").and_then(Value::as_str);
            let text = text.ok_or_else(|| missing("singleEmbeddingParams.text.value"))?;
            (vec![text.to_owned()], whole.pointer("/singleEmbeddingParams/embeddingDimension"))
        }
        _ => {
            let text = body.get("inputText").and_then(Value::as_str).ok_or_else(|| missing("inputText"))?;
            if text.is_empty() {
                return Err(invalid(
                    "Malformed input request: expected minLength: 1, actual: 0, please reformat your input and try again.",
                ));
            }
            let dimension = if family == Family::TitanEmbedImage {
                whole.pointer("/embeddingConfig/outputEmbeddingLength")
            } else {
                body.get("dimensions")
            };
            (vec![text.to_owned()], dimension)
        }
    };
    let dimension = dimension_of(target, wanted)?;
    let input_tokens = texts.iter().map(|text| tokens(text)).sum();
    let vectors = bedrock.embed(&target.id, texts.clone(), dimension).await?;
    let first = vectors.first().cloned().unwrap_or_default();
    let body = match family {
        Family::CohereEmbed => {
            let id = tool_id(&texts.concat());
            match body.get("embedding_types").and_then(Value::as_array) {
                Some(types) => {
                    if types.iter().any(|kind| kind != "float") {
                        return Err(ApiError::not_implemented(
                            "bedrock-runtime",
                            "InvokeModel with embedding types other than float",
                        ));
                    }
                    json!({"id": id, "texts": texts, "embeddings": {"float": vectors}, "response_type": "embeddings_by_type"})
                }
                None => json!({"id": id, "texts": texts, "embeddings": vectors, "response_type": "embeddings_floats"}),
            }
        }
        Family::NovaEmbed => json!({"embeddings": [{"embeddingType": "TEXT", "embedding": first}]}),
        Family::TitanEmbedImage => json!({"embedding": first, "inputTextTokenCount": input_tokens, "message": null}),
        _ if target.model.id.contains("-v1") => json!({"embedding": first, "inputTextTokenCount": input_tokens}),
        _ => json!({"embedding": first, "embeddingsByType": {"float": first}, "inputTextTokenCount": input_tokens}),
    };
    Ok(Answered { body, input_tokens, output_tokens: 0 })
}

/// The dimension asked for, or the model's usual one.
pub(super) fn dimension_of(target: &Target, wanted: Option<&Value>) -> Result<usize, ApiError> {
    let known = &target.model.dimensions;
    let usual = known.first().copied().unwrap_or(1024);
    let dimension = match wanted.filter(|wanted| !wanted.is_null()) {
        None => usual,
        Some(wanted) => {
            let number =
                wanted.as_u64().or_else(|| wanted.as_str()?.parse().ok()).and_then(|number| u32::try_from(number).ok());
            number
                .filter(|number| known.is_empty() && (1..=4096).contains(number) || known.contains(number))
                .ok_or_else(|| {
                    invalid(format!("Malformed input request: #/dimensions: {wanted} is not a valid enum value, please reformat your input and try again."))
                })?
        }
    };
    Ok(usize::try_from(dimension).unwrap_or(1024))
}
