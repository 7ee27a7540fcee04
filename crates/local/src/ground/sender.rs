//! What sent a request: a program, a person, or a web page.

use http::{HeaderMap, HeaderValue, header};

/// What sent a request, as its headers give away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// No browser.
    Program,
    /// A browser whose user typed the address, or came from another program.
    Person,
    /// A web page.
    Page,
}

impl Sender {
    /// Reads the headers that browsers set and pages cannot.
    pub fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(header::ORIGIN) {
            return Self::Page;
        }
        let mut sites = headers.get_all("sec-fetch-site").iter();
        match (sites.next().map(HeaderValue::as_bytes), sites.next()) {
            (None, _) => Self::Program,
            (Some(b"none"), None) => Self::Person,
            _ => Self::Page,
        }
    }
}
