//! `call`: an API of the spec, a route that answers it, and what is sent with it.

use crate::finding::code;
use crate::spec::rules::context::Rules;
use crate::spec::rules::routes::{METHODS, split_key};
use crate::spec::smoke::{SmokeCall, fits};
use crate::spec::text::{Piece, Reference};
use crate::spec::types::{Api, ApiKind, SmokeTest};
use crate::spec::words::{cut, escape, suggest};

/// Headers that say how a request is sent, which is not the author's to say.
const OF_THE_CONNECTION: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn call(rules: &mut Rules<'_>, pointer: &str, text: &str, status: Option<u16>) {
    let Some(call) = SmokeCall::parse(text) else {
        let message = format!("`{}` is not a call", cut(text));
        let help = "write `METHOD apis.NAME /path?query`, such as `GET apis.posters /posters?prompt=a dog`";
        return rules.error(code::S036, pointer, message, help);
    };
    if !METHODS.contains(&call.method.as_str()) || call.method == "ANY" {
        let help = suggest(&call.method, METHODS.into_iter().filter(|method| *method != "ANY"), "the methods are");
        return rules.error(code::S036, pointer, format!("`{}` is not a method to call with", cut(&call.method)), help);
    }
    if !rules.has("apis", &call.api) {
        let help = rules.suggest_name("apis", &call.api);
        return rules.error(code::S036, pointer, format!("there is no API `{}`", cut(&call.api)), help);
    }
    // One that did not decode has its own finding; what is expected to be refused needs no route.
    let spec = rules.spec;
    let Some(api) = spec.apis.get(&call.api) else { return };
    if api.kind == ApiKind::Websocket {
        let message =
            format!("`apis.{}` is a WebSocket API, and a call is one request with one answer", cut(&call.api));
        let help = format!("talk over it: `chat: apis.{}`", call.api);
        return rules.error(code::S036, pointer, message, help);
    }
    if matches!(status, Some(401 | 403 | 404)) {
        return;
    }
    route(rules, pointer, &call, api);
}

fn route(rules: &mut Rules<'_>, pointer: &str, call: &SmokeCall, api: &Api) {
    let keys: Vec<(&str, &str)> =
        api.routes.iter().flat_map(|route| route.0.keys()).filter_map(|key| split_key(key)).collect();
    // A route that is wrong has its own finding, and may be the one meant.
    let all = api.routes.iter().map(|route| route.0.len()).sum::<usize>();
    if all == 0 || keys.len() < all || keys.iter().any(|(method, _)| !METHODS.contains(method)) {
        return;
    }
    // What a page's browser asks beforehand has no route of its own.
    if call.method == "OPTIONS" && api.cors.is_some() && keys.iter().any(|(_, path)| fits(path, &call.path)) {
        return;
    }
    let on_path: Vec<&str> =
        keys.iter().filter(|(_, path)| fits(path, &call.path)).map(|(method, _)| *method).collect();
    if on_path.is_empty() {
        let message = format!("`apis.{}` has no route `{}`", call.api, cut(&call.path));
        let help = suggest(&call.path, keys.iter().map(|(_, path)| *path), "its paths are");
        rules.error(code::S036, pointer, message, help);
    } else if !on_path.iter().any(|method| *method == call.method || *method == "ANY") {
        let message = format!("`{}` of `apis.{}` takes no {}", cut(&call.path), call.api, call.method);
        let help = suggest(&call.method, on_path, "it takes");
        rules.error(code::S036, pointer, message, help);
    }
}

/// The headers and the API key of a call, and the headers that open a WebSocket.
pub(super) fn sent(rules: &mut Rules<'_>, base: &str, test: &SmokeTest) {
    let spec = rules.spec;
    for (name, value) in &test.headers {
        let pointer = format!("{base}/headers/{}", escape(name));
        if !is_header_name(name) || OF_THE_CONNECTION.contains(&name.to_ascii_lowercase().as_str()) {
            let message = format!("`{}` is not a header to send", cut(name));
            rules.error_at_key(
                code::S052,
                &pointer,
                message,
                "use letters, digits and `-`; how a request is sent is not said here",
            );
        }
        // What is not well formed has its own finding.
        let pieces = value.pieces().unwrap_or_default();
        for piece in pieces {
            match piece {
                Piece::Literal(text) if text.chars().any(char::is_control) => {
                    let message = format!("the header `{}` has a line break or another control character", cut(name));
                    rules.error(code::S052, &pointer, message, "write it in one line");
                }
                Piece::Reference(Reference::Component { section, attribute: None, .. }) if section == "secrets" => {}
                Piece::Reference(_) => {
                    let message =
                        format!("the header `{}` takes `${{secrets.NAME}}` and no other reference", cut(name));
                    rules.error(code::S052, &pointer, message, "write the value itself, or name a secret of the spec");
                }
                Piece::Literal(_) => {}
            }
        }
    }
    let (Some(key), Some(call)) = (&test.api_key, test.call.as_ref().and_then(|call| SmokeCall::parse(call))) else {
        return;
    };
    let Some(api) = spec.apis.get(&call.api) else { return };
    let keys: Vec<&str> = api.usage_plans.values().flat_map(|plan| &plan.keys).map(String::as_str).collect();
    if !keys.contains(&key.as_str()) {
        let message = format!("no usage plan of `apis.{}` has a key `{}`", call.api, cut(key));
        let help = match keys.is_empty() {
            true => "add one under `usage-plans: { NAME: { keys: [...] } }` of the API".to_owned(),
            false => suggest(key, keys, "its keys are"),
        };
        rules.error(code::S052, &format!("{base}/api-key"), message, help);
    }
}

/// Whether a text can be the name of a header. Source: RFC 9110, section 5.1, without what nobody uses.
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
