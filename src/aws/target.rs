//! Where a verb goes: AWS, the local target, or another endpoint.

use std::fmt;

use serde::Serialize;

use super::upload_limits::UploadLimits;

/// Where a verb goes, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// AWS or the local target.
    pub kind: TargetKind,
    /// The endpoint all services are asked at; none means AWS's own, or what `AWS_ENDPOINT_URL` says.
    pub endpoint_url: Option<String>,
    /// The region; none means the profile's or the environment's.
    pub region: Option<String>,
    /// The profile named for this run, whose credentials are used and no others; none means the standard chain.
    pub profile: Option<String>,
    /// The only account this may go to, when one is named.
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
