//! Which API a request is for: by its host, or by a path under [`PREFIX`].

use http::{HeaderMap, Request, header};

/// The path under which every API answers whatever the host is called.
pub(in crate::local) const PREFIX: &str = "/_aws/execute-api/";

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::local) struct Address {
    /// The API's id.
    pub api: String,
    /// The path within the API, stage included, still percent-encoded; begins with `/`.
    pub path: String,
}

impl Address {
    /// The API a request is for, if it is for one.
    pub(in crate::local) fn of<B>(request: &Request<B>) -> Option<Self> {
        let path = request.uri().path();
        if let Some(api) = host(request.headers()).and_then(api_of_host) {
            return Some(Self { api, path: if path.is_empty() { "/".to_owned() } else { path.to_owned() } });
        }
        let rest = path.strip_prefix(PREFIX)?;
        let (api, path) = rest.split_once('/').unwrap_or((rest, ""));
        is_id(api).then(|| Self { api: api.to_owned(), path: format!("/{path}") })
    }
}

/// Where an API's URL of AWS's leads to in a local target that is served at `endpoint`; nothing for any other URL.
///
/// It is the form that every client can resolve: `http://127.0.0.1:4599/_aws/execute-api/{api}/{stage}/…`.
pub fn local_url(url: &str, endpoint: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let api = api_of_host(host).filter(|_| host.contains(".amazonaws.com"))?;
    let address = endpoint.strip_prefix("http://")?;
    let scheme = if scheme == "wss" { "ws" } else { "http" };
    Some(format!("{scheme}://{address}{PREFIX}{api}{path}"))
}

/// The host a request names, with its port if it has one.
fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// The name AWS gives an API, which its events tell whatever name it was called by.
pub(super) fn domain(api: &str, region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("{api}.execute-api.{region}.{suffix}")
}

/// `{id}.execute-api.localhost`, `{id}.execute-api.{region}.localhost`, and AWS's own names.
fn api_of_host(host: &str) -> Option<String> {
    let host = host.split(':').next()?.to_ascii_lowercase();
    let (api, rest) = host.split_once(".execute-api.")?;
    let rest = rest
        .strip_suffix(".amazonaws.com.cn")
        .or_else(|| rest.strip_suffix(".amazonaws.com"))
        .or_else(|| if rest == "localhost" { Some("local") } else { rest.strip_suffix(".localhost") })?;
    let region = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (region && is_id(api)).then(|| api.to_owned())
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apis_url_leads_to_the_endpoint() {
        let local = |url: &str| local_url(url, "http://127.0.0.1:4599");
        assert_eq!(
            local("https://a1b2.execute-api.us-west-2.amazonaws.com/dev/x?y=1").as_deref(),
            Some("http://127.0.0.1:4599/_aws/execute-api/a1b2/dev/x?y=1")
        );
        assert_eq!(
            local("wss://a1b2.execute-api.us-west-2.amazonaws.com/dev").as_deref(),
            Some("ws://127.0.0.1:4599/_aws/execute-api/a1b2/dev")
        );
        assert_eq!(
            local("https://a1b2.execute-api.us-west-2.amazonaws.com").as_deref(),
            Some("http://127.0.0.1:4599/_aws/execute-api/a1b2")
        );
        for other in ["https://example.com/dev", "a1b2", "https://a1b2.execute-api.example.com/", ""] {
            assert_eq!(local(other), None, "{other}");
        }
    }

    #[test]
    fn an_api_is_named_by_its_host_or_by_a_path() {
        let of = |host: &str, path: &str| {
            Address::of(&Request::builder().uri(path).header("host", host).body(()).expect("a request"))
                .map(|address| format!("{} {}", address.api, address.path))
        };
        for (host, path, address) in [
            ("a1b2.execute-api.localhost:4599", "/dev/x?y", Some("a1b2 /dev/x")),
            ("a1b2.execute-api.us-west-2.localhost", "/dev", Some("a1b2 /dev")),
            ("a1b2.execute-api.us-west-2.amazonaws.com", "/", Some("a1b2 /")),
            ("127.0.0.1:4599", "/_aws/execute-api/a1b2/dev/x", Some("a1b2 /dev/x")),
            ("127.0.0.1:4599", "/_aws/execute-api/a1b2", Some("a1b2 /")),
            ("127.0.0.1:4599", "/dev/x", None),
            ("a1b2.execute-api.us-west-2.amazonaws.com.evil.example", "/", None),
            ("a1b2.execute-api.evil.example", "/", None),
            ("bucket.localhost", "/", None),
        ] {
            assert_eq!(of(host, path).as_deref(), address, "{host} {path}");
        }
    }
}
