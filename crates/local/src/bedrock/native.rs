//! Models in their own formats: `InvokeModel` and its stream.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::Bedrock;
use super::answer::{BedrockAnswer, BedrockRequest, BedrockResult, invalid};
use super::converse::{count, tool_id};
use super::family::{Family, NativeAnswer};
use super::guardrail::{self, GuardedText, Guardrail, Piece, harmful};
use super::identify::{self, ModelTarget};
use super::request::{check_sampling, check_turns, request_of};
use super::stream::Events;
use super::text::words::tokens;
use super::text::{ModelReply, ModelRequest, Stop, TurnRole};
use super::{claude, poster, stream, vectors};
use crate::ground::ApiError;

/// `InvokeModel`.
pub(super) fn invoke(bedrock: Arc<Bedrock>, call: BedrockRequest) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let (target, guardrail) = find(&bedrock, &call).await?;
        let answer = answer(&bedrock, &call, &target, guardrail.as_ref()).await?;
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-amzn-bedrock-input-token-count", answer.input_tokens.to_string()),
            ("x-amzn-bedrock-output-token-count", answer.output_tokens.to_string()),
        ];
        Ok(BedrockAnswer::Bytes { body: answer.body.to_string().into_bytes(), headers })
    })
}

/// `InvokeModelWithResponseStream`.
pub(super) fn invoke_stream(bedrock: Arc<Bedrock>, call: BedrockRequest) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let (target, guardrail) = find(&bedrock, &call).await?;
        let family = Family::of(&target.model.id);
        if !matches!(family, Family::Claude | Family::Nova) {
            return Err(invalid("The model is unsupported for response streaming"));
        }
        let answer = answer(&bedrock, &call, &target, guardrail.as_ref()).await?;
        let parts = if family == Family::Claude { claude::events(&answer.body) } else { nova_events(&answer.body) };
        let mut events = Events::default();
        for part in parts {
            events.push("chunk", &json!({"bytes": STANDARD.encode(part.to_string())}))?;
        }
        let headers = vec![("x-amzn-bedrock-content-type", "application/json".to_owned())];
        Ok(BedrockAnswer::Events { frames: events.into_frames(), headers })
    })
}

async fn find(bedrock: &Arc<Bedrock>, call: &BedrockRequest) -> Result<(ModelTarget, Option<Guardrail>), ApiError> {
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
    call: &BedrockRequest,
    target: &ModelTarget,
    guardrail: Option<&Guardrail>,
) -> Result<NativeAnswer, ApiError> {
    let Ok(Value::Object(body)) = serde_json::from_slice(&call.bytes) else {
        return Err(invalid("Malformed input request, please reformat your input and try again."));
    };
    let family = Family::of(&target.model.id);
    match family {
        Family::Claude | Family::Nova if target.model.output == "text" => {
            let request = if family == Family::Claude {
                claude::request(&body)?
            } else {
                request_of(&Value::Object(body.clone()))?
            };
            check_turns(&request)?;
            check_sampling(target, &request, &json!({"additionalModelRequestFields": body}))?;
            text(bedrock, target, family, request, guardrail).await
        }
        Family::Stability => picture(&body),
        Family::TitanEmbed | Family::TitanEmbedImage | Family::CohereEmbed | Family::NovaEmbed => {
            vectors::vectors(bedrock, target, family, &body).await
        }
        _ => Err(ApiError::not_implemented("bedrock-runtime", &format!("InvokeModel of {}", target.model.id))),
    }
}

async fn text(
    bedrock: &Arc<Bedrock>,
    target: &ModelTarget,
    family: Family,
    mut request: ModelRequest,
    guardrail: Option<&Guardrail>,
) -> Result<NativeAnswer, ApiError> {
    let mut intervened = false;
    let mut blocked = None;
    if let Some(guardrail) = guardrail {
        let users = request.turns.iter_mut().filter(|turn| turn.role == TurnRole::User && !turn.text.is_empty());
        for turn in users {
            let verdict = guardrail::judge(guardrail, GuardedText::Input, &[Piece::of(turn.text.clone())]);
            intervened |= verdict.intervened();
            if verdict.blocked {
                blocked = Some(ModelReply::text(guardrail.message(GuardedText::Input)));
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
                let verdict = guardrail::judge(guardrail, GuardedText::Output, &[Piece::of(reply.text.clone())]);
                intervened |= verdict.intervened();
                if verdict.blocked {
                    reply = ModelReply::text(guardrail.message(GuardedText::Output));
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
        claude::answer(&target.model.id, &reply, usage, &seed)
    } else {
        nova_answer(&reply, usage, &seed)
    };
    if guardrail.is_some()
        && let Some(body) = body.as_object_mut()
    {
        let action = if intervened { "INTERVENED" } else { "NONE" };
        body.insert("amazon-bedrock-guardrailAction".to_owned(), json!(action));
    }
    Ok(NativeAnswer { body, input_tokens, output_tokens })
}

fn nova_answer(reply: &ModelReply, usage: (usize, usize), seed: &str) -> Value {
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
fn picture(body: &Map<String, Value>) -> Result<NativeAnswer, ApiError> {
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
    Ok(NativeAnswer { body, input_tokens: tokens(prompt), output_tokens: 0 })
}
