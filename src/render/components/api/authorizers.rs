//! Who may call: authorizers, and what a route says of them.

use serde_json::{Map, Value};

use super::base::{ApiContext, function_uri};
use crate::finding::{Finding, code};
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::{user_pool_client_id, user_pool_id};
use crate::render::names::pascal;
use crate::render::references::function_target;
use crate::render::words::did_you_mean;
use crate::spec::{ApiKind, Authorizer, AuthorizerEvent, escape};

/// Seconds for which API Gateway keeps an authoriser function's word unless said; its own default.
const CACHE: u32 = 300;

/// What a route says of its callers.
pub(super) struct Auth {
    /// `NONE`, `AWS_IAM`, `CUSTOM`, `COGNITO_USER_POOLS` or `JWT`.
    pub(super) type_: &'static str,
    /// Logical id of the authorizer.
    pub(super) authorizer_id: Option<String>,
    /// Scopes of which a token must have one.
    pub(super) scopes: Vec<String>,
    /// Where all of this is said: at the route or at the API.
    said: String,
    /// Where the scopes are.
    scopes_said: String,
}

impl Auth {
    /// With what a partial of a route is told of it.
    pub(super) fn tell(&self, data: PartialData) -> PartialData {
        data.said("auth", &self.said, self.type_).said("authorizer_id", &self.said, &self.authorizer_id).said(
            "scopes",
            &self.scopes_said,
            &self.scopes,
        )
    }
}

/// Whether any caller of any route must prove who it is.
pub(super) fn any(base: &ApiContext<'_>) -> bool {
    let routes = base.api.routes.iter().flat_map(|route| route.0.values());
    routes.map(|body| body.auth.as_deref()).chain([base.api.auth.as_deref()]).flatten().any(|auth| auth != "none")
}

/// What holds for a route whose own `auth` is this.
///
/// # Errors
/// `R110` for a name that is no authorizer's.
pub(super) fn of_route(base: &ApiContext<'_>, own: Option<&str>, pointer: &str) -> Result<Auth, Finding> {
    let said = if own.is_some() { format!("{pointer}/auth") } else { format!("{}/auth", base.pointer) };
    let plain =
        |type_| Auth { type_, authorizer_id: None, scopes: Vec::new(), said: said.clone(), scopes_said: said.clone() };
    let name = match own.or(base.api.auth.as_deref()) {
        None | Some("none") => return Ok(plain("NONE")),
        Some("iam") => return Ok(plain("AWS_IAM")),
        Some(name) => name,
    };
    let Some(authorizer) = base.api.authorizers.get(name) else {
        let known = &base.api.authorizers;
        return Err(Finding::error(code::R110, format!("there is no `{name}` under `authorizers`"))
            .at(base.references.loaded.place(&said))
            .help(did_you_mean(name, known.keys())));
    };
    let rest = matches!(base.api.kind, ApiKind::Rest | ApiKind::Private);
    let type_ = match (&authorizer.function, rest) {
        (Some(_), _) => "CUSTOM",
        (None, true) => "COGNITO_USER_POOLS",
        (None, false) => "JWT",
    };
    let scopes_said = format!("{}/authorizers/{}/scopes", base.pointer, escape(name));
    Ok(Auth { type_, authorizer_id: Some(id(base, name)), scopes: authorizer.scopes.clone(), said, scopes_said })
}

fn id(base: &ApiContext<'_>, name: &str) -> String {
    format!("{}{}Authorizer", base.id, pascal(name))
}

/// Adds the authorizers of an API and gives back those of a REST API's own content.
pub(super) fn add(assembly: &mut Assembly<'_>, base: &ApiContext<'_>) -> Map<String, Value> {
    let mut content = Map::new();
    for (name, authorizer) in &base.api.authorizers {
        let pointer = format!("{}/authorizers/{}", base.pointer, escape(name));
        let Some(data) = data(assembly, base, name, authorizer, &pointer) else { continue };
        let partial = match base.api.kind {
            ApiKind::Rest | ApiKind::Private => "rest-authorizer",
            ApiKind::Http | ApiKind::Websocket => "v2-authorizer",
        };
        let mut resources = assembly.add_known(partial, data);
        // Who may call the function is no part of the API's own content.
        resources.retain(|_, resource| resource.get("Type").and_then(Value::as_str) != Some("AWS::Lambda::Permission"));
        content.extend(resources);
    }
    content
}

