//! Who may call a route.

use serde_json::{Map, Value, json};

use super::exchange::{Exchange, message};
use crate::cognito::tokens::{Wrong, pool_of_issuer};
use crate::execute_api::authorizers::CachedAuthorization;
use crate::execute_api::functions::function_of;
use crate::execute_api::iam::SignerRefusal;
use crate::execute_api::reply::Reply;
use crate::execute_api::tokens::NotTaken;
use crate::ground::scalar::{scalar, text};
use crate::ground::{ACCOUNT_ID, FunctionCall, FunctionRefusal};
use bedplate_iam::{Decision, Policy, Request as PolicyRequest, evaluate};

/// Refuses who may not call.
pub(super) async fn authorize(exchange: &mut Exchange<'_>) -> Result<(), Reply> {
    match text(exchange.route, "AuthorizationType").as_deref() {
        None | Some("NONE") => Ok(()),
        Some("AWS_IAM") => {
            let arn = exchange.source_arn();
            match exchange.gateway.signer(exchange.call, "execute-api:Invoke", &arn, &exchange.api.region).await {
                Ok(signer) => {
                    let identity: Map<String, Value> =
                        signer.identity().iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
                    exchange.authorizer = Some(json!({ "iam": identity }));
                    Ok(())
                }
                Err(SignerRefusal::Denied(reason)) => {
                    let mut reply = message(403, "Forbidden");
                    reply.explain(&reason);
                    Err(reply)
                }
                Err(SignerRefusal::Unsigned | SignerRefusal::Signature) => Err(message(403, "Forbidden")),
            }
        }
        Some("CUSTOM") => function(exchange).await,
        Some("JWT") => jwt(exchange).await,
        Some(other) => Err(Reply::not_simulated(&format!("authorization by `{other}`"))),
    }
}

/// The value of an identity source such as `$request.header.Authorization`.
fn value_of(exchange: &Exchange<'_>, source: &str) -> Option<String> {
    let value = if let Some(name) = source.strip_prefix("$request.header.") {
        exchange.call.header(name).map(str::to_owned)
    } else if let Some(name) = source.strip_prefix("$request.querystring.") {
        exchange.call.parameter(name).map(str::to_owned)
    } else if let Some(name) = source.strip_prefix("$stageVariables.") {
        exchange.stage_variables().get(name).and_then(Value::as_str).map(str::to_owned)
    } else {
        match source {
            "$context.routeKey" => Some(exchange.route_key.clone()),
            "$context.stage" => Some(exchange.stage.id.clone()),
            "$context.apiId" => Some(exchange.api.id.clone()),
            "$context.path" => Some(exchange.whole_path()),
            "$context.httpMethod" => Some(exchange.call.method.as_str().to_owned()),
            _ => None,
        }
    };
    value.filter(|value| !value.is_empty())
}

fn sources(authorizer: &Value) -> Vec<String> {
    match authorizer.get("IdentitySource") {
        Some(Value::Array(sources)) => sources.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(sources)) => sources.split(',').map(|source| source.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// Tokens of an issuer, which must be a user pool that is here.
async fn jwt(exchange: &mut Exchange<'_>) -> Result<(), Reply> {
    let id = text(exchange.route, "AuthorizerId").unwrap_or_default();
    let authorizer = exchange.part("Authorizers", &id).ok_or_else(|| message(500, "Internal Server Error"))?;
    let given = sources(authorizer).iter().find_map(|source| value_of(exchange, source));
    let Some(given) = given else {
        return Err(message(401, "Unauthorized").with("www-authenticate", "Bearer"));
    };
    let given = given.strip_prefix("Bearer ").unwrap_or(&given).trim();
    let issuer = authorizer.pointer("/JwtConfiguration/Issuer").and_then(Value::as_str).unwrap_or("nobody");
    let refused = |why: &str| {
        let told = format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{why}\"");
        message(401, "Unauthorized").with("www-authenticate", &told)
    };
    let pools: Vec<String> = pool_of_issuer(issuer).into_iter().map(str::to_owned).collect();
    let claims = match exchange.gateway.token(&pools, given, exchange.call.at).await {
        Ok(claims) => claims,
        Err(NotTaken::Unknown) => {
            return Err(Reply::not_simulated(&format!(
                "tokens of the issuer `{issuer}`: it is no user pool that is here"
            )));
        }
        Err(NotTaken::Wrong(Wrong::Expired)) => return Err(refused("the token has expired")),
        Err(NotTaken::Wrong(Wrong::Forged)) => return Err(refused("signature or issuer of the token is not valid")),
        Err(NotTaken::Failed(why)) => {
            let mut reply = message(500, "Internal Server Error");
            reply.explain(&why);
            return Err(reply);
        }
    };
    let claim = |name: &str| claims.get(name).and_then(Value::as_str);
    let audience = authorizer.pointer("/JwtConfiguration/Audience").and_then(Value::as_array).into_iter().flatten();
    let audience: Vec<&str> = audience.filter_map(Value::as_str).collect();
    // An access token of a user pool has no audience, and names its client instead.
    if !claim("aud").or_else(|| claim("client_id")).is_some_and(|own| audience.contains(&own)) {
        return Err(refused("the token does not have a valid audience"));
    }
    let wanted = exchange.route.get("AuthorizationScopes").and_then(Value::as_array).into_iter().flatten();
    let wanted: Vec<&str> = wanted.filter_map(Value::as_str).collect();
    let own: Vec<&str> = claim("scope").unwrap_or_default().split(' ').collect();
    if !wanted.is_empty() && !wanted.iter().any(|scope| own.contains(scope)) {
        return Err(message(403, "Forbidden"));
    }
    let claims: Map<String, Value> = claims
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(scalar(value).unwrap_or_else(|| value.to_string()))))
        .collect();
    let scopes = if wanted.is_empty() { Value::Null } else { json!(wanted) };
    exchange.authorizer = Some(json!({ "jwt": { "claims": claims, "scopes": scopes } }));
    Ok(())
}

