//! Which API a request is for: by its host, or by a path.

use http::{HeaderMap, Uri, header};

pub(crate) use bedplate_host::local_address::PREFIX;
use bedplate_host::local_address::{api_of_host, is_id};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The API's id.
    pub api: String,
    /// The path within the API, stage included, still percent-encoded; begins with `/`.
    pub path: String,
}

impl Address {
    /// The API a request is for, if it is for one.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        let path = uri.path();
        if let Some(api) = host(headers).and_then(api_of_host) {
            return Some(Self { api, path: if path.is_empty() { "/".to_owned() } else { path.to_owned() } });
        }
        let rest = path.strip_prefix(PREFIX)?;
        let (api, path) = rest.split_once('/').unwrap_or((rest, ""));
        is_id(api).then(|| Self { api: api.to_owned(), path: format!("/{path}") })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_named_by_its_host_or_by_a_path() {
        let of = |host: &str, path: &str| {
            let headers = HeaderMap::from_iter([(header::HOST, host.parse().expect("a header"))]);
            Address::of(&path.parse().expect("an address"), &headers)
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
