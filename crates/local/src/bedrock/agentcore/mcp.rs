//! A gateway's own endpoint: the Model Context Protocol over HTTP. Source: the protocol's specification (JSON-RPC 2.0;
//! `initialize`, `ping`, `tools/list`, `tools/call`), and the AgentCore developer guide, "Use a gateway".

use std::sync::Arc;

use bedplate_host::local_address::GATEWAY_PREFIX;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use rusqlite::Connection;
use s3s::Body;
use serde_json::{Map, Value, json};

use super::gateway::McpGateway;
use crate::bedrock::Bedrock;
use crate::bedrock::answer::missing;
use crate::cognito::tokens::{self, TokenVerdict, Wrong, pool_of_issuer};
use crate::ground::ApiError;
use crate::ground::body::read_at_most;
use crate::ground::resource_table::{self, StoredResource};

/// What the discovery URL of an issuer ends with. Source: OpenID Connect Discovery 1.0.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The largest request, in bytes. Source: AgentCore quotas, payload of a gateway.
const LARGEST: usize = 6 << 20;

/// The versions of the protocol, newest first. Source: AgentCore API reference, `MCPGatewayConfiguration`.
const VERSIONS: &[&str] = &["2025-06-18", "2025-03-26"];

/// The codes of JSON-RPC: a text that is no JSON, a request that is none, a method or parameters that are not known, and what
/// failed inside. Source: JSON-RPC 2.0 specification.
const NO_JSON: i64 = -32_700;
const NO_REQUEST: i64 = -32_600;
const NO_METHOD: i64 = -32_601;
const NO_PARAMETERS: i64 = -32_602;

/// The gateway a request is for, if it is for the endpoint of one: `{id}.gateway.bedrock-agentcore.{region}.amazonaws.com`,
/// `….localhost`, or [`GATEWAY_PREFIX`]`{id}/mcp` at any host.
pub(crate) fn gateway_of(headers: &HeaderMap, path: &str) -> Option<String> {
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if let Some(rest) = path.strip_prefix(GATEWAY_PREFIX) {
        let id = rest.strip_suffix("/mcp")?;
        return is_id(id).then(|| id.to_owned());
    }
    let host = headers.get(header::HOST)?.to_str().ok()?.split(':').next()?.to_ascii_lowercase();
    let (id, rest) = host.split_once(".gateway.bedrock-agentcore.")?;
    let region = rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".localhost"));
    let known = rest == "localhost" || region.is_some_and(is_id);
    (path == "/mcp" && known && is_id(id)).then(|| id.to_owned())
}

/// Who may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GatewayAuth {
    /// Everybody.
    Open,
    /// Whoever signs and may `bedrock-agentcore:InvokeGateway` on the gateway, whose ARN this is.
    Signed(String),
}

fn thing(db: &Connection, gateway: &str) -> Result<StoredResource, ApiError> {
    let found = resource_table::find_anywhere(db, "AWS::BedrockAgentCore::Gateway", gateway)?;
    found.ok_or_else(|| missing(format!("Gateway with identifier {gateway} does not exist")))
}

impl GatewayAuth {
    /// A gateway's, for whoever comes with a token or none.
    ///
    /// # Errors
    ///
    /// When there is no such gateway, when it takes tokens and this is not one it takes, and when its tokens are not those of
    /// a user pool that is here.
    pub(in crate::bedrock) async fn of(
        bedrock: &Arc<Bedrock>,
        gateway: &str,
        authorization: Option<&str>,
    ) -> Result<Self, ApiError> {
        let id = gateway.to_owned();
        let thing = bedrock.host.store.read(move |tx| thing(tx, &id)).await?;
        match thing.properties.get("AuthorizerType").and_then(Value::as_str).unwrap_or_default() {
            "AWS_IAM" => {
                let arn = thing.attributes.get("GatewayArn").and_then(Value::as_str).unwrap_or_default();
                Ok(Self::Signed(arn.to_owned()))
            }
            "NONE" => Ok(Self::Open),
            "CUSTOM_JWT" => {
                let rule = thing.properties.pointer("/AuthorizerConfiguration/CustomJWTAuthorizer");
                let token =
                    authorization.and_then(|text| text.strip_prefix("Bearer ")).map(|token| token.trim().to_owned());
                admit(bedrock, rule.cloned().unwrap_or_default(), token).await.map(|()| Self::Open)
            }
            other => {
                Err(ApiError::not_implemented("bedrock-agentcore", &format!("gateways with the authorizer {other}")))
            }
        }
    }
}

