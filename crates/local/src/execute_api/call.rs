//! A request as API Gateway sees it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use jiff::Timestamp;

use crate::ground::Sender;

/// The largest body of a request or an answer. Source: API Gateway quotas, payload size.
pub(super) const MAX_BODY: usize = 10 << 20;

/// One request to an API.
#[derive(Debug, Clone)]
pub(super) struct ApiCall {
    /// The request's id.
    pub id: String,
    /// The second id that API Gateway gives.
    pub extended_id: String,
    /// The method.
    pub method: Method,
    /// The path after the stage, percent-encoded; begins with `/`.
    pub path: String,
    /// The query as it came, without `?`.
    pub raw_query: String,
    /// Query parameters, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Whether a web page asks.
    pub sender: Sender,
    /// The address and the headers as they came: what a signature is of.
    pub signed: (Uri, HeaderMap),
    /// When it came.
    pub at: Timestamp,
}

/// Where every call comes from: nobody else is let in.
pub(super) const SOURCE_IP: &str = "127.0.0.1";

impl ApiCall {
    /// The last value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The last value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The media type of the body, without its parameters.
    pub fn media_type(&self) -> Option<String> {
        self.header("content-type").map(bare_media_type).filter(|media| !media.is_empty())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A media type without parameters, in lower case.
pub(super) fn bare_media_type(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The pairs of a query, decoded.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// A segment of a path, decoded; `+` stays.
pub(super) fn decoded(segment: &str) -> String {
    if !segment.contains('%') {
        return segment.to_owned();
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text as a part of a path or query: everything but unreserved characters is encoded.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// A header's name as REST APIs hand it on: every word with a capital.
pub(super) fn train_case(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|c| {
            let c = if start { c.to_ascii_uppercase() } else { c };
            start = c == '-';
            c
        })
        .collect()
}

/// The shorter id that API Gateway gives beside a request's id, made of it.
pub(super) fn extended(id: &str) -> String {
    let bytes: Vec<u8> = id.bytes().filter(u8::is_ascii_hexdigit).take(11).collect();
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_paths_and_headers_get_capitals() {
        assert_eq!(decoded("a%20b%2Fc%zz%"), "a b/c%zz%");
        assert_eq!(decoded(&encoded("a b/c\u{e9}")), "a b/c\u{e9}");
        assert_eq!(train_case("x-api-key"), "X-Api-Key");
        assert_eq!(bare_media_type("Application/JSON; charset=utf-8"), "application/json");
    }
}
