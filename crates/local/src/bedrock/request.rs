//! Conversations in the common format: what a request says, and the rules it must keep.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::answer::invalid;
use super::identify::ModelTarget;
use super::text::tools::Tool;
use super::text::{Choice, ModelRequest, Turn, TurnRole};
use crate::ground::ApiError;

/// The parts of a request in the common format.
///
/// # Errors
///
/// When it has blocks that the stand-in can't read, or blank ones.
pub(super) fn request_of(body: &Value) -> Result<ModelRequest, ApiError> {
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
    Ok(ModelRequest {
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
        Some("user") => TurnRole::User,
        Some("assistant") => TurnRole::Assistant,
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
pub(super) fn check_turns(request: &ModelRequest) -> Result<(), ApiError> {
    match request.turns.first() {
        None => return Err(invalid("The messages field is required: a conversation has at least one message.")),
        Some(turn) if turn.role == TurnRole::Assistant => {
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
pub(super) fn check_sampling(target: &ModelTarget, request: &ModelRequest, body: &Value) -> Result<(), ApiError> {
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
