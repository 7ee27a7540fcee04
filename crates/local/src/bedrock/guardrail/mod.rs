//! Guardrails that stacks made: what they find in a text, and what comes of it.
//!
//! Detection is a stand-in for the service's models: words, phrases, patterns and word lists, no understanding.
//!
//! | file | holds |
//! | --- | --- |
//! | `detect` | topics, content and grounding |
//! | `personal` | personal data and patterns |
//! | `verdict` | one text judged by all policies |
//! | `api` | the operations |

mod api;
mod detect;
mod personal;
mod verdict;

use rusqlite::Connection;
use serde_json::Value;

use super::answer::missing;
use crate::ground::ApiError;
use crate::ground::resource_table;

pub(super) use api::{apply, get, list};
pub(super) use detect::harmful;
pub(super) use verdict::{Piece, judge};

/// Which way a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GuardedText {
    /// To the model.
    Input,
    /// From it.
    Output,
}

impl GuardedText {
    /// How properties that differ by the way begin.
    fn word(self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Output => "Output",
        }
    }
}

/// A guardrail at a version.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Guardrail {
    pub id: String,
    pub arn: String,
    pub version: String,
    pub properties: Value,
}

impl Guardrail {
    /// What is said in place of a blocked text.
    pub fn message(&self, source: GuardedText) -> &str {
        let name = match source {
            GuardedText::Input => "BlockedInputMessaging",
            GuardedText::Output => "BlockedOutputsMessaging",
        };
        self.properties.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A guardrail by id or ARN, as a draft or at a numbered version.
///
/// # Errors
///
/// When there is none.
pub(super) fn find(db: &Connection, region: &str, id: &str, version: &str) -> Result<Guardrail, ApiError> {
    let none = || missing("The guardrail identifier or version provided in the request does not exist.");
    let id = id.rsplit_once('/').map_or(id, |(_, id)| id);
    let made = resource_table::of_type(db, "AWS::Bedrock::Guardrail", Some(region))?;
    let draft = made.into_iter().find(|thing| thing.id.rsplit_once('/').is_some_and(|(_, known)| known == id));
    let draft = draft.ok_or_else(none)?;
    let properties = if version == "DRAFT" {
        draft.properties
    } else {
        let published = resource_table::find(db, "AWS::Bedrock::GuardrailVersion", region, &format!("{id}|{version}"))?;
        let published = published.ok_or_else(none)?;
        if published.state.is_object() { published.state } else { draft.properties }
    };
    Ok(Guardrail { id: id.to_owned(), arn: draft.id, version: version.to_owned(), properties })
}

/// The entries of a policy.
fn entries<'v>(properties: &'v Value, policy: &str, list: &str) -> impl Iterator<Item = &'v Value> {
    properties.get(policy).and_then(|policy| policy.get(list)).and_then(Value::as_array).into_iter().flatten()
}

/// A text of an entry.
fn text<'v>(entry: &'v Value, name: &str) -> &'v str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether an entry looks at texts of a source at all, and what it does then: by `InputAction` and the like, else by
/// `Action`, else by the policy's usual one.
fn action<'v>(entry: &'v Value, source: GuardedText, usual: &'v str) -> Option<&'v str> {
    let own = |suffix: &str| entry.get(format!("{}{suffix}", source.word()));
    let off = own("Enabled").is_some_and(|flag| flag == &Value::Bool(false) || flag == "false");
    if off {
        return None;
    }
    let by_source = own("Action").and_then(Value::as_str);
    Some(by_source.or_else(|| entry.get("Action").and_then(Value::as_str)).unwrap_or(usual))
}
