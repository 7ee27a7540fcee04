//! Reading a data source: what is new or changed is read, cut, embedded and kept; what is gone from the bucket goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::base::{Base, BaseSource};
use super::chunk::{Chunk, chunks};
use super::document::{METADATA, refusal, text};
use super::job::{self, Counts, Job};
use super::store::StoreUse;
use crate::bedrock::Bedrock;
use crate::ground::ApiError;
use crate::ground::store::Lease;
use crate::identity::RequiredPermission;
use crate::s3::current_objects;
use crate::s3::model::StoredVersion;

/// Texts embedded at once: as many as the models here take in one call.
const BATCH: usize = 96;

/// What is to be read: the knowledge base, its source, its model, what the bucket has and what was read before.
struct Plan {
    base: Base,
    source: BaseSource,
    model: String,
    dimension: usize,
    objects: Vec<StoredVersion>,
    known: BTreeMap<String, (String, String)>,
}

/// Carries a job out, unless someone else is at it.
pub(super) async fn run(bedrock: Arc<Bedrock>, id: String) {
    let store = bedrock.host.store.clone();
    let name = format!("bedrock/ingestion-job/{id}");
    let lease = store.clone().blocking(move || Lease::try_acquire(&store, &name)).await;
    // Whoever has the lease carries the job out; when none can be had, the next question about the job tries again.
    let Ok(Some(_lease)) = lease else { return };
    let mut counts = Counts::default();
    let mut reasons = Vec::new();
    let status = match carry_out(&bedrock, &id, &mut counts, &mut reasons).await {
        Ok(Some(status)) => status,
        Ok(None) => return,
        Err(error) => {
            reasons.push(error.message);
            "FAILED"
        }
    };
    let now = bedrock.host.clock.now();
    let ended = bedrock.host.store.write(move |tx| job::set(tx, &id, status, &counts, &reasons, now)).await;
    // It stays as it was and is taken up again, as after a crash.
    drop(ended);
}

/// Gives the status it ended with; nothing when it had ended before.
async fn carry_out(
    bedrock: &Arc<Bedrock>,
    id: &str,
    counts: &mut Counts,
    reasons: &mut Vec<String>,
) -> Result<Option<&'static str>, ApiError> {
    let (job_id, now) = (id.to_owned(), bedrock.host.clock.now());
    let planned = bedrock.host.store.write(move |tx| -> Result<Option<(Job, Plan)>, ApiError> {
        let Some(job) = Job::find(tx, &job_id)? else { return Ok(None) };
        if job.ended() {
            return Ok(None);
        }
        if job.status == "STARTING" {
            job::set(tx, &job_id, "IN_PROGRESS", &Counts::default(), &[], now)?;
        }
        let base = Base::find(tx, &job.region, &job.base)?;
        let source = BaseSource::find(tx, &job.region, &job.base, &job.source)?;
        let (model, dimension) = base.embedding(tx, now)?;
        let mut objects = Vec::new();
        for prefix in &source.place.prefixes {
            objects.extend(current_objects(tx, &source.place.bucket, prefix)?);
        }
        let known = known_documents(tx, &job.base, &job.source)?;
        Ok(Some((job, Plan { base, source, model, dimension, objects, known })))
    });
    let Some((job, plan)) = planned.await? else { return Ok(None) };
    let worker = plan.base.worker();
    let session = worker.session(bedrock, now).await?;
    let bucket = format!("arn:aws:s3:::{}", plan.source.place.bucket);
    let mut needs = plan.base.on_model(bedrock).await?;
    needs.extend(plan.base.on_store(StoreUse::Write));
    needs.extend(
        plan.source
            .place
            .prefixes
            .iter()
            .map(|prefix| RequiredPermission::new("s3:ListBucket", &bucket).with("s3:prefix", prefix)),
    );
    worker.decide(bedrock, &session, needs, now).await?;
    let files: BTreeMap<&str, &StoredVersion> =
        plan.objects.iter().map(|object| (object.key.as_str(), object)).collect();
    let by = bedrock.host.model_server.as_ref().map_or("stand-in", |server| server.url());
    let embedder = format!("{} {} {by}", plan.model, plan.dimension);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (key, object) in &files {
        if key.ends_with('/') && object.size == 0 {
            continue;
        }
        if key.ends_with(METADATA) {
            counts.metadata_scanned += 1;
            continue;
        }
        if stopping(bedrock, &job.id).await? {
            return Ok(Some("STOPPED"));
        }
        counts.scanned += 1;
        let uri = format!("s3://{}/{key}", plan.source.place.bucket);
        seen.insert(uri.clone());
        let metadata = files.get(format!("{key}{METADATA}").as_str()).copied();
        // Vectors of another model, or of another server, are not these.
        let own = format!("{} {embedder}", object.etag);
        let etags = (own, metadata.map(|object| object.etag.clone()).unwrap_or_default());
        let before = plan.known.get(&uri);
        if before == Some(&etags) {
            continue;
        }
        let right = vec![RequiredPermission::new("s3:GetObject", format!("{bucket}/{key}"))];
        let read = match worker.decide(bedrock, &session, right, now).await {
            Ok(()) => read(bedrock, &plan, object, metadata, &uri, etags.clone()).await?,
            Err(error) => DocumentOutcome::Unreadable(error.message),
        };
        match read {
            DocumentOutcome::Indexed => match before {
                None => counts.new += 1,
                Some((etag, _)) if *etag == etags.0 => counts.metadata_modified += 1,
                Some(_) => counts.modified += 1,
            },
            DocumentOutcome::Unreadable(reason) => {
                counts.failed += 1;
                reasons.push(format!("{uri}: {reason}"));
            }
        }
    }
    let gone: Vec<String> = plan.known.keys().filter(|uri| !seen.contains(*uri)).cloned().collect();
    counts.deleted = gone.len() as u64;
    if !gone.is_empty() {
        worker.decide(bedrock, &session, plan.base.on_store(StoreUse::Delete), now).await?;
        let (base, source) = (plan.base.id.clone(), plan.source.id.clone());
        let forgotten = bedrock.host.store.write(move |tx| -> Result<(), ApiError> {
            for uri in &gone {
                forget(tx, &base, &source, uri)?;
            }
            Ok(())
        });
        forgotten.await?;
    }
    Ok(Some("COMPLETE"))
}

