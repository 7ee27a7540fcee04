//! `bedplate deploy`: plan, ask, execute exactly that plan, follow it to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::approval::{AllowArgs, PromptApprover};
use super::connection::Connection;
use super::destroy_stack::StackToDestroy;
use super::needs;
use super::parameter::parameter;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::aws::{StackState, StackSummary, TargetKind};
use crate::cfn::template::SERVERLESS;
use crate::engine::{self, Claim, DeployOptions, DeployReport, ExitCode, MadeHere, Run};
use crate::finding::{Finding, code};
use crate::plan::PlanKind;
use crate::render::Rendered;
use crate::report::conclusion::Conclusion;
use crate::spec::LoadedSpec;

/// Deploy use cases: plan, ask, execute exactly that plan, follow it to its end.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate deploy movie-poster                     to the local target, no account needed\n  bedplate deploy movie-poster --yes --format json  in a pipeline\n  bedplate deploy movie-poster --target aws --profile sandbox\n  bedplate deploy movie-poster --yes --rm          deployed, tested and deleted\n  bedplate deploy movie-poster --yes --allow data-loss,rights   if the plan needs it and it is intended\n\nA new stack needs only --yes. On one that exists --yes covers harmless changes; the plan says what\nelse it needs, and bedplate.yaml may allow that for a stage.\n\nExit codes: 0 deployed, or nothing to do · 1 refused, or not finished: the last lines say which · 4 declined, or not allowed · 10 failed and rolled back ·\n11 stack left in a failed state · 13 deployed, a smoke test failed · 130 interrupted; the next run resumes"
)]
pub struct DeployArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
    /// A value for a parameter of the spec; may be repeated
    #[arg(long = "parameter", short = 'p', value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// A name for the change set, so that a pipeline can refer to it
    #[arg(long, value_name = "NAME")]
    change_set_name: Option<String>,
    /// Run no helper program: a layer that is not in the cache is refused
    #[arg(long)]
    no_build: bool,
    /// Do not try the spec's smoke tests afterwards
    #[arg(long)]
    no_smoke: bool,
    /// Write the results of the smoke tests to a file, as JUnit XML
    #[arg(long, value_name = "FILE", conflicts_with = "no_smoke")]
    junit: Option<PathBuf>,
    /// Delete everything again at the end, however the smoke tests went; only stacks that did not exist before
    #[arg(long)]
    rm: bool,
    /// Take over a stack that belongs to another owner
    #[arg(long)]
    take_over: bool,
    /// What `--yes` covers.
    #[command(flatten)]
    allow: AllowArgs,
}

pub(super) fn run(session: &Session, args: &DeployArgs) -> VerbResult {
    let specs = needs::in_order(session, session.load(&args.use_cases)?)?;
    // Everything that can be known to be wrong is said before the first stack is touched.
    let mut findings = Vec::new();
    for spec in &specs {
        findings.extend(session.errors(spec));
    }
    let parameters: BTreeMap<String, String> = args.parameters.iter().cloned().collect();
    findings.extend(session.known_parameters(&specs, &parameters).err().unwrap_or_default());
    if !findings.is_empty() {
        return Err(findings);
    }
    let options = DeployOptions {
        change_set_name: args.change_set_name.clone(),
        no_smoke: args.no_smoke,
        take_over: args.take_over,
        no_build: args.no_build,
        ..DeployOptions::default()
    };
    session.block_on(async {
        let cancel = session.interrupted();
        if specs.len() > 1 {
            let mut findings = Vec::new();
            for spec in &specs {
                let asking = without_values(session, spec, &parameters);
                match session.unless_interrupted(&session.stack_name(spec), asking).await? {
                    Some(more) => findings.extend(more),
                    None => return Ok(ExitCode::Interrupted),
                }
            }
            if !findings.is_empty() {
                return Err(findings);
            }
        }
        if args.rm {
            let looking = existing_stacks(session, &specs);
            let stacks: Vec<String> = specs.iter().map(|spec| session.stack_name(spec)).collect();
            let Some(there) = session.unless_interrupted(&stacks.join("`, `"), looking).await? else {
                return Ok(ExitCode::Interrupted);
            };
            if !there.is_empty() {
                return Err(there);
            }
        }
        let approver = session.approver(&args.allow)?;
        if args.rm {
            let protected: Vec<Finding> =
                specs.iter().filter_map(|spec| approver.protects(&session.stack_name(spec))).collect();
            if !protected.is_empty() {
                session.reporters.findings(&protected);
                return Ok(ExitCode::Declined);
            }
        }
        session.report_as_junit(args.junit.as_deref());
        let mut made = Made::default();
        let mut outcome = deploy_all(session, &specs, &parameters, &options, &approver, &mut made).await;
        if args.rm {
            outcome = destroy_what_was_made(session, &specs, outcome, &made, approver.with_yes(), &cancel).await;
        }
        outcome
    })
}