/// Lets in who comes with a token that a gateway's rule takes.
async fn admit(bedrock: &Arc<Bedrock>, rule: Value, token: Option<String>) -> Result<(), ApiError> {
    let url = rule.get("DiscoveryUrl").and_then(Value::as_str).unwrap_or_default().to_owned();
    let pool = url.strip_suffix(DISCOVERY).and_then(pool_of_issuer).map(str::to_owned);
    let now = bedrock.host.clock.now();
    let not_simulated = move || {
        ApiError::not_implemented(
            "bedrock-agentcore",
            &format!("CUSTOM_JWT tokens of {url}: it is no user pool that is here"),
        )
    };
    if rule.get("CustomClaims").is_some_and(|claims| !claims.is_null()) {
        return Err(ApiError::not_implemented("bedrock-agentcore", "CUSTOM_JWT with custom claims"));
    }
    let Some(pool) = pool else { return Err(not_simulated()) };
    let read = bedrock.host.store.read(move |tx| -> Result<_, ApiError> {
        if resource_table::find_anywhere(tx, "AWS::Cognito::UserPool", &pool)?.is_none() {
            return Err(not_simulated());
        }
        match token {
            Some(token) => Ok(Some(tokens::verify(tx, &pool, &token, now)?)),
            None => Ok(None),
        }
    });
    let refused =
        |why: &str| ApiError::sender("UnauthorizedException", why.to_owned()).with_status(StatusCode::UNAUTHORIZED);
    let claims = match read.await? {
        None => return Err(refused("Missing Bearer token")),
        Some(TokenVerdict::Refused(Wrong::Expired)) => return Err(refused("Token has expired")),
        Some(TokenVerdict::Refused(Wrong::Forged)) => return Err(refused("Invalid Bearer token")),
        Some(TokenVerdict::Valid(claims)) => claims,
    };
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let allows = |list: &str, given: &[&str]| {
        let list = rule.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.is_empty() || list.iter().filter_map(Value::as_str).any(|one| given.contains(&one))
    };
    let scopes: Vec<&str> = claim("scope").split(' ').collect();
    let fits = allows("AllowedAudience", &[claim("aud")])
        && allows("AllowedClients", &[claim("client_id")])
        && allows("AllowedScopes", &scopes);
    if fits { Ok(()) } else { Err(refused("The token is of another audience, client or scope than the gateway takes")) }
}

/// Answers one request.
///
/// # Errors
///
/// When the gateway has what is not simulated, or the body can't be had; all else is an answer of the protocol's.
pub(in crate::bedrock) async fn answer(
    bedrock: &Arc<Bedrock>,
    request: Request<Body>,
    gateway: &str,
) -> Result<Response<Body>, ApiError> {
    if request.method() != Method::POST {
        // Nothing is sent unasked, and there are no sessions to end.
        return Ok(respond(StatusCode::METHOD_NOT_ALLOWED, None));
    }
    let body = read_at_most(request.into_body(), LARGEST).await?;
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return Ok(respond(StatusCode::BAD_REQUEST, Some(&failed(&Value::Null, NO_JSON, "Parse error"))));
    };
    let id = message.get("id").cloned().unwrap_or_default();
    let method = message.get("method").and_then(Value::as_str);
    let (Some(method), true) = (method, message.get("jsonrpc").is_some_and(|version| version == "2.0")) else {
        return Ok(respond(StatusCode::BAD_REQUEST, Some(&failed(&id, NO_REQUEST, "Invalid Request"))));
    };
    if id.is_null() {
        // A notification: nothing is said to it.
        return Ok(respond(StatusCode::ACCEPTED, None));
    }
    let empty = json!({});
    let parameters = message.get("params").unwrap_or(&empty);
    let (wanted, id_of) = (gateway.to_owned(), id.clone());
    let loaded = bedrock.host.store.read(move |tx| -> Result<(String, McpGateway), ApiError> {
        let thing = thing(tx, &wanted)?;
        let arn = thing.attributes.get("GatewayArn").and_then(Value::as_str).unwrap_or_default();
        let name = thing.properties.get("Name").and_then(Value::as_str).unwrap_or_default();
        Ok((name.to_owned(), McpGateway::find(tx, &thing.region, arn)?))
    });
    let (name, gateway) = loaded.await?;
    let told = match method {
        "initialize" => {
            let asked = parameters.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
            let version = VERSIONS.iter().find(|version| **version == asked).or(VERSIONS.first());
            done(
                &id_of,
                &json!({
                    "protocolVersion": version,
                    "capabilities": {"tools": {"listChanged": false}},
                    "serverInfo": {"name": name, "version": "1.0.0"},
                }),
            )
        }
        "ping" => done(&id_of, &json!({})),
        "tools/list" => done(&id_of, &json!({ "tools": gateway.listed() })),
        "tools/call" => call(bedrock, &gateway, &id_of, parameters).await?,
        other => failed(&id_of, NO_METHOD, &format!("Method not found: {other}")),
    };
    Ok(respond(StatusCode::OK, Some(&told)))
}

