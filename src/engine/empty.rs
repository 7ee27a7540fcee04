//! Empties a bucket: every version, every delete marker, every upload nobody finished.

use tokio::task::JoinSet;

use super::abort::Abort;
use super::effect::Effect;
use super::events::{EventEmitter, EventKind};
use super::ledger::Ledger;
use super::run::Run;
use super::side_by_side::side_by_side;
use crate::aws::{CallError, CallErrorKind, Clients, DELETE_BATCH, ObjectVersion};
use crate::finding::{Finding, code};

/// Batches in flight at once: S3 deletes some 3,500 objects a second and prefix, which four batches of a thousand reach.
const AT_ONCE: usize = 6;
/// Passes before giving up on a bucket that something keeps writing to.
const PASSES: usize = 10;

/// Empties a bucket, or the part of it under a prefix, and gives how many versions and markers went. A bucket that is
/// not there is empty.
pub(super) async fn empty(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    bucket: &str,
    prefix: Option<&str>,
) -> Result<u64, Abort> {
    let mut total = 0;
    for _ in 0..PASSES {
        let pass = match run.unless_cancelled(pass(run, emitter, bucket, prefix, total)).await? {
            Ok(pass) => pass,
            Err(error) if error.kind == CallErrorKind::NotFound => return Ok(total),
            Err(error) => return Err(error.into()),
        };
        total += pass.deleted;
        if pass.found == 0 {
            if prefix.is_none() {
                abort_uploads(run, bucket).await?;
            }
            if total > 0 {
                emitter.emit(EventKind::Emptied { bucket: bucket.to_owned(), deleted: total });
            }
            return Ok(total);
        }
        if let Some((key, reason)) = pass.refused.filter(|_| pass.deleted == 0) {
            return Err(Finding::error(code::D008, format!("`{bucket}` cannot be emptied: `{key}` stays ({reason})"))
                .help("look for an object lock, a bucket policy or a missing permission, and destroy again")
                .into());
        }
    }
    Err(Finding::error(code::D009, format!("`{bucket}` fills up again while it is being emptied"))
        .help("stop what writes to it and destroy again")
        .into())
}

/// One walk through a bucket.
#[derive(Default)]
struct Pass {
    found: u64,
    deleted: u64,
    refused: Option<(String, String)>,
}

impl Pass {
    fn count(&mut self, batch: Result<Batch, CallError>) -> Result<(), CallError> {
        let batch = batch?;
        self.deleted += batch.size.saturating_sub(batch.refused.len() as u64);
        self.refused = self.refused.take().or_else(|| batch.refused.into_iter().next());
        Ok(())
    }
}

struct Batch {
    size: u64,
    refused: Vec<(String, String)>,
}

async fn pass(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    bucket: &str,
    prefix: Option<&str>,
    before: u64,
) -> Result<Pass, CallError> {
    let mut pass = Pass::default();
    let mut batches: JoinSet<Result<Batch, CallError>> = JoinSet::new();
    let mut from = None;
    loop {
        let page = run.clients.object_versions(bucket, prefix, from).await?;
        pass.found += page.versions.len() as u64;
        for versions in page.versions.chunks(DELETE_BATCH) {
            if batches.len() >= AT_ONCE {
                join_one(&mut batches, &mut pass).await?;
                emitter.emit(EventKind::Emptying { bucket: bucket.to_owned(), deleted: before + pass.deleted });
            }
            let (clients, ledger) = (run.clients.clone(), run.ledger().clone());
            let (bucket, versions) = (bucket.to_owned(), versions.to_vec());
            batches.spawn(async move { delete(&clients, &ledger, &bucket, versions).await });
        }
        if !page.truncated {
            break;
        }
        from = page.next;
    }
    while !batches.is_empty() {
        join_one(&mut batches, &mut pass).await?;
        emitter.emit(EventKind::Emptying { bucket: bucket.to_owned(), deleted: before + pass.deleted });
    }
    Ok(pass)
}

async fn join_one(batches: &mut JoinSet<Result<Batch, CallError>>, pass: &mut Pass) -> Result<(), CallError> {
    match batches.join_next().await {
        Some(Ok(batch)) => pass.count(batch),
        // A batch whose task went down deleted nothing that counts; the next pass finds what is left.
        Some(Err(_)) | None => Ok(()),
    }
}

async fn delete(
    clients: &Clients,
    ledger: &Ledger,
    bucket: &str,
    versions: Vec<ObjectVersion>,
) -> Result<Batch, CallError> {
    let size = versions.len() as u64;
    let effect = Effect::ObjectsDeleted { bucket: bucket.to_owned(), count: size };
    let gone = |refused: &Vec<(String, String)>| size.saturating_sub(refused.len() as u64);
    let deleted = ledger.carry_out_counted(effect, clients.delete_versions(bucket, &versions), gone).await;
    let refused = deleted.map_err(|failed| failed.error)?;
    Ok(Batch { size, refused })
}

async fn abort_uploads(run: &Run<'_>, bucket: &str) -> Result<(), Abort> {
    let uploads = run.unless_cancelled(run.clients.unfinished_uploads(bucket)).await?;
    let uploads = match uploads {
        Ok(uploads) => uploads,
        // Not every S3-compatible endpoint lists uploads; deleting the bucket will tell.
        Err(error) if error.kind != CallErrorKind::Denied => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let aborts = uploads.iter().map(|upload| {
        let effect = Effect::UploadsAborted { bucket: bucket.to_owned(), count: 1 };
        run.effect(effect, run.clients.abort_upload(bucket, upload))
    });
    run.attempt(side_by_side(aborts, AT_ONCE)).await?;
    Ok(())
}
