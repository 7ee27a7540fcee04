//! `bedplate bootstrap`: the artifact bucket of an account and region.

use super::Outcome;
use super::deploy::conclude;
use super::follow::Follower;
use super::session::{Session, interrupted};
use crate::engine::{self, ARTIFACT_STACK, Run};

/// Make the artifact bucket of an account and region ahead of the first deploy, or take it away after the last.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate bootstrap --target aws --region us-west-2\n  bedplate bootstrap --remove"
)]
pub struct BootstrapArgs {
    /// Take it away, with everything in it; refused while a use case is deployed
    #[arg(long)]
    remove: bool,
}

pub(super) fn run(session: &Session, args: &BootstrapArgs) -> Outcome {
    session.block_on(async {
        let cancel = interrupted();
        let connection = session.connect("bootstrap", ARTIFACT_STACK, session.region(None)?).await?;
        let started = std::time::Instant::now();
        let follower = Follower::start(&session.ui);
        let run = Run { clients: &connection.clients, events: &follower, cancel };
        let report = if args.remove {
            engine::remove_bootstrap(&run, &session.approver()).await
        } else {
            engine::bootstrap(&run).await
        };
        drop(follower);
        connection.close().await;
        conclude(session, &report, started.elapsed(), None)
    })
}
