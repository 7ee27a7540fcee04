//! Anthropic's own format: requests, answers, and the events of a stream.
//! Source: Bedrock user guide, "Anthropic Claude Messages API".

use serde_json::{Map, Value, json};

use super::answer::invalid;
use super::converse::tool_id;
use super::stream::pieces;
use super::text::tools::Tool;
use super::text::{Choice, ModelReply, ModelRequest, Stop, Turn, TurnRole};
use crate::ground::ApiError;

/// Anthropic's messages. Source: Bedrock user guide, "Anthropic Claude Messages API".
pub(super) fn request(body: &Map<String, Value>) -> Result<ModelRequest, ApiError> {
    if body.get("anthropic_version").and_then(Value::as_str) != Some("bedrock-2023-05-31") {
        return Err(invalid("anthropic_version: Field required; it must be \"bedrock-2023-05-31\""));
    }
    let Some(most) = body.get("max_tokens").and_then(Value::as_u64).filter(|most| *most > 0) else {
        return Err(invalid("max_tokens: Field required"));
    };
    let mut turns = Vec::new();
    for message in body.get("messages").and_then(Value::as_array).into_iter().flatten() {
        let assistant = message.get("role").and_then(Value::as_str) == Some("assistant");
        let mut turn = Turn::text(if assistant { TurnRole::Assistant } else { TurnRole::User }, "");
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
    Ok(ModelRequest {
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

pub(super) fn answer(model: &str, reply: &ModelReply, usage: (usize, usize), seed: &str) -> Value {
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

/// Anthropic's events of an answer.
pub(super) fn events(body: &Value) -> Vec<Value> {
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
