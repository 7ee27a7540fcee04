//! The tables of stacks and what belongs to them: one row, one JSON document, and the columns that are searched.
//!
//! Every function takes the connection of a transaction that the caller began, so that what changes together is
//! written together.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Serialize, de::DeserializeOwned};

use super::model::{ChangeSet, Phase, Stack, StackEvent, StackOperation, StackResource, stamp};
use super::status::Status;

/// How many events of one stack are kept, and how many bytes they may have: the last ones. Our own; AWS keeps 90 days.
const EVENTS: i64 = 10_000;
const EVENT_BYTES: i64 = 32 << 20;
/// Events are counted once in so many.
const SELDOM: i64 = 1_024;

/// The result of a statement.
pub type Sql<T> = rusqlite::Result<T>;

/// Creates what is missing; harmless when all is there.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS cfn_stack (
    id TEXT PRIMARY KEY, region TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, live INTEGER NOT NULL,
    created TEXT NOT NULL, parent TEXT, doc TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS cfn_stack_name ON cfn_stack (region, name) WHERE live = 1;
CREATE TABLE IF NOT EXISTS cfn_resource (
    stack_id TEXT NOT NULL, logical_id TEXT NOT NULL, physical_id TEXT, type TEXT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (stack_id, logical_id)) STRICT;
CREATE INDEX IF NOT EXISTS cfn_resource_physical ON cfn_resource (physical_id);
CREATE TABLE IF NOT EXISTS cfn_change_set (
    id TEXT PRIMARY KEY, stack_id TEXT NOT NULL, name TEXT NOT NULL, created TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (stack_id, name)) STRICT;
CREATE TABLE IF NOT EXISTS cfn_operation (
    id TEXT PRIMARY KEY, stack_id TEXT NOT NULL, over INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS cfn_operation_one ON cfn_operation (stack_id) WHERE over = 0;
CREATE TABLE IF NOT EXISTS cfn_event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, stack_id TEXT NOT NULL, operation_id TEXT NOT NULL, doc TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS cfn_event_stack ON cfn_event (stack_id, seq);
CREATE INDEX IF NOT EXISTS cfn_event_operation ON cfn_event (operation_id, seq);
CREATE TABLE IF NOT EXISTS cfn_export (
    region TEXT NOT NULL, name TEXT NOT NULL, stack_id TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (region, name)) STRICT;
CREATE TABLE IF NOT EXISTS cfn_import (
    region TEXT NOT NULL, name TEXT NOT NULL, stack_id TEXT NOT NULL,
    PRIMARY KEY (region, name, stack_id)) STRICT;
";

/// A change set that was executed no longer holds its name: it is found by its ARN, and by its name until another one takes it.
///
/// Source: answers of AWS recorded by localstack/localstack, 2026-03 (`test_name_conflicts`, `capture_update_process`).
pub const EXECUTED_SETS: &str = "
CREATE TABLE cfn_change_set_by_id (
    id TEXT PRIMARY KEY, stack_id TEXT NOT NULL, name TEXT NOT NULL, created TEXT NOT NULL, active INTEGER NOT NULL,
    doc TEXT NOT NULL) STRICT;
INSERT INTO cfn_change_set_by_id (id, stack_id, name, created, active, doc)
    SELECT id, stack_id, name, created,
        coalesce(json_extract(doc, '$.execution'), '') NOT IN ('EXECUTE_COMPLETE', 'EXECUTE_FAILED'), doc
    FROM cfn_change_set ORDER BY rowid;
DROP TABLE cfn_change_set;
ALTER TABLE cfn_change_set_by_id RENAME TO cfn_change_set;
CREATE UNIQUE INDEX cfn_change_set_name ON cfn_change_set (stack_id, name) WHERE active = 1;
CREATE INDEX cfn_change_set_stack ON cfn_change_set (stack_id);
";

/// How many executed change sets of a stack are kept, the last ones. Our own.
const EXECUTED_KEPT: i64 = 20;

/// A document that a newer or damaged state folder may hold in a shape this program does not know.
fn decode<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Sql<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into()))
}

