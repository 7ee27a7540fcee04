//! An ingestion job on record.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Value, json};

use crate::bedrock::answer::{stamp, without_nulls};
use crate::ground::ApiError;

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Job {
    pub id: String,
    pub base: String,
    pub source: String,
    pub region: String,
    pub status: String,
    pub description: Option<String>,
    pub statistics: Value,
    pub reasons: Value,
    pub started: i64,
    pub updated: i64,
}

/// The columns of the table, in the order of a job.
pub(super) const COLUMNS: &str = "id, base, source, region, status, description, statistics, reasons, started, updated";

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let json = |column: usize| -> rusqlite::Result<Value> {
        let text: String = row.get(column)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    };
    Ok(Job {
        id: row.get(0)?,
        base: row.get(1)?,
        source: row.get(2)?,
        region: row.get(3)?,
        status: row.get(4)?,
        description: row.get(5)?,
        statistics: json(6)?,
        reasons: json(7)?,
        started: row.get(8)?,
        updated: row.get(9)?,
    })
}

impl Job {
    /// A job by its id.
    pub fn find(db: &Connection, id: &str) -> Result<Option<Self>, ApiError> {
        let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM bedrock_job WHERE id = ?1"))?;
        Ok(statement.query_row([id], job).optional()?)
    }

    /// Whether nothing more comes of it.
    pub fn ended(&self) -> bool {
        ["COMPLETE", "FAILED", "STOPPED"].contains(&self.status.as_str())
    }

    /// As the API shows it; in a list not whole.
    pub fn told(&self, whole: bool) -> Value {
        let time = |milliseconds: i64| Timestamp::from_millisecond(milliseconds).map(stamp).ok();
        let reasons = self.reasons.as_array().is_some_and(|reasons| !reasons.is_empty());
        without_nulls(json!({
            "knowledgeBaseId": self.base,
            "dataSourceId": self.source,
            "ingestionJobId": self.id,
            "description": self.description,
            "status": self.status,
            "statistics": self.statistics,
            "failureReasons": (whole && reasons).then_some(&self.reasons),
            "startedAt": time(self.started),
            "updatedAt": time(self.updated),
        }))
    }
}

/// Notes how a job stands.
pub(super) fn set(
    db: &Connection,
    id: &str,
    status: &str,
    counts: &Counts,
    reasons: &[String],
    now: Timestamp,
) -> Result<(), ApiError> {
    db.prepare_cached("UPDATE bedrock_job SET status = ?2, statistics = ?3, reasons = ?4, updated = ?5 WHERE id = ?1")?
        .execute((id, status, counts.to_value().to_string(), json!(reasons).to_string(), now.as_millisecond()))?;
    Ok(())
}

/// The jobs of a knowledge base, or of one of its sources, the last one first.
pub(super) fn of_source(db: &Connection, base: &str, source: Option<&str>) -> Result<Vec<Job>, ApiError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM bedrock_job WHERE base = ?1 AND (?2 IS NULL OR source = ?2) ORDER BY started DESC, id"
    ))?;
    Ok(statement.query_map((base, source), job)?.collect::<Result<_, _>>()?)
}

/// Counts of a job, as the API names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub scanned: u64,
    pub metadata_scanned: u64,
    pub new: u64,
    pub modified: u64,
    pub metadata_modified: u64,
    pub deleted: u64,
    pub failed: u64,
}

impl Counts {
    /// As the API shows them.
    pub fn to_value(&self) -> Value {
        json!({
            "numberOfDocumentsScanned": self.scanned,
            "numberOfMetadataDocumentsScanned": self.metadata_scanned,
            "numberOfNewDocumentsIndexed": self.new,
            "numberOfModifiedDocumentsIndexed": self.modified,
            "numberOfMetadataDocumentsModified": self.metadata_modified,
            "numberOfDocumentsDeleted": self.deleted,
            "numberOfDocumentsFailed": self.failed,
        })
    }
}
