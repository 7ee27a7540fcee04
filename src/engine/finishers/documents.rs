//! Documents of a bucket: what differs goes up, what the folder no longer has goes.
//!
//! An object that Bedplate uploaded says so in its metadata, with the component it belongs to and the digest of its
//! bytes. Nothing else is ever deleted.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::artifacts::Document;
use crate::aws::{CallError, DELETE_BATCH, Labels, ListedObject, ObjectVersion};
use crate::engine::abort::Abort;
use crate::engine::effect::Effect;
use crate::engine::events::{EventEmitter, EventKind};
use crate::engine::run::Run;
use crate::engine::side_by_side::side_by_side;
use crate::engine::uploads::{OutgoingFile, with_progress};
use crate::finding::{Finding, code};

/// Metadata: the component an object was uploaded for.
const SOURCE: &str = "bedplate-source";
/// Metadata: SHA-256 of an object's bytes, in hexadecimal.
const DIGEST: &str = "bedplate-sha256";
/// Questions in flight at once.
const QUESTIONS: usize = 16;
/// Uploads in flight at once.
const UPLOADS: usize = 4;
/// Objects beside the documents that are asked whose they are; a bucket that an application fills may hold millions.
const STRANGERS: usize = 1_000;

/// What a bucket lacks, and what it has too much.
pub(super) struct Difference<'a> {
    pub(super) upload: Vec<&'a Document>,
    pub(super) remove: Vec<String>,
    /// How many of those that go up take the place of an object that was not uploaded for this component.
    pub(super) overwrite: usize,
    pub(super) unchanged: usize,
    /// There were too many other objects to look for those that are to go.
    crowded: bool,
}

impl<'a> Difference<'a> {
    /// A bucket that is not there yet lacks everything.
    pub(super) fn upload_all(documents: &'a [Document]) -> Self {
        Self { upload: documents.iter().collect(), remove: Vec::new(), overwrite: 0, unchanged: 0, crowded: false }
    }
}

/// What is under the key of a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ObjectState {
    Nothing,
    /// The document.
    Same,
    /// What was uploaded for it earlier.
    Older,
    /// An object of somebody else's.
    Foreign,
}

/// Compares by size and by the digest that was kept with the object.
pub(super) async fn compare<'a>(
    run: &Run<'_>,
    bucket: &str,
    prefix: &str,
    documents: &'a [Document],
    component: &str,
    account: &str,
) -> Result<Difference<'a>, CallError> {
    let listed = run.clients.objects(bucket, prefix, account).await?;
    let sizes: BTreeMap<&str, u64> = listed.iter().map(|object| (object.key.as_str(), object.size)).collect();
    let asked = stream::iter(documents.iter().map(|document| {
        let key = format!("{prefix}{}", document.name);
        let there = sizes.get(key.as_str()).copied();
        async move {
            let Some(size) = there else { return Ok((document, ObjectState::Nothing)) };
            let Some(marks) = run.clients.object_marks(bucket, &key, account).await? else {
                return Ok((document, ObjectState::Nothing));
            };
            let ours = marks.metadata.get(SOURCE).is_some_and(|source| source == component);
            let same = size == document.size
                && marks.metadata.get(DIGEST) == Some(&document.sha256)
                && marks.content_type.as_ref() == Some(&document.content_type);
            let found = match (ours, same) {
                (true, true) => ObjectState::Same,
                (true, false) => ObjectState::Older,
                (false, _) => ObjectState::Foreign,
            };
            Ok::<_, CallError>((document, found))
        }
    }));
    let judged: Vec<(&Document, ObjectState)> = asked.buffered(QUESTIONS).try_collect().await?;
    let wanted: BTreeSet<String> = documents.iter().map(|document| format!("{prefix}{}", document.name)).collect();
    let others: Vec<&ListedObject> = listed.iter().filter(|object| !wanted.contains(&object.key)).collect();
    let crowded = others.len() > STRANGERS;
    let asked = stream::iter(others.into_iter().take(if crowded { 0 } else { STRANGERS }).map(|object| async move {
        let marks = run.clients.object_marks(bucket, &object.key, account).await?.unwrap_or_default();
        let ours = marks.metadata.get(SOURCE).is_some_and(|source| source == component);
        Ok::<_, CallError>(ours.then(|| object.key.clone()))
    }));
    let remove: Vec<Option<String>> = asked.buffered(QUESTIONS).try_collect().await?;
    Ok(Difference {
        overwrite: judged.iter().filter(|(_, found)| *found == ObjectState::Foreign).count(),
        unchanged: judged.iter().filter(|(_, found)| *found == ObjectState::Same).count(),
        upload: judged
            .into_iter()
            .filter(|(_, found)| *found != ObjectState::Same)
            .map(|(document, _)| document)
            .collect(),
        remove: remove.into_iter().flatten().collect(),
        crowded,
    })
}

