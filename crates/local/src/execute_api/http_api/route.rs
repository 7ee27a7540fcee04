//! Which route a request is for.

use serde_json::Value;

use crate::execute_api::call::decoded;
use crate::ground::scalar::text;

/// A route that fits.
#[derive(Debug)]
pub(super) struct MatchedRoute<'a> {
    pub key: String,
    pub route: &'a Value,
    pub parameters: Parameters,
}

/// How well a route fits, best first: each segment's kind, then whether the method is named.
type Rank = (Vec<u8>, bool);

/// The route that fits best: named segments before variables, variables before greedy ones, a named method before `ANY`,
/// and `$default` last.
pub(super) fn find<'a>(parts: &'a Value, method: &str, path: &str) -> Option<MatchedRoute<'a>> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut best: Option<(Rank, MatchedRoute<'a>)> = None;
    let mut general = None;
    for route in parts.get("Routes")?.as_array()? {
        let route = route.get("Properties")?;
        let key = text(route, "RouteKey").unwrap_or_default();
        if key == "$default" {
            general = Some(MatchedRoute { key, route, parameters: Vec::new() });
            continue;
        }
        let Some((verb, pattern)) = key.split_once(' ') else { continue };
        if verb != "ANY" && verb != method {
            continue;
        }
        let Some((kinds, parameters)) = fit(pattern, &segments) else { continue };
        let rank = (kinds, verb == "ANY");
        if best.as_ref().is_none_or(|(known, _)| rank < *known) {
            best = Some((rank, MatchedRoute { key: key.clone(), route, parameters }));
        }
    }
    best.map(|(_, found)| found).or(general)
}

/// Names and what they stand for.
type Parameters = Vec<(String, String)>;

/// What the variables of a pattern stand for, and what kind each segment is: 0 named, 1 a variable, 2 greedy.
fn fit(pattern: &str, segments: &[&str]) -> Option<(Vec<u8>, Parameters)> {
    let patterns: Vec<&str> = pattern.split('/').skip(1).collect();
    let mut kinds = Vec::new();
    let mut parameters = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        let variable = pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match variable {
            Some(name) if name.ends_with('+') => {
                let rest = segments.get(index..).filter(|rest| !rest.is_empty() && *rest != [""])?;
                parameters.push((name.trim_end_matches('+').to_owned(), decoded(&rest.join("/"))));
                kinds.push(2);
                return Some((kinds, parameters));
            }
            Some(name) => {
                let segment = segments.get(index).filter(|segment| !segment.is_empty())?;
                parameters.push((name.to_owned(), decoded(segment)));
                kinds.push(1);
            }
            None => {
                if decoded(segments.get(index)?) != **pattern {
                    return None;
                }
                kinds.push(0);
            }
        }
    }
    (patterns.len() == segments.len()).then_some((kinds, parameters))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_most_particular_route_answers() {
        let keys = [
            "GET /items/{id}",
            "ANY /items/{id}",
            "GET /items/new",
            "GET /{proxy+}",
            "ANY /a/{x}/c",
            "GET /",
            "$default",
        ];
        let routes: Vec<Value> =
            keys.iter().map(|key| json!({ "Id": "r", "Properties": { "RouteKey": key } })).collect();
        let parts = json!({ "Routes": routes });
        let to = |method: &str, path: &str| {
            find(&parts, method, path).map(|found| format!("{} {:?}", found.key, found.parameters)).expect("a route")
        };
        for (method, path, found) in [
            ("GET", "/items/7", r#"GET /items/{id} [("id", "7")]"#),
            ("PUT", "/items/a%20b", r#"ANY /items/{id} [("id", "a b")]"#),
            ("GET", "/items/new", "GET /items/new []"),
            ("GET", "/x/y", r#"GET /{proxy+} [("proxy", "x/y")]"#),
            ("GET", "/a/b/c", r#"ANY /a/{x}/c [("x", "b")]"#),
            ("GET", "/", "GET / []"),
            ("POST", "/x", "$default []"),
        ] {
            assert_eq!(to(method, path), found, "{method} {path}");
        }
    }
}