fn encode<T: Serialize>(value: &T) -> Sql<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn all<T: DeserializeOwned>(db: &Connection, sql: &str, with: &[&dyn rusqlite::ToSql]) -> Sql<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(with, |row| decode(row, 0))?;
    rows.collect()
}

fn one<T: DeserializeOwned>(db: &Connection, sql: &str, with: &[&dyn rusqlite::ToSql]) -> Sql<Option<T>> {
    db.prepare_cached(sql)?.query_row(with, |row| decode(row, 0)).optional()
}

/// Writes a stack, new or changed.
pub fn save_stack(db: &Connection, stack: &Stack) -> Sql<()> {
    let (resources, bytes) = stack.target.size();
    db.prepare_cached(
        "INSERT INTO cfn_stack (id, region, name, status, live, created, parent, doc, resources, bytes, deleted)
         VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)
         ON CONFLICT (id) DO UPDATE SET status = ?4, live = ?5, doc = ?8, resources = ?9, bytes = ?10, deleted = ?11",
    )?
    .execute(params![
        stack.id,
        stack.region,
        stack.name,
        stack.status.as_str(),
        stack.status != Status::DeleteComplete,
        stack.created,
        stack.parent,
        encode(stack)?,
        resources,
        bytes,
        stack.deleted
    ])?;
    Ok(())
}

/// A stack by its ARN, deleted ones too.
pub fn stack_by_id(db: &Connection, id: &str) -> Sql<Option<Stack>> {
    one(db, "SELECT doc FROM cfn_stack WHERE id = ?1", &[&id])
}

/// A stack that is not deleted, by name.
pub fn stack_by_name(db: &Connection, region: &str, name: &str) -> Sql<Option<Stack>> {
    one(db, "SELECT doc FROM cfn_stack WHERE region = ?1 AND name = ?2 AND live = 1", &[&region, &name])
}

/// A stack as callers name it: by ARN (deleted ones too) or by name.
pub fn stack(db: &Connection, region: &str, named: &str) -> Sql<Option<Stack>> {
    if named.starts_with("arn:") { stack_by_id(db, named) } else { stack_by_name(db, region, named) }
}

/// All stacks of a region, newest first; deleted ones too when asked for.
pub fn stacks(db: &Connection, region: &str, deleted: bool) -> Sql<Vec<Stack>> {
    all(
        db,
        "SELECT doc FROM cfn_stack WHERE region = ?1 AND (live = 1 OR ?2) ORDER BY created DESC, rowid DESC",
        &[&region, &deleted],
    )
}

/// Forgets a stack that never had more than a change set.
pub fn remove_stack(db: &Connection, id: &str) -> Sql<()> {
    db.execute("DELETE FROM cfn_stack WHERE id = ?1", [id])?;
    Ok(())
}

/// Writes a resource, new or changed.
pub fn save_resource(db: &Connection, resource: &StackResource) -> Sql<()> {
    db.prepare_cached(
        "INSERT INTO cfn_resource (stack_id, logical_id, physical_id, type, doc) VALUES (?1,?2,?3,?4,?5)
         ON CONFLICT (stack_id, logical_id) DO UPDATE SET physical_id = ?3, type = ?4, doc = ?5",
    )?
    .execute(params![
        resource.stack_id,
        resource.logical_id,
        resource.physical.as_ref().map(|physical| &physical.id),
        resource.resource_type,
        encode(resource)?
    ])?;
    Ok(())
}

/// One resource.
pub fn resource(db: &Connection, stack_id: &str, logical_id: &str) -> Sql<Option<StackResource>> {
    one(db, "SELECT doc FROM cfn_resource WHERE stack_id = ?1 AND logical_id = ?2", &[&stack_id, &logical_id])
}

/// The resources of a stack, in the order they came into it.
pub fn resources(db: &Connection, stack_id: &str) -> Sql<Vec<StackResource>> {
    all(db, "SELECT doc FROM cfn_resource WHERE stack_id = ?1 ORDER BY rowid", &[&stack_id])
}

