//! Text with `${…}` references in it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Text that may hold references such as `${buckets.posters}`; `$${` stands for a literal `${`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

/// A tree of values whose texts may hold references, such as the properties of a raw resource.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Tree(pub Value);

/// A stretch of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Characters that stand for themselves, `$${` already turned into `${`.
    Literal(String),
    /// What stood between `${` and `}`.
    Reference(Reference),
}

/// What a `${…}` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `${section.name}` or `${section.name.attribute}`: a component of this spec.
    Component {
        /// The section, such as `buckets`.
        section: String,
        /// The component's name.
        name: String,
        /// The attribute, such as `arn`; none means the name a program uses.
        attribute: Option<String>,
    },
    /// `${parameters.x}`.
    Parameter(String),
    /// `${stage}`: the stage deployed to.
    Stage,
    /// `${stage-suffix}`: nothing for the stage `dev`, and a hyphen with the stage for any other. For names that are known
    /// by heart in one stage and must differ in the others.
    StageSuffix,
    /// `${region}`.
    Region,
    /// `${account}`.
    Account,
    /// `${partition}`: `aws`, or that of another part of AWS; ARNs begin with it.
    Partition,
    /// `${query.x}`: a query-string parameter, in an API's `request` only.
    Query(String),
    /// `${header.x}`, in an API's `request` only.
    Header(String),
    /// `${path.x}`, in an API's `request` only.
    Path(String),
    /// `${body}`: the request's JSON body, in an API's `request` only.
    Body,
}

/// Why a text is not well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A `${` with no `}` after it.
    #[error("`${{` is never closed")]
    Unclosed,
    /// The words between `${` and `}` name nothing that can be referred to.
    #[error("`${{{0}}}` is not a reference")]
    Unknown(String),
}

impl Text {
    /// A text from its source form.
    pub fn new(source: impl Into<String>) -> Self {
        Self(source.into())
    }

    /// The text as it stands in the spec.
    pub fn source(&self) -> &str {
        &self.0
    }

    /// The text taken apart.
    ///
    /// # Errors
    /// When a `${` is not closed or what it holds is not the form of a reference. Whether the thing named exists is
    /// decided later, over the whole spec.
    pub fn pieces(&self) -> Result<Vec<Piece>, TextError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find('$') {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("$${") {
                literal.push_str("${");
                rest = after;
            } else if let Some(after) = from.strip_prefix("${") {
                let Some((inside, after)) = after.split_once('}') else { return Err(TextError::Unclosed) };
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Reference(Reference::parse(inside)?));
                rest = after;
            } else {
                literal.push('$');
                rest = &from[1..];
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(pieces)
    }
}

impl Reference {
    /// Reads what stands between `${` and `}`.
    ///
    /// # Errors
    /// When it is not the form of a reference.
    pub fn parse(inside: &str) -> Result<Self, TextError> {
        let words: Vec<&str> = inside.trim().split('.').collect();
        if words.iter().any(|word| word.is_empty()) {
            return Err(TextError::Unknown(inside.to_owned()));
        }
        Ok(match words.as_slice() {
            ["stage"] => Reference::Stage,
            ["stage-suffix"] => Reference::StageSuffix,
            ["region"] => Reference::Region,
            ["account"] => Reference::Account,
            ["partition"] => Reference::Partition,
            ["body"] => Reference::Body,
            ["parameters", name] => Reference::Parameter((*name).to_owned()),
            ["query", name] => Reference::Query((*name).to_owned()),
            ["header", name] => Reference::Header((*name).to_owned()),
            ["path", name] => Reference::Path((*name).to_owned()),
            [section, name] => {
                Reference::Component { section: (*section).to_owned(), name: (*name).to_owned(), attribute: None }
            }
            [section, name, attribute @ ..] if attribute.len() == 1 || *section == "resources" => {
                Reference::Component {
                    section: (*section).to_owned(),
                    name: (*name).to_owned(),
                    // An attribute of a resource may have dots of its own, such as `Endpoint.Address`.
                    attribute: Some(attribute.join(".")),
                }
            }
            _ => return Err(TextError::Unknown(inside.to_owned())),
        })
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-text": true })
    }
}

impl JsonSchema for Tree {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Tree".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": true, "x-deep-text": true })
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(text.to_owned())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Text)
    }
}
