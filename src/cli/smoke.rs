//! `bedplate smoke`: the spec's tests, tried on what is deployed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use super::session::Session;
use super::stack_outputs::not_deployed;
use super::verb_result::VerbResult;
use crate::engine::{self, Desired, ExitCode, Run};
use crate::finding::{Finding, code};
use crate::report::conclusion::Conclusion;
use crate::spec::LoadedSpec;

/// Run the spec's smoke tests against what is deployed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate smoke movie-poster\n  bedplate smoke movie-poster --junit smoke.xml --format json\n  bedplate smoke --target aws --profile sandbox\n\nExit codes: 0 all passed · 1 not run, or not to the end · 13 a test failed · 130 interrupted"
)]
pub struct SmokeArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project that have smoke tests when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
    /// Write the results to a file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

pub(super) fn run(session: &Session, args: &SmokeArgs) -> VerbResult {
    let mut specs = session.load(&args.use_cases)?;
    if args.use_cases.is_empty() {
        specs.retain(|spec| !spec.spec.smoke.is_empty());
    }
    session.block_on(async {
        let cancel = session.interrupted();
        session.report_as_junit(args.junit.as_deref());
        test_all(session, &specs, &cancel).await
    })
}

async fn test_all(session: &Session, specs: &[LoadedSpec], cancel: &tokio_util::sync::CancellationToken) -> VerbResult {
    let mut exit = ExitCode::Done;
    for spec in specs {
        exit = exit.worse(test_one(session, spec, cancel).await?);
        if exit == ExitCode::Interrupted {
            break;
        }
    }
    Ok(exit)
}

async fn test_one(session: &Session, spec: &LoadedSpec, cancel: &tokio_util::sync::CancellationToken) -> VerbResult {
    let stack = session.stack_name(spec);
    if spec.spec.smoke.is_empty() {
        let finding = Finding::note(code::D065, format!("`{}` has no smoke tests", spec.spec.name));
        session.reporters.findings(&[finding.help("add one under `smoke:`, such as `- invoke: functions.NAME`")]);
        return Ok(ExitCode::Done);
    }
    let rendered = session.render(spec)?;
    let parameters: BTreeMap<String, String> = session.stage()?.parameters;
    let desired = Desired::from_rendered(spec, &rendered, &stack, parameters, &session.packaging()?)?;
    let region = session.region(Some(spec))?;
    let Some(connection) = session.connect_unless_interrupted("smoke", &stack, region).await? else {
        return Ok(ExitCode::Interrupted);
    };
    let started = Instant::now();
    let run = Run::new(&connection.clients, &session.reporters, cancel.clone());
    session.reporters.start_stack(connection.clients.region(), run.ledger());
    let report = engine::smoke(&run, &desired).await;
    connection.close().await;
    if report.outcome == engine::Outcome::Absent {
        session.reporters.end_stack(&report);
        return Err(vec![not_deployed(&stack, &spec.spec.name)]);
    }
    session.reporters.conclude(&Conclusion { report: &report, elapsed: started.elapsed() })
}