/// Makes a bucket hold the documents; tells whether it did not before.
pub(super) async fn bring(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    bucket: &str,
    prefix: &str,
    documents: &[Document],
    component: &str,
    account: &str,
) -> Result<bool, Abort> {
    let compared = compare(run, bucket, prefix, documents, component, account);
    let difference = run.attempt(compared).await?;
    let changed = !difference.upload.is_empty() || !difference.remove.is_empty();
    let uploads = difference.upload.iter().map(|document| {
                let key = format!("{prefix}{}", document.name);
                async move {
                    let labels = Labels {
                        content_type: Some(document.content_type.clone()),
                        metadata: BTreeMap::from([
                            (SOURCE.to_owned(), component.to_owned()),
                            (DIGEST.to_owned(), document.sha256.clone()),
                        ]),
                    };
                    let file = OutgoingFile { component, key: &key, size: document.size };
                    let upload = with_progress(emitter, file, |progress| {
                        let (key, labels) = (&key, &labels);
                        async move {
                            run.clients.upload_labelled(bucket, key, &document.path, account, labels, &progress).await
                        }
                    });
                    let effect = Effect::ObjectsUploaded { bucket: bucket.to_owned(), count: 1 };
                    run.effect(effect, upload).await?;
                    let (component, size) = (component.to_owned(), document.size);
                    emitter.emit(EventKind::DocumentUploaded { component, key, size });
                    Ok::<_, Abort>(())
                }
            });
    run.attempt(side_by_side(uploads, UPLOADS)).await?;
    for batch in difference.remove.chunks(DELETE_BATCH) {
        let versions: Vec<ObjectVersion> =
            batch.iter().map(|key| ObjectVersion { key: key.clone(), version: None }).collect();
        let count = versions.len() as u64;
        let effect = Effect::ObjectsDeleted { bucket: bucket.to_owned(), count };
        let gone = |refused: &Vec<(String, String)>| count.saturating_sub(refused.len() as u64);
        let deleting = run.ledger().carry_out_counted(effect, run.clients.delete_versions(bucket, &versions), gone);
        let refused = run.attempt(deleting).await?;
        if let Some((key, reason)) = refused.first() {
            return Err(Finding::error(code::D008, format!("`{key}` of `{bucket}` cannot be deleted ({reason})"))
                .help("look for an object lock, a bucket policy or a missing permission, and deploy again")
                .into());
        }
        for key in batch {
            emitter.emit(EventKind::DocumentRemoved { component: component.to_owned(), key: key.clone() });
        }
    }
    if difference.crowded {
        let message = format!(
            "`{component}`: the bucket holds more than {STRANGERS} other objects; documents gone from the folder were not \
             looked for"
        );
        let help = "keep documents in a bucket of their own, and delete by hand what the folder no longer has";
        emitter.emit(EventKind::Warning { finding: Finding::warning(code::D042, message).help(help) });
    }
    emitter.emit(EventKind::DocumentsReady {
        component: component.to_owned(),
        uploaded: difference.upload.len(),
        removed: difference.remove.len(),
        unchanged: difference.unchanged,
    });
    Ok(changed)
}