async fn function(exchange: &mut Exchange<'_>) -> Result<(), Reply> {
    let broken = |reason: &str| {
        let mut reply = message(500, "Internal Server Error");
        reply.explain(reason);
        reply
    };
    let id = text(exchange.route, "AuthorizerId").unwrap_or_default();
    let authorizer = exchange.part("Authorizers", &id).ok_or_else(|| broken("the route's authorizer is not there"))?;
    let version = text(authorizer, "AuthorizerPayloadFormatVersion").unwrap_or_else(|| "2.0".to_owned());
    let simple = text(authorizer, "EnableSimpleResponses").as_deref() == Some("true");
    let mut values = Vec::new();
    for source in sources(authorizer) {
        values.push(value_of(exchange, &source).ok_or_else(|| message(401, "Unauthorized"))?);
    }
    let arn = exchange.source_arn();
    let arn = arn.as_str();
    let mut event = exchange.event(&version);
    if let Some(event) = event.as_object_mut() {
        event.remove("body");
        event.remove("isBase64Encoded");
    }
    event["type"] = json!("REQUEST");
    event[if version == "1.0" { "methodArn" } else { "routeArn" }] = json!(arn);
    if version == "1.0" {
        event["identitySource"] = json!(values.join(","));
    } else {
        event["identitySource"] = json!(values);
    }
    let ttl = text(authorizer, "AuthorizerResultTtlInSeconds").and_then(|ttl| ttl.parse().ok()).unwrap_or(0);
    let key = (ttl > 0 && !values.is_empty())
        .then(|| format!("{}/{}/{id}/{}", exchange.api.id, exchange.stage.id, json!(values)));
    let known = key.as_ref().and_then(|key| exchange.gateway.authorizations.get(key, exchange.call.at));
    let word = match known {
        Some(word) => word,
        None => {
            let uri = text(authorizer, "AuthorizerUri").unwrap_or_default();
            let function = function_of(&uri).ok_or_else(|| broken("the authorizer's address is no function's"))?;
            let source_arn = format!(
                "arn:aws:execute-api:{}:{ACCOUNT_ID}:{}/authorizers/{id}",
                exchange.api.region, exchange.api.id
            );
            let call = FunctionCall {
                function: function.to_owned(),
                payload: event.to_string().into_bytes(),
                source_arn,
                role: text(authorizer, "AuthorizerCredentialsArn"),
                event: false,
            };
            let answer = exchange.gateway.invoke(call).await.map_err(|refusal| match refusal {
                FunctionRefusal::NotSimulated(what) => Reply::not_simulated(&what),
                FunctionRefusal::Refused(why) => broken(&why),
            })?;
            let json: Value = serde_json::from_slice(&answer.payload).unwrap_or(Value::Null);
            if answer.failed {
                if text(&json, "errorMessage").as_deref() == Some("Unauthorized") {
                    return Err(message(401, "Unauthorized"));
                }
                return Err(broken(&format!("the authorizer's function failed: {json}")));
            }
            let word = CachedAuthorization(json);
            if let Some(key) = key {
                exchange.gateway.authorizations.keep(key, word.clone(), exchange.call.at, ttl);
            }
            word
        }
    };
    let allowed = if simple && version != "1.0" {
        match word.0.get("isAuthorized") {
            Some(Value::Bool(allowed)) => *allowed,
            _ => return Err(broken("the authorizer's function gave no `isAuthorized`")),
        }
    } else {
        let policy = word.0.get("policyDocument").map(Policy::from_value);
        let (Some(Ok(policy)), true) = (policy, word.0.get("principalId").is_some()) else {
            return Err(broken("the authorizer's function gave no `principalId` and `policyDocument`"));
        };
        let asked = PolicyRequest { action: "execute-api:Invoke", resource: arn, ..PolicyRequest::default() };
        evaluate([&policy], &asked) == Decision::Allow
    };
    if !allowed {
        return Err(message(403, "Forbidden"));
    }
    let mut context = word.0.get("context").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(principal) = text(&word.0, "principalId").filter(|_| version == "1.0") {
        context.insert("principalId".to_owned(), json!(principal));
    }
    exchange.authorizer = Some(json!({ "lambda": context }));
    Ok(())
}