/// The resources of all stacks of a region that are not deleted.
pub fn resources_of_region(db: &Connection, region: &str) -> Sql<Vec<StackResource>> {
    let sql = "SELECT cfn_resource.doc FROM cfn_resource JOIN cfn_stack ON cfn_stack.id = cfn_resource.stack_id
        WHERE cfn_stack.region = ?1 AND cfn_stack.live = 1";
    all(db, sql, &[&region])
}

/// Resources by the id of the thing they stand for.
pub fn resources_by_physical_id(db: &Connection, physical_id: &str) -> Sql<Vec<StackResource>> {
    all(db, "SELECT doc FROM cfn_resource WHERE physical_id = ?1 ORDER BY rowid", &[&physical_id])
}

/// Takes a resource out of its stack.
pub fn remove_resource(db: &Connection, stack_id: &str, logical_id: &str) -> Sql<()> {
    db.prepare_cached("DELETE FROM cfn_resource WHERE stack_id = ?1 AND logical_id = ?2")?
        .execute([stack_id, logical_id])?;
    Ok(())
}

/// Writes a change set, new or changed.
pub fn save_change_set(db: &Connection, set: &ChangeSet) -> Sql<()> {
    db.prepare_cached(
        "INSERT INTO cfn_change_set (id, stack_id, name, created, active, doc) VALUES (?1,?2,?3,?4,?5,?6)
         ON CONFLICT (id) DO UPDATE SET active = ?5, doc = ?6",
    )?
    .execute(params![set.id, set.stack_id, set.name, set.created, !set.execution.over(), encode(set)?])?;
    if set.execution.over() {
        db.prepare_cached(
            "DELETE FROM cfn_change_set WHERE stack_id = ?1 AND active = 0 AND rowid NOT IN (
                SELECT rowid FROM cfn_change_set WHERE stack_id = ?1 AND active = 0 ORDER BY rowid DESC LIMIT ?2)",
        )?
        .execute(params![set.stack_id, EXECUTED_KEPT])?;
    }
    Ok(())
}

/// A change set by its ARN.
pub fn change_set_by_id(db: &Connection, id: &str) -> Sql<Option<ChangeSet>> {
    one(db, "SELECT doc FROM cfn_change_set WHERE id = ?1", &[&id])
}

/// The ARN of the stack that an operation is of.
pub fn stack_of_operation(db: &Connection, id: &str) -> Sql<Option<String>> {
    db.query_row("SELECT stack_id FROM cfn_event WHERE operation_id = ?1 LIMIT 1", [id], |row| row.get(0)).optional()
}

/// The ARN of the stack that a change set is of.
pub fn stack_of_change_set(db: &Connection, id: &str) -> Sql<Option<String>> {
    db.query_row("SELECT stack_id FROM cfn_change_set WHERE id = ?1", [id], |row| row.get(0)).optional()
}

/// A change set by its stack's ARN and its name: the one that holds the name, else the last one that was executed under it.
pub fn change_set_by_name(db: &Connection, stack_id: &str, name: &str) -> Sql<Option<ChangeSet>> {
    let newest =
        "SELECT doc FROM cfn_change_set WHERE stack_id = ?1 AND name = ?2 ORDER BY active DESC, rowid DESC LIMIT 1";
    one(db, newest, &[&stack_id, &name])
}

/// All change sets of a stack, oldest first.
pub fn change_sets(db: &Connection, stack_id: &str) -> Sql<Vec<ChangeSet>> {
    all(db, "SELECT doc FROM cfn_change_set WHERE stack_id = ?1 ORDER BY rowid", &[&stack_id])
}

/// The change sets of a stack whose execution is not over, oldest first.
pub fn active_change_sets(db: &Connection, stack_id: &str) -> Sql<Vec<ChangeSet>> {
    all(db, "SELECT doc FROM cfn_change_set WHERE stack_id = ?1 AND active = 1 ORDER BY rowid", &[&stack_id])
}

