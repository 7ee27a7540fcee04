//! OpenAPI descriptions of what an agent's tool can be asked: reading them, saying what is wrong at the line where it
//! stands, and the two forms that agents take, one text for an action group, one schema an operation for a gateway.
//!
//! | file | its subject |
//! | --- | --- |
//! | `operations` | the walk over paths and methods |
//! | `references` | local `$ref`s: following one, and filling all of them in |
//! | `schema` | JSON Schema → the few words of it that a gateway knows |
//!
//! Only what agents act on is looked at: a description may hold more, such as servers and security, which neither
//! engine reads.

mod operations;
mod references;
mod schema;

use serde_json::Value;

use super::types::Engine;
use crate::finding::{Code, Finding, Place, code};
use crate::yaml::{self, Document};

pub(super) use operations::is_operation_name;
pub use schema::tool_schema_of;

/// A description that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenApi {
    /// What can be asked, in the order of the file.
    pub operations: Vec<ApiOperation>,
    /// The whole as JSON on one line, every `$ref` filled in.
    pub payload: String,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiOperation {
    /// Its `operationId`.
    pub id: String,
    /// What it does.
    pub description: String,
    /// What it is told, as the inline tool schema of `AWS::BedrockAgentCore::GatewayTarget` has it.
    pub input: Value,
}

/// Reads a description for an engine; `shown` is how findings name the file.
///
/// With an error among the findings there is nothing to use.
pub fn read_openapi(text: &str, shown: &str, engine: Engine) -> (Option<OpenApi>, Vec<Finding>) {
    let document = match yaml::parse(text) {
        Ok(document) => document,
        Err(error) => return (None, vec![error.finding(shown)]),
    };
    let mut reader = Reader { document: &document, shown, engine, findings: Vec::new(), room: Room::default() };
    let operations = if reader.head() { reader.operations() } else { Vec::new() };
    let payload = if operations.is_empty() { String::new() } else { reader.payload() };
    let findings = reader.findings;
    let usable = !operations.is_empty() && !crate::finding::has_errors(&findings);
    (usable.then_some(OpenApi { operations, payload }), findings)
}

/// Reads one file.
struct Reader<'a> {
    document: &'a Document,
    shown: &'a str,
    engine: Engine,
    findings: Vec<Finding>,
    /// What may still be copied for each form.
    room: Room,
}

/// The most values a description may come to once its references are filled in, and bytes of text in them: a few lines that
/// name one another can stand for billions.
const MOST_VALUES: usize = 20_000;
const MOST_BYTES: usize = 1 << 20;

/// How deep it may nest then.
const DEEPEST: usize = 128;

/// How much of a description is copied, a part as often as it is referred to.
#[derive(Debug, Clone, Copy, Default)]
struct Room {
    values: usize,
    bytes: usize,
}

impl Room {
    /// Takes room for a value. Whether there was some left.
    fn take(&mut self, value: &Value) -> bool {
        self.values = self.values.saturating_add(1);
        self.bytes = self.bytes.saturating_add(match value {
            Value::String(text) => text.len(),
            Value::Object(members) => members.keys().map(String::len).sum(),
            _ => 0,
        });
        self.is_left()
    }

    /// Takes room for a value and what is in it, one level down.
    fn take_all(&mut self, value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().all(|item| self.take(item)),
            other => self.take(other),
        }
    }

    fn is_left(self) -> bool {
        self.values <= MOST_VALUES && self.bytes <= MOST_BYTES
    }
}

/// How many findings about one file are told.
const MOST_FINDINGS: usize = 100;

impl<'a> Reader<'a> {
    /// Says that a description is too large once its references are filled in.
    fn too_large(&mut self) {
        let message = format!("it comes to more than {MOST_VALUES} values or 1 MiB once its references are filled in");
        self.error(code::S194, "/paths", message, "describe less, or describe it more simply");
    }

    fn root(&self) -> &'a Value {
        &self.document.value
    }

    /// Whether it is a description at all.
    fn head(&mut self) -> bool {
        let version = self.root().get("openapi");
        let known = version.and_then(Value::as_str).is_some_and(|it| it.starts_with("3.0.") || it.starts_with("3.1."));
        if !known {
            let message = match version {
                Some(Value::String(version)) => format!("this is written in version {version} of OpenAPI"),
                Some(_) => "the version of OpenAPI is not text".to_owned(),
                None => "this is not an OpenAPI description: it has no `openapi`".to_owned(),
            };
            self.error(
                code::S190,
                "/openapi",
                message,
                "write `openapi: 3.0.3` and describe `paths`; agents read 3.0 and 3.1",
            );
        }
        known
    }

    fn error(&mut self, code: Code, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.push(Finding::error(code, message), self.document.positions.at(pointer), help);
    }

    fn error_at_key(&mut self, code: Code, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.push(Finding::error(code, message), self.document.positions.key_at(pointer), help);
    }

    fn warning(&mut self, code: Code, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.push(Finding::warning(code, message), self.document.positions.at(pointer), help);
    }

    fn push(&mut self, finding: Finding, at: Option<(usize, usize)>, help: impl Into<String>) {
        if self.findings.len() >= MOST_FINDINGS {
            return;
        }
        let (line, column) = at.unwrap_or((1, 1));
        let finding = finding.at(Some(Place { file: self.shown.to_owned(), line, column })).help(help);
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}
