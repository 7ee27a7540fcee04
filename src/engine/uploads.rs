//! Artifacts on their way into the bucket: only what is not there, several at once.

use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::abort::Abort;
use super::artifact_bucket::ensure;
use super::desired::Desired;
use super::effect::Effect;
use super::events::{EventEmitter, EventKind};
use super::run::Run;
use super::side_by_side::side_by_side;
use crate::aws::{CallError, UploadProgress};
use crate::plan::PlannedArtifact;

/// Questions in flight at once.
const QUESTIONS: usize = 16;
/// Files looked at at once; how many bodies are on their way is for the clients to say.
const UPLOADS: usize = 4;
/// How often it is said how far an upload is.
const REPORT_EVERY: Duration = Duration::from_secs(2);

/// A file on its way.
pub(super) struct OutgoingFile<'a> {
    /// The component it belongs to.
    pub(super) component: &'a str,
    /// Its key in the bucket.
    pub(super) key: &'a str,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// Uploads a file and says now and then how far it is.
pub(super) async fn with_progress<F: Future<Output = Result<(), CallError>>>(
    emitter: &EventEmitter<'_>,
    file: OutgoingFile<'_>,
    upload: impl FnOnce(UploadProgress) -> F,
) -> Result<(), CallError> {
    let progress = UploadProgress::default();
    let mut upload = std::pin::pin!(upload(progress.clone()));
    let mut said = 0;
    loop {
        tokio::select! {
            ended = &mut upload => return ended,
            () = tokio::time::sleep(REPORT_EVERY) => {
                let done = progress.bytes().min(file.size);
                if done != said {
                    said = done;
                    let (component, key) = (file.component.to_owned(), file.key.to_owned());
                    emitter.emit(EventKind::Uploading { component, key, done, total: file.size });
                }
            }
        }
    }
}

/// Which of the artifacts are in the bucket already; none where there is no bucket yet.
pub(super) async fn presence(run: &Run<'_>, desired: &Desired, account: &str) -> Result<Vec<PlannedArtifact>, Abort> {
    let asked = stream::iter(desired.artifacts.iter().map(|artifact| async move {
        let key = artifact.key(&desired.stack);
        let present = match &desired.artifact_bucket {
            Some(bucket) => run.clients.object_exists(bucket, &key, account).await?,
            None => false,
        };
        let component = artifact.component.clone();
        Ok::<_, Abort>(PlannedArtifact { component, key, size: artifact.size, present, to_build: false })
    }));
    let mut planned: Vec<PlannedArtifact> = run.attempt(asked.buffered(QUESTIONS).try_collect()).await?;
    planned.extend(desired.unbuilt.iter().map(|unbuilt| PlannedArtifact {
        component: unbuilt.component.clone(),
        key: unbuilt.key(&desired.stack),
        size: 0,
        present: false,
        to_build: true,
    }));
    Ok(planned)
}

/// Uploads what is missing, making the bucket first where it has to.
pub(super) async fn upload_missing(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    desired: &Desired,
    planned: &[PlannedArtifact],
    account: &str,
) -> Result<(), Abort> {
    for artifact in planned.iter().filter(|artifact| artifact.present) {
        emitter.emit(EventKind::ArtifactPresent { component: artifact.component.clone(), key: artifact.key.clone() });
    }
    let missing: Vec<_> = desired.artifacts.iter().zip(planned).filter(|(_, planned)| !planned.present).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (bucket, _) = ensure(run, emitter, account, None).await?;
    let uploads = missing.into_iter().map(|(artifact, planned)| {
        let bucket = bucket.as_str();
        async move {
            let file = OutgoingFile { component: &artifact.component, key: &planned.key, size: artifact.size };
            let upload = with_progress(emitter, file, |progress| async move {
                run.clients.upload_file(bucket, &planned.key, &artifact.path, account, &progress).await
            });
            let effect = Effect::ObjectsUploaded { bucket: bucket.to_owned(), count: 1 };
            run.effect(effect, upload).await?;
            emitter.emit(EventKind::ArtifactUploaded {
                component: artifact.component.clone(),
                key: planned.key.clone(),
                size: artifact.size,
            });
            Ok::<_, Abort>(())
        }
    });
    run.attempt(side_by_side(uploads, UPLOADS)).await?;
    Ok(())
}
