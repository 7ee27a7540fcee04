//! `bedplate explain`: what a finding means and what to do about it.

use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;
use crate::finding::{FINDINGS, Finding, FindingGroup, code, finding_kind};
use crate::report::explain::ExplainReport;
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
    let report = match &args.code {
        None => {
            let kinds = |group: &'static FindingGroup| group.kinds.iter().map(move |kind| (group, kind));
            ExplainReport::All(FINDINGS.iter().flat_map(kinds).collect())
        }
        Some(code) => {
            let (group, kind) = finding_kind(code).ok_or_else(|| vec![unknown(code)])?;
            ExplainReport::One(group, kind)
        }
    };
    session.reporters.result(&report)?;
    Ok(ExitCode::Done)
}

fn unknown(code: &str) -> Finding {
    let codes = FINDINGS.iter().flat_map(|group| group.kinds).map(|kind| kind.code);
    let finding = Finding::error(code::P076, format!("there is no finding with the code `{code}`"));
    match nearest(&code.to_ascii_uppercase(), codes) {
        Some(near) => finding.help(format!("did you mean `{near}`? `bedplate explain` lists all codes")),
        None => finding.help("`bedplate explain` lists all codes"),
    }
}