fn data(
    assembly: &mut Assembly<'_>,
    base: &ApiContext<'_>,
    name: &str,
    authorizer: &Authorizer,
    pointer: &str,
) -> Option<PartialData> {
    let id = id(base, name);
    let function = match &authorizer.function {
        Some(function) if !base.knows_function(assembly, function, &format!("{pointer}/function")) => return None,
        Some(function) => Some(function_target(base.references, function)),
        None => None,
    };
    let source = Expression::arn(
        "execute-api",
        Expression::reference(&base.id).text("/authorizers/").then(Expression::reference(&id)),
    );
    let user_pool = authorizer.user_pool.as_deref();
    let identity_key = if authorizer.query.is_some() { "query" } else { "header" };
    let type_key = if authorizer.function.is_some() { "event" } else { "" };
    let (issuer, audiences) = issuer(assembly, base, authorizer, pointer)?;
    let (issuer_key, audiences_key) = match user_pool {
        Some(_) => ("user-pool", "user-pool"),
        None => ("jwt/issuer", "jwt/audiences"),
    };
    Some(
        PartialData::new(pointer)
            .made("permission_id", format!("{id}Permission"))
            .made("api_id", &base.id)
            .made("name", name)
            .said("identity_source", identity_key, identity(base.api.kind, authorizer))
            .said("function_arn", "function", function.as_ref().map(Expression::value))
            .said("function_uri", "function", function.map(|target| function_uri(target).value()))
            .made("source_arn", source.value())
            .said("cache_seconds", "cache", authorizer.cache.map_or(CACHE, |cache| cache.0))
            .said("type", type_key, kind(base.api.kind, authorizer))
            .made("http", base.api.kind == ApiKind::Http)
            .said(
                "user_pool_arn",
                "user-pool",
                user_pool.map(|pool| Expression::attribute(user_pool_id(pool), "Arn").value()),
            )
            .said("issuer", issuer_key, issuer)
            .said("audiences", audiences_key, audiences)
            .made("id", id),
    )
}

fn kind(api: ApiKind, authorizer: &Authorizer) -> &'static str {
    match (api, &authorizer.function) {
        (ApiKind::Rest | ApiKind::Private, None) => "COGNITO_USER_POOLS",
        (ApiKind::Rest | ApiKind::Private, Some(_)) if authorizer.event == AuthorizerEvent::Token => "TOKEN",
        (_, Some(_)) => "REQUEST",
        (_, None) => "JWT",
    }
}

/// Where the token is, in the words of each kind of API.
fn identity(api: ApiKind, authorizer: &Authorizer) -> String {
    let header = authorizer.header.as_deref().unwrap_or("Authorization");
    match (api, &authorizer.query) {
        (ApiKind::Rest | ApiKind::Private, None) => format!("method.request.header.{header}"),
        (ApiKind::Rest | ApiKind::Private, Some(query)) => format!("method.request.querystring.{query}"),
        (ApiKind::Http, None) => format!("$request.header.{header}"),
        (ApiKind::Http, Some(query)) => format!("$request.querystring.{query}"),
        (ApiKind::Websocket, None) => format!("route.request.header.{header}"),
        (ApiKind::Websocket, Some(query)) => format!("route.request.querystring.{query}"),
    }
}

/// The issuer and the audiences of tokens an HTTP API looks at itself.
fn issuer(
    assembly: &mut Assembly<'_>,
    base: &ApiContext<'_>,
    authorizer: &Authorizer,
    pointer: &str,
) -> Option<(Value, Vec<Value>)> {
    if let Some(pool) = &authorizer.user_pool {
        let clients = base.references.spec().user_pools.get(pool).map(|it| &it.clients);
        let clients = clients.into_iter().flat_map(|clients| clients.keys());
        let audiences = clients.map(|client| Expression::reference(user_pool_client_id(pool, client)).value());
        return Some((Expression::attribute(user_pool_id(pool), "ProviderURL").value(), audiences.collect()));
    }
    let Some(jwt) = &authorizer.jwt else { return Some((Value::Null, Vec::new())) };
    let issuer = assembly.keep(base.references.text(&jwt.issuer, &format!("{pointer}/jwt/issuer")))?;
    let audiences: Option<Vec<Value>> = jwt
        .audiences
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let pointer = format!("{pointer}/jwt/audiences/{index}");
            assembly.keep(base.references.text(text, &pointer)).map(|it| it.value())
        })
        .collect();
    Some((issuer.value(), audiences?))
}
