//! What is wrong with specs, as `check` shows it.

use std::time::Duration;

use serde_json::{Value, json};

use super::findings::{self, on_one_line, summary};
use super::reporter::{Look, VerbReport};
use super::style::{duration, paint};
use crate::finding::{Finding, has_errors};

/// The findings of several use cases. A person is told of each by itself.
#[derive(Debug)]
pub struct CheckReport {
    /// Each use case, in order.
    pub use_cases: Vec<CheckedUseCase>,
}

/// The findings of one use case.
#[derive(Debug)]
pub struct CheckedUseCase {
    /// The use case, or its file where it does not load.
    pub name: String,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

impl VerbReport for CheckReport {
    fn json(&self) -> Option<Value> {
        let one = |one: &CheckedUseCase| {
            let mut value = findings::json(&one.findings);
            value["use-case"] = json!(one.name);
            value
        };
        Some(json!({ "use-cases": self.use_cases.iter().map(one).collect::<Vec<_>>() }))
    }
}

impl VerbReport for CheckedUseCase {
    fn text(&self, look: &Look) -> String {
        let styles = &look.styles;
        let verdict = if has_errors(&self.findings) { styles.bad } else { styles.good };
        format!(
            "{}{}: {}\n",
            findings::text(&self.findings, styles, look.sources),
            paint(styles.strong, on_one_line(&self.name)),
            paint(verdict, summary(&self.findings))
        )
    }

    fn github(&self, _: &Look) -> String {
        findings::github(&self.findings)
    }
}

/// How long a check took.
#[derive(Debug)]
pub struct CheckTime(pub Duration);

impl VerbReport for CheckTime {
    fn progress(&self, _: &Look) -> String {
        let took = if self.0.as_secs() == 0 { format!("{} ms", self.0.as_millis()) } else { duration(self.0) };
        format!("Checked offline in {took}")
    }
}
