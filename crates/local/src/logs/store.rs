//! The tables of groups, streams and events. Times are milliseconds since 1970.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::ground::ACCOUNT_ID;
use crate::ground::store::Schema;

/// The tables; groups that stacks made before there were any are taken over.
pub const SCHEMA: Schema = Schema {
    room: "logs",
    steps: &["
        CREATE TABLE log_group (
            region TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL, retention INTEGER,
            PRIMARY KEY (region, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE log_stream (
            region TEXT NOT NULL, grp TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
            first INTEGER, last INTEGER, ingested INTEGER,
            PRIMARY KEY (region, grp, name),
            FOREIGN KEY (region, grp) REFERENCES log_group (region, name) ON DELETE CASCADE) STRICT, WITHOUT ROWID;
        CREATE TABLE log_event (
            id INTEGER PRIMARY KEY, region TEXT NOT NULL, grp TEXT NOT NULL, stream TEXT NOT NULL,
            at INTEGER NOT NULL, ingested INTEGER NOT NULL, message TEXT NOT NULL,
            FOREIGN KEY (region, grp, stream) REFERENCES log_stream (region, grp, name) ON DELETE CASCADE) STRICT;
        CREATE INDEX log_event_order ON log_event (region, grp, stream, at, id);
        CREATE INDEX log_event_time ON log_event (region, grp, at, id);
        INSERT INTO log_group (region, name, created, retention)
            SELECT region, physical_id, unixepoch() * 1000, CAST(json_extract(properties, '$.RetentionInDays') AS INTEGER)
            FROM resource WHERE type = 'AWS::Logs::LogGroup';
    "],
};

/// How many events of a group are kept, and how many bytes their messages may have: the last ones. Our own; AWS keeps all for
/// as long as the group's retention says.
const KEPT_EVENTS: i64 = 100_000;
const KEPT_BYTES: i64 = 128 << 20;
/// Events are counted once in so many.
const SELDOM: i64 = 8_192;

/// Forgets the oldest events of a group that has too many.
fn prune(db: &Connection, region: &str, group: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM log_event WHERE region = ?1 AND grp = ?2 AND id <= (
            SELECT id FROM (
                SELECT id, row_number() OVER newest AS number, sum(octet_length(message)) OVER newest AS bytes
                FROM log_event WHERE region = ?1 AND grp = ?2 WINDOW newest AS (ORDER BY id DESC)
            ) WHERE number > ?3 OR bytes > ?4 ORDER BY id DESC LIMIT 1)",
    )?
    .execute((region, group, KEPT_EVENTS, KEPT_BYTES))?;
    Ok(())
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: i64,
    /// Days its events are kept on AWS; for ever when none.
    pub retention: Option<i64>,
    /// Bytes of its events, each counted with 26 more, as AWS bills them.
    pub bytes: i64,
}

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: i64,
    /// The time of its first event.
    pub first: Option<i64>,
    /// The time of its last event.
    pub last: Option<i64>,
    /// When events came in last.
    pub ingested: Option<i64>,
}

/// The ARN of a group, without the `:*` that stands for its streams.
pub fn group_arn(region: &str, name: &str) -> String {
    format!("arn:aws:logs:{region}:{ACCOUNT_ID}:log-group:{name}")
}

/// Whether there is a group.
///
/// # Errors
///
/// When the database refuses.
pub fn has_group(db: &Connection, region: &str, name: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM log_group WHERE region = ?1 AND name = ?2")?.exists([region, name])
}

/// Makes a group; says whether it was not there.
///
/// # Errors
///
/// When the database refuses.
pub fn create_group(
    db: &Connection,
    region: &str,
    name: &str,
    retention: Option<i64>,
    now: i64,
) -> rusqlite::Result<bool> {
    let made = db
        .prepare_cached(
            "INSERT INTO log_group (region, name, created, retention) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute((region, name, now, retention))?;
    Ok(made > 0)
}

/// Sets how long a group keeps its events.
///
/// # Errors
///
/// When the database refuses.
pub fn set_retention(db: &Connection, region: &str, name: &str, days: Option<i64>) -> rusqlite::Result<bool> {
    let changed = db
        .prepare_cached("UPDATE log_group SET retention = ?3 WHERE region = ?1 AND name = ?2")?
        .execute((region, name, days))?;
    Ok(changed > 0)
}

/// Deletes a group with all its events; says whether it was there.
///
/// # Errors
///
/// When the database refuses.
pub fn delete_group(db: &Connection, region: &str, name: &str) -> rusqlite::Result<bool> {
    let gone = db.prepare_cached("DELETE FROM log_group WHERE region = ?1 AND name = ?2")?.execute([region, name])?;
    Ok(gone > 0)
}

/// Groups whose names begin with, or contain, a text, in order of their names.
///
/// # Errors
///
/// When the database refuses.
pub fn groups(db: &Connection, region: &str, prefix: &str, part: &str) -> rusqlite::Result<Vec<Group>> {
    let mut found = db.prepare_cached(
        "SELECT name, created, retention,
            (SELECT coalesce(sum(length(message) + 26), 0) FROM log_event WHERE region = ?1 AND grp = log_group.name)
         FROM log_group WHERE region = ?1 AND substr(name, 1, length(?2)) = ?2 AND instr(lower(name), lower(?3)) > 0
         ORDER BY name",
    )?;
    let group = |row: &Row<'_>| {
        Ok(Group { name: row.get(0)?, created: row.get(1)?, retention: row.get(2)?, bytes: row.get(3)? })
    };
    found.query_map([region, prefix, part], group)?.collect()
}

/// Makes a stream; says whether it was not there.
///
/// # Errors
///
/// When there is no such group, or the database refuses.
pub fn create_stream(db: &Connection, region: &str, group: &str, name: &str, now: i64) -> rusqlite::Result<bool> {
    let made = db
        .prepare_cached(
            "INSERT INTO log_stream (region, grp, name, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute((region, group, name, now))?;
    Ok(made > 0)
}

/// A stream.
///
/// # Errors
///
/// When the database refuses.
pub fn stream(db: &Connection, region: &str, group: &str, name: &str) -> rusqlite::Result<Option<Stream>> {
    db.prepare_cached(
        "SELECT name, created, first, last, ingested FROM log_stream WHERE region = ?1 AND grp = ?2 AND name = ?3",
    )?
    .query_row([region, group, name], stream_of)
    .optional()
}

fn stream_of(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream { name: row.get(0)?, created: row.get(1)?, first: row.get(2)?, last: row.get(3)?, ingested: row.get(4)? })
}

/// The streams of a group whose names begin with a text, in order of their names.
///
/// # Errors
///
/// When the database refuses.
pub fn streams(db: &Connection, region: &str, group: &str, prefix: &str) -> rusqlite::Result<Vec<Stream>> {
    let mut found = db.prepare_cached(
        "SELECT name, created, first, last, ingested FROM log_stream
         WHERE region = ?1 AND grp = ?2 AND substr(name, 1, length(?3)) = ?3 ORDER BY name",
    )?;
    found.query_map([region, group, prefix], stream_of)?.collect()
}

/// Adds events (time and message) to a stream.
///
/// # Errors
///
/// When there is no such stream, or the database refuses.
pub fn put(
    db: &Connection,
    region: &str,
    group: &str,
    stream: &str,
    events: &[(i64, String)],
    now: i64,
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO log_event (region, grp, stream, at, ingested, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (at, message) in events {
        insert.execute((region, group, stream, at, now, message))?;
        if db.last_insert_rowid() % SELDOM == 0 {
            prune(db, region, group)?;
        }
    }
    let (first, last) = (events.iter().map(|event| event.0).min(), events.iter().map(|event| event.0).max());
    db.prepare_cached(
        "UPDATE log_stream SET first = min(coalesce(first, ?4), ?4), last = max(coalesce(last, ?5), ?5), ingested = ?6
         WHERE region = ?1 AND grp = ?2 AND name = ?3",
    )?
    .execute((region, group, stream, first.unwrap_or(now), last.unwrap_or(now), now))?;
    Ok(())
}
