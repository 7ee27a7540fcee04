//! Bedrock's tables: what was read into knowledge bases, the jobs that read it, and sessions.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use crate::ground::ApiError;
use crate::ground::store::Schema;

/// The tables. Times are milliseconds since 1970; vectors are numbers of four bytes, the least significant first.
pub const SCHEMA: Schema = Schema {
    room: "bedrock",
    steps: &["
        CREATE TABLE bedrock_job (
            id TEXT PRIMARY KEY, base TEXT NOT NULL, source TEXT NOT NULL, region TEXT NOT NULL, status TEXT NOT NULL,
            description TEXT, statistics TEXT NOT NULL, reasons TEXT NOT NULL, started INTEGER NOT NULL, updated INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX bedrock_job_source ON bedrock_job (base, source, started);
        CREATE TABLE bedrock_document (
            base TEXT NOT NULL, source TEXT NOT NULL, uri TEXT NOT NULL, etag TEXT NOT NULL, metadata_etag TEXT NOT NULL,
            PRIMARY KEY (base, source, uri)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE bedrock_chunk (
            id INTEGER PRIMARY KEY, base TEXT NOT NULL, source TEXT NOT NULL, uri TEXT NOT NULL, place INTEGER NOT NULL,
            text TEXT NOT NULL, shown TEXT NOT NULL, metadata TEXT NOT NULL, vector BLOB NOT NULL
        ) STRICT;
        CREATE INDEX bedrock_chunk_document ON bedrock_chunk (base, source, uri, place);
        CREATE TABLE bedrock_session (
            owner TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, expires INTEGER NOT NULL,
            PRIMARY KEY (owner, id)
        ) STRICT, WITHOUT ROWID;
    "],
};

/// Forgets what was read into a knowledge base, and its jobs.
///
/// # Errors
///
/// When the database refuses.
pub fn forget_base(db: &Connection, base: &str) -> rusqlite::Result<()> {
    for table in ["bedrock_job", "bedrock_document", "bedrock_chunk"] {
        db.execute(&format!("DELETE FROM {table} WHERE base = ?1"), [base])?;
    }
    Ok(())
}

/// Forgets the jobs of a data source and which documents it read; with `all`, the chunks, too.
///
/// # Errors
///
/// When the database refuses.
pub fn forget_source(db: &Connection, base: &str, source: &str, all: bool) -> rusqlite::Result<()> {
    let tables: &[&str] =
        if all { &["bedrock_job", "bedrock_document", "bedrock_chunk"] } else { &["bedrock_job", "bedrock_document"] };
    for table in tables {
        db.execute(&format!("DELETE FROM {table} WHERE base = ?1 AND source = ?2"), [base, source])?;
    }
    Ok(())
}

/// What a session remembers; nothing when there is none or it has ended.
pub(super) fn session(db: &Connection, owner: &str, id: &str, now: Timestamp) -> Result<Option<Value>, ApiError> {
    let state: Option<String> = db
        .prepare_cached("SELECT state FROM bedrock_session WHERE owner = ?1 AND id = ?2 AND expires > ?3")?
        .query_row((owner, id, now.as_millisecond()), |row| row.get(0))
        .optional()?;
    Ok(state.and_then(|state| serde_json::from_str(&state).ok()))
}

/// Keeps what a session remembers, for so many seconds; what has ended goes at the same time.
pub(super) fn keep_session(
    db: &Connection,
    owner: &str,
    id: &str,
    state: &Value,
    seconds: i64,
    now: Timestamp,
) -> Result<(), ApiError> {
    let now = now.as_millisecond();
    db.execute("DELETE FROM bedrock_session WHERE expires <= ?1", [now])?;
    db.prepare_cached("INSERT OR REPLACE INTO bedrock_session (owner, id, state, expires) VALUES (?1, ?2, ?3, ?4)")?
        .execute((owner, id, state.to_string(), now.saturating_add(seconds.saturating_mul(1000))))?;
    Ok(())
}

/// Ends a session.
pub(super) fn end_session(db: &Connection, owner: &str, id: &str) -> Result<(), ApiError> {
    db.execute("DELETE FROM bedrock_session WHERE owner = ?1 AND id = ?2", [owner, id])?;
    Ok(())
}
