//! Integration responses: which one an answer fits, and what it makes of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::exchange::Exchange;
use super::parameters::ResponseSource;
use super::refusal::{GatewayResponse, RestRefusal};
use crate::execute_api::call::bare_media_type;
use crate::execute_api::reply::Reply;
use crate::ground::scalar::text;
use crate::velocity::java_regex;

/// What came back, and what selection patterns are held against: an error's message, or a status.
pub(super) struct SelectedReply {
    pub selector: String,
    pub reply: Reply,
}

/// The answer to the caller.
pub(super) fn respond(
    exchange: &Exchange<'_>,
    integration: &Value,
    answer: SelectedReply,
) -> Result<Reply, RestRefusal> {
    let responses = integration.get("IntegrationResponses").and_then(Value::as_array);
    let response = select(exchange, responses.map_or(&[], Vec::as_slice), &answer.selector)?;
    let status = text(response, "StatusCode").and_then(|status| status.parse().ok()).unwrap_or(200);
    let came = answer.reply;
    let mut reply = Reply::new(status);
    reply.set("content-type", came.header("content-type").unwrap_or("application/json"));
    let templates = response.get("ResponseTemplates").and_then(Value::as_object);
    let template = templates.and_then(|templates| {
        let accepted = exchange.call.header("accept").map(bare_media_type).unwrap_or_default();
        let kept = |(media, template): (&String, &Value)| Some((media.clone(), template.as_str()?.to_owned()));
        templates
            .get_key_value(&accepted)
            .or_else(|| templates.get_key_value("application/json"))
            .or_else(|| templates.iter().next())
            .and_then(kept)
    });
    let mut rendered = None;
    reply.body = match &template {
        Some((media, template)) if !template.is_empty() => {
            reply.set("content-type", media);
            let made = exchange.map_response(template, String::from_utf8_lossy(&came.body).into_owned())?;
            let body = made.text.clone().into_bytes();
            rendered = Some(made);
            body.into()
        }
        _ => came.body.clone(),
    };
    let answered = ResponseSource { reply: &came };
    for (target, source) in response.get("ResponseParameters").and_then(Value::as_object).into_iter().flatten() {
        let Some(name) = target.strip_prefix("method.response.header.") else { continue };
        if let Some(value) = exchange.response_parameter(source.as_str().unwrap_or_default(), &answered) {
            reply.set(name, &value);
        }
    }
    if let Some(overrides) = rendered.as_ref().map(|rendered| &rendered.response_override) {
        if let Some(status) = text(overrides, "status").and_then(|status| status.parse().ok()) {
            reply.status = status;
        }
        for (name, value) in overrides.get("header").and_then(Value::as_object).into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            reply.set(name, &value);
        }
    }
    match text(response, "ContentHandling").as_deref() {
        Some("CONVERT_TO_BINARY") => {
            let decoded = STANDARD
                .decode(reply.body.trim_ascii())
                .map_err(|error| RestRefusal::broken(500, format!("the answer is not base64: {error}")))?;
            reply.body = decoded.into();
        }
        Some("CONVERT_TO_TEXT") => reply.body = STANDARD.encode(&reply.body).into(),
        _ => {}
    }
    Ok(reply)
}

/// The response whose pattern fits, else the one without a pattern.
fn select<'a>(exchange: &Exchange<'_>, responses: &'a [Value], selector: &str) -> Result<&'a Value, RestRefusal> {
    let mut general = None;
    for response in responses {
        let pattern = text(response, "SelectionPattern").filter(|pattern| !pattern.is_empty());
        let Some(pattern) = pattern else {
            general = general.or(Some(response));
            continue;
        };
        match java_regex::matches_whole(&pattern, selector) {
            Ok(true) => return Ok(response),
            Ok(false) => {}
            Err(error) => {
                let reason = format!("a selection pattern of {}: {error}", exchange.source_arn());
                return Err(RestRefusal::broken(500, reason));
            }
        }
    }
    general.ok_or_else(|| {
        RestRefusal::of(GatewayResponse::ApiConfiguration)
            .because(format!("no integration response of {} fits what came back", exchange.source_arn()))
    })
}
