//! Where a verb goes: AWS, the local target, or another endpoint.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use super::uploads::UploadLimits;

/// Where a verb goes, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// AWS or the local target.
    pub kind: TargetKind,
    /// The endpoint all services are asked at; none means AWS's own, or what `AWS_ENDPOINT_URL` says.
    pub endpoint_url: Option<String>,
    /// The region; none means the profile's or the environment's.
    pub region: Option<String>,
    /// The named profile; none means `AWS_PROFILE` or `default`.
    pub profile: Option<String>,
    /// The only account this may go to, when the stage names one.
    pub account: Option<String>,
    /// How uploads are given up.
    pub uploads: UploadLimits,
}

/// The two kinds of target; they differ in endpoint and credentials and in nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// A real account, or an endpoint given with `--endpoint-url` or `AWS_ENDPOINT_URL`.
    Aws,
    /// The endpoint inside the binary.
    Local,
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TargetKind::Aws => "aws",
            TargetKind::Local => "local",
        })
    }
}

impl Target {
    /// AWS, or whatever endpoint the standard AWS variables name.
    pub fn aws() -> Self {
        Self {
            kind: TargetKind::Aws,
            endpoint_url: None,
            region: None,
            profile: None,
            account: None,
            uploads: UploadLimits::default(),
        }
    }

    /// The local target at its address; credentials are always `local`/`local` and the environment is not asked.
    pub fn local(endpoint_url: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            kind: TargetKind::Local,
            endpoint_url: Some(endpoint_url.into()),
            region: Some(region.into()),
            profile: None,
            account: None,
            uploads: UploadLimits::default(),
        }
    }
}

/// Whether an endpoint is plain HTTP on this very machine: nothing sent there leaves it.
pub fn is_plain_loopback(endpoint_url: &str) -> bool {
    let Ok(uri) = endpoint_url.parse::<http::Uri>() else { return false };
    if uri.scheme_str() != Some("http") {
        return false;
    }
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_to_this_machine_is_loopback() {
        for url in ["http://127.0.0.1:4566", "http://localhost", "http://[::1]:80/", "http://s3.localhost:1"] {
            assert!(is_plain_loopback(url), "{url}");
        }
        for url in [
            "https://127.0.0.1",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "localhost:80",
            "",
            "ftp://localhost",
        ] {
            assert!(!is_plain_loopback(url), "{url}");
        }
    }
}
