//! What every answer is given.

use http::{HeaderValue, Response, header};
use s3s::Body;

/// Makes an answer of little use as a page: it is of no other type than it says, and where a browser shows it, it runs no
/// script and belongs to no origin. An object that a stack put into a bucket would otherwise be a page of this very address.
pub(super) fn harden(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let kind = media.split('/').next().unwrap_or_default();
    let is_inert = (matches!(kind, "image" | "audio" | "video" | "font") && !media.contains("xml"))
        || matches!(media.as_str(), "application/pdf" | "application/zip" | "application/octet-stream");
    // A browser shows no PDF in a sandbox.
    if !is_inert {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    }
    response
}
