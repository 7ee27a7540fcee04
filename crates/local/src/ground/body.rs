//! Bodies: of a request, as its sender meant it, whole and without its content coding; and of an answer.

use std::io::Read as _;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use s3s::Body;

use super::errors::ApiError;

/// A whole body that has no more than some bytes.
pub async fn read_at_most(body: Body, largest: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, largest).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(largest)),
        Err(error) => Err(ApiError::sender("IncompleteBody", format!("The request body broke off: {error}"))),
    }
}

/// Undoes the content coding of a body, once, before anybody looks at it; it may then have `largest` bytes.
///
/// # Errors
///
/// When the coding is another than gzip, is given more than once, or the body is not what it says.
pub fn decoded(headers: &HeaderMap, body: Bytes, largest: usize) -> Result<Bytes, ApiError> {
    let mut codings = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let value = value.to_str().map_err(|_| unsupported("that is not text"))?;
        codings.extend(value.split(',').map(|coding| coding.trim().to_ascii_lowercase()));
    }
    codings.retain(|coding| !coding.is_empty() && coding != "identity");
    match codings.as_slice() {
        [] => Ok(body),
        [one] if one == "gzip" || one == "x-gzip" => inflated(&body, largest),
        several => Err(unsupported(&format!("`{}`", several.join(", ")))),
    }
}

fn inflated(body: &[u8], largest: usize) -> Result<Bytes, ApiError> {
    let mut plain = Vec::new();
    let limit = u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1);
    // All members: what is left over would be bytes that nobody looked at.
    flate2::read::MultiGzDecoder::new(body)
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|error| ApiError::sender("SerializationException", format!("The body is not gzip: {error}")))?;
    if plain.len() > largest { Err(too_large(largest)) } else { Ok(Bytes::from(plain)) }
}

/// The refusal of a body that is too large.
pub fn too_large(largest: usize) -> ApiError {
    ApiError::sender("RequestEntityTooLarge", format!("The request body is larger than {largest} bytes"))
        .with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

/// An answer of a body and its type.
pub fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn unsupported(coding: &str) -> ApiError {
    let message =
        format!("A request body is sent as it is or with `Content-Encoding: gzip`, not with the coding {coding}");
    ApiError::sender("UnsupportedMediaType", message).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).expect("written");
        encoder.finish().expect("gzip")
    }

    fn told(codings: &[&str], body: Vec<u8>) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for coding in codings {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_str(coding).expect("a header"));
        }
        decoded(&headers, body.into(), 64)
            .map(|body| String::from_utf8_lossy(&body).into_owned())
            .map_err(|error| error.code)
    }

    #[test]
    fn a_body_is_inflated_once_and_by_one_coding() {
        for codings in [&["gzip"][..], &["GZIP"], &["x-gzip"], &["identity, gzip"], &["", "gzip"]] {
            assert_eq!(told(codings, gzip("a=b")), Ok("a=b".to_owned()), "{codings:?}");
        }
        assert_eq!(told(&[], gzip("a")).map(|text| text.len() > 1), Ok(true), "as it is");
        assert_eq!(told(&["gzip"], [gzip("a=b"), gzip("&c=d")].concat()), Ok("a=b&c=d".to_owned()));
        for codings in [&["gzip, gzip"][..], &["gzip", "gzip"], &["deflate"], &["br"], &["gzip;q=1"]] {
            assert_eq!(told(codings, gzip("a=b")), Err("UnsupportedMediaType".to_owned()), "{codings:?}");
        }
        assert_eq!(told(&["gzip"], b"a=b".to_vec()), Err("SerializationException".to_owned()));
        assert_eq!(told(&["gzip"], [gzip("a=b"), b"&c=d".to_vec()].concat()), Err("SerializationException".to_owned()));
        assert_eq!(told(&["gzip"], gzip(&"a".repeat(65))), Err("RequestEntityTooLarge".to_owned()));
    }
}
