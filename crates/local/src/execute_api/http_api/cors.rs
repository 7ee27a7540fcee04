//! Pages of other origins, as an HTTP API's `CorsConfiguration` lets them in.

use serde_json::Value;

use crate::execute_api::call::ApiCall;
use crate::execute_api::reply::Reply;
use crate::ground::scalar::text;

fn list(rules: &Value, name: &str) -> Vec<String> {
    let items = rules.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The origin that may be told to a page, if it is let in.
fn allowed(rules: &Value, call: &ApiCall) -> Option<String> {
    let origin = call.header("origin")?;
    let credentials = text(rules, "AllowCredentials").as_deref() == Some("true");
    list(rules, "AllowOrigins").iter().find_map(|allowed| {
        let (scheme, any) = allowed.split_once("://").unwrap_or(("", allowed));
        if any == "*" && (scheme.is_empty() || origin.starts_with(&format!("{scheme}://"))) {
            return Some(if scheme.is_empty() && !credentials { "*".to_owned() } else { origin.to_owned() });
        }
        allowed.eq_ignore_ascii_case(origin).then(|| origin.to_owned())
    })
}

/// The answer to what a browser asks before a request.
pub(super) fn preflight(rules: &Value, call: &ApiCall) -> Option<Reply> {
    if call.method != http::Method::OPTIONS || call.header("access-control-request-method").is_none() {
        return None;
    }
    let mut reply = Reply::new(204);
    let Some(origin) = allowed(rules, call) else { return Some(reply) };
    reply.set("access-control-allow-origin", &origin);
    for (name, header) in
        [("AllowMethods", "access-control-allow-methods"), ("AllowHeaders", "access-control-allow-headers")]
    {
        let items = list(rules, name);
        if !items.is_empty() {
            reply.set(header, &items.join(","));
        }
    }
    if let Some(age) = text(rules, "MaxAge") {
        reply.set("access-control-max-age", &age);
    }
    if text(rules, "AllowCredentials").as_deref() == Some("true") {
        reply.set("access-control-allow-credentials", "true");
    }
    Some(reply)
}

/// An answer with the headers a page needs; the API's own take the place of the integration's.
pub(super) fn with_headers(rules: Option<&Value>, call: &ApiCall, mut reply: Reply) -> Reply {
    let Some(rules) = rules else { return reply };
    reply.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("access-control-"));
    let Some(origin) = allowed(rules, call) else { return reply };
    reply.set("access-control-allow-origin", &origin);
    let exposed = list(rules, "ExposeHeaders");
    if !exposed.is_empty() {
        reply.set("access-control-expose-headers", &exposed.join(","));
    }
    if text(rules, "AllowCredentials").as_deref() == Some("true") {
        reply.set("access-control-allow-credentials", "true");
    }
    reply
}
