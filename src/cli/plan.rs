//! `bedplate plan`: what a deploy would change, and why.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::approval::AllowArgs;
use super::needs;
use super::parameter::parameter;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::cfn::Template;
use crate::cfn::template::BODY_LIMIT_S3;
use crate::engine::{self, ExitCode, Run};
use crate::files;
use crate::finding::{Finding, code};
use crate::plan::{self, DesiredStack, Plan, PlanKind};
use crate::report::conclusion::Conclusion;
use crate::report::plan::PlannedStack;
use crate::spec::LoadedSpec;

/// Show what a deploy would change, and why.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate plan movie-poster\n  bedplate plan movie-poster --target aws --format json > plan.json\n  bedplate plan --exit-code                 exit 3 when anything would change\n  bedplate plan movie-poster --offline --against saved.template.yaml\n  bedplate plan movie-poster --no-build     for a change that is not reviewed yet: no helper program is run"
)]
pub struct PlanArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
    /// A value for a parameter of the spec; may be repeated
    #[arg(long = "parameter", short = 'p', value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// ExitCode with 3 when there are changes
    #[arg(long)]
    exit_code: bool,
    /// Run no helper program: a layer that is not in the cache is shown as to be built
    #[arg(long)]
    no_build: bool,
    /// Without a target: compare with a saved template, or with nothing for a new stack
    #[arg(long)]
    offline: bool,
    /// The saved template to compare with, YAML or JSON
    #[arg(long, value_name = "FILE", requires = "offline")]
    against: Option<PathBuf>,
}

pub(super) fn run(session: &Session, args: &PlanArgs) -> VerbResult {
    let specs = needs::in_order(session, session.load(&args.use_cases)?)?;
    let parameters: BTreeMap<String, String> = args.parameters.iter().cloned().collect();
    session.known_parameters(&specs, &parameters)?;
    if args.offline {
        return offline(session, args, &specs, parameters);
    }
    session.block_on(async {
        let cancel = session.interrupted();
        let mut exit = ExitCode::Done;
        for spec in &specs {
            let stack = session.stack_name(spec);
            let region = session.region(Some(spec))?;
            let Some(connection) = session.connect_unless_interrupted("plan", &stack, region).await? else {
                return Ok(ExitCode::Interrupted);
            };
            let mut desired = tokio::task::block_in_place(|| session.desired(spec, &parameters))?;
            if args.no_build {
                desired.build_nothing();
            }
            if let Err(findings) = needs::fill(session, &connection, spec, &mut desired).await {
                // What the others would become can still be told.
                connection.close().await;
                session.reporters.findings(&findings);
                exit = exit.worse(ExitCode::Failed);
                continue;
            }
            let started = std::time::Instant::now();
            let run = Run::new(&connection.clients, &session.reporters, cancel.clone());
            session.reporters.start_stack(connection.clients.region(), run.ledger());
            let report = engine::plan(&run, &desired).await;
            connection.close().await;
            let ended = session.reporters.conclude(&Conclusion { report: &report, elapsed: started.elapsed() })?;
            if let Some(plan) = &report.results.plan {
                exit = exit.worse(show(session, args, plan)?);
            }
            exit = exit.worse(ended);
            if exit == ExitCode::Interrupted {
                break;
            }
        }
        Ok(exit)
    })
}

/// Gives a plan as the verb's result: with whether anything changes, and with what a deploy by `--yes` still needs.
fn show(session: &Session, args: &PlanArgs, plan: &Plan) -> VerbResult {
    let needs = session.approver(&AllowArgs::default())?.needs(plan);
    let changes = plan.has_changes();
    session.reporters.result(&PlannedStack { plan, changes, needs })?;
    Ok(if args.exit_code && changes { ExitCode::ChangesPresent } else { ExitCode::Done })
}

/// Plans without a target: what packaged code would be is not asked, since only a deploy can tell whether it changed.
fn offline(
    session: &Session,
    args: &PlanArgs,
    specs: &[LoadedSpec],
    parameters: BTreeMap<String, String>,
) -> VerbResult {
    let saved = match (&args.against, specs) {
        (None, _) => None,
        (Some(file), [_]) => Some(saved(file)?),
        (Some(_), _) => {
            return Err(vec![
                Finding::error(code::P030, "one saved template cannot be compared with several use cases")
                    .help("name the use case it belongs to"),
            ]);
        }
    };
    let mut exit = ExitCode::Done;
    for spec in specs {
        let desired = session.desired(spec, &parameters)?;
        let stack = &desired.stack;
        let region = session.region(Some(spec))?;
        session.reporters.progress(&format!("plan {stack} offline"));
        let wanted = DesiredStack {
            stack,
            account: None,
            region: region.as_deref().unwrap_or("${AWS::Region}"),
            template: Some(&desired.template),
            parameters: desired.parameters.clone(),
            places: desired.places.clone(),
            pointers: desired.pointers.clone(),
            artifacts: Vec::new(),
        };
        let plan = match &saved {
            Some(saved) => plan::between(&wanted, saved).map_err(|finding| vec![finding])?,
            None => plan::for_new_stack(&wanted, PlanKind::Create),
        };
        exit = exit.worse(show(session, args, &plan)?);
    }
    Ok(exit)
}

/// A template somebody saved; no more of it is read than a template may have.
fn saved(file: &Path) -> Result<Template, Vec<Finding>> {
    let shown = file.display();
    let unreadable = |why: &dyn std::fmt::Display| {
        let help = "name the file of a template, as `bedplate render --out` writes one";
        vec![Finding::error(code::P031, format!("`{shown}` cannot be read: {why}")).help(help)]
    };
    let bytes = files::read(file, BODY_LIMIT_S3 as u64).map_err(|why| unreadable(&why))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8 text"))?;
    Template::parse(&text)
}
