//! Items in the database, in the order DynamoDB keeps them: partitions by a hash of their key, which is no order anybody
//! can rely on, and within a partition by the sort key.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use sha2::{Digest, Sha256};

use super::attribute::{Item, item_json, read_item};
use super::error::DynamoDbError;
use super::table::{Table, TableKeys};
use crate::ground::store::Schema;

/// The table. An item is DynamoDB's JSON; `range` is empty in a table without sort keys.
pub const SCHEMA: Schema = Schema {
    room: "dynamodb",
    steps: &["
        CREATE TABLE dynamodb_items (
            region TEXT NOT NULL,
            name TEXT NOT NULL,
            hash BLOB NOT NULL,
            range BLOB NOT NULL,
            item TEXT NOT NULL,
            PRIMARY KEY (region, name, hash, range)
        ) STRICT, WITHOUT ROWID;
    "],
};

/// The place of an item: its partition and its sort key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemKey {
    /// The hash of the partition key.
    pub hash: Vec<u8>,
    /// The sortable bytes of the sort key.
    pub range: Vec<u8>,
}

impl ItemKey {
    /// Where an item or a key belongs; none when it lacks the key.
    pub fn of(keys: &TableKeys, item: &Item) -> Option<Self> {
        let (hash, range) = keys.of(item)?;
        Some(Self { hash: hashed(&hash), range })
    }

    /// Which of so many segments of a parallel scan it is in.
    pub fn segment(&self, segments: u32) -> u32 {
        let first: [u8; 4] = self.hash.first_chunk().copied().unwrap_or_default();
        u32::from_be_bytes(first) % segments.max(1)
    }
}

/// A partition key as the database orders it.
pub fn hashed(key: &[u8]) -> Vec<u8> {
    Sha256::digest(key).iter().take(16).copied().collect()
}

fn place_of(table: &Table, key: &Item) -> Result<ItemKey, DynamoDbError> {
    ItemKey::of(&table.keys, key)
        .ok_or_else(|| DynamoDbError::invalid("The provided key element does not match the schema"))
}

/// An item by its key.
///
/// # Errors
///
/// When the database refuses.
pub fn get(db: &Connection, table: &Table, key: &Item) -> Result<Option<Item>, DynamoDbError> {
    let place = place_of(table, key)?;
    let found: Option<String> = db
        .prepare_cached("SELECT item FROM dynamodb_items WHERE region = ?1 AND name = ?2 AND hash = ?3 AND range = ?4")?
        .query_row(params![table.region, table.name, place.hash, place.range], |row| row.get(0))
        .optional()?;
    found.as_deref().map(parse).transpose()
}

/// Puts an item in the place of any of the same key.
///
/// # Errors
///
/// When the database refuses.
pub fn put(db: &Connection, table: &Table, item: &Item) -> Result<(), DynamoDbError> {
    let place = place_of(table, item)?;
    db.prepare_cached(
        "INSERT INTO dynamodb_items (region, name, hash, range, item) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (region, name, hash, range) DO UPDATE SET item = ?5",
    )?
    .execute(params![table.region, table.name, place.hash, place.range, item_json(item).to_string()])?;
    Ok(())
}

/// Deletes an item; nothing happens when it is not there.
///
/// # Errors
///
/// When the database refuses.
pub fn delete(db: &Connection, table: &Table, key: &Item) -> Result<(), DynamoDbError> {
    let place = place_of(table, key)?;
    db.prepare_cached("DELETE FROM dynamodb_items WHERE region = ?1 AND name = ?2 AND hash = ?3 AND range = ?4")?
        .execute(params![table.region, table.name, place.hash, place.range])?;
    Ok(())
}

