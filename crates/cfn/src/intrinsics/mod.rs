//! CloudFormation's intrinsic functions: what a value refers to, and what it comes to.
//!
//! [`resolve`] evaluates a value against a [`Resolver`], which knows parameters, resources and the rest. An answer may be
//! [`Answer::Unknown`]: known only once a resource exists. It leaves [`UNKNOWN`] in the result, as CloudFormation's own
//! change sets do, also in the middle of a text.

mod cidr;
mod evaluate;
mod language;
mod references;
mod scope;
mod sub;

use serde_json::Value;

use crate::finding::{Code, Finding};

pub use evaluate::{conditions, is_true, resolve, resolve_at};
pub use evaluate::{is_function, named_conditions, plain};
pub use language::{expand, policy_of, settle_policies};
pub use references::{Reference, ReferenceKind, references, references_if};
pub use scope::{Environment, NothingYet, Placeholders, Resources, Scope};
pub use sub::{Piece, pieces};

/// What stands in a result where the value is known only after a resource has been created or changed.
pub const UNKNOWN: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// Whether a resolved value holds something that is known only later.
pub fn has_unknown(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(UNKNOWN),
        Value::Array(items) => items.iter().any(has_unknown),
        Value::Object(map) => map.values().any(has_unknown),
        _ => false,
    }
}

/// What a [`Resolver`] says about a name it knows.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The value.
    Known(Value),
    /// There will be a value once the resource exists.
    Unknown,
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        Self::Known(Value::from(text))
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::Known(Value::String(text))
    }
}

/// Why a value can't be resolved, in CloudFormation's words where those are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The code of the finding it becomes.
    pub code: Code,
    /// One sentence.
    pub message: String,
    /// Where in the template, such as `Resources/Api/Properties/Name`; empty while nobody has said it.
    pub path: String,
}

impl Problem {
    /// A problem whose place the evaluation fills in.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: String::new() }
    }

    /// The same problem at a path, unless it has one already.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        if self.path.is_empty() {
            path.clone_into(&mut self.path);
        }
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl From<Problem> for Finding {
    fn from(problem: Problem) -> Self {
        let finding = Finding::error(problem.code, problem.message);
        if problem.path.is_empty() { finding } else { finding.in_template(problem.path) }
    }
}

/// A reference to a value kept elsewhere: `{{resolve:ssm:name:3}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicReference<'a> {
    /// `ssm`, `ssm-secure` or `secretsmanager`.
    pub service: &'a str,
    /// What follows the service, as written.
    pub key: &'a str,
}

impl<'a> DynamicReference<'a> {
    /// Splits a text at its first dynamic reference: what comes before, the reference, what comes after.
    pub fn find(text: &'a str) -> Option<(&'a str, Self, &'a str)> {
        let (before, rest) = text.split_once("{{resolve:")?;
        let (inside, after) = rest.split_once("}}")?;
        let (service, key) = inside.split_once(':')?;
        Some((before, Self { service, key }, after))
    }
}

/// What evaluation has to ask others for.
pub trait Resolver {
    /// What a `Ref` gives: the value of a parameter, the physical id of a resource, a pseudo parameter.
    ///
    /// # Errors
    ///
    /// The name is neither, or has no value.
    fn reference(&self, name: &str) -> Result<Answer, Problem>;

    /// What `Fn::GetAtt` gives.
    ///
    /// # Errors
    ///
    /// There is no such resource, or it has no such attribute.
    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Answer, Problem>;

    /// What another stack exports under a name.
    ///
    /// # Errors
    ///
    /// No stack exports it.
    fn import(&self, name: &str) -> Result<Answer, Problem>;

    /// Whether a condition of the template holds.
    ///
    /// # Errors
    ///
    /// The template has no such condition.
    fn condition(&self, name: &str) -> Result<bool, Problem>;

    /// The value of a mapping at two keys; `Ok(None)` when the mapping lacks one of the keys.
    ///
    /// # Errors
    ///
    /// The template has no such mapping.
    fn mapping(&self, map: &str, top: &str, second: &str) -> Result<Option<Value>, Problem>;

    /// The availability zones of a region; the empty text means the stack's own.
    ///
    /// # Errors
    ///
    /// They can't be known.
    fn zones(&self, region: &str) -> Result<Answer, Problem>;

    /// What a dynamic reference gives; `Ok(None)` leaves it in the text, for the provider to resolve.
    ///
    /// # Errors
    ///
    /// It is known not to exist.
    fn dynamic(&self, reference: &DynamicReference<'_>) -> Result<Option<String>, Problem> {
        let _ = reference;
        Ok(None)
    }

    /// Takes note of so many bytes of values that functions have made. Whether there may be so many.
    fn spend(&self, bytes: usize) -> bool {
        let _ = bytes;
        true
    }
}