/// Calls a tool. What a tool or the gateway's role refuses is told to whoever uses the tool, as a result.
async fn call(bedrock: &Arc<Bedrock>, gateway: &McpGateway, id: &Value, parameters: &Value) -> Result<Value, ApiError> {
    let Some(name) = parameters.get("name").and_then(Value::as_str) else {
        return Ok(failed(id, NO_PARAMETERS, "Invalid params: `name` is required"));
    };
    let arguments = match parameters.get("arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(arguments)) => arguments.clone(),
        Some(_) => return Ok(failed(id, NO_PARAMETERS, "Invalid params: `arguments` must be an object")),
    };
    let now = bedrock.host.clock.now();
    let found = match gateway.call(bedrock, name, &arguments, now).await {
        Ok(None) => gateway.search(bedrock, name, &arguments, now).await,
        found => found,
    };
    let (text, is_error) = match found {
        Ok(Some(Value::String(text))) => (text, false),
        Ok(Some(value)) => (value.to_string(), false),
        Ok(None) => return Ok(failed(id, NO_PARAMETERS, &format!("Unknown tool: {name}"))),
        Err(error) if error.code == "NotImplemented" => return Err(error),
        Err(error) => (format!("{}: {}", error.code, error.message), true),
    };
    Ok(done(id, &json!({"content": [{"type": "text", "text": text}], "isError": is_error})))
}

fn done(id: &Value, result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

fn failed(id: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

fn respond(status: StatusCode, body: Option<&Value>) -> Response<Body> {
    let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    if body.is_some() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_named_by_its_host_or_by_a_path() {
        let of = |host: &'static str, path: &str| {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            gateway_of(&headers, path)
        };
        let bank = Some("bank-a1".to_owned());
        assert_eq!(of("bank-a1.gateway.bedrock-agentcore.us-west-2.amazonaws.com", "/mcp"), bank);
        assert_eq!(of("bank-a1.gateway.bedrock-agentcore.localhost:4599", "/mcp"), bank);
        assert_eq!(of("127.0.0.1:4599", "/_aws/bedrock-agentcore/bank-a1/mcp"), bank);
        for (host, path) in [
            ("bank-a1.gateway.bedrock-agentcore.us-west-2.amazonaws.com", "/other"),
            ("bank-a1.gateway.bedrock-agentcore.us-west-2.amazonaws.com.evil.example", "/mcp"),
            ("bank-a1.gateway.bedrock-agentcore.evil.example", "/mcp"),
            ("127.0.0.1:4599", "/_aws/bedrock-agentcore/bank-a1"),
            ("127.0.0.1:4599", "/_aws/bedrock-agentcore/a/b/mcp"),
            ("127.0.0.1:4599", "/mcp"),
        ] {
            assert_eq!(of(host, path), None, "{host} {path}");
        }
    }
}
