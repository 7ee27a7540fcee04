//! `bedplate check`: what is wrong with specs and the templates they make, offline.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use super::needs::{self, Dependencies};
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;
use crate::finding::{Finding, Severity, has_errors};
use crate::report::check::{CheckReport, CheckTime, CheckedUseCase};
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
    let mut report = CheckReport { use_cases: Vec::new() };
    for Checked { name, findings, .. } in checked {
        let checked = CheckedUseCase { name, findings };
        session.reporters.result(&checked)?;
        report.use_cases.push(checked);
    }
    session.reporters.result(&report)?;
    session.reporters.result(&CheckTime(started.elapsed()))?;
    let fails = |one: &CheckedUseCase| {
        has_errors(&one.findings) || args.strict && one.findings.iter().any(|it| it.severity == Severity::Warning)
    };
    Ok(if report.use_cases.iter().any(fails) { ExitCode::Failed } else { ExitCode::Done })
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
