//! `$connect`: whether a connection is opened at all.

use serde_json::{Map, Value, json};

use super::event::RouteFailure;
use super::session::SocketSession;
use crate::execute_api::call::{ApiCall, train_case};
use crate::execute_api::http_api::part;
use crate::execute_api::reply::Reply;
use crate::execute_api::rest::{multiple, single};
use crate::ground::ACCOUNT_ID;
use crate::ground::scalar::{scalar, text};
use bedplate_iam::{Decision, Policy, Request as PolicyRequest, evaluate};

fn failed(failed: RouteFailure) -> Reply {
    match failed {
        RouteFailure::NotSimulated(what) => Reply::not_simulated(&what),
        RouteFailure::Broken(why) => broken(500, &why),
    }
}

fn broken(status: u16, why: &str) -> Reply {
    let mut reply = Reply::message(status, "InternalServerErrorException", "Internal server error");
    reply.explain(why);
    reply
}

/// Asks the authorizer and the route, if there are any; a connection is opened when the answer's status is 2xx.
pub(super) async fn connect(session: &mut SocketSession, call: &ApiCall) -> Result<Reply, Reply> {
    let request_id = session.gateway.host.ids.uuid().to_string();
    let Some((_, route)) = session.route("$connect").map(|(id, route)| (id, route.clone())) else {
        return Ok(Reply::new(200));
    };
    let mut event = session.event("$connect", "CONNECT", &request_id);
    let headers: Vec<(String, String)> =
        call.headers.iter().map(|(name, value)| (train_case(name), value.clone())).collect();
    event["headers"] = single(&headers);
    event["multiValueHeaders"] = multiple(&headers);
    if !call.query.is_empty() {
        event["queryStringParameters"] = single(&call.query);
        event["multiValueQueryStringParameters"] = multiple(&call.query);
    }
    match text(&route, "AuthorizationType").as_deref() {
        None | Some("NONE") => {}
        Some("AWS_IAM") => {
            let arn = format!("{}/$connect", session.place());
            let region = session.v2.api.region.clone();
            if session.gateway.signer(call, "execute-api:Invoke", &arn, &region).await.is_err() {
                return Err(Reply::message(403, "ForbiddenException", "Forbidden"));
            }
        }
        Some("CUSTOM") => {
            let said = authorize(session, &route, call, &event).await?;
            event["requestContext"]["authorizer"] = Value::Object(said.clone());
            session.authorizer = Some(said);
        }
        Some(other) => return Err(Reply::not_simulated(&format!("authorization by `{other}` of WebSocket APIs"))),
    }
    let answer = session.integrate(&route, "$connect", &event).await.map_err(failed)?;
    if answer.failed {
        let why = format!("the function failed: {}", String::from_utf8_lossy(&answer.payload));
        return Err(broken(502, &why));
    }
    let json: Value = serde_json::from_slice(&answer.payload).unwrap_or(Value::Null);
    let Some(status) = text(&json, "statusCode").and_then(|status| status.parse().ok()) else {
        return Err(broken(502, "the function's answer has no `statusCode`"));
    };
    let mut reply = Reply::new(status).body(text(&json, "body").unwrap_or_default());
    for (name, value) in json.get("headers").and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = scalar(value) {
            reply.set(name, &value);
        }
    }
    Ok(reply)
}

async fn authorize(
    session: &SocketSession,
    route: &Value,
    call: &ApiCall,
    event: &Value,
) -> Result<Map<String, Value>, Reply> {
    let id = text(route, "AuthorizerId").unwrap_or_default();
    let authorizer = part(&session.v2.parts, "Authorizers", &id);
    let authorizer = authorizer.ok_or_else(|| broken(500, "the route's authorizer is not there"))?;
    for source in authorizer.get("IdentitySource").and_then(Value::as_array).into_iter().flatten() {
        let source = source.as_str().unwrap_or_default();
        let value = match source.strip_prefix("route.request.").and_then(|it| it.split_once('.')) {
            Some(("header", name)) => call.header(name),
            Some(("querystring", name)) => call.parameter(name),
            _ => None,
        };
        if value.is_none_or(str::is_empty) {
            return Err(Reply::message(401, "UnauthorizedException", "Unauthorized"));
        }
    }
    let arn = format!("{}/$connect", session.place());
    let mut event = event.clone();
    event["type"] = json!("REQUEST");
    event["methodArn"] = json!(arn);
    let uri = text(authorizer, "AuthorizerUri").unwrap_or_default();
    let source =
        format!("arn:aws:execute-api:{}:{ACCOUNT_ID}:{}/authorizers/{id}", session.v2.api.region, session.v2.api.id);
    let role = text(authorizer, "AuthorizerCredentialsArn");
    let answer = session.call(&uri, &event, source, role).await.map_err(failed)?;
    let json: Value = serde_json::from_slice(&answer.payload).unwrap_or(Value::Null);
    if answer.failed {
        if text(&json, "errorMessage").as_deref() == Some("Unauthorized") {
            return Err(Reply::message(401, "UnauthorizedException", "Unauthorized"));
        }
        return Err(broken(500, &format!("the authorizer's function failed: {json}")));
    }
    let policy = json.get("policyDocument").map(Policy::from_value);
    let (Some(Ok(policy)), Some(principal)) = (policy, text(&json, "principalId")) else {
        return Err(broken(500, "the authorizer's function gave no `principalId` and `policyDocument`"));
    };
    let asked = PolicyRequest { action: "execute-api:Invoke", resource: &arn, ..PolicyRequest::default() };
    if evaluate([&policy], &asked) != Decision::Allow {
        return Err(Reply::message(403, "ForbiddenException", "Forbidden"));
    }
    let mut said = json.get("context").and_then(Value::as_object).cloned().unwrap_or_default();
    said.insert("principalId".to_owned(), json!(principal));
    Ok(said)
}
