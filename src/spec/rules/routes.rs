//! Routes: `METHOD /path`, none twice, none in another's way.

use crate::finding::code;
use std::collections::BTreeMap;

use super::context::Rules;
use crate::spec::smoke::normal;
use crate::spec::types::{ApiKind, RouteBody};
use crate::spec::words::{cut, escape, suggest};

/// The methods a route can have; `ANY` is every one that has no route of its own.
pub(super) const METHODS: [&str; 8] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "ANY"];

/// The method and path of a route's key.
pub(super) fn split_key(key: &str) -> Option<(&str, &str)> {
    let (method, path) = key.split_once(' ')?;
    let path = path.trim();
    path.starts_with('/').then_some((method, path))
}

/// The names in braces in a route's path, `{proxy+}` as `proxy`.
pub(super) fn path_parameters(key: &str) -> Vec<&str> {
    let path = split_key(key).map(|(_, path)| path).unwrap_or_default();
    path.split('/').filter_map(variable).map(|name| name.trim_end_matches('+')).collect()
}

fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Whether a request with this method carries a body.
pub(super) fn takes_body(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// What API Gateway takes as the name of a query-string parameter, header or path variable, but for the dot that a
/// reference could not hold.
pub(super) fn is_parameter_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$'))
}

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, api) in &spec.apis {
        let base = format!("/apis/{}/routes", escape(name));
        if api.routes.is_empty() {
            let message = format!("`apis.{name}` has no routes");
            rules.error(code::S034, &base, message, "add one, such as `- GET /items:`");
        }
        let mut seen = Seen::default();
        for (index, route) in api.routes.iter().enumerate() {
            if route.0.len() != 1 {
                let message = "a route is exactly one key, `METHOD /path`".to_owned();
                rules.error(code::S034, &format!("{base}/{index}"), message, "start each route with its own `-`");
            }
            for (key, body) in &route.0 {
                let pointer = format!("{base}/{index}/{}", escape(key));
                match api.kind {
                    ApiKind::Websocket => websocket(rules, &pointer, key, &mut seen),
                    ApiKind::Http if key == "$default" => twice(rules, &pointer, key, key, &mut seen),
                    _ => check_route_key(rules, &pointer, key, &mut seen),
                }
                of_body(rules, &pointer, body);
            }
        }
    }
}

/// More than any request carries.
const MOST_REQUIRED: usize = 100;

/// What the routes before this one have taken.
#[derive(Default)]
struct Seen {
    /// `METHOD /path` after normalisation → the key it was written as.
    keys: BTreeMap<String, String>,
    /// A path up to a variable → the variable's segment.
    variables: BTreeMap<String, String>,
}

fn check_route_key(rules: &mut Rules<'_>, pointer: &str, key: &str, seen: &mut Seen) {
    let shown = cut(key);
    let Some((method, path)) = split_key(key) else {
        let message = format!("`{shown}` is not a route");
        return rules.error_at_key(code::S034, pointer, message, "write `METHOD /path`, such as `GET /items/{id}`");
    };
    if !METHODS.contains(&method) {
        let help = suggest(method, METHODS, "the methods are");
        return rules.error_at_key(code::S034, pointer, format!("`{}` is not a method", cut(method)), help);
    }
    if path.contains(['?', '#']) {
        let message = format!("`{shown}`: a route's path has no query");
        return rules.error_at_key(
            code::S034,
            pointer,
            message,
            "name the parameters under `require: { query: [...] }`",
        );
    }
    let path = normal(path);
    let mut so_far = String::new();
    let mut names: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).filter(|_| path != "/").collect();
    for (index, segment) in segments.iter().enumerate() {
        if let Some(problem) = segment_problem(segment, index + 1 == segments.len()) {
            let message = format!("`{shown}`: {problem}");
            let help =
                "a path's parts are letters, digits and `.`, `_`, `-`, `:`, or one `{name}`; `{name+}` comes last";
            return rules.error_at_key(code::S034, pointer, message, help);
        }
        if let Some(name) = variable(segment) {
            let name = name.trim_end_matches('+');
            if names.contains(&name) {
                let message = format!("`{shown}` has `{{{}}}` twice", cut(name));
                return rules.error_at_key(code::S034, pointer, message, "give each its own name");
            }
            names.push(name);
            let other = seen.variables.entry(so_far.clone()).or_insert_with(|| (*segment).to_owned());
            if other != segment {
                let message = format!("`{shown}`: `{segment}` is where another route has `{other}`");
                let help = "API Gateway takes one variable at a place; use the same name in both";
                return rules.error_at_key(code::S035, pointer, message, help);
            }
        }
        so_far.push('/');
        so_far.push_str(segment);
    }
    twice(rules, pointer, &format!("{method} {path}"), key, seen);
}

