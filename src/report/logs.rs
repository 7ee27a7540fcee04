//! What functions and APIs have logged, a line each.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::findings::{harmless, on_one_line};
use super::reporter::{Look, VerbReport};
use super::style::paint;
use crate::engine::LogLine;

/// One line of the logs of a stack, told when it is read.
#[derive(Debug)]
pub struct LogsReport<'a> {
    /// The line.
    pub line: &'a LogLine,
    /// Columns that the longest name of a log takes.
    pub width: usize,
}

impl LogsReport<'_> {
    fn time(&self) -> String {
        let at = Timestamp::from_millisecond(self.line.event.at).unwrap_or(Timestamp::UNIX_EPOCH);
        at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }
}

impl VerbReport for LogsReport<'_> {
    fn json(&self) -> Option<Value> {
        let LogLine { source, event } = self.line;
        Some(json!({ "time": self.time(), "log": source, "stream": event.stream, "message": event.message }))
    }

    /// Time, function and message; each line of a message that has several.
    fn text(&self, look: &Look) -> String {
        let (at, source) = (self.time(), format!("{:1$}", on_one_line(&self.line.source), self.width));
        let head = format!("{} {}", paint(look.styles.dim, &at), paint(look.styles.strong, &source));
        self.line.event.message.trim_end().split('\n').fold(String::new(), |mut text, part| {
            let _ = writeln!(text, "{head}  {}", harmless(part));
            text
        })
    }
}
