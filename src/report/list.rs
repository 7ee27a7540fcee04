//! The use cases of a project and what is deployed of them, as `list` shows them.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::findings::on_one_line;
use super::reporter::{Look, VerbReport};
use super::style::{duration, paint};
use crate::aws::StackSummary;

/// What there is, here and deployed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListReport {
    /// The use cases of the project.
    pub use_cases: Vec<ListedUseCase>,
    /// The stacks of use cases, of this project and of others.
    pub stacks: Vec<ListedStack>,
    /// The moment that ages are counted to.
    #[serde(skip)]
    pub now: Timestamp,
}

/// A use case of the project.
#[derive(Debug, Serialize)]
pub struct ListedUseCase {
    /// Its name.
    pub name: String,
    /// Its spec file.
    pub spec: String,
}

/// A stack of a use case.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListedStack {
    /// The use case.
    pub use_case: String,
    /// The region the stack is in.
    pub region: String,
    /// The stack.
    pub stack: StackSummary,
}

impl VerbReport for ListReport {
    fn json(&self) -> Option<Value> {
        Some(json!(self))
    }

    fn text(&self, look: &Look) -> String {
        let mut out = String::new();
        for file in &self.use_cases {
            for one in self.stacks.iter().filter(|one| one.use_case == file.name) {
                self.row(&mut out, &file.name, one);
            }
        }
        for one in self.stacks.iter().filter(|one| !self.use_cases.iter().any(|file| file.name == one.use_case)) {
            self.row(&mut out, &format!("{} (no spec here)", one.use_case), one);
        }
        for file in self.use_cases.iter().filter(|file| !self.stacks.iter().any(|one| one.use_case == file.name)) {
            let _ = writeln!(out, "{:28} {}", on_one_line(&file.name), paint(look.styles.dim, "not deployed"));
        }
        out
    }

    fn aside(&self, _: &Look) -> String {
        let nothing = self.use_cases.is_empty() && self.stacks.is_empty();
        if nothing { "There are no use cases here, and nothing is deployed".to_owned() } else { String::new() }
    }
}

impl ListReport {
    fn row(&self, out: &mut String, name: &str, ListedStack { region, stack, .. }: &ListedStack) {
        let age = stack
            .created
            .map_or(Duration::ZERO, |created| Duration::try_from(self.now.duration_since(created)).unwrap_or_default());
        let (name, stack_name, status) = (on_one_line(name), on_one_line(&stack.name), on_one_line(&stack.status));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name:28} {stack_name:32} {status:24} {region} {:>8}", duration(age));
    }
}
