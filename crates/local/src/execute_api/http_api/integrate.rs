//! What answers a route of an HTTP API: a function or an HTTP address.

use std::time::Duration;

use base64::Engine as _;
use serde_json::Value;

use super::exchange::{Exchange, message};
use crate::execute_api::call::encoded;
use crate::execute_api::client::{Outgoing, is_hop_by_hop};
use crate::execute_api::functions::function_of;
use crate::execute_api::reply::Reply;
use crate::ground::scalar::{scalar, text};
use crate::ground::{FunctionCall, FunctionRefusal};
use crate::lambda::queue;

/// How long an integration may take unless it says; also the longest.
const TIMEOUT: Duration = Duration::from_secs(30);

fn broken(reason: &str) -> Reply {
    let mut reply = message(500, "Internal Server Error");
    reply.explain(reason);
    reply
}

/// Asks what is behind the route.
pub(super) async fn integrate(exchange: &Exchange<'_>) -> Result<Reply, Reply> {
    let target = text(exchange.route, "Target").unwrap_or_default();
    let id = target.strip_prefix("integrations/").unwrap_or_default();
    let integration = exchange.part("Integrations", id).ok_or_else(|| broken("the route has no integration"))?;
    let mapped = |name: &str| integration.get(name).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
    if mapped("RequestParameters") || mapped("ResponseParameters") {
        return Err(Reply::not_simulated("parameter mappings of HTTP APIs"));
    }
    if text(integration, "ConnectionType").as_deref() == Some("VPC_LINK") {
        return Err(Reply::not_simulated("the VPC link of an integration: nothing here is inside a VPC"));
    }
    let wait = text(integration, "TimeoutInMillis").and_then(|millis| millis.parse().ok());
    let wait = wait.map_or(TIMEOUT, Duration::from_millis);
    let asked = async {
        match &*text(integration, "IntegrationType").unwrap_or_default() {
            "AWS_PROXY" => match text(integration, "IntegrationSubtype") {
                None => function(exchange, integration).await,
                Some(subtype) => Err(Reply::not_simulated(&format!("the integration subtype `{subtype}`"))),
            },
            "HTTP_PROXY" => address(exchange, integration).await,
            other => Err(Reply::not_simulated(&format!("integrations of type `{other}` of HTTP APIs"))),
        }
    };
    queue::within(wait, asked).await.unwrap_or_else(|| {
        let mut reply = message(503, "Service Unavailable");
        reply.explain(&format!("the integration took longer than {} ms", wait.as_millis()));
        Err(reply)
    })
}

async fn function(exchange: &Exchange<'_>, integration: &Value) -> Result<Reply, Reply> {
    let uri = text(integration, "IntegrationUri").unwrap_or_default();
    let version = text(integration, "PayloadFormatVersion").unwrap_or_else(|| "1.0".to_owned());
    let function = function_of(&uri).ok_or_else(|| broken("the integration's address is no function's"))?;
    let call = FunctionCall {
        function: function.to_owned(),
        payload: exchange.event(&version).to_string().into_bytes(),
        source_arn: exchange.source_arn(),
        role: text(integration, "CredentialsArn"),
        event: false,
    };
    let answer = exchange.gateway.invoke(call).await.map_err(|refusal| match refusal {
        FunctionRefusal::NotSimulated(what) => Reply::not_simulated(&what),
        FunctionRefusal::Refused(why) => broken(&why),
    })?;
    if answer.failed {
        return Err(broken(&format!("the function failed: {}", String::from_utf8_lossy(&answer.payload))));
    }
    let json: Value = serde_json::from_slice(&answer.payload).unwrap_or(Value::Null);
    let has_status = json.get("statusCode").is_some();
    if !has_status && version != "1.0" {
        return Ok(inferred(&json));
    }
    answered(&json).ok_or_else(|| broken("the function's answer is malformed"))
}

/// Format 2.0: what has no status is a body by itself.
fn inferred(json: &Value) -> Reply {
    let reply = Reply::new(200).with("content-type", "application/json");
    match json {
        Value::String(text) => reply.body(text.clone()),
        other => reply.body(other.to_string()),
    }
}

/// An answer with a status, headers, cookies and a body.
fn answered(json: &Value) -> Option<Reply> {
    let status = text(json, "statusCode")?.parse().ok().filter(|status| (100..=599).contains(status))?;
    let mut reply = Reply::new(status);
    for (name, value) in json.get("headers").and_then(Value::as_object).into_iter().flatten() {
        reply.set(&name.to_ascii_lowercase(), &scalar(value)?);
    }
    for (name, values) in json.get("multiValueHeaders").and_then(Value::as_object).into_iter().flatten() {
        reply.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        for value in values.as_array()? {
            reply.headers.push((name.to_ascii_lowercase(), scalar(value)?));
        }
    }
    for cookie in json.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        reply.headers.push(("set-cookie".to_owned(), scalar(cookie)?));
    }
    let body = match json.get("body") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        // Another JSON value is written as it is.
        Some(other) => other.to_string(),
    };
    reply.body = if json.get("isBase64Encoded") == Some(&Value::Bool(true)) {
        base64::engine::general_purpose::STANDARD.decode(body.as_bytes()).ok()?.into()
    } else {
        body.into()
    };
    if reply.header("content-type").is_none() && !reply.body.is_empty() {
        reply.set("content-type", "text/plain;charset=utf-8");
    }
    Some(reply)
}

async fn address(exchange: &Exchange<'_>, integration: &Value) -> Result<Reply, Reply> {
    let call = exchange.call;
    let mut url = text(integration, "IntegrationUri").unwrap_or_default();
    for (name, value) in exchange.stage_variables() {
        url = url.replace(&format!("${{stageVariables.{name}}}"), value.as_str().unwrap_or_default());
    }
    for (name, value) in &exchange.path {
        let part = value.split('/').map(encoded).collect::<Vec<_>>().join("/");
        url = url.replace(&format!("{{{name}}}"), &part).replace(&format!("{{{name}+}}"), &part);
    }
    if !call.raw_query.is_empty() {
        url = format!("{url}{}{}", if url.contains('?') { '&' } else { '?' }, call.raw_query);
    }
    let method = text(integration, "IntegrationMethod").filter(|method| method != "ANY");
    let method = method.and_then(|method| method.parse().ok()).unwrap_or_else(|| call.method.clone());
    let headers = call.headers.iter().filter(|(name, _)| !is_hop_by_hop(name) && name != "host").cloned().collect();
    let outgoing = Outgoing { method, url, headers, body: call.body.to_vec() };
    let mut came = exchange.gateway.client.ask(outgoing).await.map_err(|reason| {
        let mut reply = message(503, "Service Unavailable");
        reply.explain(&reason);
        reply
    })?;
    came.headers.retain(|(name, _)| !is_hop_by_hop(name) && !name.eq_ignore_ascii_case("date"));
    Ok(came)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_of_format_2_are_inferred() {
        assert_eq!(inferred(&json!({ "a": 1 })).body, r#"{"a":1}"#);
        assert_eq!(inferred(&json!("plain")).body, "plain");
        let reply =
            answered(&json!({ "statusCode": 201, "cookies": ["a=b"], "body": "aGk=", "isBase64Encoded": true }))
                .expect("an answer");
        assert_eq!((reply.status, &*reply.body, reply.header("set-cookie")), (201, &b"hi"[..], Some("a=b")));
        assert_eq!(answered(&json!({ "statusCode": "x" })), None);
    }
}