async fn stopping(bedrock: &Arc<Bedrock>, id: &str) -> Result<bool, ApiError> {
    let id = id.to_owned();
    let job = bedrock.host.store.read(move |tx| Job::find(tx, &id)).await?;
    // A job that is gone went with its knowledge base.
    Ok(job.is_none_or(|job| job.status == "STOPPING"))
}

fn known_documents(db: &Connection, base: &str, source: &str) -> Result<BTreeMap<String, (String, String)>, ApiError> {
    let mut statement =
        db.prepare_cached("SELECT uri, etag, metadata_etag FROM bedrock_document WHERE base = ?1 AND source = ?2")?;
    let rows = statement.query_map([base, source], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn forget(db: &Connection, base: &str, source: &str, uri: &str) -> Result<(), ApiError> {
    for table in ["bedrock_chunk", "bedrock_document"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE base = ?1 AND source = ?2 AND uri = ?3"))?
            .execute([base, source, uri])?;
    }
    Ok(())
}

/// What became of a document.
enum DocumentOutcome {
    /// It is in the knowledge base.
    Indexed,
    /// It can't be read, for this reason.
    Unreadable(String),
}

/// What a document holds.
enum DocumentText {
    /// It was read and cut.
    Read { chunks: Vec<Chunk>, attributes: Map<String, Value> },
    /// It can't be read, for this reason.
    Unreadable(String),
}

/// Reads one document into the knowledge base.
async fn read(
    bedrock: &Arc<Bedrock>,
    plan: &Plan,
    object: &StoredVersion,
    metadata: Option<&StoredVersion>,
    uri: &str,
    etags: (String, String),
) -> Result<DocumentOutcome, ApiError> {
    if let Some(reason) = refusal(&object.key, object.size) {
        return Ok(DocumentOutcome::Unreadable(reason));
    }
    let body = |object: &StoredVersion| object.blob.as_ref().map(|blob| blob.sha256.clone()).unwrap_or_default();
    let (own, of_metadata) = (body(object), metadata.map(body));
    let (store, key, chunking) = (bedrock.host.store.clone(), object.key.clone(), plan.source.chunking.clone());
    let cut = bedrock.host.store.blocking(move || -> Result<_, ApiError> {
        let attributes = match of_metadata {
            Some(sha256) => match attributes(&store.read_blob(&sha256)?) {
                Some(attributes) => attributes,
                None => return Ok(DocumentText::Unreadable("its metadata file is not as Bedrock reads it".to_owned())),
            },
            None => Map::new(),
        };
        let text = match text(&key, &store.read_blob(&own)?) {
            Ok(text) => text,
            Err(reason) => return Ok(DocumentText::Unreadable(reason)),
        };
        Ok(DocumentText::Read { chunks: chunks(&text, &chunking), attributes })
    });
    let (chunks, attributes) = match cut.await? {
        DocumentText::Read { chunks, attributes } => (chunks, attributes),
        DocumentText::Unreadable(reason) => return Ok(DocumentOutcome::Unreadable(reason)),
    };
    let mut vectors = Vec::with_capacity(chunks.len());
    for batch in chunks.chunks(BATCH) {
        let texts = batch.iter().map(|chunk| chunk.text.clone()).collect();
        vectors.extend(bedrock.embed(&plan.model, texts, plan.dimension).await?);
    }
    let (base, source, uri) = (plan.base.id.clone(), plan.source.id.clone(), uri.to_owned());
    let metadata = Value::Object(attributes).to_string();
    let kept = bedrock.host.store.write(move |tx| -> Result<(), ApiError> {
        forget(tx, &base, &source, &uri)?;
        tx.prepare_cached(
            "INSERT INTO bedrock_document (base, source, uri, etag, metadata_etag) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((&base, &source, &uri, &etags.0, &etags.1))?;
        let mut insert = tx.prepare_cached(
            "INSERT INTO bedrock_chunk (base, source, uri, place, text, shown, metadata, vector) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        for (place, (chunk, vector)) in chunks.iter().zip(&vectors).enumerate() {
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            insert.execute((&base, &source, &uri, place, &chunk.text, &chunk.shown, &metadata, bytes))?;
        }
        Ok(())
    });
    kept.await?;
    Ok(DocumentOutcome::Indexed)
}

/// The attributes of a metadata file, each plain or with its type.
fn attributes(bytes: &[u8]) -> Option<Map<String, Value>> {
    let file: Value = serde_json::from_slice(bytes).ok()?;
    let given = file.get("metadataAttributes")?.as_object()?;
    let plain = given.iter().map(|(name, value)| {
        let typed = value.get("value").and_then(|value| {
            ["stringValue", "numberValue", "booleanValue", "stringListValue"].iter().find_map(|kind| value.get(*kind))
        });
        (name.clone(), typed.unwrap_or(value).clone())
    });
    Some(plain.collect())
}
