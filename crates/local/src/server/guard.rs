//! Who may ask at all.
//!
//! Requests are not authenticated (any key is the administrator's), so what keeps web pages out is how browsers work:
//!
//! - What a page sends has an `Origin` or a `Sec-Fetch-Site` that says so. Such a request is refused, wherever the page
//!   is from: what stands at this very address may be a page that somebody's stack made.
//! - Older browsers send neither with an image or a link. A `GET` or `HEAD` therefore changes nothing and runs nothing.
//! - Everything else must carry what no page can send without asking first by a pre-flight request, which is refused: a
//!   signature in `Authorization`, or a content type that only AWS's clients send. A signature in the address is no such
//!   thing, as a page can write one with a key that is in the documentation; it counts where it is verified.
//!
//! Source: Fetch standard ("CORS-safelisted request-header", "no-CORS request"), W3C Fetch Metadata Request Headers, 2026-10.

use http::{HeaderMap, Method, StatusCode, header};

use crate::ground::{ApiError, Sender};
use crate::identity::{Scope, is_temporary};

/// Whether a method only reads.
pub(super) fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether a page can send a body of this type to any address: by a form, or with none at all.
pub(super) fn is_simple(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return true };
    let Ok(media) = one.to_str() else { return true };
    // What a browser reads of a type may differ from what is read here: only what is plainly another one counts.
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    !matches!(
        media.as_str(),
        "application/x-amz-json-1.0" | "application/x-amz-json-1.1" | "application/json" | "application/cbor"
    )
}

/// Refuses what a web page may have sent; `public` says that the request is one AWS's clients do not sign.
pub(super) fn refuse_pages(method: &Method, headers: &HeaderMap, scope: &Scope, public: bool) -> Result<(), ApiError> {
    // An address that a role signed is made to be given on, and holds by itself.
    let given_on = scope.presigned && scope.access_key.as_deref().is_some_and(is_temporary);
    match Sender::of(headers) {
        Sender::Page if given_on => return Ok(()),
        Sender::Page => return Err(of_page(headers)),
        Sender::Person if !given_on && !reads(method) => return Err(unsigned()),
        Sender::Person | Sender::Program => {}
    }
    let signed = scope.access_key.is_some();
    if reads(method) || signed || (public && !is_simple(headers)) { Ok(()) } else { Err(unsigned()) }
}

/// The refusal of a page, with the origin where it says one.
pub(super) fn of_page(headers: &HeaderMap) -> ApiError {
    let origin = headers.get(header::ORIGIN).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let origin = origin.map(|origin| format!(" `{origin}`")).unwrap_or_default();
    refusal(format!(
        "The local target answers no web page{origin}: only APIs that are deployed, and addresses a role signed, are for pages"
    ))
}

fn unsigned() -> ApiError {
    refusal(
        "The local target takes changes from AWS clients only: the request must be signed in its `Authorization` header, with \
         any key"
            .to_owned(),
    )
}

pub(super) fn refusal(message: String) -> ApiError {
    ApiError::sender("AccessDenied", message).with_status(StatusCode::FORBIDDEN)
}
