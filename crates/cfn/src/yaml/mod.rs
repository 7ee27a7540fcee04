//! YAML in and out. The only module that names the YAML crates: `saphyr-parser`'s events give the place of every key and
//! value, and the values, as long as a text holds only what every reader of YAML understands alike. With anchors, tabs,
//! several ways to write a number and the like, `serde_yaml` gives the values, and both refuse what the other does not
//! understand.
//!
//! Nothing a file can hold makes this module panic, hang or eat memory: size, depth and alias expansion are bounded in
//! the first pass, before any value is built.

mod emit;
mod error;
mod outdented;
mod plain;
mod positions;
mod scan;
mod tags;
mod value;

use std::borrow::Cow;

use serde_json::Value;

pub use emit::emit;
pub use error::too_large;
pub use error::{YamlError, YamlErrorKind};
pub use positions::{PlacedNode, Positions};

/// The largest document [`parse`] and [`parse_cloudformation`] take, in bytes: the size CloudFormation takes from S3.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The deepest nesting of lists and mappings, well under what either parser's own stack allows.
pub const MAX_DEPTH: usize = 96;

/// A document with the place of everything in it.
#[derive(Debug, Clone)]
pub struct Document {
    /// What the document says.
    pub value: Value,
    /// Where it says it.
    pub positions: Positions,
}

/// Which YAML is read: an author's, or CloudFormation's with its short forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Plain,
    CloudFormation,
}

/// Reads one YAML document of plain data: text keys only, no tags, no merge keys, anchors and aliases within bounds.
///
/// # Errors
/// Everything else, with its line and column.
pub fn parse(text: &str) -> Result<Document, YamlError> {
    parse_as(text, Dialect::Plain)
}

/// Reads bytes as [`parse`] does.
///
/// # Errors
/// As [`parse`], and when the bytes are not UTF-8 text.
pub fn parse_bytes(bytes: &[u8]) -> Result<Document, YamlError> {
    parse(utf8(bytes)?)
}

/// Reads a CloudFormation template in YAML or JSON: `!Ref`, `!GetAtt a.b`, `!Sub` and the other short forms become
/// long forms, keys that look like numbers are text, dates such as `2012-10-17` stay text, and aliases are refused as
/// CloudFormation refuses them.
///
/// # Errors
/// Everything else, with its line and column.
pub fn parse_cloudformation(text: &str) -> Result<Document, YamlError> {
    error::within_size(text.len())?;
    // JSON is YAML; its own parser reads it ten times faster, and its places are only worked out when asked for.
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        return Ok(Document { value, positions: Positions::lazy(text) });
    }
    parse_as(text, Dialect::CloudFormation)
}

/// Bytes as text.
///
/// # Errors
/// With the line and column of the first byte that is not UTF-8.
pub fn utf8(bytes: &[u8]) -> Result<&str, YamlError> {
    error::within_size(bytes.len())?;
    std::str::from_utf8(bytes).map_err(|e| error::not_utf8(bytes, e.valid_up_to()))
}

fn parse_as(text: &str, dialect: Dialect) -> Result<Document, YamlError> {
    error::within_size(text.len())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    error::only_printable(text)?;
    let mut text = Cow::Borrowed(text);
    let mut attempts = if dialect == Dialect::CloudFormation { outdented::attempts(&text) } else { 0 };
    let mut mended_at = None;
    let (positions, value) = loop {
        match scan::scan(&text, dialect) {
            Ok(read) => break read,
            Err(error) => {
                let mended = match attempts {
                    0 => None,
                    // Where that was of no use, the text ends elsewhere than was meant.
                    _ if mended_at == Some((error.line, error.column)) => None,
                    _ => {
                        let place = (error.line, error.column);
                        let in_brackets = outdented::indented_in_brackets(&text, &error.message, place);
                        in_brackets.or_else(|| outdented::indented(&text, place))
                    }
                };
                mended_at = Some((error.line, error.column));
                text = Cow::Owned(mended.ok_or(error)?);
                attempts -= 1;
            }
        }
    };
    let value = match value {
        Some(value) => value,
        None => value::read(&text, dialect)?,
    };
    Ok(Document { value, positions })
}
