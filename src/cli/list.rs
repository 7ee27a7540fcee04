//! `bedplate list`: the use cases here, and what is deployed of them.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::globals::Format;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::aws::StackSummary;
use crate::engine::{self, ExitCode, USE_CASE_TAG};
use crate::finding::Finding;
use crate::report::findings::on_one_line;
use crate::report::style::{duration, paint};

/// List the use cases of the project, and what is deployed of them in any stage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bedplate list\n  bedplate list --target aws --region us-west-2 --format json")]
pub struct ListArgs {}

pub(super) fn run(session: &Session, _: &ListArgs) -> VerbResult {
    let here = session.project()?.use_cases()?;
    let regions = session.regions()?;
    let stacks = session.block_on_value(async {
        let mut stacks: Vec<(String, StackSummary)> = Vec::new();
        for region in regions {
            let connection = session.connect("list", "what is deployed", region).await?;
            let found = engine::list(&connection.clients).await;
            let region = connection.clients.region().to_owned();
            connection.close().await;
            stacks.extend(found.map_err(|finding| vec![finding])?.into_iter().map(|stack| (region.clone(), stack)));
        }
        Ok::<_, Vec<Finding>>(stacks)
    })?;
    let use_case = |stack: &StackSummary| stack.tags.get(USE_CASE_TAG).cloned().unwrap_or_default();
    let ui = &session.ui;
    if ui.format == Format::Json {
        let stacks: Vec<_> = stacks
            .iter()
            .map(|(region, stack)| json!({ "use-case": use_case(stack), "region": region, "stack": stack }))
            .collect();
        let here: Vec<_> = here.iter().map(|file| json!({ "name": file.name, "spec": file.shown })).collect();
        ui.json(&json!({ "use-cases": here, "stacks": stacks }))?;
        return Ok(ExitCode::Done);
    }
    let mut out = String::new();
    let now = Timestamp::now();
    let mut row = |name: &str, (region, stack): &(String, StackSummary)| {
        let age = stack
            .created
            .map_or(Duration::ZERO, |created| Duration::try_from(now.duration_since(created)).unwrap_or_default());
        let (name, stack_name, status) = (on_one_line(name), on_one_line(&stack.name), on_one_line(&stack.status));
        let _ = writeln!(out, "{name:28} {stack_name:32} {status:24} {region} {:>8}", duration(age));
    };
    for file in &here {
        let of: Vec<_> = stacks.iter().filter(|(_, stack)| use_case(stack) == file.name).collect();
        for one in &of {
            row(&file.name, one);
        }
    }
    for one in stacks.iter().filter(|(_, stack)| !here.iter().any(|file| file.name == use_case(stack))) {
        row(&format!("{} (no spec here)", use_case(&one.1)), one);
    }
    for file in here.iter().filter(|file| !stacks.iter().any(|(_, stack)| use_case(stack) == file.name)) {
        let _ = writeln!(out, "{:28} {}", on_one_line(&file.name), paint(ui.out_styles.dim, "not deployed"));
    }
    if out.is_empty() {
        ui.status("There are no use cases here, and nothing is deployed");
    }
    ui.out(&out)?;
    Ok(ExitCode::Done)
}