/// How many change sets a stack has whose execution is not over.
pub fn active_change_sets_of(db: &Connection, stack_id: &str) -> Sql<usize> {
    let count: i64 = db
        .prepare_cached("SELECT count(*) FROM cfn_change_set WHERE stack_id = ?1 AND active = 1")?
        .query_row([stack_id], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Deletes a change set.
pub fn remove_change_set(db: &Connection, id: &str) -> Sql<()> {
    db.execute("DELETE FROM cfn_change_set WHERE id = ?1", [id])?;
    Ok(())
}

/// Forgets an operation that is over.
pub fn remove_operation(db: &Connection, id: &str) -> Sql<()> {
    db.prepare_cached("DELETE FROM cfn_operation WHERE id = ?1 AND over = 1")?.execute([id])?;
    Ok(())
}

/// Writes an operation, new or changed.
pub fn save_operation(db: &Connection, operation: &StackOperation) -> Sql<()> {
    db.prepare_cached(
        "INSERT INTO cfn_operation (id, stack_id, over, doc) VALUES (?1,?2,?3,?4)
         ON CONFLICT (id) DO UPDATE SET over = ?3, doc = ?4",
    )?
    .execute(params![operation.id, operation.stack_id, operation.phase == Phase::Over, encode(operation)?])?;
    Ok(())
}

/// An operation by its id.
pub fn operation(db: &Connection, id: &str) -> Sql<Option<StackOperation>> {
    one(db, "SELECT doc FROM cfn_operation WHERE id = ?1", &[&id])
}

/// The operation under way on a stack.
pub fn running_operation(db: &Connection, stack_id: &str) -> Sql<Option<StackOperation>> {
    one(db, "SELECT doc FROM cfn_operation WHERE stack_id = ?1 AND over = 0", &[&stack_id])
}

/// The ids of the operations under way, whoever runs them, but for those of nested stacks whose parent has one: the parent's
/// carries them out.
pub fn running_operations(db: &Connection) -> Sql<Vec<String>> {
    let mut statement = db.prepare_cached(
        "SELECT cfn_operation.id FROM cfn_operation LEFT JOIN cfn_stack ON cfn_stack.id = cfn_operation.stack_id
         WHERE over = 0 AND NOT EXISTS (
            SELECT 1 FROM cfn_operation AS parent WHERE parent.stack_id = cfn_stack.parent AND parent.over = 0)
         ORDER BY cfn_operation.rowid",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Adds an event. No two of one stack have the same time: clients put them in order by it.
pub fn add_event(db: &Connection, event: &StackEvent) -> Sql<()> {
    let last: Option<String> = db
        .prepare_cached("SELECT doc ->> '$.time' FROM cfn_event WHERE stack_id = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([&event.stack_id], |row| row.get(0))
        .optional()?;
    let event = match last.filter(|last| *last >= event.time).as_deref().and_then(a_moment_after) {
        Some(time) => &StackEvent { time, ..event.clone() },
        None => event,
    };
    db.prepare_cached("INSERT INTO cfn_event (stack_id, operation_id, doc) VALUES (?1,?2,?3)")?.execute(params![
        event.stack_id,
        event.operation_id,
        encode(event)?
    ])?;
    prune_events(db, &event.stack_id, db.last_insert_rowid())
}

/// The next moment that a time can tell from this one.
fn a_moment_after(time: &str) -> Option<String> {
    let moment: jiff::Timestamp = time.parse().ok()?;
    Some(stamp(moment.checked_add(jiff::SignedDuration::from_millis(1)).ok()?))
}

/// Forgets the oldest events of a stack that has too many; `seq` is the one that was added last.
fn prune_events(db: &Connection, stack_id: &str, seq: i64) -> Sql<()> {
    if seq % SELDOM != 0 {
        return Ok(());
    }
    db.prepare_cached(
        "DELETE FROM cfn_event WHERE stack_id = ?1 AND seq <= (
            SELECT seq FROM (
                SELECT seq, row_number() OVER newest AS number, sum(octet_length(doc)) OVER newest AS bytes
                FROM cfn_event WHERE stack_id = ?1 WINDOW newest AS (ORDER BY seq DESC)
            ) WHERE number > ?2 OR bytes > ?3 ORDER BY seq DESC LIMIT 1)",
    )?
    .execute(params![stack_id, EVENTS, EVENT_BYTES])?;
    Ok(())
}

/// One page of events and where the next begins.
pub type EventPage = (Vec<StackEvent>, Option<i64>);

/// How many events one answer holds; the API model names no number.
const EVENTS_PER_PAGE: usize = 100;

/// The events of a stack or of an operation, newest first, from before the given sequence number.
pub fn events(db: &Connection, of: EventsOf<'_>, before: Option<i64>) -> Sql<EventPage> {
    let (column, id) = match of {
        EventsOf::Stack(id) => ("stack_id", id),
        EventsOf::Operation(id) => ("operation_id", id),
    };
    let sql = format!("SELECT doc, seq FROM cfn_event WHERE {column} = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let limit = i64::try_from(EVENTS_PER_PAGE + 1).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![id, before.unwrap_or(i64::MAX), limit], |row| {
        Ok((decode::<StackEvent>(row, 0)?, row.get::<_, i64>(1)?))
    })?;
    let mut rows = rows.collect::<Sql<Vec<_>>>()?;
    let more = rows.len() > EVENTS_PER_PAGE;
    rows.truncate(EVENTS_PER_PAGE);
    let next = if more { rows.last().map(|(_, seq)| *seq) } else { None };
    Ok((rows.into_iter().map(|(event, _)| event).collect(), next))
}

/// Whose events.
#[derive(Debug, Clone, Copy)]
pub enum EventsOf<'a> {
    /// A stack's, by ARN.
    Stack(&'a str),
    /// An operation's, by id.
    Operation(&'a str),
}

/// An export of a region: name, exporting stack, value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// The stack that exports it.
    pub stack_id: String,
    /// Its value.
    pub value: String,
}

/// All exports of a region by name.
pub fn exports(db: &Connection, region: &str) -> Sql<Vec<Export>> {
    let mut statement =
        db.prepare_cached("SELECT name, stack_id, value FROM cfn_export WHERE region = ?1 ORDER BY name")?;
    let rows = statement
        .query_map([region], |row| Ok(Export { name: row.get(0)?, stack_id: row.get(1)?, value: row.get(2)? }))?;
    rows.collect()
}

/// Replaces what a stack exports.
pub fn set_exports(db: &Connection, region: &str, stack_id: &str, exports: &[(String, String)]) -> Sql<()> {
    db.execute("DELETE FROM cfn_export WHERE stack_id = ?1", [stack_id])?;
    for (name, value) in exports {
        db.execute(
            "INSERT INTO cfn_export (region, name, stack_id, value) VALUES (?1,?2,?3,?4)",
            params![region, name, stack_id, value],
        )?;
    }
    Ok(())
}

/// The names of the stacks that import an export, by name.
pub fn importers(db: &Connection, region: &str, export: &str) -> Sql<Vec<String>> {
    let mut statement = db.prepare_cached(
        "SELECT s.name FROM cfn_import i JOIN cfn_stack s ON s.id = i.stack_id
         WHERE i.region = ?1 AND i.name = ?2 AND s.live = 1 ORDER BY s.name",
    )?;
    let rows = statement.query_map([region, export], |row| row.get(0))?;
    rows.collect()
}

/// Notes that a stack imports an export.
pub fn add_import(db: &Connection, region: &str, export: &str, stack_id: &str) -> Sql<()> {
    db.prepare_cached("INSERT OR IGNORE INTO cfn_import (region, name, stack_id) VALUES (?1,?2,?3)")?
        .execute([region, export, stack_id])?;
    Ok(())
}

/// Forgets a stack's imports, all but those named.
pub fn keep_imports(db: &Connection, stack_id: &str, keep: &[String]) -> Sql<()> {
    let mut statement = db.prepare_cached("SELECT name FROM cfn_import WHERE stack_id = ?1")?;
    let names = statement.query_map([stack_id], |row| row.get::<_, String>(0))?.collect::<Sql<Vec<_>>>()?;
    for name in names.iter().filter(|name| !keep.contains(name)) {
        db.execute("DELETE FROM cfn_import WHERE stack_id = ?1 AND name = ?2", [stack_id, name.as_str()])?;
    }
    Ok(())
}
