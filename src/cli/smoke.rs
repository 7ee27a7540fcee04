//! `bedplate smoke`: the spec's tests, tried on what is deployed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Outcome;
use super::deploy::conclude;
use super::exit::Exit;
use super::follow::Follower;
use super::outputs::not_deployed;
use super::session::Session;
use crate::engine::{self, Desired, Report, Run, SmokeResult};
use crate::finding::Finding;
use crate::report;
use crate::spec::LoadedSpec;

/// Try the spec's smoke tests on what is deployed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate smoke movie-poster\n  bedplate smoke movie-poster --junit smoke.xml --format json\n  bedplate smoke --target aws --profile sandbox\n\nExit codes: 0 all passed · 1 nothing could be tried · 13 a test failed · 130 interrupted"
)]
pub struct SmokeArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project that have smoke tests when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
    /// Write the results to a file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// The results of a run, stack by stack.
#[derive(Debug, Default)]
pub(super) struct Suites(Vec<(String, Vec<SmokeResult>)>);

impl Suites {
    /// Takes in what was tried.
    pub(super) fn add(&mut self, report: &Report) {
        if !report.smoke.is_empty() {
            self.0.push((report.stack.clone(), report.smoke.clone()));
        }
    }

    /// Writes them where they were asked for, however the run ended, and gives its end.
    pub(super) fn write_after(&self, outcome: Outcome, file: Option<&Path>) -> Outcome {
        match (outcome, self.write(file)) {
            (Ok(exit), Ok(())) => Ok(exit),
            (Err(findings), Ok(())) | (Ok(_), Err(findings)) => Err(findings),
            (Err(mut findings), Err(more)) => {
                findings.extend(more);
                Err(findings)
            }
        }
    }

    fn write(&self, file: Option<&Path>) -> Result<(), Vec<Finding>> {
        let Some(file) = file else { return Ok(()) };
        std::fs::write(file, report::smoke::junit(&self.0)).map_err(|error| {
            let message = format!("`{}` cannot be written: {error}", file.display());
            vec![Finding::error("D064", message).help("name a file in a folder that is there")]
        })
    }
}

pub(super) fn run(session: &Session, args: &SmokeArgs) -> Outcome {
    let mut specs = session.load(&args.use_cases)?;
    if args.use_cases.is_empty() {
        specs.retain(|spec| !spec.spec.smoke.is_empty());
    }
    session.block_on(async {
        let cancel = session.interrupted();
        let mut suites = Suites::default();
        let outcome = all(session, &specs, &cancel, &mut suites).await;
        suites.write_after(outcome, args.junit.as_deref())
    })
}

async fn all(
    session: &Session,
    specs: &[LoadedSpec],
    cancel: &tokio_util::sync::CancellationToken,
    suites: &mut Suites,
) -> Outcome {
    let mut exit = Exit::Done;
    for spec in specs {
        exit = exit.worse(one(session, spec, cancel, suites).await?);
        if exit == Exit::Interrupted {
            break;
        }
    }
    Ok(exit)
}

async fn one(
    session: &Session,
    spec: &LoadedSpec,
    cancel: &tokio_util::sync::CancellationToken,
    suites: &mut Suites,
) -> Outcome {
    let stack = session.stack_name(spec);
    if spec.spec.smoke.is_empty() {
        let finding = Finding::note("D065", format!("`{}` has no smoke tests", spec.spec.name));
        session.ui.findings(&[finding.help("add one under `smoke:`, such as `- invoke: functions.NAME`")]);
        return Ok(Exit::Done);
    }
    let rendered = session.render(spec)?;
    let parameters: BTreeMap<String, String> = session.stage()?.parameters;
    let desired = Desired::of(spec, &rendered, &stack, parameters, &session.packaging()?)?;
    let region = session.region(Some(spec))?;
    let Some(connection) = session.connect_unless_interrupted("smoke", &stack, region).await? else {
        return Ok(Exit::Interrupted);
    };
    let started = Instant::now();
    let follower = Follower::with_smoke(&session.ui);
    let run = Run::new(&connection.clients, &follower, cancel.clone());
    session.ui.stream.begin(connection.clients.region(), run.ledger());
    let report = engine::smoke(&run, &desired).await;
    drop(follower);
    connection.close().await;
    suites.add(&report);
    if report.outcome == engine::Outcome::Absent {
        session.ui.stream.end(&report);
        return Err(vec![not_deployed(&stack, &spec.spec.name)]);
    }
    conclude(session, &report, started.elapsed(), None)
}