/// A route that stands there before, after normalisation.
fn twice(rules: &mut Rules<'_>, pointer: &str, normal: &str, key: &str, seen: &mut Seen) {
    let shown = cut(key);
    match seen.keys.insert(normal.to_owned(), key.to_owned()) {
        Some(first) if first == key => {
            let message = format!("the route `{shown}` occurs a second time");
            rules.error_at_key(code::S035, pointer, message, "keep one of the two");
        }
        Some(first) => {
            let message = format!("`{shown}` is the same route as `{}`", cut(&first));
            rules.error_at_key(code::S035, pointer, message, "keep one of the two");
        }
        None => {}
    }
}

/// The route keys of a WebSocket API that have a meaning of their own.
pub(super) const WEBSOCKET_KEYS: [&str; 3] = ["$connect", "$default", "$disconnect"];

/// The key of a WebSocket API's route: one of three, or a word that a message says.
fn websocket(rules: &mut Rules<'_>, pointer: &str, key: &str, seen: &mut Seen) {
    let shown = cut(key);
    if split_key(key).is_some() {
        let message = format!("`{shown}`: a WebSocket API has no methods and paths");
        let help =
            "write `$connect`, `$disconnect`, `$default`, or the word by which a message says that it is for this";
        return rules.error_at_key(code::S103, pointer, message, help);
    }
    if key.starts_with('$') && !WEBSOCKET_KEYS.contains(&key) {
        let help = suggest(key, WEBSOCKET_KEYS, "keys with `$` are");
        return rules.error_at_key(code::S103, pointer, format!("`{shown}` is not a route of a WebSocket API"), help);
    }
    let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$'));
    if key.is_empty() || key.len() > 128 || !plain {
        let message = format!("`{shown}` cannot be the key of a route");
        return rules.error_at_key(code::S103, pointer, message, "use letters, digits, `_`, `-` and `.`");
    }
    twice(rules, pointer, key, key, seen);
}

fn segment_problem(segment: &str, last: bool) -> Option<String> {
    if segment.is_empty() {
        return Some("a part of the path is empty".to_owned());
    }
    if let Some(name) = variable(segment) {
        let plain = name.strip_suffix('+').unwrap_or(name);
        return match is_parameter_name(plain) {
            true if plain != name && !last => Some(format!("`{segment}` must come last")),
            true => None,
            false => Some(format!("`{}` is not a variable", cut(segment))),
        };
    }
    let fits = segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':'));
    (!fits).then(|| format!("`{}` cannot be a part of a path", cut(segment)))
}

fn of_body(rules: &mut Rules<'_>, pointer: &str, body: &RouteBody) {
    for (list, names) in [("query", &body.require.query), ("headers", &body.require.headers)] {
        if names.len() > MOST_REQUIRED {
            let message = format!("a request would need {} of `{list}`", names.len());
            let help = format!("require at most {MOST_REQUIRED}; take the rest from the body");
            rules.error(code::S034, &format!("{pointer}/require/{list}"), message, help);
            continue;
        }
        for (index, name) in names.iter().enumerate() {
            let at = format!("{pointer}/require/{list}/{index}");
            if !is_parameter_name(name) {
                let message = format!("`{}` cannot be the name of a request's parameter", cut(name));
                rules.error(code::S034, &at, message, "use letters, digits, `_`, `-` and `$`");
            } else if names.iter().position(|other| other == name) != Some(index) {
                rules.error(code::S034, &at, format!("`{}` is required twice", cut(name)), "name it once");
            }
        }
    }
}
