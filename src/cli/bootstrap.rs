//! `bedplate bootstrap`: the artifact bucket of an account and region.

use std::collections::BTreeSet;

use super::Outcome;
use super::approval::AllowArgs;
use super::deploy::conclude;
use super::exit::Exit;
use super::follow::Follower;
use super::session::{Session, interrupted};
use crate::engine::{self, ARTIFACT_STACK, Run};
use crate::finding::Finding;

/// Make the artifact bucket of an account and region ahead of the first deploy, or take it away after the last.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate bootstrap --target aws --region us-west-2\n  bedplate bootstrap --remove                        in every region of the project's use cases"
)]
pub struct BootstrapArgs {
    /// Take it away, with everything in it; refused while a use case is deployed
    #[arg(long)]
    remove: bool,
    /// What `--yes` covers.
    #[command(flatten)]
    allow: AllowArgs,
}

pub(super) fn run(session: &Session, args: &BootstrapArgs) -> Outcome {
    let regions = regions(session)?;
    session.block_on(async {
        let cancel = interrupted();
        let approver = session.approver(&args.allow)?;
        let mut exit = Exit::Done;
        for region in regions {
            let connection = session.connect("bootstrap", ARTIFACT_STACK, region).await?;
            let started = std::time::Instant::now();
            let follower = Follower::start(&session.ui);
            let run = Run { clients: &connection.clients, events: &follower, cancel: cancel.clone() };
            let report = if args.remove {
                engine::remove_bootstrap(&run, &approver).await
            } else {
                engine::bootstrap(&run).await
            };
            drop(follower);
            connection.close().await;
            exit = exit.worse(conclude(session, &report, started.elapsed(), None)?);
        }
        Ok(exit)
    })
}

/// The region asked for, else every region the project's use cases belong to: those are where a deploy looks.
fn regions(session: &Session) -> Result<BTreeSet<Option<String>>, Vec<Finding>> {
    if session.globals.region.is_some() {
        return Ok(BTreeSet::from([session.region(None)?]));
    }
    let mut regions = BTreeSet::new();
    for file in session.project()?.use_cases()? {
        regions.insert(session.region(file.load().ok().as_ref())?);
    }
    if regions.is_empty() {
        regions.insert(session.region(None)?);
    }
    Ok(regions)
}
