//! Who may call an API: authorizers, and the names by which the API and its routes take them.

use super::apis::of_kind;
use super::context::Rules;
use super::routes::is_parameter_name;
use crate::finding::code;
use crate::spec::types::{Api, ApiKind, Authorizer, AuthorizerEvent};
use crate::spec::words::{cut, escape, suggest};

/// Words of `auth` that name no authorizer.
const WORDS: [&str; 2] = ["none", "iam"];

/// The longest a function's word is kept, in seconds.
const LONGEST_CACHE: u32 = 3600;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, api) in &spec.apis {
        let base = format!("/apis/{}", escape(name));
        for (name, authorizer) in &api.authorizers {
            let base = format!("{base}/authorizers/{}", escape(name));
            if WORDS.contains(&name.as_str()) {
                let message = format!("`{name}` has a meaning of its own under `auth`");
                rules.error_at_key(code::S119, &base, message, "give the authorizer another name");
            }
            check_authorizer(rules, &base, api, authorizer);
        }
        if let Some(auth) = &api.auth {
            known(rules, &format!("{base}/auth"), api, auth);
        }
        for (index, route) in api.routes.iter().enumerate() {
            for (key, body) in &route.0 {
                let Some(auth) = &body.auth else { continue };
                let pointer = format!("{base}/routes/{index}/{}/auth", escape(key));
                if api.kind == ApiKind::Websocket && key != "$connect" && auth != "none" {
                    let message =
                        "a WebSocket API asks who calls when a connection is opened, and never again".to_owned();
                    rules.error(code::S106, &pointer, message, "say `auth` at `$connect`, or for the whole API");
                } else {
                    known(rules, &pointer, api, auth);
                }
            }
        }
    }
}

fn known(rules: &mut Rules<'_>, pointer: &str, api: &Api, auth: &str) {
    if !WORDS.contains(&auth) && !api.authorizers.contains_key(auth) {
        let names = WORDS.into_iter().chain(api.authorizers.keys().map(String::as_str));
        let help = suggest(auth, names, "it is one of");
        rules.error(code::S106, pointer, format!("there is no authorizer `{}`", cut(auth)), help);
    }
}

fn check_authorizer(rules: &mut Rules<'_>, base: &str, api: &Api, authorizer: &Authorizer) {
    let ways = [
        ("user-pool", authorizer.user_pool.is_some()),
        ("function", authorizer.function.is_some()),
        ("jwt", authorizer.jwt.is_some()),
    ];
    let given: Vec<&str> = ways.iter().filter(|(_, given)| *given).map(|(way, _)| *way).collect();
    let [way] = given.as_slice() else {
        let message = match given.as_slice() {
            [] => "an authorizer has a `user-pool`, a `function` or a `jwt`, and this has none".to_owned(),
            several => format!("an authorizer tells who calls in one way, and this has {}", several.join(" and ")),
        };
        return rules.error(code::S105, base, message, "keep one of `user-pool`, `function` and `jwt`");
    };
    let kind = of_kind(api.kind);
    let rest = matches!(api.kind, ApiKind::Rest | ApiKind::Private);
    match (*way, api.kind) {
        ("jwt", ApiKind::Rest | ApiKind::Private | ApiKind::Websocket) => {
            let message = format!("{kind} looks at no tokens of other issuers by itself");
            let help = "let a `function` look at them, or make the API `kind: http`";
            rules.error_at_key(code::S105, &format!("{base}/jwt"), message, help);
        }
        ("user-pool", ApiKind::Websocket) => {
            let message = "a WebSocket API looks at no tokens of a user pool by itself".to_owned();
            rules.error_at_key(code::S105, &format!("{base}/user-pool"), message, "let a `function` look at them");
        }
        _ => {}
    }
    let of_function = authorizer.function.is_some();
    if of_function && !authorizer.scopes.is_empty() {
        let message = "scopes are of tokens that API Gateway reads itself, and a function reads this one".to_owned();
        rules.error_at_key(code::S105, &format!("{base}/scopes"), message, "let the function look for scopes");
    }
    if authorizer.event == AuthorizerEvent::Token {
        if !of_function || !rest {
            let message = "only a function that a REST API asks is given the token alone".to_owned();
            rules.error(code::S105, &format!("{base}/event"), message, "leave `event` out");
        } else if authorizer.query.is_some() {
            let message = "the token alone comes from a header, never from the query".to_owned();
            rules.error_at_key(
                code::S105,
                &format!("{base}/query"),
                message,
                "write `event: request`, or `header` instead",
            );
        }
    }
    if authorizer.query.is_some() && authorizer.header.is_some() {
        let message = "a token comes from a header or from the query, and this names both".to_owned();
        rules.error_at_key(code::S105, &format!("{base}/query"), message, "keep one of the two");
    }
    if authorizer.query.is_some() && !of_function {
        let message =
            "tokens that API Gateway reads itself come in a header: the query is written into logs".to_owned();
        rules.error_at_key(code::S105, &format!("{base}/query"), message, "leave `query` out, or name a `header`");
    }
    for (key, name) in [("header", &authorizer.header), ("query", &authorizer.query)] {
        if let Some(name) = name.as_ref().filter(|name| !is_parameter_name(name)) {
            let message = format!("`{}` cannot be the name of a {key} parameter", cut(name));
            rules.error(code::S105, &format!("{base}/{key}"), message, "use letters, digits, `_` and `-`");
        }
    }
    cache(rules, base, api.kind, authorizer);
    pool_clients(rules, base, api.kind, authorizer);
}

fn cache(rules: &mut Rules<'_>, base: &str, kind: ApiKind, authorizer: &Authorizer) {
    let Some(cache) = authorizer.cache else { return };
    let pointer = format!("{base}/cache");
    if authorizer.function.is_none() {
        let message = "only a function's word is kept; a token says itself how long it is good".to_owned();
        rules.error_at_key(code::S105, &pointer, message, "leave `cache` out");
    } else if kind == ApiKind::Websocket {
        let message = "a WebSocket API asks once for each connection and keeps no answer".to_owned();
        rules.error_at_key(code::S105, &pointer, message, "leave `cache` out");
    } else if cache.0 > LONGEST_CACHE {
        let message = format!("a function's word is kept for an hour at most, not {cache}");
        rules.error(code::S105, &pointer, message, "write `1h` or less");
    }
}

/// An HTTP API takes tokens that were made for a client of the pool.
fn pool_clients(rules: &mut Rules<'_>, base: &str, kind: ApiKind, authorizer: &Authorizer) {
    let Some(name) = authorizer.user_pool.as_ref().filter(|_| kind == ApiKind::Http) else { return };
    let empty = rules.spec.user_pools.get(name).is_some_and(|pool| pool.clients.is_empty());
    if empty {
        let message = format!("the user pool `{}` has no client whose tokens an HTTP API could take", cut(name));
        let help = format!("add one under `clients` of `user-pools.{}`", cut(name));
        rules.error(code::S105, &format!("{base}/user-pool"), message, help);
    }
}
