//! The text of `Fn::Sub`, in pieces.

use super::Problem;
use crate::finding::code;

/// A piece of the text of `Fn::Sub`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Comes through as it is.
    Text(&'a str),
    /// `${Name}` or `${Name.Attribute}`, without the braces.
    Variable(&'a str),
    /// `${!Name}`, which comes through as `${Name}`; this is the name.
    Literal(&'a str),
}

/// Splits a text for `Fn::Sub` into its pieces.
///
/// # Errors
///
/// A variable's name holds characters CloudFormation refuses.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Problem> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        if !before.is_empty() {
            found.push(Piece::Text(before));
        }
        if let Some(literal) = name.strip_prefix('!') {
            found.push(Piece::Literal(literal));
        } else {
            let name = name.trim();
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '_');
            if name.is_empty() || !name.chars().all(plain) {
                return Err(Problem::new(
                    code::T100,
                    format!(
                        "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, \
                         underscores, periods, and colons, and `{name}` does not"
                    ),
                ));
            }
            found.push(Piece::Variable(name));
        }
        rest = after;
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    Ok(found)
}
