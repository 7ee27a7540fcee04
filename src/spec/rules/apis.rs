//! What each kind of API has and has not: keys that go with other kinds, and bounds of what an API says as a whole.

use crate::finding::code;
use serde_json::Value;

use super::context::Rules;
use super::limits;
use super::routes::METHODS;
use crate::spec::types::{AccountRole, Api, ApiKind, Cors, EndpointType, Grant, Throttle};
use crate::spec::words::{cut, escape, suggest};

/// Kinds of API, as they are written.
const REST: &[ApiKind] = &[ApiKind::Rest, ApiKind::Private];
const REST_ALONE: &[ApiKind] = &[ApiKind::Rest];
const PRIVATE: &[ApiKind] = &[ApiKind::Private];
const WEBSOCKET: &[ApiKind] = &[ApiKind::Websocket];
const NOT_WEBSOCKET: &[ApiKind] = &[ApiKind::Rest, ApiKind::Private, ApiKind::Http];
const NOT_PRIVATE: &[ApiKind] = &[ApiKind::Rest, ApiKind::Http, ApiKind::Websocket];

/// Keys that not every kind has, the kinds that have them, and what to do instead.
const KEYS: [(&str, &[ApiKind], &str); 8] = [
    ("endpoint", REST_ALONE, "leave it out: only a REST API that the internet reaches can choose"),
    ("vpc-endpoints", PRIVATE, "make the API `kind: private`, or leave it out"),
    ("api-key", REST, "make the API `kind: rest`, or ask for a token with `auth`"),
    ("usage-plans", REST, "make the API `kind: rest`, or limit it with `throttle`"),
    ("schemas", REST, "make the API `kind: rest`, or look at the body in the function"),
    ("cors", NOT_WEBSOCKET, "leave it out: browsers send no preflight request before they open a WebSocket"),
    ("domain", NOT_PRIVATE, "leave it out: a private API has the name that its VPC endpoint gives it"),
    ("route-selection", WEBSOCKET, "leave it out: method and path say which route a request is for"),
];

/// The longest a browser keeps what it is told, in seconds.
const LONGEST_AGE: u32 = 86_400;

/// A kind in words, with its article.
pub(super) fn of_kind(kind: ApiKind) -> &'static str {
    match kind {
        ApiKind::Rest => "a REST API",
        ApiKind::Http => "an HTTP API",
        ApiKind::Websocket => "a WebSocket API",
        ApiKind::Private => "a private API",
    }
}

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, api) in &spec.apis {
        let base = format!("/apis/{}", escape(name));
        kinds(rules, &base, api);
        if let Some(throttle) = &api.throttle {
            bounds(rules, &format!("{base}/throttle"), throttle);
        }
        if let Some(cors) = &api.cors {
            cors_of(rules, &format!("{base}/cors"), api, cors);
        }
        plans(rules, &base, api);
        private(rules, &base, name, api);
        logs(rules, &base, api);
        domain(rules, &base, api);
        for (schema, value) in &api.schemas {
            draft_4(rules, &format!("{base}/schemas/{}", escape(schema)), value);
        }
    }
    pushes(rules);
}

fn kinds(rules: &mut Rules<'_>, base: &str, api: &Api) {
    let Some(document) = rules.document.pointer(base).and_then(Value::as_object) else { return };
    for (key, kinds, help) in KEYS {
        // `api-key: false` asks for nothing.
        if document.get(key).is_some_and(|value| *value != Value::Bool(false)) && !kinds.contains(&api.kind) {
            let message = format!("{} has no `{key}`", of_kind(api.kind));
            rules.error_at_key(code::S100, &format!("{base}/{key}"), message, help);
        }
    }
}

/// Limits that let something through.
pub(super) fn bounds(rules: &mut Rules<'_>, base: &str, throttle: &Throttle) {
    if !(throttle.rate > 0.0 && throttle.rate <= 1e6) {
        let message = format!("a rate of {} requests a second lets nothing through", throttle.rate);
        let message =
            if throttle.rate > 1e6 { format!("{} requests a second are not a limit", throttle.rate) } else { message };
        rules.error(code::S110, &format!("{base}/rate"), message, "write a number such as `10`");
    }
    if throttle.burst == 0 || throttle.burst > 1_000_000 {
        let message = format!("a burst of {} is out of bounds", throttle.burst);
        rules.error(
            code::S110,
            &format!("{base}/burst"),
            message,
            "write a number such as `20`; 0 lets nothing through",
        );
    }
}

