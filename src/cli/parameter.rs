//! Values for parameters of a spec, as the command line takes them.

/// Reads `NAME=VALUE`.
pub(super) fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        // The text is not repeated: it may be a secret given without its name.
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