/// The ARNs of the stacks that a run has made, by their names.
type Made = BTreeMap<String, String>;

/// Puts down a stack that is new.
fn remember(report: &DeployReport, made: &mut Made) {
    let results = &report.results;
    let new = results.plan.as_ref().is_some_and(|plan| matches!(plan.kind, PlanKind::Create | PlanKind::Recreate));
    if let Some(id) = results.stack_id.as_ref().filter(|_| new) {
        made.insert(report.stack.clone(), id.clone());
    }
}

/// Deploys one after the other, up to the first that does not end well.
async fn deploy_all(
    session: &Session,
    specs: &[LoadedSpec],
    parameters: &BTreeMap<String, String>,
    options: &DeployOptions,
    approver: &PromptApprover,
    made: &mut Made,
) -> VerbResult {
    let mut exit = ExitCode::Done;
    for spec in specs {
        exit = exit.worse(deploy_one(session, spec, parameters, options, approver, made).await?);
        if exit != ExitCode::Done {
            break;
        }
    }
    Ok(exit)
}

/// The stack of a use case as it is, if it is there.
async fn existing_stack(session: &Session, spec: &LoadedSpec) -> Result<Option<StackSummary>, Vec<Finding>> {
    let name = session.stack_name(spec);
    let connection = session.connect("look at", &name, session.region(Some(spec))?).await?;
    let stack = connection.clients.stack(&name).await;
    connection.close().await;
    stack.map_err(|error| vec![error.finding()])
}

/// The stacks that are there, which `--rm` must not take away: it would take along what an earlier run has made of them.
async fn existing_stacks(session: &Session, specs: &[LoadedSpec]) -> Result<Vec<Finding>, Vec<Finding>> {
    let mut findings = Vec::new();
    for spec in specs {
        let name = session.stack_name(spec);
        if existing_stack(session, spec).await?.is_some_and(|stack| stack.state() != StackState::Review) {
            findings.push(
                Finding::error(code::P033, format!("`{name}` exists already, and `--rm` would delete it"))
                    .at(spec.place("/name"))
                    .help("deploy to another `--stage`, or leave `--rm` out and run `bedplate destroy` if it is not needed"),
            );
        }
    }
    Ok(findings)
}

/// Takes away what this run has made, the last first, however it ended.
async fn destroy_what_was_made(
    session: &Session,
    specs: &[LoadedSpec],
    outcome: VerbResult,
    made: &Made,
    approver: PromptApprover,
    cancel: &CancellationToken,
) -> VerbResult {
    if cancel.is_cancelled() {
        session.reporters.say("Interrupted: what was created remains; `bedplate destroy` deletes it");
        return outcome;
    }
    let others: BTreeSet<String> = specs.iter().map(|spec| spec.spec.name.clone()).collect();
    let mut ended = outcome;
    for spec in specs.iter().rev() {
        let region = session.region(Some(spec))?;
        let (stack, name) = (session.stack_name(spec), spec.spec.name.clone());
        let made_here = MadeHere { stack_id: made.get(&stack).cloned() };
        let claim = Claim { made_here: Some(made_here), ..session.claim(&name)? };
        let going = StackToDestroy { stack, name, region, claim };
        // One that cannot be taken away keeps neither the others nor what was said before.
        ended = match (ended, going.destroy_stack(session, &others, &approver, cancel).await) {
            (Ok(before), Ok(exit)) => Ok(before.worse(exit)),
            (Err(before), Err(more)) => Err([before, more].concat()),
            (Err(findings), Ok(_)) | (Ok(_), Err(findings)) => Err(findings),
        };
    }
    ended
}

