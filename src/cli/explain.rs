//! `bedplate explain`: what a finding means and what to do about it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::globals::Format;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;
use crate::finding::{FINDINGS, Finding, FindingGroup, FindingKind, code, finding_kind};
use crate::report::style::paint;
use crate::suggestion::nearest;

/// Explain a finding: what its code means, and what to do
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate explain D018\n  bedplate explain                 every code\n  bedplate explain D018 --format json"
)]
pub struct ExplainArgs {
    /// A finding's code, such as `D018`; all of them unless given
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(super) fn run(session: &Session, args: &ExplainArgs) -> VerbResult {
    let ui = &session.ui;
    let chosen = match &args.code {
        None => FINDINGS.iter().flat_map(|group| group.kinds.iter().map(move |kind| (group, kind))).collect(),
        Some(code) => vec![finding_kind(code).ok_or_else(|| vec![unknown(code)])?],
    };
    if ui.format == Format::Json {
        let all: Vec<Value> = chosen.iter().map(|(group, kind)| value(group, kind)).collect();
        let single = args.code.is_some();
        ui.json(&if single { all.into_iter().next().unwrap_or_default() } else { Value::from(all) })?;
        return Ok(ExitCode::Done);
    }
    let mut text = String::new();
    for (group, kind) in &chosen {
        let code = paint(ui.out_styles.strong, kind.code);
        // Writing to a string cannot fail.
        let _ = match args.code {
            None => writeln!(text, "{code}  {}", kind.title),
            Some(_) => writeln!(
                text,
                "{code} ({}; {})\n\n{}.\n\nWhat to do: {}.",
                kind.severity,
                group.title,
                kind.title.trim_end_matches('.'),
                kind.fix.trim_end_matches('.')
            ),
        };
        if let Some(spec) = kind.example.filter(|_| args.code.is_some()) {
            text.push_str("\nExample of a spec that causes it:\n\n");
            for line in spec.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    ui.out(&text)?;
    Ok(ExitCode::Done)
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

fn unknown(code: &str) -> Finding {
    let codes = FINDINGS.iter().flat_map(|group| group.kinds).map(|kind| kind.code);
    let finding = Finding::error(code::P076, format!("there is no finding with the code `{code}`"));
    match nearest(&code.to_ascii_uppercase(), codes) {
        Some(near) => finding.help(format!("did you mean `{near}`? `bedplate explain` lists all codes")),
        None => finding.help("`bedplate explain` lists all codes"),
    }
}
