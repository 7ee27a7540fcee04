//! Forms of awsQuery.

use std::io::Read as _;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use s3s::Body;

use super::scope::Scope;
use crate::local::errors::ApiError;

/// The largest form body taken, in bytes, also after decompression: a template of 1 MiB whose every byte is escaped, and
/// some room.
pub(super) const MAX_FORM: usize = 4 << 20;

/// A form (or, at the root, a query string) with an `Action` is awsQuery; S3 has neither.
pub(super) fn speaks_query(request: &Request<Incoming>, scope: &Scope) -> bool {
    if matches!(scope.service.as_deref(), Some("s3")) || request.uri().path() != "/" {
        return false;
    }
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let action_in_url =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).any(|(name, _)| name == "Action");
    (request.method() == Method::POST && is_form) || action_in_url
}

/// The form of a call: the body's, or the URL's when the body has none.
pub(super) async fn read_form(headers: &HeaderMap, uri: &Uri, body: Body) -> Result<Bytes, ApiError> {
    let too_large = || {
        ApiError::sender("RequestEntityTooLarge", format!("The request body is larger than {MAX_FORM} bytes"))
            .with_status(StatusCode::PAYLOAD_TOO_LARGE)
    };
    let body = match Limited::new(body, MAX_FORM).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return Err(too_large()),
        Err(error) => return Err(ApiError::sender("IncompleteBody", format!("The request body broke off: {error}"))),
    };
    let is_gzip = headers.get(header::CONTENT_ENCODING).is_some_and(|value| value.as_bytes() == b"gzip");
    let body = if is_gzip {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(body.as_ref())
            .take(MAX_FORM as u64 + 1)
            .read_to_end(&mut plain)
            .map_err(|error| ApiError::sender("SerializationException", format!("The body is not gzip: {error}")))?;
        if plain.len() > MAX_FORM {
            return Err(too_large());
        }
        Bytes::from(plain)
    } else {
        body
    };
    if body.is_empty() {
        return Ok(Bytes::copy_from_slice(uri.query().unwrap_or_default().as_bytes()));
    }
    Ok(body)
}
