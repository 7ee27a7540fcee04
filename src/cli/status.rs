//! `bedplate status`: the state of what is deployed, and why it is so.

use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::{self, ExitCode};
use crate::finding::code;
use crate::report::status::{StackStatus, StatusReport};

/// Show the state of what is deployed: its status, its resources, and what failed in its last operation.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate status movie-poster\n  bedplate status --stage prod --target aws --format json"
)]
pub struct StatusArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
}

pub(super) fn run(session: &Session, args: &StatusArgs) -> VerbResult {
    let specs = session.load(&args.use_cases)?;
    session.block_on(async {
        let mut report = StatusReport::default();
        let mut foreign = Vec::new();
        for spec in &specs {
            let stack = session.stack_name(spec);
            let claim = session.claim(&spec.spec.name)?;
            let rendered = session.render(spec).ok();
            let connection = session.connect("status of", &stack, session.region(Some(spec))?).await?;
            let template = rendered.as_ref().map(|rendered| &rendered.template);
            let status = engine::status(&connection.clients, &stack, &claim, template).await;
            connection.close().await;
            let status = match status {
                // The others are told of all the same.
                Err(finding) if finding.code == code::D012 => {
                    foreign.push(finding);
                    continue;
                }
                status => status.map_err(|finding| vec![finding])?,
            };
            let known = StackStatus { use_case: spec.spec.name.clone(), stack, deployed: status };
            session.reporters.result(&known)?;
            report.stacks.push(known);
        }
        session.reporters.result(&report)?;
        if foreign.is_empty() { Ok(ExitCode::Done) } else { Err(foreign) }
    })
}
