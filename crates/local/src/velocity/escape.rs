//! Escaping as `$util` does it.

use std::fmt::Write as _;

/// Apache Commons' `escapeJavaScript`, over UTF-16 units as Java has them: it also escapes `'` and `/`.
pub(super) fn java_script(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match (unit, u8::try_from(unit).map(char::from)) {
            (_, Ok('\u{8}')) => out.push_str("\\b"),
            (_, Ok('\n')) => out.push_str("\\n"),
            (_, Ok('\t')) => out.push_str("\\t"),
            (_, Ok('\u{c}')) => out.push_str("\\f"),
            (_, Ok('\r')) => out.push_str("\\r"),
            (_, Ok(c @ ('\'' | '"' | '\\' | '/'))) => {
                out.push('\\');
                out.push(c);
            }
            (0x20..=0x7f, Ok(c)) => out.push(c),
            _ => {
                let _ = write!(out, "\\u{unit:04X}");
            }
        }
    }
    out
}

/// Java's `URLEncoder`: form encoding.
pub(super) fn url_encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Java's `URLDecoder`.
pub(super) fn url_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match (first, pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            (other, _) => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
