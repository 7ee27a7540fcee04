//! Functions behind a REST API.

use base64::Engine as _;
use serde_json::Value;

use super::exchange::Exchange;
use super::integration_request::IntegrationRequest;
use super::refusal::{GatewayResponse, RestRefusal};
use super::respond::SelectedReply;
use crate::execute_api::functions::function_of;
use crate::execute_api::reply::Reply;
use crate::ground::scalar::{scalar, text};
use crate::ground::{FunctionAnswer, FunctionCall, FunctionRefusal};

impl Exchange<'_> {
    /// Calls a function on behalf of the method, or of an authorizer.
    pub(super) async fn invoke(
        &self,
        uri: &str,
        payload: Vec<u8>,
        source_arn: String,
        role: Option<String>,
        event: bool,
    ) -> Result<FunctionAnswer, RestRefusal> {
        let uri = self.address(uri, &serde_json::Map::new(), str::to_owned);
        let Some(function) = function_of(&uri) else { return Err(RestRefusal::of(GatewayResponse::ApiConfiguration)) };
        // The caller's own credentials would be the role `arn:aws:iam::*:user/*`.
        if role.as_deref().is_some_and(|role| role.contains(":user/")) {
            return Err(RestRefusal::NotSimulated("an integration with the caller's credentials".to_owned()));
        }
        let call = FunctionCall { function: function.to_owned(), payload, source_arn, role, event };
        self.gateway.invoke(call).await.map_err(|refusal| match refusal {
            FunctionRefusal::NotSimulated(what) => RestRefusal::NotSimulated(what),
            FunctionRefusal::Refused(why) => RestRefusal::broken(500, why),
        })
    }
}

/// Calls a function with what the mapping template made.
pub(super) async fn call(
    exchange: &Exchange<'_>,
    integration: &Value,
    uri: &str,
    mut asked: IntegrationRequest,
) -> Result<SelectedReply, RestRefusal> {
    if asked.body.is_empty() {
        asked.body = b"{}".to_vec();
    }
    // What a template made of quotes and line breaks often is no JSON: Lambda says so, and API Gateway hands it on.
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&asked.body) {
        return Err(RestRefusal::saying(
            GatewayResponse::BadBody,
            format!("Could not parse request body into json: {error}"),
        ));
    }
    let event = asked.header("x-amz-invocation-type").is_some_and(|kind| kind == "Event");
    let role = text(integration, "Credentials");
    let answer = exchange.invoke(uri, asked.body, exchange.source_arn(), role, event).await?;
    let message = || {
        let error: Option<Value> = serde_json::from_slice(&answer.payload).ok();
        error.as_ref().and_then(|error| text(error, "errorMessage")).unwrap_or_default()
    };
    let selector = if answer.failed { message() } else { String::new() };
    let reply = Reply::new(200).with("content-type", "application/json").body(answer.payload.clone());
    Ok(SelectedReply { selector, reply })
}

/// Gives a function the whole request and takes its answer as it is.
pub(super) async fn proxy(exchange: &Exchange<'_>, integration: &Value, uri: &str) -> Result<Reply, RestRefusal> {
    let event = exchange.event().to_string().into_bytes();
    let role = text(integration, "Credentials");
    let answer = exchange.invoke(uri, event, exchange.source_arn(), role, false).await?;
    if answer.failed {
        return Err(RestRefusal::broken(
            502,
            format!("the function failed: {}", String::from_utf8_lossy(&answer.payload)),
        ));
    }
    let json: Value = serde_json::from_slice(&answer.payload).unwrap_or(Value::Null);
    let Some(mut reply) = proxied(&json) else {
        let reason = "the function's answer is not an object of `statusCode`, `headers`, `multiValueHeaders`, `body` (a \
                      text) and `isBase64Encoded`";
        return Err(RestRefusal::broken(502, reason));
    };
    // Bytes go out as bytes where the API has binary types and the caller takes one.
    let encoded = json.get("isBase64Encoded") == Some(&Value::Bool(true));
    let accepts = exchange.call.header("accept").unwrap_or("*/*");
    let first = accepts.split(',').next().unwrap_or_default();
    if encoded && (exchange.is_binary(first) || exchange.is_binary(reply.header("content-type").unwrap_or_default())) {
        let decoded = base64::engine::general_purpose::STANDARD.decode(&reply.body);
        reply.body =
            decoded.map_err(|error| RestRefusal::broken(502, format!("the body is not base64: {error}")))?.into();
    }
    if reply.header("content-type").is_none() {
        reply.set("content-type", "application/json");
    }
    Ok(reply)
}

/// The answer a function's proxy response stands for; nothing where it is malformed.
fn proxied(json: &Value) -> Option<Reply> {
    let answer = json.as_object()?;
    const KEYS: [&str; 5] = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];
    if answer.keys().any(|key| !KEYS.contains(&key.as_str())) {
        return None;
    }
    let status = match answer.get("statusCode") {
        None | Some(Value::Null) => 200,
        Some(Value::Number(number)) => number.as_u64().and_then(|status| u16::try_from(status).ok())?,
        Some(Value::String(text)) => text.parse().ok()?,
        Some(_) => return None,
    };
    if !(100..=599).contains(&status) {
        return None;
    }
    let mut reply = Reply::new(status);
    reply.body = match answer.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(_) => return None,
    }
    .into();
    if let Some(headers) = answer.get("headers").filter(|headers| !headers.is_null()) {
        for (name, value) in headers.as_object()? {
            reply.set(name, &scalar(value)?);
        }
    }
    if let Some(headers) = answer.get("multiValueHeaders").filter(|headers| !headers.is_null()) {
        for (name, values) in headers.as_object()? {
            reply.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            for value in values.as_array()? {
                reply.headers.push((name.clone(), scalar(value)?));
            }
        }
    }
    Some(reply)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_functions_answer_is_taken_or_malformed() {
        let good = proxied(&json!({
            "statusCode": 201, "headers": { "A": "b" }, "multiValueHeaders": { "Set-Cookie": ["x", "y"] }, "body": "ok",
        }))
        .expect("an answer");
        assert_eq!((good.status, &*good.body, good.headers.len()), (201, &b"ok"[..], 3));
        assert_eq!(proxied(&json!({ "body": null })).map(|reply| reply.status), Some(200));
        for bad in [
            json!(null),
            json!("text"),
            json!({ "message": "not a proxy answer" }),
            json!({ "statusCode": "ok" }),
            json!({ "statusCode": 200, "body": { "a": 1 } }),
            json!({ "statusCode": 200, "headers": [] }),
            json!({ "statusCode": 99999 }),
        ] {
            assert_eq!(proxied(&bad), None, "{bad}");
        }
    }
}
