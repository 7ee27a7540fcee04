//! Documents of a bucket, read into a knowledge base: a job is started when the bucket has changed since the last one that
//! was completed, and followed to its end.

use std::time::Duration;

use crate::aws::{CallError, CallErrorKind, IngestionJob};
use crate::engine::abort::Abort;
use crate::engine::effect::Effect;
use crate::engine::events::{EventEmitter, EventKind};
use crate::engine::run::Run;
use crate::finding::{Finding, code};

/// The first wait between two looks at a job; each is twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// What documents' metadata files end with; they are no documents themselves.
const METADATA: &str = ".metadata.json";
/// How many reasons are describe.
const REASONS: usize = 5;

/// A data source and its bucket, by their own names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reads<'a> {
    /// Id of the knowledge base and of the data source, with `|` between: the data source's physical id.
    pub(super) source: &'a str,
    /// The bucket.
    pub(super) bucket: &'a str,
    /// What keys begin with.
    pub(super) prefix: &'a str,
}

impl<'a> Reads<'a> {
    fn ids(&self) -> (&'a str, &'a str) {
        self.source.split_once('|').unwrap_or((self.source, ""))
    }
}

/// Whether the bucket has changed since the last job that was completed. Times of objects are whole seconds, so a change that
/// somebody else makes within the second in which a job began may be missed; of its own uploads this program knows.
pub(super) async fn needed(run: &Run<'_>, reads: Reads<'_>, account: &str) -> Result<bool, CallError> {
    let objects = match run.clients.objects(reads.bucket, reads.prefix, account).await {
        Err(error) if error.kind == CallErrorKind::NotFound => return Ok(true),
        objects => objects?,
    };
    let (base, source) = reads.ids();
    let last = match run.clients.last_ingestion(base, source).await {
        Err(error) if error.kind == CallErrorKind::NotFound => return Ok(true),
        last => last?,
    };
    let documents =
        objects.iter().filter(|object| !object.key.ends_with(METADATA) && !object.key.ends_with('/')).count();
    Ok(match last {
        None => documents > 0,
        Some(job) => job.scanned != documents as u64 || objects.iter().any(|object| object.modified > job.started),
    })
}

/// Reads the documents, unless they are read already; `filled` says that they have just been changed.
pub(super) async fn read(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    component: &str,
    reads: Reads<'_>,
    filled: bool,
    account: &str,
) -> Result<(), Abort> {
    if !filled && !run.attempt(needed(run, reads, account)).await? {
        return Ok(());
    }
    let (base, source) = reads.ids();
    let mut job = start(run, component, base, source).await?;
    emitter.emit(EventKind::ReadingDocuments { component: component.to_owned(), job: job.id.clone() });
    let mut wait = FIRST_WAIT;
    while !job.ended() {
        run.unless_cancelled(tokio::time::sleep(wait)).await?;
        wait = (wait * 2).min(LONGEST_WAIT);
        job = run.attempt(run.clients.ingestion(base, source, &job.id)).await?;
    }
    if job.status != "COMPLETE" {
        let message = format!("reading the documents of `{component}` ended as {}{}", job.status, describe(&job));
        return Err(Finding::error(code::D044, message)
            .help("look at the rights of the knowledge base's role and at its embedding model, and deploy again")
            .into());
    }
    if job.failed > 0 {
        let message =
            format!("`{component}`: {} of {} documents could not be read{}", job.failed, job.scanned, describe(&job));
        let finding =
            Finding::warning(code::D043, message).help("the knowledge base answers without them; see the reasons");
        emitter.emit(EventKind::Warning { finding });
    }
    emitter.emit(EventKind::DocumentsRead {
        component: component.to_owned(),
        indexed: job.indexed,
        deleted: job.deleted,
        failed: job.failed,
    });
    Ok(())
}

/// Starts a job. The token makes a request that is repeated the same request: its job is the one that an answer that was lost
/// describe of.
async fn start(run: &Run<'_>, component: &str, base: &str, source: &str) -> Result<IngestionJob, Abort> {
    let token = uuid::Uuid::new_v4().to_string();
    let effect = Effect::Ingestion { component: component.to_owned() };
    let ask = || run.until_answered(run.effect(effect.clone(), run.clients.start_ingestion(base, source, &token)));
    match ask().await? {
        Ok(job) => Ok(job),
        Err(failed) if failed.lost => {
            // The second answer tells of both.
            run.ledger().retract(&effect);
            let again = ask().await?;
            if again.as_ref().is_err_and(|failed| !failed.lost) {
                run.ledger().reopen(&effect);
            }
            Ok(again?)
        }
        Err(failed) => Err(failed.into()),
    }
}

fn describe(job: &IngestionJob) -> String {
    let reasons: Vec<&str> = job.reasons.iter().take(REASONS).map(String::as_str).collect();
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}
