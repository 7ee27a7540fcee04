//! `bedplate check`: what is wrong with specs and the templates they make, offline.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use serde_json::json;

use super::globals::Format;
use super::needs::{self, Dependencies};
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;
use crate::finding::{Finding, has_errors};
use crate::report::findings::{json as findings_json, on_one_line, summary};
use crate::report::style::{duration, paint};
use crate::spec::{LoadedSpec, UseCaseFile};

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

pub(super) fn run(session: &Session, args: &CheckArgs) -> VerbResult {
    let started = Instant::now();
    let ui = &session.ui;
    let mut all = Vec::new();
    let mut reports = Vec::new();
    let mut checked = side_by_side(session, &session.find(&args.use_cases)?);
    let dependencies: BTreeMap<String, Dependencies> =
        checked.iter_mut().map(|one| (one.name.clone(), std::mem::take(&mut one.dependencies))).collect();
    // A finding about two use cases belongs to the one in whose file it is.
    for finding in needs::offline(session, &dependencies) {
        let file = finding.place.as_ref().map(|place| place.file.clone()).unwrap_or_default();
        let at = checked.iter().position(|one| one.file == file).unwrap_or(0);
        if let Some(one) = checked.get_mut(at) {
            one.findings.push(finding);
        }
    }
    for Checked { name, findings, .. } in checked {
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
            let name = on_one_line(&name);
            ui.out(&format!("{}: {}\n", paint(ui.out_styles.strong, &name), paint(verdict, summary(&findings))))?;
        }
        all.extend(findings);
    }
    if ui.format == Format::Json {
        ui.json(&json!({ "use-cases": reports }))?;
    }
    let took = started.elapsed();
    let took = if took.as_secs() == 0 { format!("{} ms", took.as_millis()) } else { duration(took) };
    ui.status(&format!("Checked offline in {took}"));
    let failed = has_errors(&all) || args.strict && all.iter().any(|f| f.severity == crate::finding::Severity::Warning);
    Ok(if failed { ExitCode::Failed } else { ExitCode::Done })
}

/// A use case that has been checked.
struct Checked {
    name: String,
    /// The spec file as findings name it.
    file: String,
    findings: Vec<Finding>,
    dependencies: Dependencies,
}

/// Each of them, in order, worked out on all cores.
fn side_by_side(session: &Session, files: &[UseCaseFile]) -> Vec<Checked> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = files.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let checkers: Vec<_> = files
            .chunks(share)
            .map(|files| scope.spawn(move || files.iter().map(|file| check_one(session, file)).collect::<Vec<_>>()))
            .collect();
        let join = |checker: ScopedJoinHandle<'_, Vec<_>>| match checker.join() {
            Ok(checked) => checked,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        checkers.into_iter().flat_map(join).collect()
    })
}

fn check_one(session: &Session, file: &UseCaseFile) -> Checked {
    let (name, (findings, dependencies)) = match session.load_one(file) {
        Ok(spec) => (spec.spec.name.clone(), findings_of(session, &spec)),
        Err(findings) => (file.shown.clone(), (findings, Dependencies::default())),
    };
    Checked { name, file: file.shown.clone(), findings, dependencies }
}

fn findings_of(session: &Session, spec: &LoadedSpec) -> (Vec<Finding>, Dependencies) {
    match session.render(spec) {
        Ok(rendered) => (session.check(spec, &rendered), Dependencies::from_rendered(spec, &rendered)),
        Err(findings) => (findings, Dependencies::default()),
    }
}
