//! `bedplate bootstrap`: the artifact bucket of an account and region.

use super::approval::AllowArgs;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::{self, ARTIFACT_STACK, ExitCode, Run};
use crate::finding::{Finding, code};
use crate::report::conclusion::Conclusion;

/// Make the artifact bucket of an account and region ahead of the first deploy, or delete it after the last.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate bootstrap --target aws --region us-west-2\n  bedplate bootstrap --remove                        in every region of the project's use cases\n  bedplate bootstrap --region us-west-2 --bucket our-artifacts-8f3a   if the usual name is taken"
)]
pub struct BootstrapArgs {
    /// Delete it, with everything in it; refused while a use case is deployed
    #[arg(long)]
    remove: bool,
    /// A name for the bucket, where the usual one is taken; its stack remembers it
    #[arg(long, value_name = "NAME", value_parser = bucket, conflicts_with = "remove")]
    bucket: Option<String>,
    /// What `--yes` covers.
    #[command(flatten)]
    allow: AllowArgs,
}

pub(super) fn run(session: &Session, args: &BootstrapArgs) -> VerbResult {
    let regions = session.regions()?;
    if let Some(bucket) = args.bucket.as_deref().filter(|_| regions.len() > 1) {
        let message = format!("`{bucket}` cannot be the artifact bucket of {} regions", regions.len());
        return Err(vec![Finding::error(code::D079, message).help("say for which with `--region`")]);
    }
    session.block_on(async {
        let cancel = session.interrupted();
        let approver = session.approver(&args.allow)?;
        let mut exit = ExitCode::Done;
        for region in regions {
            let connecting = session.connect_unless_interrupted("bootstrap", ARTIFACT_STACK, region);
            let Some(connection) = connecting.await? else { return Ok(ExitCode::Interrupted) };
            let started = std::time::Instant::now();
            let run = Run::new(&connection.clients, &session.reporters, cancel.clone());
            session.reporters.start_stack(connection.clients.region(), run.ledger());
            let ended = if args.remove {
                let report = engine::remove_bootstrap(&run, &approver).await;
                connection.close().await;
                session.reporters.conclude(&Conclusion { report: &report, elapsed: started.elapsed() })?
            } else {
                let report = engine::bootstrap_named(&run, args.bucket.as_deref()).await;
                connection.close().await;
                session.reporters.conclude(&Conclusion { report: &report, elapsed: started.elapsed() })?
            };
            exit = exit.worse(ended);
            if exit == ExitCode::Interrupted {
                break;
            }
        }
        Ok(exit)
    })
}

/// The name of a bucket.
/// Source: "General purpose bucket naming rules" in the Amazon S3 user guide.
fn bucket(text: &str) -> Result<String, String> {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let inner = |c: char| ends(c) || c == '-';
    if (3..=63).contains(&text.len()) && text.starts_with(ends) && text.ends_with(ends) && text.chars().all(inner) {
        Ok(text.to_owned())
    } else {
        Err("a bucket is 3 to 63 lower-case letters, digits and hyphens, no hyphen first or last".to_owned())
    }
}
