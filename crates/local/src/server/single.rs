//! What a request may say only once. Whoever decides about a request and whoever carries it out may read the first of two
//! values, the last, or neither; so two are refused before anybody reads one.

use std::collections::HashSet;

use http::{HeaderMap, Uri};

use crate::ground::ApiError;

/// Headers that a service or a signature is read from, beside those of AWS's own prefix.
const HEADERS: &[&str] = &["authorization", "content-type", "date", "smithy-protocol", "content-length"];

/// Headers with AWS's prefix that are lists, and may come in pieces.
const LISTS: &[&str] = &["x-amz-object-attributes", "x-amz-optional-object-attributes"];

/// Refuses a header or a parameter of the query that is given twice.
///
/// # Errors
///
/// Naming the first.
pub(super) fn refuse_doubles(headers: &HeaderMap, uri: &Uri) -> Result<(), ApiError> {
    for name in headers.keys() {
        let name = name.as_str();
        let is_read = HEADERS.contains(&name) || (name.starts_with("x-amz") && !LISTS.contains(&name));
        if is_read && headers.get_all(name).iter().nth(1).is_some() {
            return Err(double("header", name));
        }
    }
    let mut known = HashSet::new();
    for (name, _) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        // The parameters of a signature are read whatever their case.
        let name = if name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-")) {
            name.to_ascii_lowercase().into()
        } else {
            name
        };
        if !known.insert(name.clone()) {
            return Err(double("query parameter", &name));
        }
    }
    Ok(())
}

fn double(what: &str, name: &str) -> ApiError {
    ApiError::sender("InvalidRequest", format!("The {what} `{name}` is given more than once"))
}
