//! The `call` of a smoke test, taken apart.

use super::types::{Api, RouteBody};

/// `METHOD apis.NAME /path?query`, as a person writes it: nothing in it is percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmokeCall {
    /// The HTTP method, in capitals.
    pub method: String,
    /// The API's name under `apis`.
    pub api: String,
    /// The path, beginning with `/`, without the API's stage.
    pub path: String,
    /// The query's names and values in order, to be encoded by whoever sends them.
    pub query: Vec<(String, String)>,
}

impl SmokeCall {
    /// Reads a call; none when it has not that form.
    pub fn parse(text: &str) -> Option<Self> {
        let (method, rest) = text.trim().split_once(char::is_whitespace)?;
        let (target, rest) = rest.trim_start().split_once(char::is_whitespace)?;
        let api = target.strip_prefix("apis.").filter(|name| !name.is_empty())?;
        let rest = rest.trim_start();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let capitals = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
        if !capitals || !path.starts_with('/') {
            return None;
        }
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(Self { method: method.to_owned(), api: api.to_owned(), path: path.to_owned(), query })
    }

    /// What answers it in an API: the route of its method and path, one without variables before one with.
    pub fn route<'a>(&self, api: &'a Api) -> Option<&'a RouteBody> {
        let routes = api.routes.iter().flat_map(|route| &route.0);
        let fitting = routes.filter_map(|(key, body)| {
            let (method, path) = key.split_once(' ')?;
            let path = path.trim();
            (fits(path, &self.path) && (method == self.method || method == "ANY")).then_some((method, path, body))
        });
        // As API Gateway chooses: words before variables, a variable before `{proxy+}`, a method before `ANY`.
        fitting
            .min_by_key(|(method, path, _)| (path.contains("+}"), path.matches('{').count(), *method == "ANY"))
            .map(|it| it.2)
    }
}

/// Whether a path of a request fits that of a route.
pub(super) fn fits(route: &str, path: &str) -> bool {
    let mut wanted = normal(route).split('/');
    let mut given = normal(path).split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(segment), Some(_)) if segment.starts_with('{') && segment.ends_with("+}") => return true,
            (Some(segment), Some(part)) if segment.starts_with('{') && !part.is_empty() => {}
            (Some(segment), Some(part)) if segment == part => {}
            _ => return false,
        }
    }
}

/// A path without the `/` at its end.
pub(super) fn normal(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}
