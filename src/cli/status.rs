//! `bedplate status`: the state of what is deployed, and why it is so.

use crate::finding::code;
use std::fmt::Write as _;

use serde_json::json;

use super::globals::Format;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::{self, ExitCode, Status};
use crate::report::findings::{on_one_line, printable};
use crate::report::style::{Styles, duration, paint};

/// Show the state of what is deployed: its status, its resources, and what failed in its last operation.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate status movie-poster\n  bedplate status --stage prod --target aws --format json"
)]
pub struct StatusArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
}

pub(super) fn run(session: &Session, args: &StatusArgs) -> VerbResult {
    let specs = session.load(&args.use_cases)?;
    session.block_on(async {
        let mut reports = Vec::new();
        let mut foreign = Vec::new();
        for spec in &specs {
            let stack = session.stack_name(spec);
            let claim = session.claim(&spec.spec.name)?;
            let rendered = session.render(spec).ok();
            let connection = session.connect("status of", &stack, session.region(Some(spec))?).await?;
            let template = rendered.as_ref().map(|rendered| &rendered.template);
            let status = engine::status(&connection.clients, &stack, &claim, template).await;
            connection.close().await;
            let status = match status {
                // The others are told of all the same.
                Err(finding) if finding.code == code::D012 => {
                    foreign.push(finding);
                    continue;
                }
                status => status.map_err(|finding| vec![finding])?,
            };
            match session.ui.format {
                Format::Json => reports.push(json!({ "use-case": spec.spec.name, "stack": stack, "deployed": status })),
                Format::Text | Format::Github => session.ui.out(&match &status {
                    Some(status) => text(status, &session.ui.out_styles),
                    None => format!("{stack} is not deployed\n"),
                })?,
            }
        }
        if session.ui.format == Format::Json {
            session.ui.json(&json!({ "stacks": reports }))?;
        }
        if foreign.is_empty() { Ok(ExitCode::Done) } else { Err(foreign) }
    })
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
    let age =
        status.age.map_or_else(String::new, |age| format!(", {} old", duration(std::time::Duration::from_secs(age))));
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