/// The parameters of a use case that have no value from anywhere, its stack included.
async fn without_values(
    session: &Session,
    spec: &LoadedSpec,
    parameters: &BTreeMap<String, String>,
) -> Result<Vec<Finding>, Vec<Finding>> {
    let stage = session.stage()?;
    let rendered = session.render(spec)?;
    let with_default = |id: &str| rendered.template.parameters().any(|it| it.name == id && it.default().is_some());
    let mut missing = engine::names(&rendered);
    missing
        .retain(|id, name| !with_default(id) && !parameters.contains_key(name) && !stage.parameters.contains_key(name));
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let stack = existing_stack(session, spec).await?;
    missing.retain(|id, _| !stack.as_ref().is_some_and(|stack| stack.parameters.contains_key(id)));
    let place = |name: &String| spec.key_place(&format!("/parameters/{name}"));
    Ok(missing.values().map(|name| engine::without_value(name).at(place(name))).collect())
}

async fn deploy_one(
    session: &Session,
    spec: &LoadedSpec,
    parameters: &BTreeMap<String, String>,
    options: &DeployOptions,
    approver: &PromptApprover,
    made: &mut Made,
) -> VerbResult {
    let stack = session.stack_name(spec);
    let region = session.region(Some(spec))?;
    let Some(connection) = session.connect_unless_interrupted("deploy", &stack, region).await? else {
        return Ok(ExitCode::Interrupted);
    };
    let outcome = deploy(session, &connection, spec, parameters, options, approver, made).await;
    connection.close().await;
    outcome
}

async fn deploy(
    session: &Session,
    connection: &Connection,
    spec: &LoadedSpec,
    parameters: &BTreeMap<String, String>,
    options: &DeployOptions,
    approver: &PromptApprover,
    made: &mut Made,
) -> VerbResult {
    let packaged = tokio::task::block_in_place(|| session.desired(spec, parameters));
    let filling = async {
        let mut desired = packaged?;
        needs::fill(session, connection, spec, &mut desired).await?;
        Ok(desired)
    };
    let stack = session.stack_name(spec);
    let Some(desired) = session.unless_interrupted(&stack, filling).await? else { return Ok(ExitCode::Interrupted) };
    let started = std::time::Instant::now();
    let run = Run::new(&connection.clients, &session.reporters, session.interrupted());
    // An endpoint that stands for AWS, such as the local target, knows at once what it is told.
    let retry_for = if connection.clients.endpoint().is_none() { engine::RETRY_FOR } else { Duration::ZERO };
    let options = DeployOptions { smoke_retry_for: retry_for, ..options.clone() };
    session.reporters.start_stack(connection.clients.region(), run.ledger());
    let report = engine::deploy(&run, &desired, &options, approver).await;
    remember(&report, made);
    let conclusion = Conclusion { report: &report, elapsed: started.elapsed() };
    let exit = session.reporters.conclude(&conclusion)?;
    session.reporters.result(&session.local_addresses(&report.results.outputs).await?)?;
    Ok(exit)
}

impl Session {
    /// The errors of a spec and its template, all at once.
    fn errors(&self, spec: &LoadedSpec) -> Vec<Finding> {
        match self.render(spec) {
            Ok(rendered) => {
                let mut findings = self.check(spec, &rendered);
                findings.extend(self.transform_problem(spec, &rendered));
                if crate::finding::has_errors(&findings) { findings } else { Vec::new() }
            }
            Err(findings) => findings,
        }
    }

    /// A template that only CloudFormation can turn into resources, on its way to the local target.
    fn transform_problem(&self, spec: &LoadedSpec, rendered: &Rendered) -> Option<Finding> {
        let is_local = matches!(self.target_kind(), Ok(TargetKind::Local));
        (is_local && rendered.template.is_serverless()).then(|| {
            let message = format!("the local target does not carry out the transform `{SERVERLESS}`");
            let help = "deploy it with `--target aws`, or name under `template:` what `bin/sam-translate.py` of aws-sam-translator \
                        makes of it";
            Finding::error(code::D190, message).at(rendered.place(spec, "Transform")).help(help)
        })
    }
}
