//! Who may ask at all.

use http::{Method, Request, StatusCode, header};
use hyper::body::Incoming;

use crate::local::errors::ApiError;

/// Only programs of this machine may ask, and no web page through a browser of this machine: requests are not
/// authenticated, so a page must neither reach us under its own name nor post to us from elsewhere.
pub(super) fn refuse_strangers(request: &Request<Incoming>) -> Option<ApiError> {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).or_else(|| request.uri().host());
    if let Some(host) = host
        && !is_loopback(host)
    {
        return Some(refusal(format!("The local target answers on loopback only, not as `{host}`")));
    }
    refuse_pages(request)
}

/// No changes from pages of other origins.
pub(super) fn refuse_pages(request: &Request<Incoming>) -> Option<ApiError> {
    let headers = request.headers();
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let origin = headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or("null"));
    match origin {
        Some(origin) if !safe && !origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)) => {
            Some(refusal(format!("The local target takes no changes from the web page `{origin}`")))
        }
        _ => None,
    }
}

pub(super) fn refusal(message: String) -> ApiError {
    ApiError::sender("AccessDenied", message).with_status(StatusCode::FORBIDDEN)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
