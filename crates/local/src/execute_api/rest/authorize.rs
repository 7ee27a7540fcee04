//! Who may call a method: nobody asked, IAM, a user pool, or a function that says so.

use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use super::refusal::{GatewayResponse, RestRefusal};
use crate::cognito::tokens::Wrong;
use crate::execute_api::authorizers::CachedAuthorization;
use crate::execute_api::tokens::NotTaken;
use crate::ground::ACCOUNT_ID;
use crate::ground::scalar::{scalar, text};
use crate::velocity::java_regex;
use bedplate_iam::{Decision, Policy, Request as PolicyRequest, evaluate};

/// How long a function's word is kept unless the authorizer says, in seconds.
const TTL: i64 = 300;

/// Refuses who may not call.
pub(super) async fn authorize(exchange: &mut Exchange<'_>) -> Result<(), RestRefusal> {
    match text(exchange.method, "AuthorizationType").as_deref() {
        None | Some("NONE") => Ok(()),
        Some("AWS_IAM") => iam(exchange).await,
        Some("CUSTOM") => function(exchange).await,
        Some("COGNITO_USER_POOLS") => user_pool(exchange).await,
        Some(other) => Err(RestRefusal::NotSimulated(format!("authorization by `{other}`"))),
    }
}

async fn iam(exchange: &mut Exchange<'_>) -> Result<(), RestRefusal> {
    let arn = exchange.method_arn();
    let signer = exchange.gateway.signer(exchange.call, "execute-api:Invoke", &arn, exchange.region).await.map_err(
        |refusal| match refusal {
            crate::execute_api::iam::SignerRefusal::Unsigned => RestRefusal::of(GatewayResponse::MissingToken),
            crate::execute_api::iam::SignerRefusal::Signature => RestRefusal::of(GatewayResponse::InvalidSignature),
            crate::execute_api::iam::SignerRefusal::Denied(message) => {
                RestRefusal::saying(GatewayResponse::AccessDenied, message)
            }
        },
    )?;
    for (name, value) in signer.identity() {
        exchange.identity.insert(name.to_owned(), json!(value));
    }
    Ok(())
}

fn authorizer<'a>(exchange: &Exchange<'a>) -> Result<(String, &'a Value), RestRefusal> {
    let id = text(exchange.method, "AuthorizerId").unwrap_or_default();
    let found = exchange.api.authorizers.get(&id);
    found.map(|authorizer| (id, authorizer)).ok_or_else(|| RestRefusal::of(GatewayResponse::AuthorizerConfiguration))
}

/// Tokens of a user pool: an id token, or an access token where the method asks for scopes.
async fn user_pool(exchange: &mut Exchange<'_>) -> Result<(), RestRefusal> {
    let (_, authorizer) = authorizer(exchange)?;
    let unauthorized = || RestRefusal::of(GatewayResponse::Unauthorized);
    let source = text(authorizer, "IdentitySource").unwrap_or_else(|| "method.request.header.Authorization".to_owned());
    let given = exchange.request_parameter(&source).filter(|token| !token.is_empty()).ok_or_else(unauthorized)?;
    let token = given.strip_prefix("Bearer ").unwrap_or(&given).trim();
    let arns = authorizer.get("ProviderARNs").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let pools: Vec<String> = arns.filter_map(|arn| arn.split_once(":userpool/")).map(|(_, id)| id.to_owned()).collect();
    let claims = match exchange.gateway.token(&pools, token, exchange.call.at).await {
        Ok(claims) => claims,
        Err(NotTaken::Unknown) => {
            return Err(RestRefusal::NotSimulated(format!(
                "tokens of a Cognito user pool that is not here ({})",
                pools.join(", ")
            )));
        }
        Err(NotTaken::Wrong(Wrong::Expired)) => return Err(RestRefusal::of(GatewayResponse::ExpiredToken)),
        Err(NotTaken::Wrong(Wrong::Forged)) => return Err(unauthorized()),
        Err(NotTaken::Failed(why)) => return Err(RestRefusal::broken(500, why)),
    };
    let claim = |name: &str| claims.get(name).and_then(Value::as_str);
    if let Some(pattern) = text(authorizer, "IdentityValidationExpression").filter(|it| !it.is_empty())
        && !java_regex::matches_whole(&pattern, claim("aud").unwrap_or_default()).unwrap_or(false)
    {
        return Err(unauthorized());
    }
    let scopes = exchange.method.get("AuthorizationScopes").and_then(Value::as_array).into_iter().flatten();
    let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
    let good = if scopes.is_empty() {
        claim("token_use") == Some("id")
    } else {
        let own: Vec<&str> = claim("scope").unwrap_or_default().split(' ').collect();
        claim("token_use") == Some("access") && scopes.iter().any(|scope| own.contains(scope))
    };
    if !good {
        return Err(unauthorized());
    }
    exchange.authorizer = Map::from_iter([("claims".to_owned(), as_texts(&claims))]);
    Ok(())
}

/// Claims as REST APIs pass them on: all are texts, and two moments are written out.
fn as_texts(claims: &Map<String, Value>) -> Value {
    let moment = |value: &Value| {
        let at = jiff::Timestamp::from_second(value.as_i64()?).ok()?;
        jiff::fmt::strtime::format("%a %b %d %H:%M:%S UTC %Y", at).ok()
    };
    let told = |(name, value): (&String, &Value)| {
        let moment = if matches!(name.as_str(), "exp" | "iat") { moment(value) } else { None };
        let text = moment.or_else(|| scalar(value)).unwrap_or_else(|| value.to_string());
        (name.clone(), Value::String(text))
    };
    Value::Object(claims.iter().map(told).collect())
}

