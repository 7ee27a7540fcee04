//! Which statements of deployed roles were needed, and what was denied, as `local iam-report` shows it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::findings::printable;
use super::reporter::{Look, VerbReport};
use super::style::{count, paint};
use crate::local::identity::{Report, StatementUse};

/// What the roles of the local target were used for.
#[derive(Debug)]
pub struct IamReport(pub Report);

impl VerbReport for IamReport {
    fn json(&self) -> Option<Value> {
        Some(json!(self.0))
    }

    fn text(&self, look: &Look) -> String {
        text(&self.0, look.styles.strong)
    }
}

/// Roles in order, a line a statement; then what was denied.
fn text(report: &Report, strong: anstyle::Style) -> String {
    let mut out = String::new();
    let mut role = "";
    for statement in &report.statements {
        if role != statement.role {
            role = &statement.role;
            let title = format!("{} {} ({})", statement.stack, statement.logical_id, statement.role);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{}", paint(strong, printable(&title)));
        }
        let _ = writeln!(out, "  {}", printable(&line(statement)));
    }
    if report.statements.is_empty() {
        out.push_str("The local target has no such roles\n");
    }
    if !report.denials.is_empty() {
        let _ = writeln!(out, "{}", paint(strong, "Denied"));
    }
    for denied in &report.denials {
        let _ = writeln!(out, "  {} ({})", printable(&denied.message), times(denied.count));
    }
    out
}

fn line(statement: &StatementUse) -> String {
    let name = match &statement.sid {
        Some(sid) => format!("{} {sid}", statement.policy),
        None => format!("{}[{}]", statement.policy, statement.statement),
    };
    let used = match statement.count() {
        0 => "never used".to_owned(),
        used => {
            let asked: Vec<&str> = statement.used.iter().map(|(action, _)| action.as_str()).collect();
            let idle: Vec<&str> =
                statement.actions.iter().map(String::as_str).filter(|action| !was_asked(action, &asked)).collect();
            if idle.is_empty() || statement.effect == "Deny" {
                format!("used {}", times(used))
            } else {
                format!("used {}, but never {}", times(used), idle.join(", "))
            }
        }
    };
    format!(
        "{name}: {} {} on {}: {used}",
        statement.effect,
        statement.actions.join(", "),
        if statement.resources.is_empty() { "the role".to_owned() } else { statement.resources.join(", ") },
    )
}

/// Whether an action of a statement, perhaps with wildcards, was among those asked for.
fn was_asked(action: &str, asked: &[&str]) -> bool {
    let pattern = action.to_ascii_lowercase();
    asked.iter().any(|asked| crate::iam::matches(&pattern, &asked.to_ascii_lowercase()))
}

fn times(number: i64) -> String {
    count(usize::try_from(number).unwrap_or(0), "time")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(used: &[(&str, i64)]) -> StatementUse {
        StatementUse {
            stack: "posters-dev".to_owned(),
            logical_id: "DesignRole".to_owned(),
            role: "posters-dev-DesignRole-X".to_owned(),
            policy: "grants".to_owned(),
            statement: 1,
            sid: None,
            effect: "Allow",
            actions: vec!["s3:GetObject".to_owned(), "s3:Put*".to_owned()],
            resources: vec!["arn:aws:s3:::posters/*".to_owned()],
            used: used.iter().map(|(action, count)| ((*action).to_owned(), *count)).collect(),
        }
    }

    #[test]
    fn a_statement_says_what_of_it_was_needed() {
        let said = |used: &[(&str, i64)]| line(&statement(used)).rsplit_once(": ").map(|(_, said)| said.to_owned());
        assert_eq!(said(&[]).as_deref(), Some("never used"));
        assert_eq!(said(&[("s3:PutObject", 2)]).as_deref(), Some("used 2 times, but never s3:GetObject"));
        assert_eq!(said(&[("s3:PutObject", 2), ("s3:GetObject", 1)]).as_deref(), Some("used 3 times"));
        assert!(line(&statement(&[])).starts_with("grants[1]: Allow s3:GetObject, s3:Put* on arn:aws:s3:::posters/*:"));
    }
}
