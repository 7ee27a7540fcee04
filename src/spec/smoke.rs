//! The `call` of a smoke test, taken apart.

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
}
