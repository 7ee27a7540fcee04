//! For a program: JSON, a line each. Results, and the events of verbs that change or try what is deployed, go to standard
//! output, findings to standard error. Whatever happens, the last line of events is one of kind `finished`: after an error of
//! the spec, without a target, after an interrupt, even when the program itself goes down.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::console::Console;
use super::findings::{self, json_line};
use super::reporter::{Reporter, VerbReport};
use super::run_record::RunEnd;
use crate::engine::Event;
use crate::finding::Finding;

/// Tells a program.
pub struct JsonReporter {
    console: Console,
    /// Events are told, and the last line is `finished`.
    events: bool,
    /// That line is written.
    closed: Mutex<bool>,
}

impl JsonReporter {
    /// Tells whoever reads this console; `events` of the verbs that have them.
    pub fn new(console: Console, events: bool) -> Self {
        Self { console, events, closed: Mutex::new(false) }
    }

    /// Writes a line of events, unless the last one is written.
    fn line(&self, line: &Value, last: bool) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if self.events && !*closed {
            *closed = last;
            // A reader that went away must not stop what is under way.
            let _ = self.write(line);
        }
    }

    fn write(&self, value: &Value) -> Result<(), Vec<Finding>> {
        self.console.out(&format!("{}\n", json_line(value)))
    }
}

impl Reporter for JsonReporter {
    fn event(&self, event: &Event) {
        if let Ok(line) = serde_json::to_value(event) {
            self.line(&line, false);
        }
    }

    fn progress(&self, line: &str) {
        self.console.progress(line);
    }

    fn say(&self, line: &str) {
        self.console.say(line);
    }

    fn findings(&self, findings: &[Finding]) {
        if !findings.is_empty() {
            self.console.say(&json_line(&findings::json(findings)));
        }
    }

    fn result(&self, report: &dyn VerbReport) -> Result<(), Vec<Finding>> {
        self.findings(report.findings());
        self.console.beside(report);
        report.json().map_or(Ok(()), |value| self.write(&value))
    }

    fn data(&self, text: &str) -> Result<(), Vec<Finding>> {
        self.console.out(text)
    }

    fn ended(&self, end: &RunEnd) {
        self.findings(&end.untold);
        let mut line = json!({
            "at": jiff::Timestamp::now(),
            "kind": "finished",
            "outcome": end.outcome(),
            "exit_code": end.exit.code(),
            "stacks": end.stacks,
            "findings": end.findings,
            "done": end.changes.done,
            "unknown": end.changes.unknown,
        });
        if let (Some(all), false) = (line.as_object_mut(), end.left.is_empty()) {
            all.insert("left".to_owned(), json!(end.left));
        }
        self.line(&line, true);
    }
}
