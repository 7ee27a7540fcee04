//! `bedplate plan`: what a deploy would change, and why.

use std::collections::BTreeMap;

use super::Outcome;
use super::args::Format;
use super::deploy::{conclude, parameter};
use super::exit::Exit;
use super::follow::Follower;
use super::session::{Session, interrupted};
use crate::engine::{self, Run};
use crate::report;

/// Show what a deploy would change, and why; nothing is changed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate plan movie-poster\n  bedplate plan movie-poster --target aws --format json > plan.json\n  bedplate plan --exit-code                 exit 3 when anything would change"
)]
pub struct PlanArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
    /// A value for a parameter of the spec; may be repeated
    #[arg(long = "parameter", short = 'p', value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Exit with 3 when there are changes
    #[arg(long)]
    exit_code: bool,
}

pub(super) fn run(session: &Session, args: &PlanArgs) -> Outcome {
    let specs = session.load(&args.use_cases)?;
    let parameters: BTreeMap<String, String> = args.parameters.iter().cloned().collect();
    session.block_on(async {
        let cancel = interrupted();
        let mut exit = Exit::Done;
        for spec in &specs {
            let stack = session.stack_name(spec);
            let connection = session.connect("plan", &stack, session.region(Some(spec))?).await?;
            let desired = tokio::task::block_in_place(|| session.desired(spec, &parameters))?;
            let started = std::time::Instant::now();
            // The plan is this verb's result, so it goes to standard output and not with the progress.
            let follower = Follower::without_plan(&session.ui);
            let run = Run { clients: &connection.clients, events: &follower, cancel: cancel.clone() };
            let outcome = engine::plan(&run, &desired).await;
            drop(follower);
            connection.close().await;
            let ended = conclude(session, &outcome, started.elapsed(), None)?;
            if let Some(plan) = &outcome.plan {
                match session.ui.format {
                    Format::Json => {
                        session.ui.json(&serde_json::json!({ "plan": plan, "changes": plan.has_changes() }))?
                    }
                    Format::Text | Format::Github => {
                        session.ui.out(&report::plan::text(plan, &session.ui.out_styles))?;
                    }
                }
                if args.exit_code && plan.has_changes() {
                    exit = exit.worse(Exit::ChangesPresent);
                }
            }
            exit = exit.worse(ended);
        }
        Ok(exit)
    })
}
