//! Which host a request names. The endpoint listens on loopback only, and still a browser reaches it under any name that
//! somebody's DNS gives this machine's address: what is not a name of this machine, or one that AWS itself has for what
//! answers here, is refused.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::{HeaderMap, Uri, header};

use super::guard::refusal;
use crate::ground::ApiError;

/// The one host a request names, without its port, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestHost(String);

impl RequestHost {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When there is none or more than one, when it is not a host and perhaps a port, and when the request is one to a proxy.
    pub fn of(uri: &Uri, headers: &HeaderMap) -> Result<Self, ApiError> {
        if uri.scheme().is_some() || uri.authority().is_some() {
            return Err(refusal("The local target is not a proxy: ask it for a path, not for an address".to_owned()));
        }
        let mut all = headers.get_all(header::HOST).iter();
        let (Some(one), None) = (all.next(), all.next()) else {
            return Err(refusal("A request must have exactly one `Host` header".to_owned()));
        };
        let host = one.to_str().ok().and_then(name_of);
        host.map(Self).ok_or_else(|| refusal("The `Host` header is not a valid host".to_owned()))
    }

    /// Whether it is a name of this machine: `localhost`, `*.localhost`, or an address of loopback written in full.
    fn is_loopback(&self) -> bool {
        let name = self.0.as_str();
        name == "localhost"
            || name.ends_with(".localhost")
            || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) == Some("::1")
    }

    /// Whether it is the name that AWS has for a service or a part of one in a region: `PREFIX.REGION.amazonaws.com`.
    fn is_of_aws(&self, prefix: &str) -> bool {
        let rest = self.0.strip_suffix(".cn").unwrap_or(&self.0).strip_suffix(".amazonaws.com");
        let region = rest.and_then(|rest| rest.strip_prefix(prefix)).and_then(|rest| rest.strip_prefix('.'));
        region.is_some_and(|region| {
            !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    }

    /// Refuses every name but those of this machine.
    ///
    /// # Errors
    ///
    /// Naming the host.
    pub fn loopback(&self) -> Result<(), ApiError> {
        if self.is_loopback() { Ok(()) } else { Err(self.refused()) }
    }

    /// Refuses every name but those of this machine and `PREFIX.REGION.amazonaws.com`.
    ///
    /// # Errors
    ///
    /// Naming the host.
    pub fn loopback_or(&self, prefix: &str) -> Result<(), ApiError> {
        if self.is_of_aws(prefix) { Ok(()) } else { self.loopback() }
    }

    /// The refusal of a name that nothing here answers to.
    fn refused(&self) -> ApiError {
        refusal(format!("The local target answers on loopback only, not as `{}`", self.0))
    }
}

/// The name in a `Host` header; nothing for user-info, a trailing dot, an odd port or any other character.
fn name_of(host: &str) -> Option<String> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    if port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse::<u16>().is_err()) {
        return None;
    }
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let fits = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.split('.').all(fits).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn of(request: &Request<()>) -> Result<RequestHost, ApiError> {
        RequestHost::of(request.uri(), request.headers())
    }

    fn host(value: &[u8]) -> Result<RequestHost, ApiError> {
        let request =
            Request::builder().uri("/").header("host", http::HeaderValue::from_bytes(value).expect("a header"));
        of(&request.body(()).expect("a request"))
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for name in [
            "localhost",
            "LocalHost:4599",
            "bucket.s3.localhost:1",
            "127.0.0.1:4599",
            "127.8.9.10",
            "[::1]:80",
            "[::1]",
        ] {
            assert!(host(name.as_bytes()).is_ok_and(|host| host.is_loopback()), "{name}");
        }
        for name in [
            "evil.example",
            "localhost.evil.example",
            "0.0.0.0",
            "127.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "[::ffff:127.0.0.1]",
            "[::]",
            "10.0.0.1:4599",
            "evillocalhost",
            "127.0.0.1.evil.example",
        ] {
            assert!(!host(name.as_bytes()).is_ok_and(|host| host.is_loopback()), "{name}");
        }
        for name in [
            &b"localhost."[..],
            b"localhost:99999",
            b"localhost:80:80",
            b"me@localhost",
            b".localhost",
            b"localhost/x",
            b"::1",
            b"",
            b"local\xffhost",
            b"[::1",
            b"localhost, evil.example",
            b"a..localhost",
        ] {
            assert!(host(name).is_err(), "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn a_request_names_one_host_and_no_other_address() {
        let two = Request::builder().uri("/").header("host", "localhost").header("host", "localhost");
        assert!(of(&two.body(()).expect("a request")).is_err());
        assert!(of(&Request::builder().uri("/").body(()).expect("a request")).is_err());
        let absolute = Request::builder().uri("http://localhost/").header("host", "localhost");
        assert!(of(&absolute.body(()).expect("a request")).is_err());
    }

    #[test]
    fn names_of_aws_are_told_by_all_of_them() {
        let is = |name: &str, prefix: &str| host(name.as_bytes()).is_ok_and(|host| host.is_of_aws(prefix));
        assert!(is("cognito-idp.us-west-2.amazonaws.com", "cognito-idp"));
        assert!(is("a1.execute-api.cn-north-1.amazonaws.com.cn:80", "a1.execute-api"));
        for name in [
            "cognito-idp.amazonaws.com",
            "cognito-idp.us-west-2.amazonaws.com.evil.example",
            "x.cognito-idp.r.amazonaws.com",
        ] {
            assert!(!is(name, "cognito-idp"), "{name}");
        }
    }
}
