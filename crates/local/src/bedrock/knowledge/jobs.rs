//! Ingestion jobs: one at a time for a knowledge base.

use std::sync::Arc;

use futures::future::BoxFuture;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::base::{Base, BaseSource, none, source_thing};
use super::ingest;
use super::job::{COLUMNS, Counts, Job, of_source};
use crate::bedrock::Bedrock;
use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, conflict, page};
use crate::ground::ApiError;

/// `StartIngestionJob`.
pub(in crate::bedrock) fn start_job(bedrock: Arc<Bedrock>, call: BedrockRequest) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let letters = bedrock.host.ids.uuid().simple().to_string().to_uppercase();
        let id = letters.get(..10).unwrap_or_default().to_owned();
        let job_id = id.clone();
        let started = bedrock.host.store.write(move |tx| -> Result<Job, ApiError> {
            let base = Base::find(tx, &call.region, call.label("knowledgeBaseId"))?;
            let source = BaseSource::find(tx, &call.region, &base.id, call.label("dataSourceId"))?;
            if let Some(other) = of_source(tx, &base.id, None)?.into_iter().find(|job| !job.ended()) {
                return Err(conflict(format!(
                    "There is an ongoing ingestion job {} for the knowledge base {}; start another when it has ended.",
                    other.id, base.id
                )));
            }
            let now = call.now.as_millisecond();
            let statistics = Counts::default().to_value().to_string();
            tx.prepare_cached(&format!(
                "INSERT INTO bedrock_job ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, 'STARTING', ?5, ?6, '[]', ?7, ?7)"
            ))?
            .execute((
                &job_id,
                &base.id,
                &source.id,
                &call.region,
                call.text("description"),
                statistics,
                now,
            ))?;
            Job::find(tx, &job_id)?.ok_or_else(|| ApiError::internal("the job is not there"))
        });
        let job = started.await?;
        tokio::spawn(ingest::run(Arc::clone(&bedrock), id));
        Ok(BedrockAnswer::Json(json!({ "ingestionJob": job.told(true) })))
    })
}

fn find(db: &Connection, call: &BedrockRequest) -> Result<Job, ApiError> {
    let (base, source, id) = (call.label("knowledgeBaseId"), call.label("dataSourceId"), call.label("ingestionJobId"));
    source_thing(db, &call.region, base, source)?;
    let found = Job::find(db, id)?.filter(|job| job.base == base && job.source == source);
    found.ok_or_else(|| none("Ingestion job", id))
}

/// `GetIngestionJob`. A job whose process has died is taken up again.
pub(in crate::bedrock) fn get_job(bedrock: Arc<Bedrock>, call: BedrockRequest) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let job = bedrock.host.store.read(move |tx| find(tx, &call)).await?;
        if !job.ended() {
            tokio::spawn(ingest::run(Arc::clone(&bedrock), job.id.clone()));
        }
        Ok(BedrockAnswer::Json(json!({ "ingestionJob": job.told(true) })))
    })
}

/// `ListIngestionJobs`.
pub(in crate::bedrock) fn list_jobs(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let (base, source) = (call.label("knowledgeBaseId"), call.label("dataSourceId"));
    source_thing(db, &call.region, base, source)?;
    let mut jobs = of_source(db, base, Some(source))?;
    for filter in call.body.get("filters").and_then(Value::as_array).into_iter().flatten() {
        let values = filter.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
        jobs.retain(|job| values.iter().any(|value| value == &job.status));
    }
    if call.body.pointer("/sortBy/order").and_then(Value::as_str) == Some("ASCENDING") {
        jobs.reverse();
    }
    page(call, "ingestionJobSummaries", jobs.iter().map(|job| job.told(false)).collect())
}

/// `StopIngestionJob`.
pub(in crate::bedrock) fn stop_job(bedrock: Arc<Bedrock>, call: BedrockRequest) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let stopped = bedrock.host.store.write(move |tx| -> Result<Job, ApiError> {
            let job = find(tx, &call)?;
            if job.ended() {
                return Err(conflict(format!("The ingestion job {} has ended: {}", job.id, job.status)));
            }
            tx.execute("UPDATE bedrock_job SET status = 'STOPPING' WHERE id = ?1", [&job.id])?;
            Ok(Job { status: "STOPPING".to_owned(), ..job })
        });
        let job = stopped.await?;
        tokio::spawn(ingest::run(Arc::clone(&bedrock), job.id.clone()));
        Ok(BedrockAnswer::Json(json!({ "ingestionJob": job.told(true) })))
    })
}
