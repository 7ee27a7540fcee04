//! Who asks, and for what, as the signature says.

use http::{HeaderMap, Uri, header};

/// Who asks, and for what region and service, as the signature's credential scope says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::local) struct Scope {
    pub access_key: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    /// Whether the signature is in the URL.
    pub presigned: bool,
}

impl Scope {
    pub(in crate::local) fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        let from_header = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once("Credential="))
            .and_then(|(_, rest)| rest.split([',', ' ']).next())
            .map(str::to_owned);
        let from_url = || {
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .find(|(name, _)| name == "X-Amz-Credential")
                .map(|(_, value)| value.into_owned())
        };
        let presigned = from_header.is_none();
        let Some(credential) = from_header.or_else(from_url) else {
            // A URL signed with Signature Version 2 names no region and no service; only S3 takes one.
            let access_key = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .find(|(name, _)| name == "AWSAccessKeyId")
                .map(|(_, value)| value.into_owned());
            let presigned = access_key.is_some();
            return Self { access_key, presigned, ..Self::default() };
        };
        // The access key itself may hold slashes; the scope after it has four parts.
        let mut parts = credential.rsplitn(5, '/');
        let mut next = || parts.next().map(str::to_owned).filter(|part| !part.is_empty());
        let (_terminator, service, region, _date) = (next(), next(), next(), next());
        Self { access_key: next(), region, service, presigned }
    }
}
