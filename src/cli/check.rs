//! `bedplate check`: what is wrong with specs and the templates they make, offline.

use std::time::Instant;

use serde_json::json;

use super::Outcome;
use super::args::Format;
use super::exit::Exit;
use super::session::Session;
use crate::finding::{Finding, has_errors};
use crate::report::findings::{json as findings_json, summary};
use crate::report::style::{duration, paint};
use crate::spec::LoadedSpec;

/// Check specs, and the templates they make against CloudFormation's own schemas, offline.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate check                       every use case of the project\n  bedplate check movie-poster --strict\n  bedplate check --format github       annotations in a pull request"
)]
pub struct CheckArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
    /// Warnings fail the check too
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(session: &Session, args: &CheckArgs) -> Outcome {
    let started = Instant::now();
    let ui = &session.ui;
    let mut all = Vec::new();
    let mut reports = Vec::new();
    for found in session.find(&args.use_cases)? {
        let (name, findings) = match session.load_one(&found) {
            Ok(spec) => (spec.spec.name.clone(), findings_of(session, &spec)),
            Err(findings) => (found.shown.clone(), findings),
        };
        match ui.format {
            Format::Text | Format::Github => ui.out(&ui.render_findings(&findings, &ui.out_styles))?,
            Format::Json => {
                let mut report = findings_json(&findings);
                report["use-case"] = json!(name);
                reports.push(report);
            }
        }
        if ui.format == Format::Text {
            let verdict = if has_errors(&findings) { ui.out_styles.bad } else { ui.out_styles.good };
            ui.out(&format!("{}: {}\n", paint(ui.out_styles.strong, &name), paint(verdict, summary(&findings))))?;
        }
        all.extend(findings);
    }
    if ui.format == Format::Json {
        ui.json(&json!({ "use-cases": reports }))?;
    }
    let exact = if ui.verbose { format!("{:?}", started.elapsed()) } else { duration(started.elapsed()) };
    ui.status(&format!("Checked offline in {exact}"));
    let failed = has_errors(&all) || args.strict && all.iter().any(|f| f.severity == crate::finding::Severity::Warning);
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn findings_of(session: &Session, spec: &LoadedSpec) -> Vec<Finding> {
    match session.render(spec) {
        Ok(rendered) => session.check(spec, &rendered),
        Err(findings) => findings,
    }
}
