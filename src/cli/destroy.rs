//! `bedplate destroy`: a stack away, with everything it left, and proof.

use std::collections::BTreeSet;

use super::approval::AllowArgs;
use super::destroy_stack::StackToDestroy;
use super::needs;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::Claim;
use crate::engine::ExitCode;
use crate::finding::{Finding, code};
use crate::spec::UseCaseFile;

/// Delete stacks with everything they left; what is deleted and what remains is shown first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate destroy movie-poster\n  bedplate destroy movie-poster --stage test --yes\n  bedplate destroy movie-poster --stage prod --yes --allow destroy   where bedplate.yaml protects the stage\n  bedplate destroy movie-poster --take-over        a stack that a colleague deployed\n\nExit codes: 0 deleted, or there was no stack · 4 declined, or protected · 11 left in a failed state · 14 something still exists"
)]
pub struct DestroyArgs {
    /// Use cases: names under stacks/, folders or spec files
    #[arg(value_name = "USE-CASE", required_unless_present = "all")]
    use_cases: Vec<String>,
    /// Every use case of the project
    #[arg(long, conflicts_with = "use_cases")]
    all: bool,
    /// Also delete stacks that belong to another owner
    #[arg(long)]
    take_over: bool,
    /// What `--yes` covers.
    #[command(flatten)]
    allow: AllowArgs,
}

pub(super) fn run(session: &Session, args: &DestroyArgs) -> VerbResult {
    // A spec that no longer loads must not keep its stack from being taken away: a name and a region are enough.
    let found = session.find(if args.all { &[] } else { &args.use_cases })?;
    let found = in_order(session, found);
    let others: BTreeSet<String> = found.iter().map(|file| file.name.clone()).collect();
    session.block_on(async {
        let cancel = session.interrupted();
        let approver = session.approver(&args.allow)?;
        let mut exit = ExitCode::Done;
        for file in &found {
            let spec = file.load();
            let name = spec.as_ref().map_or_else(|_| file.name.clone(), |spec| spec.spec.name.clone());
            if let Err(findings) = &spec {
                session.reporters.findings(&[Finding::warning(
                    code::P027,
                    format!("`{}` does not load ({} findings); its stack is found by name", file.shown, findings.len()),
                )]);
            }
            let stack = format!("{name}-{}", session.globals.stage);
            let region = match &spec {
                Ok(spec) => session.region(Some(spec))?,
                Err(_) => session.region_of(file.region()?, None)?,
            };
            let claim = Claim { take_over: args.take_over, ..session.claim(&name)? };
            let going = StackToDestroy { stack, name, region, claim };
            exit = exit.worse(going.destroy_stack(session, &others, &approver, &cancel).await?);
            if exit == ExitCode::Interrupted {
                break;
            }
        }
        Ok(exit)
    })
}

/// Those that need others before the others; what does not load has no known needs, and what goes round in a circle can
/// go in any order.
fn in_order(session: &Session, found: Vec<UseCaseFile>) -> Vec<UseCaseFile> {
    let specs: Vec<_> = found.iter().filter_map(|file| file.load().ok()).collect();
    let Ok(order) = needs::in_order(session, specs) else { return found };
    let place = |file: &UseCaseFile| order.iter().rposition(|spec| spec.spec.name == file.name);
    let mut found = found;
    found.sort_by_key(|file| std::cmp::Reverse(place(file)));
    found
}
