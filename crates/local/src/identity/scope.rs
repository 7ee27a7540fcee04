//! Who asks, and for what, as the signature says.

use http::{HeaderMap, StatusCode, Uri, header};

use crate::ground::ApiError;

/// Who asks, and for what region and service, as the signature's credential scope says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub access_key: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    /// Whether the signature is in the URL.
    pub presigned: bool,
}

impl Scope {
    /// Reads the one signature of a request; a request without any has an empty scope.
    ///
    /// # Errors
    ///
    /// When there is more than one, or what there is can't be read: nobody else must read more into it.
    pub(crate) fn of(headers: &HeaderMap, uri: &Uri) -> Result<Self, ApiError> {
        let in_header = Self::of_header(headers)?;
        let in_url = Self::of_url(uri)?;
        // A URL signed with Signature Version 2 names no region and no service; only S3 takes one.
        let older = match (parameter(uri, "AWSAccessKeyId")?, parameter(uri, "Signature")?) {
            (None, None) => None,
            (Some(key), Some(_)) if !key.is_empty() => {
                Some(Self { access_key: Some(key), presigned: true, ..Self::default() })
            }
            _ => return Err(incomplete()),
        };
        let mut all = [in_header, in_url, older].into_iter().flatten();
        match (all.next(), all.next()) {
            (None, _) => Ok(Self::default()),
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(ApiError::sender(
                "InvalidArgument",
                "Only one authentication mechanism is allowed: a signature in the `Authorization` header, or one in the query",
            )),
        }
    }

    /// The signature in the `Authorization` header; nothing where that holds something else, such as a token.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub(crate) fn of_header(headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let Some(one) = all.next() else { return Ok(None) };
        let text = one.to_str().map_err(|_| incomplete())?;
        if all.next().is_some() {
            return Err(incomplete());
        }
        match text.split_once(' ') {
            Some(("AWS4-HMAC-SHA256", rest)) => {
                let credential = rest.split(',').find_map(|part| part.trim().strip_prefix("Credential="));
                Ok(Some(Self::of_credential(credential.ok_or_else(incomplete)?)?))
            }
            // Signature Version 2, which S3 alone takes.
            Some(("AWS", rest)) => match rest.trim().rsplit_once(':') {
                Some((key, _)) if !key.is_empty() => {
                    Ok(Some(Self { access_key: Some(key.to_owned()), ..Self::default() }))
                }
                _ => Err(incomplete()),
            },
            _ if text.starts_with("AWS") => Err(incomplete()),
            _ => Ok(None),
        }
    }

    /// The signature of version 4 in a URL.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub(crate) fn of_url(uri: &Uri) -> Result<Option<Self>, ApiError> {
        let credential = parameter(uri, "X-Amz-Credential")?;
        let signature = parameter(uri, "X-Amz-Signature")?;
        match (credential, signature) {
            (None, None) => Ok(None),
            (Some(credential), Some(_)) => Ok(Some(Self { presigned: true, ..Self::of_credential(&credential)? })),
            _ => Err(incomplete()),
        }
    }

    /// `KEY/DATE/REGION/SERVICE/aws4_request`; the key itself may hold slashes.
    fn of_credential(credential: &str) -> Result<Self, ApiError> {
        let mut parts = credential.trim().rsplitn(5, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let (Some(_terminator), service, region, Some(date), key) = (
            next().filter(|last| last == "aws4_request"),
            next(),
            next(),
            next().filter(|date| date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit())),
            next(),
        ) else {
            return Err(incomplete());
        };
        drop(date);
        match (key, region, service) {
            (Some(key), Some(region), Some(service)) => {
                Ok(Self { access_key: Some(key), region: Some(region), service: Some(service), presigned: false })
            }
            _ => Err(incomplete()),
        }
    }
}

/// A parameter of a URL that must not be given twice.
fn parameter(uri: &Uri, name: &str) -> Result<Option<String>, ApiError> {
    let mut all = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).filter(|(known, _)| known == name);
    match (all.next(), all.next()) {
        (Some(_), Some(_)) => Err(incomplete()),
        (one, _) => Ok(one.map(|(_, value)| value.into_owned())),
    }
}

fn incomplete() -> ApiError {
    ApiError::sender("IncompleteSignature", "The request has a signature that is not a complete Signature Version 4")
        .with_status(StatusCode::FORBIDDEN)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn told(authorization: &[&str], uri: &str) -> Result<Scope, String> {
        let mut headers = HeaderMap::new();
        for one in authorization {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(one).expect("a header"));
        }
        Scope::of(&headers, &uri.parse().expect("an address")).map_err(|error| error.code)
    }

    const KEY: &str =
        "AWS4-HMAC-SHA256 Credential=a/b/20260101/us-west-2/s3/aws4_request, SignedHeaders=host, Signature=x";

    #[test]
    fn a_signature_says_who_asks_and_for_what() {
        let scope = told(&[KEY], "/").expect("a scope");
        let parts = (scope.access_key.as_deref(), scope.region.as_deref(), scope.service.as_deref());
        assert_eq!(parts, (Some("a/b"), Some("us-west-2"), Some("s3")));
        let in_url = "/?X-Amz-Credential=k%2F20260101%2Fr%2Fs3%2Faws4_request&X-Amz-Signature=x";
        assert!(told(&[], in_url).is_ok_and(|scope| scope.presigned && scope.access_key.as_deref() == Some("k")));
        assert!(told(&[], "/?AWSAccessKeyId=k&Signature=x&Expires=1").is_ok_and(|scope| scope.presigned));
        assert_eq!(told(&["AWS k:x"], "/").expect("a scope").access_key.as_deref(), Some("k"));
        assert_eq!(told(&["Bearer x"], "/"), Ok(Scope::default()));
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_not_read() {
        let in_url = "/?X-Amz-Credential=k%2F20260101%2Fr%2Fs3%2Faws4_request&X-Amz-Signature=x";
        assert_eq!(told(&[KEY], in_url), Err("InvalidArgument".to_owned()));
        assert_eq!(told(&[KEY], "/?AWSAccessKeyId=k&Signature=x"), Err("InvalidArgument".to_owned()));
        for (authorization, uri) in [
            (&[KEY, KEY][..], "/"),
            (&["AWS4-ECDSA-P256-SHA256 Credential=k/20260101/s3/aws4_request"], "/"),
            (&["AWS4-HMAC-SHA256 Credential=k/20260101/s3/aws4_request"], "/"),
            (&["AWS4-HMAC-SHA256 Credential=k"], "/"),
            (&["AWS4-HMAC-SHA256"], "/"),
            (&["AWS k"], "/"),
            (&[], "/?X-Amz-Credential=k%2F20260101%2Fr%2Fs3%2Faws4_request"),
            (&[], "/?X-Amz-Signature=x"),
            (&[], "/?AWSAccessKeyId=k"),
            (&[], "/?AWSAccessKeyId=k&Signature=x&Signature=y"),
        ] {
            assert_eq!(told(authorization, uri), Err("IncompleteSignature".to_owned()), "{authorization:?} {uri}");
        }
    }
}
