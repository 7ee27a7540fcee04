//! What findings mean, as `explain` shows it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::reporter::{Look, VerbReport};
use super::style::paint;
use crate::finding::{FindingGroup, FindingKind};

/// The codes of findings: one in full, or all of them in a line each.
#[derive(Debug)]
pub enum ExplainReport {
    /// One, with what to do about it.
    One(&'static FindingGroup, &'static FindingKind),
    /// All, each of its group.
    All(Vec<(&'static FindingGroup, &'static FindingKind)>),
}

impl VerbReport for ExplainReport {
    fn json(&self) -> Option<Value> {
        Some(match self {
            Self::One(group, kind) => value(group, kind),
            Self::All(all) => all.iter().map(|(group, kind)| value(group, kind)).collect(),
        })
    }

    fn text(&self, look: &Look) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        match self {
            Self::All(all) => {
                for (_, kind) in all {
                    let _ = writeln!(text, "{}  {}", paint(look.styles.strong, kind.code), kind.title);
                }
            }
            Self::One(group, kind) => {
                let _ = writeln!(
                    text,
                    "{} ({}; {})\n\n{}.\n\nWhat to do: {}.",
                    paint(look.styles.strong, kind.code),
                    kind.severity,
                    group.title,
                    kind.title.trim_end_matches('.'),
                    kind.fix.trim_end_matches('.')
                );
                if let Some(spec) = kind.example {
                    text.push_str("\nExample of a spec that causes it:\n\n");
                    for line in spec.lines() {
                        let _ = writeln!(text, "  {line}");
                    }
                }
            }
        }
        text
    }
}

fn value(group: &FindingGroup, kind: &FindingKind) -> Value {
    json!({
        "code": kind.code,
        "severity": kind.severity,
        "part": group.title,
        "title": kind.title,
        "fix": kind.fix,
        "example": kind.example,
    })
}