/// How many items a table has, and how many bytes of JSON they are.
///
/// # Errors
///
/// When the database refuses.
pub fn totals(db: &Connection, table: &Table) -> Result<(i64, i64), DynamoDbError> {
    let mut statement = db.prepare_cached(
        "SELECT count(*), coalesce(sum(length(item)), 0) FROM dynamodb_items WHERE region = ?1 AND name = ?2",
    )?;
    Ok(statement.query_row([&table.region, &table.name], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Forgets every item of a table.
///
/// # Errors
///
/// When the database refuses.
pub fn forget(db: &Connection, region: &str, name: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM dynamodb_items WHERE region = ?1 AND name = ?2")?.execute([region, name])?;
    Ok(())
}

/// Which items to walk through, and in which order.
#[derive(Debug, Default)]
pub struct Walk {
    /// One partition only.
    pub hash: Option<Vec<u8>>,
    /// What comes after this place only; by the place in the index first, where an index is walked.
    pub after: Option<(ItemKey, ItemKey)>,
    /// Against the order of the sort keys.
    pub backward: bool,
}

/// Walks through a table, or through an index of it, until the visitor has enough.
///
/// # Errors
///
/// What the visitor says, or when the database refuses.
pub fn walk(
    db: &Connection,
    table: &Table,
    index: Option<&TableKeys>,
    walk: &Walk,
    visit: impl FnMut(ItemKey, Item) -> Result<ControlFlow<()>, DynamoDbError>,
) -> Result<(), DynamoDbError> {
    match index {
        None => walk_table(db, table, walk, visit),
        Some(keys) => walk_index(db, table, keys, walk, visit),
    }
}

fn walk_table(
    db: &Connection,
    table: &Table,
    walk: &Walk,
    mut visit: impl FnMut(ItemKey, Item) -> Result<ControlFlow<()>, DynamoDbError>,
) -> Result<(), DynamoDbError> {
    let (beyond, order) = if walk.backward { ("<", "DESC") } else { (">", "ASC") };
    // Only conditions that are there are written: with others the key's order could not be used.
    let mut values: Vec<&dyn ToSql> = vec![&table.region, &table.name];
    let mut conditions = String::new();
    if let Some(hash) = &walk.hash {
        values.push(hash);
        conditions.push_str(" AND hash = ?3");
    }
    if let Some((place, _)) = &walk.after {
        let (hash, range) = (values.len() + 1, values.len() + 2);
        conditions.push_str(&format!(" AND (hash, range) {beyond} (?{hash}, ?{range})"));
        values.push(&place.hash);
        values.push(&place.range);
    }
    let mut statement = db.prepare_cached(&format!(
        "SELECT hash, range, item FROM dynamodb_items WHERE region = ?1 AND name = ?2{conditions}
         ORDER BY hash {order}, range {order}"
    ))?;
    let mut rows = statement.query(values.as_slice())?;
    while let Some(row) = rows.next()? {
        let item: String = row.get(2)?;
        let place = ItemKey { hash: row.get(0)?, range: row.get(1)? };
        if visit(place, parse(&item)?)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// An index is worked out from the table: nothing has to be kept in step, and local tables are small.
fn walk_index(
    db: &Connection,
    table: &Table,
    keys: &TableKeys,
    walk: &Walk,
    mut visit: impl FnMut(ItemKey, Item) -> Result<ControlFlow<()>, DynamoDbError>,
) -> Result<(), DynamoDbError> {
    let mut found: Vec<((ItemKey, ItemKey), Item)> = Vec::new();
    walk_table(db, table, &Walk::default(), |place, item| {
        if let Some(indexed) = ItemKey::of(keys, &item)
            && walk.hash.as_ref().is_none_or(|hash| *hash == indexed.hash)
        {
            found.push(((indexed, place), item));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    found.sort_by(|(a, _), (b, _)| if walk.backward { b.cmp(a) } else { a.cmp(b) });
    for (at, item) in found {
        let passed = |after: &(ItemKey, ItemKey)| if walk.backward { at < *after } else { at > *after };
        if walk.after.as_ref().is_none_or(passed) && visit(at.0, item)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<Item, DynamoDbError> {
    let value = serde_json::from_str(text)
        .map_err(|error| crate::ground::errors::ApiError::internal(format!("An item cannot be read: {error}")))?;
    read_item(&value)
}
