//! The state of what is deployed, as `status` shows it.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::findings::{on_one_line, printable};
use super::reporter::{Look, VerbReport};
use super::style::{Styles, duration, paint};
use crate::engine::Status;

/// The state of several use cases. A person is told of each as soon as it is known.
#[derive(Debug, Default, Serialize)]
pub struct StatusReport {
    /// Each use case, in order.
    pub stacks: Vec<StackStatus>,
}

/// The state of one use case.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StackStatus {
    /// The use case.
    pub use_case: String,
    /// Its stack's name.
    pub stack: String,
    /// The stack's state; none when there is no such stack.
    pub deployed: Option<Status>,
}

impl VerbReport for StatusReport {
    fn json(&self) -> Option<Value> {
        Some(json!(self))
    }
}

impl VerbReport for StackStatus {
    fn text(&self, look: &Look) -> String {
        match &self.deployed {
            Some(status) => text(status, &look.styles),
            None => format!("{} is not deployed\n", self.stack),
        }
    }
}

fn text(status: &Status, styles: &Styles) -> String {
    let mut out = String::new();
    let stack = &status.stack;
    let healthy = stack.status.ends_with("_COMPLETE") && !stack.status.contains("ROLLBACK");
    let style = if healthy {
        styles.good
    } else if status.in_progress {
        styles.info
    } else {
        styles.bad
    };
    let age = status.age.map_or_else(String::new, |age| format!(", {} old", duration(Duration::from_secs(age))));
    let _ = writeln!(
        out,
        "{} {}{age}",
        paint(styles.strong, on_one_line(&stack.name)),
        paint(style, on_one_line(&stack.status))
    );
    if let Some(reason) = stack.reason.as_ref().filter(|_| !healthy && !status.in_progress) {
        let _ = writeln!(out, "  {}", printable(reason));
    }
    if status.spec_changed == Some(true) {
        let _ = writeln!(out, "  the spec has changed since it was deployed: `bedplate plan` says what would change");
    }
    for cause in &status.causes {
        let reason = cause.reason.as_deref().unwrap_or("no reason given");
        let status = paint(styles.bad, on_one_line(&cause.status));
        let _ = writeln!(out, "  {status} {}: {}", on_one_line(&cause.logical_id), printable(reason));
    }
    let width = status.resources.iter().map(|resource| resource.logical_id.chars().count()).max().unwrap_or(0);
    for resource in &status.resources {
        let _ = writeln!(
            out,
            "  {:width$}  {}  {}",
            on_one_line(&resource.logical_id),
            on_one_line(&resource.status),
            paint(styles.dim, on_one_line(&resource.resource_type))
        );
    }
    out
}
