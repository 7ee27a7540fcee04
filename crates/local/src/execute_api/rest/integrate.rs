//! What is asked of whatever is behind a method.

use std::time::Duration;

use serde_json::Value;

use super::exchange::Exchange;
use super::integration_request::IntegrationRequest;
use super::refusal::{GatewayResponse, RestRefusal};
use super::{lambda, respond, web};
use crate::execute_api::functions::function_of;
use crate::execute_api::reply::Reply;
use crate::ground::scalar::text;
use crate::lambda::queue;

/// How long an integration may take unless the method says; also the longest unless AWS raised it.
const TIMEOUT: Duration = Duration::from_secs(29);

/// Asks, and turns what comes back into the answer.
pub(super) async fn integrate(exchange: &Exchange<'_>) -> Result<Reply, RestRefusal> {
    let integration =
        exchange.method.get("Integration").ok_or_else(|| RestRefusal::of(GatewayResponse::ApiConfiguration))?;
    let wait = text(integration, "TimeoutInMillis")
        .and_then(|millis| millis.parse().ok())
        .map_or(TIMEOUT, Duration::from_millis);
    let asked = queue::within(wait, ask(exchange, integration)).await;
    asked.unwrap_or_else(|| Err(RestRefusal::of(GatewayResponse::IntegrationTimeout)))
}

async fn ask(exchange: &Exchange<'_>, integration: &Value) -> Result<Reply, RestRefusal> {
    let kind = text(integration, "Type").unwrap_or_default();
    let uri = text(integration, "Uri").unwrap_or_default();
    if text(integration, "ConnectionType").as_deref() == Some("VPC_LINK") {
        return Err(RestRefusal::NotSimulated(
            "the VPC link of an integration: nothing here is inside a VPC".to_owned(),
        ));
    }
    // Lambda's own operation is a POST. AWS answers so too: recorded by LocalStack's
    // `test_lambda_aws_proxy_integration_non_post_method`, seen 2026-11.
    if matches!(&*kind, "AWS" | "AWS_PROXY") && uri.contains(":lambda:path/") {
        let method = text(integration, "IntegrationHttpMethod").unwrap_or_default();
        if method != "POST" {
            return Err(RestRefusal::broken(
                500,
                format!("`IntegrationHttpMethod` is `{method}`, and functions are invoked with POST only"),
            ));
        }
    }
    match &*kind {
        "AWS_PROXY" => lambda::proxy(exchange, integration, &uri).await,
        "HTTP_PROXY" => web::proxy(exchange, integration, &uri).await,
        "AWS" if function_of(&uri).is_some() => {
            let asked = mapped(exchange, integration)?;
            let answer = lambda::call(exchange, integration, &uri, asked).await?;
            respond::respond(exchange, integration, answer)
        }
        "AWS" => {
            let asked = mapped(exchange, integration)?;
            let reply = web::service(exchange, integration, &uri, asked).await?;
            let selector = reply.status.to_string();
            respond::respond(exchange, integration, respond::SelectedReply { selector, reply })
        }
        "HTTP" => {
            let asked = mapped(exchange, integration)?;
            let reply = web::address(exchange, integration, &uri, asked).await?;
            let selector = reply.status.to_string();
            respond::respond(exchange, integration, respond::SelectedReply { selector, reply })
        }
        "MOCK" => {
            let asked = mapped(exchange, integration)?;
            // A mock's request is only asked for the status it wants.
            let json: Option<Value> = serde_json::from_slice(&asked.body).ok();
            let status = json.as_ref().and_then(|json| text(json, "statusCode"));
            let status = status.and_then(|status| status.parse::<u16>().ok());
            let Some(status) = status else {
                return Err(RestRefusal::broken(500, "the mock's request template gives no `statusCode`"));
            };
            let reply = Reply::new(status).with("content-type", "application/json");
            respond::respond(exchange, integration, respond::SelectedReply { selector: status.to_string(), reply })
        }
        other => Err(RestRefusal::NotSimulated(format!("integrations of type `{other}`"))),
    }
}

/// The request after its template and its mappings.
fn mapped(exchange: &Exchange<'_>, integration: &Value) -> Result<IntegrationRequest, RestRefusal> {
    let mut asked = IntegrationRequest::default();
    if let Some(mappings) = integration.get("RequestParameters").and_then(Value::as_object) {
        for (target, source) in mappings {
            let Some((place, name)) = target.strip_prefix("integration.request.").and_then(|it| it.split_once('.'))
            else {
                continue;
            };
            let Some(value) = exchange.request_parameter(source.as_str().unwrap_or_default()) else { continue };
            asked.set(place, name, value);
        }
    }
    let templates = integration.get("RequestTemplates").and_then(Value::as_object).filter(|it| !it.is_empty());
    let media = exchange.call.media_type().unwrap_or_else(|| "application/json".to_owned());
    let template = templates.and_then(|templates| templates.get(&media)).and_then(Value::as_str);
    let passes = text(integration, "PassthroughBehavior").unwrap_or_else(|| "WHEN_NO_MATCH".to_owned());
    match template {
        Some(template) => {
            let rendered = exchange.map_request(template)?;
            asked.body = rendered.text.into_bytes();
            asked.media = Some(media);
            for place in ["header", "querystring", "path"] {
                let overrides = rendered.request_override.get(place).and_then(Value::as_object);
                for (name, value) in overrides.into_iter().flatten() {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    asked.set(place, name, value);
                }
            }
        }
        None if passes == "NEVER" || (passes == "WHEN_NO_TEMPLATES" && templates.is_some()) => {
            return Err(RestRefusal::of(GatewayResponse::UnsupportedMedia));
        }
        None => {
            asked.body = exchange.call.body.to_vec();
            asked.media = exchange.call.header("content-type").map(str::to_owned);
        }
    }
    // `ContentHandling` turns texts into bytes and back.
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    match text(integration, "ContentHandling").as_deref() {
        Some("CONVERT_TO_TEXT") if exchange.is_binary(&exchange.call.media_type().unwrap_or_default()) => {
            asked.body = STANDARD.encode(&asked.body).into_bytes();
        }
        Some("CONVERT_TO_BINARY") => {
            asked.body = STANDARD.decode(&asked.body).map_err(|_| RestRefusal::of(GatewayResponse::BadBody))?;
        }
        _ => {}
    }
    Ok(asked)
}
