//! The table of everything that exists in the local target because a stack made it.
//!
//! Rows carry the resolved properties, the attributes, and a state of the handler's own (for example a deployment's
//! snapshot); whoever simulates the services at run time reads them here.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value};

use super::store::Schema;

/// The table.
pub const SCHEMA: Schema = Schema {
    room: "resources",
    steps: &["
CREATE TABLE resource (
    type TEXT NOT NULL, region TEXT NOT NULL, scope TEXT NOT NULL, physical_id TEXT NOT NULL, stack_id TEXT NOT NULL,
    logical_id TEXT NOT NULL, properties TEXT NOT NULL, attributes TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (type, scope, physical_id)) STRICT;
CREATE INDEX resource_stack ON resource (stack_id, logical_id);
CREATE TABLE resource_counter (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT;
"],
};

/// What was made: its id and what `Fn::GetAtt` gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// What `Ref` gives.
    pub id: String,
    /// By attribute.
    pub attributes: Map<String, Value>,
}

/// One thing that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredResource {
    /// For example `AWS::S3::Bucket`.
    pub resource_type: String,
    /// The region it was made in.
    pub region: String,
    /// Where its id is unique: a region, `global`, or the id of what it is part of.
    pub scope: String,
    /// What `Ref` gives.
    pub id: String,
    /// The stack that made it.
    pub stack_id: String,
    /// Its name in that stack's template.
    pub logical_id: String,
    /// With every function resolved.
    pub properties: Value,
    /// What `Fn::GetAtt` gives.
    pub attributes: Map<String, Value>,
    /// The handler's own; null for most.
    pub state: Value,
}

/// The resource of a stack that a thing was made for. Ids alone are unique only where the type says: two APIs of one stack may
/// have stages of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The stack.
    pub stack_id: &'a str,
    /// The resource's name in that stack's template.
    pub logical_id: &'a str,
}

impl StoredResource {
    /// What it was made for.
    pub fn owner(&self) -> Owner<'_> {
        Owner { stack_id: &self.stack_id, logical_id: &self.logical_id }
    }
}

const COLUMNS: &str = "type, region, scope, physical_id, stack_id, logical_id, properties, attributes, state";

fn thing(row: &Row<'_>) -> rusqlite::Result<StoredResource> {
    let json = |column: usize| -> rusqlite::Result<Value> {
        let text: String = row.get(column)?;
        serde_json::from_str(&text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
        })
    };
    Ok(StoredResource {
        resource_type: row.get(0)?,
        region: row.get(1)?,
        scope: row.get(2)?,
        id: row.get(3)?,
        stack_id: row.get(4)?,
        logical_id: row.get(5)?,
        properties: json(6)?,
        attributes: match json(7)? {
            Value::Object(map) => map,
            _ => Map::new(),
        },
        state: json(8)?,
    })
}

/// Adds a thing.
///
/// # Errors
///
/// When there is one of that type and id in its scope, or the database refuses.
pub fn insert(db: &Connection, thing: &StoredResource) -> rusqlite::Result<()> {
    db.prepare_cached(&format!("INSERT INTO resource ({COLUMNS}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)"))?.execute(
        params![
            thing.resource_type,
            thing.region,
            thing.scope,
            thing.id,
            thing.stack_id,
            thing.logical_id,
            thing.properties.to_string(),
            Value::Object(thing.attributes.clone()).to_string(),
            thing.state.to_string()
        ],
    )?;
    Ok(())
}

/// Changes a thing's properties and attributes.
///
/// # Errors
///
/// When the database refuses.
pub fn update(
    db: &Connection,
    resource_type: &str,
    owner: Owner<'_>,
    made: &Made,
    properties: &Value,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE resource SET properties = ?5, attributes = ?6
         WHERE type = ?1 AND stack_id = ?2 AND logical_id = ?3 AND physical_id = ?4",
    )?
    .execute(params![
        resource_type,
        owner.stack_id,
        owner.logical_id,
        made.id,
        properties.to_string(),
        Value::Object(made.attributes.clone()).to_string()
    ])?;
    Ok(())
}

/// Sets the handler's own state.
///
/// # Errors
///
/// When the database refuses.
pub fn set_state(
    db: &Connection,
    resource_type: &str,
    stack_id: &str,
    id: &str,
    state: &Value,
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE resource SET state = ?4 WHERE type = ?1 AND stack_id = ?2 AND physical_id = ?3")?
        .execute(params![resource_type, stack_id, id, state.to_string()])?;
    Ok(())
}

/// Removes a thing of a stack; nothing happens when it is gone.
///
/// # Errors
///
/// When the database refuses.
pub fn remove(db: &Connection, resource_type: &str, owner: Owner<'_>, id: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM resource WHERE type = ?1 AND stack_id = ?2 AND logical_id = ?3 AND physical_id = ?4",
    )?
    .execute([resource_type, owner.stack_id, owner.logical_id, id])?;
    Ok(())
}

/// Replaces the properties and the state of the thing with its type, scope and id.
///
/// # Errors
///
/// When the database refuses.
pub fn save(db: &Connection, thing: &StoredResource) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE resource SET properties = ?4, state = ?5 WHERE type = ?1 AND scope = ?2 AND physical_id = ?3",
    )?
    .execute(params![
        thing.resource_type,
        thing.scope,
        thing.id,
        thing.properties.to_string(),
        thing.state.to_string()
    ])?;
    Ok(())
}

/// A thing by type, scope and id.
///
/// # Errors
///
/// When the database refuses.
pub fn find(db: &Connection, resource_type: &str, scope: &str, id: &str) -> rusqlite::Result<Option<StoredResource>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM resource WHERE type = ?1 AND scope = ?2 AND physical_id = ?3"))?
        .query_row([resource_type, scope, id], thing)
        .optional()
}

/// A thing by type and id, whatever its scope; the oldest where there are several.
///
/// # Errors
///
/// When the database refuses.
pub fn find_anywhere(db: &Connection, resource_type: &str, id: &str) -> rusqlite::Result<Option<StoredResource>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM resource WHERE type = ?1 AND physical_id = ?2 ORDER BY rowid LIMIT 1"
    ))?
    .query_row([resource_type, id], thing)
    .optional()
}

/// All things of a type, oldest first; of one region when one is given.
///
/// # Errors
///
/// When the database refuses.
pub fn of_type(db: &Connection, resource_type: &str, region: Option<&str>) -> rusqlite::Result<Vec<StoredResource>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM resource WHERE type = ?1 AND (?2 IS NULL OR region = ?2) ORDER BY rowid"
    ))?;
    let rows = statement.query_map(params![resource_type, region], thing)?;
    rows.collect()
}

/// The next number of a counter, from 1; counters never go back.
///
/// # Errors
///
/// When the database refuses.
pub fn next(db: &Connection, counter: &str) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "INSERT INTO resource_counter (name, last) VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1
         RETURNING last",
    )?
    .query_row([counter], |row| row.get(0))
}
