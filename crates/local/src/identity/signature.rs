//! Signature Version 4, as verified: in the headers, or in the URL.
//!
//! Source: IAM user guide, "Create a signed AWS API request". The age of a header's signature is not looked at: whoever can
//! replay a request here can make it anew.

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use http::{HeaderMap, Method, Uri, header};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::ground::ApiError;

/// What the scope of a signature ends with.
const TERMINATOR: &str = "aws4_request";

/// A request as far as it is signed.
pub(crate) struct Signed<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    /// The body, where it is at hand; S3's is told by its digest in a header.
    pub body: Option<&'a [u8]>,
    pub is_s3: bool,
}

/// What a signature says of itself.
struct Claim {
    /// Date, region, service, terminator.
    scope: [String; 4],
    headers: Vec<String>,
    signature: String,
    time: String,
    in_url: bool,
}

/// Verifies the signature with a secret.
///
/// # Errors
///
/// `SignatureDoesNotMatch`, `IncompleteSignature`.
pub(crate) fn verify(request: &Signed<'_>, secret: &str) -> Result<(), ApiError> {
    let claim = claim(request)?;
    let [date, region, service, terminator] = &claim.scope;
    let day = Date::strptime("%Y%m%d", date).and_then(|day| day.to_zoned(TimeZone::UTC)).map_err(|_| incomplete())?;
    let key = generate_signing_key(secret, day.timestamp().into(), region, service);
    let canonical = canonical(request, &claim);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{}\n{}\n{}",
        claim.time,
        claim.scope.join("/"),
        hex::encode(Sha256::digest(canonical.as_bytes()))
    );
    if terminator == TERMINATOR && calculate_signature(key, to_sign.as_bytes()) == claim.signature {
        return Ok(());
    }
    Err(ApiError::sender(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details.",
    )
    .with_status(http::StatusCode::FORBIDDEN))
}

fn incomplete() -> ApiError {
    ApiError::sender("IncompleteSignature", "The request has no complete Signature Version 4")
        .with_status(http::StatusCode::FORBIDDEN)
}

fn claim(request: &Signed<'_>) -> Result<Claim, ApiError> {
    let text = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let parameter = |name: &str| {
        form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes())
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    };
    let (credential, headers, signature, time, in_url) = match text("authorization") {
        Some(authorization) => {
            let rest = authorization.strip_prefix("AWS4-HMAC-SHA256").ok_or_else(incomplete)?;
            let part = |name: &str| {
                rest.split(',')
                    .find_map(|part| part.trim().strip_prefix(name))
                    .map(str::to_owned)
                    .ok_or_else(incomplete)
            };
            let time = text("x-amz-date").or_else(|| text("date")).unwrap_or_default().to_owned();
            (part("Credential=")?, part("SignedHeaders=")?, part("Signature=")?, time, false)
        }
        None => {
            let part = |name: &str| parameter(name).ok_or_else(incomplete);
            (
                part("X-Amz-Credential")?,
                part("X-Amz-SignedHeaders")?,
                part("X-Amz-Signature")?,
                part("X-Amz-Date")?,
                true,
            )
        }
    };
    let mut parts: Vec<String> = credential.rsplitn(5, '/').take(4).map(str::to_owned).collect();
    parts.reverse();
    let scope = <[String; 4]>::try_from(parts).map_err(|_| incomplete())?;
    Ok(Claim { scope, headers: headers.split(';').map(str::to_owned).collect(), signature, time, in_url })
}

fn canonical(request: &Signed<'_>, claim: &Claim) -> String {
    let path = if request.is_s3 { encode_path(decode(request.uri.path())) } else { encode_path(request.uri.path()) };
    let mut headers = String::new();
    for name in &claim.headers {
        let values: Vec<String> = request
            .headers
            .get_all(name.as_str())
            .iter()
            .map(|value| {
                let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                text.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
            })
            .collect();
        let value = if values.is_empty() && name == header::HOST.as_str() {
            request.uri.authority().map(ToString::to_string).unwrap_or_default()
        } else {
            values.join(",")
        };
        headers.push_str(&format!("{name}:{value}\n"));
    }
    format!(
        "{}\n{path}\n{}\n{headers}\n{}\n{}",
        request.method,
        canonical_query(request.uri.query().unwrap_or_default()),
        claim.headers.join(";"),
        payload(request, claim)
    )
}

fn payload(request: &Signed<'_>, claim: &Claim) -> String {
    let told = request.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    match (told, request.body) {
        // The digest of a body at hand is worked out and not believed.
        (Some(told), Some(_)) if told == "UNSIGNED-PAYLOAD" || told.starts_with("STREAMING-") => told.to_owned(),
        (_, Some(body)) => hex::encode(Sha256::digest(body)),
        (Some(told), None) => told.to_owned(),
        (None, None) if claim.in_url => "UNSIGNED-PAYLOAD".to_owned(),
        (None, None) => hex::encode(Sha256::digest(b"")),
    }
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(&decode(name), false), encode(&decode(value), false)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn encode_path(path: impl AsRef<[u8]>) -> String {
    let encoded = encode(path.as_ref(), true);
    if encoded.is_empty() { "/".to_owned() } else { encoded }
}

/// Percent-encodes all but what RFC 3986 leaves unreserved.
fn encode(bytes: &[u8], keep_slash: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (keep_slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Undoes percent-encoding; a `+` stays one.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let value =
            digits.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        match value {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// The example of IAM's documentation: a GET of ListUsers.
    #[test]
    fn the_documented_example_verifies_and_a_changed_one_does_not() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, \
                 Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let verify = |uri: &'static str, secret: &str| {
            let uri = Uri::from_static(uri);
            let request = Signed { method: &Method::GET, uri: &uri, headers: &headers, body: Some(b""), is_s3: false };
            super::verify(&request, secret)
        };
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        assert_eq!(verify("/?Action=ListUsers&Version=2010-05-08", secret), Ok(()));
        assert_eq!(verify("/?Version=2010-05-08&Action=ListUsers", secret), Ok(()), "in any order");
        assert!(verify("/?Action=ListRoles&Version=2010-05-08", secret).is_err());
        assert!(verify("/?Action=ListUsers&Version=2010-05-08", "another").is_err());
    }
}