fn cors_of(rules: &mut Rules<'_>, base: &str, api: &Api, cors: &Cors) {
    for (index, origin) in cors.origins.iter().enumerate() {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let plain = |host: &str| {
            !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'))
        };
        if origin != "*" && !host.is_some_and(plain) {
            let message = format!("`{}` is not an origin", cut(origin));
            let help = "write scheme and host, such as `https://example.com` or `http://localhost:8501`, and no path; `*` is any";
            rules.error(code::S108, &format!("{base}/origins/{index}"), message, help);
        }
    }
    if cors.origins.len() > 1 && cors.origins.iter().any(|origin| origin == "*") {
        let message = "`*` is every origin, and there are others beside it".to_owned();
        rules.error(code::S108, &format!("{base}/origins"), message, "keep `*`, or the origins you mean");
    } else if cors.origins.len() != 1 && REST.contains(&api.kind) {
        let message = format!("a REST API answers for one origin, and these are {}", cors.origins.len());
        let help = "name one, such as that of the stage's own web page, or make the API `kind: http`";
        rules.error(code::S108, &format!("{base}/origins"), message, help);
    } else if cors.origins.is_empty() {
        let message = "`cors` names no origin".to_owned();
        rules.error(code::S108, &format!("{base}/origins"), message, "name one, or leave `cors` out");
    }
    for (index, method) in cors.methods.iter().enumerate() {
        if !METHODS.contains(&method.as_str()) || method == "ANY" {
            let help = suggest(method, METHODS.into_iter().filter(|method| *method != "ANY"), "the methods are");
            let message = format!("`{}` is not a method", cut(method));
            rules.error(code::S108, &format!("{base}/methods/{index}"), message, help);
        }
    }
    for (index, header) in cors.headers.iter().enumerate() {
        let fits = !header.is_empty() && header.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !fits && header != "*" {
            let message = format!("`{}` is not the name of a header", cut(header));
            rules.error(code::S108, &format!("{base}/headers/{index}"), message, "use letters, digits, `-` and `_`");
        }
    }
    if let Some(age) = cors.max_age.filter(|age| age.0 > LONGEST_AGE) {
        let message = format!("no browser keeps this for {age}");
        rules.error(code::S108, &format!("{base}/max-age"), message, "write `24h` or less");
    }
}

fn plans(rules: &mut Rules<'_>, base: &str, api: &Api) {
    for (name, plan) in &api.usage_plans {
        let base = format!("{base}/usage-plans/{}", escape(name));
        if let Some(throttle) = &plan.throttle {
            bounds(rules, &format!("{base}/throttle"), throttle);
        }
        if plan.quota.as_ref().is_some_and(|quota| quota.requests == 0) {
            let message = "a quota of no requests lets nothing through".to_owned();
            rules.error(code::S107, &format!("{base}/quota/requests"), message, "write a number such as `1000`");
        }
        for (index, key) in plan.keys.iter().enumerate() {
            let at = format!("{base}/keys/{index}");
            let fits = key.starts_with(|c: char| c.is_ascii_alphanumeric())
                && key.len() <= 64
                && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !fits {
                let message = format!("`{}` cannot be the name of an API key", cut(key));
                let help = "use letters, digits and hyphens; API Gateway chooses the key's value, which is in no spec";
                rules.error(code::S107, &at, message, help);
            } else if plan.keys.iter().position(|other| other == key) != Some(index) {
                rules.error(code::S107, &at, format!("the plan has the key `{}` twice", cut(key)), "name it once");
            }
        }
    }
}

fn private(rules: &mut Rules<'_>, base: &str, name: &str, api: &Api) {
    if api.kind != ApiKind::Private {
        return;
    }
    let network = rules.document.pointer("/network/endpoints/execute-api").is_some();
    if api.vpc_endpoints.is_empty() && !network {
        let message = format!("no VPC endpoint leads to the private API `{name}`");
        let help = "add `execute-api: {}` to the `endpoints` of the spec's `network`, or name an endpoint of yours under \
                    `vpc-endpoints`";
        rules.error_at_key(code::S111, base, message, help);
    }
    for (index, endpoint) in api.vpc_endpoints.iter().enumerate() {
        let source = endpoint.source();
        if !source.contains("${") && !source.starts_with("vpce-") {
            let message = format!("`{}` is not the id of a VPC endpoint", cut(source));
            rules.error(
                code::S111,
                &format!("{base}/vpc-endpoints/{index}"),
                message,
                "write one such as `vpce-0123456789abcdef0`",
            );
        }
    }
}

fn logs(rules: &mut Rules<'_>, base: &str, api: &Api) {
    let Some(logs) = &api.access_logs else { return };
    limits::retention(rules, &format!("{base}/access-logs/retention"), logs.retention);
    if api.kind == ApiKind::Http && logs.account_role == AccountRole::Set {
        let message = "the logs of an HTTP API need no role of the account".to_owned();
        rules.error_at_key(
            code::S117,
            &format!("{base}/access-logs/account-role"),
            message,
            "leave `account-role` out",
        );
    }
}

