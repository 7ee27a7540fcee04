//! `bedplate local`: the local target as an endpoint for any AWS client.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::iam_report::{self, IamReportArgs};
use super::local_target::{listen, unavailable};
use super::session::Session;
use super::user_folders::remove_unknown_state;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;
use crate::local::bedrock::ModelServer;
use crate::local::store::Store;
use crate::local::{self, Injection, Inventory, LocalOptions, serving};
use crate::report::local::{LocalReport, ResetReport, ServedLocally, ServingEnds, ServingLocally};

/// The port `local serve` listens on unless told otherwise; none of the usual emulators' ports.
const DEFAULT_PORT: u16 = 4599;

/// The local target.
#[derive(Debug, clap::Subcommand)]
pub enum LocalVerb {
    /// Serve the local target until interrupted, for boto3, the AWS CLI and every other AWS client
    #[command(
        after_help = "Examples:\n  bedplate local serve\n  bedplate local serve --port 0 --fail DesignFunction=\"out of capacity\"\n  bedplate local serve -v --log-file requests.log\n\n  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local \\\n    aws --endpoint-url http://127.0.0.1:4599 --region us-west-2 cloudformation list-stacks"
    )]
    Serve(ServeArgs),
    /// Show what the local target holds
    Status,
    /// Show which statements of the deployed roles were needed, and what was denied
    #[command(
        after_help = "Examples:\n  bedplate local iam-report movie-poster\n  bedplate local iam-report --format json\n\nFirst use the use case as intended, for example run its smoke tests: a statement that nothing has needed may be superfluous."
    )]
    IamReport(IamReportArgs),
    /// Forget everything the local target holds
    Reset,
}

/// How to serve.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Let creating, updating or deleting a resource fail, with a reason of your own; may be repeated
    #[arg(long = "fail", value_name = "LOGICAL_ID[=REASON]")]
    fail: Vec<Injection>,
    /// Let a server that speaks OpenAI's API answer in place of the stand-ins for text and embedding models
    #[arg(long, value_name = "URL", env = "BEDPLATE_MODEL_SERVER", value_parser = ModelServer::new)]
    model_server: Option<ModelServer>,
    /// Write a line for each request to a file: what it asked for, the status, and how long it took; `-v` shows the same
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
}

pub(super) fn run(session: &Session, verb: &LocalVerb) -> VerbResult {
    match verb {
        LocalVerb::Serve(args) => session.block_on(serve(session, args)),
        LocalVerb::Status => session.block_on(status(session)),
        LocalVerb::IamReport(args) => iam_report::run(session, args),
        LocalVerb::Reset => reset(session),
    }
}

async fn serve(session: &Session, args: &ServeArgs) -> VerbResult {
    let options = LocalOptions {
        port: Some(args.port),
        fail: args.fail.clone(),
        model_server: args.model_server.clone(),
        ..LocalOptions::new(session.own_local_dir()?)
    };
    let log = args.log_file.as_deref().map(|file| session.open_log(file)).transpose()?;
    listen(log, session.globals.verbose > 0);
    let running = local::start(options.with_limit().map_err(unavailable)?).await.map_err(unavailable)?;
    let cancel: CancellationToken = session.interrupted();
    let reporters = &session.reporters;
    reporters.result(&ServedLocally { url: running.url(), account: running.account_id() })?;
    let dir = running.store().dir().to_owned();
    // Without it `bedplate outputs` can't say where APIs answer; everything else works.
    let _ = serving::announce(&dir, running.url());
    let model_server = args.model_server.as_ref().map(|server| server.url().to_string());
    reporters.result(&ServingLocally { model_server, fail: &args.fail })?;
    cancel.cancelled().await;
    reporters.result(&ServingEnds)?;
    serving::withdraw(&dir, running.url());
    running.shutdown().await;
    Ok(ExitCode::Done)
}

async fn status(session: &Session) -> VerbResult {
    let dir = session.local_dir()?;
    let holds = if dir.exists() {
        let running = local::start(LocalOptions::new(&dir)).await.map_err(unavailable)?;
        let holds = Inventory::of(running.store()).await;
        running.shutdown().await;
        holds.map_err(|error| unavailable(error.into()))?
    } else {
        Inventory::default()
    };
    session.reporters.result(&LocalReport { dir, holds })?;
    Ok(ExitCode::Done)
}

fn reset(session: &Session) -> VerbResult {
    let (ui, reporters) = (&session.ui, &session.reporters);
    let dir = match session.local_dir() {
        Ok(dir) => dir,
        Err(unknown) => {
            // Nothing in it is looked at: it goes as a whole.
            reporters.findings(&unknown);
            let root = &session.project()?.root;
            let shown = root.join(".bedplate").display().to_string();
            if !session.globals.yes && !ui.confirm(&format!("Remove the local target in {shown}, unread?")) {
                reporters.result(&ResetReport::NotRemoved)?;
                return Ok(ExitCode::Declined);
            }
            remove_unknown_state(root)?;
            reporters.result(&ResetReport::Removed)?;
            return Ok(ExitCode::Done);
        }
    };
    if !dir.exists() {
        reporters.result(&ResetReport::NothingToDo)?;
        return Ok(ExitCode::Done);
    }
    if !session.globals.yes && !ui.confirm(&format!("Forget everything in {}?", dir.display())) {
        reporters.result(&ResetReport::NotForgotten)?;
        return Ok(ExitCode::Declined);
    }
    Store::reset(&dir).map_err(|error| unavailable(error.into()))?;
    reporters.result(&ResetReport::Forgotten)?;
    Ok(ExitCode::Done)
}
