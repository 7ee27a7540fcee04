//! `bedplate local iam-report`: which statements of the deployed roles were needed, and what was denied.

use super::local_target::unavailable;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;
use crate::local::identity::Report;
use crate::local::{self, LocalOptions};
use crate::report::iam_report::IamReport;

/// Which roles to tell of.
#[derive(Debug, clap::Args)]
pub struct IamReportArgs {
    /// A use case: a name under stacks/, a folder or a spec file; all stacks of the local target unless given
    #[arg(value_name = "USE-CASE")]
    use_case: Option<String>,
}

pub(super) fn run(session: &Session, args: &IamReportArgs) -> VerbResult {
    let stack = match &args.use_case {
        None => None,
        Some(use_case) => {
            let specs = session.load(std::slice::from_ref(use_case))?;
            specs.first().map(|spec| session.stack_name(spec))
        }
    };
    session.block_on(async {
        let dir = session.local_dir()?;
        let report = if dir.exists() {
            let running = local::start(LocalOptions::new(&dir)).await.map_err(unavailable)?;
            let report = Report::of(running.store(), stack).await;
            running.shutdown().await;
            report.map_err(|error| unavailable(error.into()))?
        } else {
            Report::default()
        };
        session.reporters.result(&IamReport(report))?;
        Ok(ExitCode::Done)
    })
}