fn domain(rules: &mut Rules<'_>, base: &str, api: &Api) {
    let Some(domain) = &api.domain else { return };
    let name = domain.name.source();
    let host = |name: &str| {
        name.contains('.')
            && name.len() <= 253
            && name.split('.').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
    };
    if !name.contains("${") && !host(name) {
        let message = format!("`{}` is not a domain name", cut(name));
        rules.error(
            code::S112,
            &format!("{base}/domain/name"),
            message,
            "write one such as `api.example.com`, in lower case",
        );
    }
    let certificate = domain.certificate.source();
    if !certificate.contains("${") && !certificate.starts_with("arn:") {
        let message = format!("`{}` is not the ARN of a certificate", cut(certificate));
        let help = "write the ARN that Certificate Manager shows, or take it from a parameter";
        rules.error(code::S112, &format!("{base}/domain/certificate"), message, help);
    }
    let edge = api.endpoint == Some(EndpointType::Edge);
    let region = certificate.split(':').nth(3).filter(|_| edge && certificate.starts_with("arn:"));
    if let Some(region) = region.filter(|region| *region != "us-east-1" && !region.contains("${")) {
        let message = format!("an edge API's certificate is one of us-east-1, and this is one of {}", cut(region));
        rules.error(code::S112, &format!("{base}/domain/certificate"), message, "have one made in us-east-1");
    }
    if let Some(path) = &domain.path {
        let fits = !path.is_empty() && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"$-_.+!*'()".contains(&b));
        if !fits {
            let message = format!("`{}` cannot be the path of an API under its domain", cut(path));
            rules.error(
                code::S112,
                &format!("{base}/domain/path"),
                message,
                "write one segment, such as `v1`, without slashes",
            );
        }
    }
}

/// Keywords that came after draft 4 of JSON Schema, each with what draft 4 has.
const LATER_KEYWORDS: [(&str, &str); 9] = [
    ("const", "write `enum` with the one value"),
    ("contains", "draft 4 has nothing like it; look at the list in the function"),
    ("propertyNames", "use `patternProperties` with `additionalProperties: false`"),
    ("if", "use `oneOf`"),
    ("then", "use `oneOf`"),
    ("else", "use `oneOf`"),
    ("$defs", "call it `definitions`"),
    ("dependentRequired", "call it `dependencies`"),
    ("unevaluatedProperties", "use `additionalProperties`"),
];

/// A JSON Schema of draft 4, which is the one API Gateway knows; what is newer is taken for a mistake or not looked at.
fn draft_4(rules: &mut Rules<'_>, pointer: &str, schema: &Value) {
    let Some(map) = schema.as_object() else {
        let message = "a JSON Schema is a mapping".to_owned();
        return rules.error(
            code::S113,
            pointer,
            message,
            "write `{ type: object, required: [...], properties: {...} }`",
        );
    };
    if let Some(version) = map.get("$schema").and_then(Value::as_str)
        && !version.starts_with("http://json-schema.org/draft-04/schema")
    {
        let message = format!("API Gateway knows draft 4 of JSON Schema, and this is `{}`", cut(version));
        rules.error(code::S113, &format!("{pointer}/$schema"), message, "leave `$schema` out");
    }
    for (keyword, help) in LATER_KEYWORDS {
        if map.contains_key(keyword) {
            let message = format!("draft 4 of JSON Schema, which API Gateway knows, has no `{keyword}`");
            rules.error_at_key(code::S113, &format!("{pointer}/{}", escape(keyword)), message, help);
        }
    }
    for (keyword, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if map.get(keyword).is_some_and(Value::is_number) {
            let message = format!("`{keyword}` is `true` or `false` in draft 4 of JSON Schema");
            let help = format!("write the number as `{bound}`, with `{keyword}: true` beside it");
            rules.error(code::S113, &format!("{pointer}/{keyword}"), message, help);
        }
    }
    for (keyword, value) in map {
        let pointer = format!("{pointer}/{}", escape(keyword));
        match (keyword.as_str(), value) {
            ("properties" | "patternProperties" | "definitions", Value::Object(members)) => {
                for (name, member) in members {
                    draft_4(rules, &format!("{pointer}/{}", escape(name)), member);
                }
            }
            ("items" | "additionalProperties" | "additionalItems" | "not", Value::Object(_)) => {
                draft_4(rules, &pointer, value);
            }
            ("items" | "allOf" | "anyOf" | "oneOf", Value::Array(members)) => {
                for (index, member) in members.iter().enumerate() {
                    draft_4(rules, &format!("{pointer}/{index}"), member);
                }
            }
            _ => {}
        }
    }
}

/// `push` goes to connections, which WebSocket APIs alone have.
fn pushes(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for given in spec.grants() {
        let Grant::Push(target) = given.grant else { continue };
        let api = target.strip_prefix("apis.").and_then(|name| Some((name, spec.apis.get(name)?)));
        if let Some((name, api)) = api.filter(|(_, api)| api.kind != ApiKind::Websocket) {
            let message = format!("`apis.{name}` is {} and has no connections to push to", of_kind(api.kind));
            let help = format!("name a WebSocket API, or write `invoke: apis.{name}`");
            rules.error(code::S118, &format!("{}/push", given.pointer), message, help);
        }
    }
}
