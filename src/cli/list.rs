//! `bedplate list`: the use cases here, and what is deployed of them.

use jiff::Timestamp;

use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::{self, ExitCode, USE_CASE_TAG};
use crate::finding::Finding;
use crate::report::list::{ListReport, ListedStack, ListedUseCase};

/// List the use cases of the project, and what is deployed of them in any stage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bedplate list\n  bedplate list --target aws --region us-west-2 --format json")]
pub struct ListArgs {}

pub(super) fn run(session: &Session, _: &ListArgs) -> VerbResult {
    let here = session.project()?.use_cases()?;
    let regions = session.regions()?;
    let stacks = session.block_on_value(async {
        let mut stacks = Vec::new();
        for region in regions {
            let connection = session.connect("list", "what is deployed", region).await?;
            let found = engine::list(&connection.clients).await;
            let region = connection.clients.region().to_owned();
            connection.close().await;
            stacks.extend(found.map_err(|finding| vec![finding])?.into_iter().map(|stack| {
                let use_case = stack.tags.get(USE_CASE_TAG).cloned().unwrap_or_default();
                ListedStack { use_case, region: region.clone(), stack }
            }));
        }
        Ok::<_, Vec<Finding>>(stacks)
    })?;
    let use_cases = here.into_iter().map(|file| ListedUseCase { name: file.name, spec: file.shown }).collect();
    session.reporters.result(&ListReport { use_cases, stacks, now: Timestamp::now() })?;
    Ok(ExitCode::Done)
}
