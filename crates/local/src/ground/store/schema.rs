//! Each room's tables, and how a database of an earlier version is brought up to date.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// Marks a database as ours, in SQLite's own place for it: `BEDP`.
const APPLICATION_ID: i64 = 0x4245_4450;

/// The tables of one room.
///
/// Its version is the number of its steps: to change tables that were ever landed, add a step, never edit one.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The room, for example `s3`; it is the key of its version in the database.
    pub room: &'static str,
    /// SQL scripts, each run once in its turn.
    pub steps: &'static [&'static str],
}

/// The table that counts the users of each body. Rooms count with triggers on their own tables, by `id` and not by digest:
/// bodies written one after the other lie beside each other, so deleting many touches few pages.
pub(super) const BLOBS: Schema = Schema {
    room: "store",
    steps: &["CREATE TABLE blobs (
            id INTEGER PRIMARY KEY,
            sha256 TEXT NOT NULL UNIQUE,
            size INTEGER NOT NULL,
            users INTEGER NOT NULL DEFAULT 0
         ) STRICT;
         CREATE INDEX blobs_unused ON blobs (id) WHERE users = 0;"],
};

/// Refuses a database that is another program's.
pub(super) fn claim(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if id == APPLICATION_ID {
        return Ok(());
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id != 0 || tables != 0 {
        return Err(StoreError::Foreign { file: file.to_path_buf() });
    }
    Ok(())
}

/// Brings all rooms' tables up to date, in one transaction.
pub(super) fn migrate(connection: &mut Connection, dir: &Path, schemas: &[Schema]) -> Result<(), StoreError> {
    let up_to_date = {
        let tx = connection.transaction()?;
        match versions(&tx) {
            Ok(found) => schemas
                .iter()
                .all(|schema| found.iter().any(|(room, version)| room == schema.room && *version == known(schema))),
            Err(_) => false,
        }
    };
    if up_to_date {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_version (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT",
    )?;
    let found = versions(&tx)?;
    for schema in schemas {
        let at = found.iter().find(|(room, _)| room == schema.room).map_or(0, |(_, version)| *version);
        if at > known(schema) {
            return Err(StoreError::Newer {
                dir: dir.to_path_buf(),
                room: schema.room.to_owned(),
                found: at,
                known: known(schema),
            });
        }
        for step in schema.steps.iter().skip(usize::try_from(at).unwrap_or(0)) {
            tx.execute_batch(step)?;
        }
        tx.execute(
            "INSERT INTO schema_version (room, version) VALUES (?1, ?2) ON CONFLICT (room) DO UPDATE SET version = ?2",
            (schema.room, known(schema)),
        )?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.commit()?;
    Ok(())
}

fn known(schema: &Schema) -> i64 {
    i64::try_from(schema.steps.len()).unwrap_or(i64::MAX)
}

fn versions(connection: &Connection) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement = connection.prepare("SELECT room, version FROM schema_version")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