async fn function(exchange: &mut Exchange<'_>) -> Result<(), RestRefusal> {
    let (id, authorizer) = authorizer(exchange)?;
    let kind = text(authorizer, "Type").unwrap_or_default();
    let sources = text(authorizer, "IdentitySource").unwrap_or_default();
    let sources: Vec<&str> = sources.split(',').map(str::trim).filter(|source| !source.is_empty()).collect();
    let mut values = Vec::new();
    for source in &sources {
        match exchange.request_parameter(source).filter(|value| !value.is_empty()) {
            Some(value) => values.push(value),
            // The function is not even asked.
            None => return Err(RestRefusal::of(GatewayResponse::Unauthorized)),
        }
    }
    let arn = exchange.method_arn();
    let mut event = match &*kind {
        "TOKEN" => {
            let token = values.first().cloned().unwrap_or_default();
            if let Some(pattern) = text(authorizer, "IdentityValidationExpression").filter(|it| !it.is_empty())
                && !java_regex::matches_whole(&pattern, &token).unwrap_or(false)
            {
                return Err(RestRefusal::of(GatewayResponse::Unauthorized));
            }
            json!({ "authorizationToken": token })
        }
        "REQUEST" => {
            let mut event = exchange.event();
            if let Some(event) = event.as_object_mut() {
                event.remove("body");
                event.remove("isBase64Encoded");
            }
            event
        }
        other => return Err(RestRefusal::NotSimulated(format!("authorizers of type `{other}`"))),
    };
    event["type"] = json!(kind);
    event["methodArn"] = json!(arn);
    let ttl = text(authorizer, "AuthorizerResultTtlInSeconds").and_then(|ttl| ttl.parse().ok()).unwrap_or(TTL);
    // Without an identity source nothing tells one caller from another, and nothing is kept.
    let key = (ttl > 0 && !values.is_empty())
        .then(|| format!("{}/{}/{id}/{}", exchange.id, exchange.stage_name(), json!(values)));
    let now = exchange.call.at;
    let known = key.as_ref().and_then(|key| exchange.gateway.authorizations.get(key, now));
    let word = match known {
        Some(word) => word,
        None => {
            let word = ask(exchange, authorizer, &id, &event).await?;
            if let Some(key) = key {
                exchange.gateway.authorizations.keep(key, word.clone(), now, ttl);
            }
            word
        }
    };
    decide(exchange, &word, &arn)
}

/// What the function says, once it is an answer at all.
async fn ask(
    exchange: &Exchange<'_>,
    authorizer: &Value,
    id: &str,
    event: &Value,
) -> Result<CachedAuthorization, RestRefusal> {
    let uri = text(authorizer, "AuthorizerUri").unwrap_or_default();
    let source = format!("arn:aws:execute-api:{}:{}:{}/authorizers/{id}", exchange.region, ACCOUNT_ID, exchange.id);
    let role = text(authorizer, "AuthorizerCredentials");
    let answer = exchange.invoke(&uri, event.to_string().into_bytes(), source, role, false).await?;
    let json: Value = serde_json::from_slice(&answer.payload).unwrap_or(Value::Null);
    if answer.failed {
        // The one error by which a function says "who are you?".
        if text(&json, "errorMessage").as_deref() == Some("Unauthorized") {
            return Err(RestRefusal::of(GatewayResponse::Unauthorized));
        }
        let reason = format!("the authorizer's function failed: {json}");
        return Err(RestRefusal::of(GatewayResponse::AuthorizerFailure).because(reason));
    }
    Ok(CachedAuthorization(json))
}

/// Decides by the policy the function gave.
fn decide(exchange: &mut Exchange<'_>, word: &CachedAuthorization, arn: &str) -> Result<(), RestRefusal> {
    let broken = |reason: &str| RestRefusal::of(GatewayResponse::AuthorizerConfiguration).because(reason);
    let Some(principal) = text(&word.0, "principalId") else {
        return Err(broken("the authorizer's function gave no `principalId`"));
    };
    let policy = word.0.get("policyDocument").map(Policy::from_value);
    let Some(Ok(policy)) = policy else {
        return Err(broken("the authorizer's function gave no `policyDocument` that is one"));
    };
    let asked = PolicyRequest { action: "execute-api:Invoke", resource: arn, ..PolicyRequest::default() };
    match evaluate([&policy], &asked) {
        Decision::Allow => {}
        Decision::ExplicitDeny => {
            let message = "User is not authorized to access this resource with an explicit deny";
            return Err(RestRefusal::saying(GatewayResponse::AccessDenied, message));
        }
        Decision::ImplicitDeny => return Err(RestRefusal::of(GatewayResponse::AccessDenied)),
    }
    let mut context = Map::new();
    for (name, value) in word.0.get("context").and_then(Value::as_object).into_iter().flatten() {
        // Only texts, numbers and truth values are let through, all as texts.
        let Some(value) = scalar(value) else { return Err(broken("the authorizer's `context` holds more than texts")) };
        context.insert(name.clone(), Value::String(value));
    }
    context.insert("principalId".to_owned(), json!(principal));
    if let Some(key) = text(&word.0, "usageIdentifierKey") {
        context.insert("usageIdentifierKey".to_owned(), json!(key));
    }
    exchange.authorizer = context;
    Ok(())
}
