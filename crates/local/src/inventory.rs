//! What a local target holds, at a glance: the stacks, buckets and tables of every region.

use serde::Serialize;

use crate::ground::store::{Store, StoreError};

/// What a local target holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// Stacks that are there, in order of region and name.
    pub stacks: Vec<StoredStack>,
    /// Buckets, in order of their names.
    pub buckets: Vec<StoredBucket>,
    /// Tables, in order of region and name.
    pub tables: Vec<StoredTable>,
}

/// A stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredStack {
    /// The region it is in.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Its status, such as `CREATE_COMPLETE`.
    pub status: String,
    /// How many resources it has.
    pub resources: u32,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredBucket {
    /// Its name.
    pub name: String,
    /// The region it is in.
    pub region: String,
    /// How many versions and delete markers it holds.
    pub versions: u32,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredTable {
    /// Its name.
    pub name: String,
    /// The region it is in.
    pub region: String,
    /// How many items it holds.
    pub items: u32,
}

impl Inventory {
    /// Reads them, all as of one moment.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn of(store: &Store) -> Result<Self, StoreError> {
        store
            .read(|tx| {
                let mut stacks = tx.prepare(
                    "SELECT region, name, status,
                            (SELECT count(*) FROM cfn_resource WHERE stack_id = cfn_stack.id AND physical_id IS NOT NULL)
                     FROM cfn_stack WHERE live = 1 ORDER BY region, name",
                )?;
                let stacks = stacks.query_map([], |row| {
                    Ok(StoredStack { region: row.get(0)?, name: row.get(1)?, status: row.get(2)?, resources: row.get(3)? })
                })?;
                let mut buckets = tx.prepare(
                    "SELECT name, region, (SELECT count(*) FROM s3_versions WHERE bucket = s3_buckets.id)
                     FROM s3_buckets ORDER BY name",
                )?;
                let buckets = buckets.query_map([], |row| {
                    Ok(StoredBucket { name: row.get(0)?, region: row.get(1)?, versions: row.get(2)? })
                })?;
                let mut tables = tx.prepare(
                    "SELECT physical_id, region,
                            (SELECT count(*) FROM dynamodb_items
                             WHERE dynamodb_items.region = resource.region AND name = physical_id)
                     FROM resource WHERE type = 'AWS::DynamoDB::Table' ORDER BY region, physical_id",
                )?;
                let tables = tables.query_map([], |row| {
                    Ok(StoredTable { name: row.get(0)?, region: row.get(1)?, items: row.get(2)? })
                })?;
                Ok(Self {
                    stacks: stacks.collect::<Result<_, _>>()?,
                    buckets: buckets.collect::<Result<_, _>>()?,
                    tables: tables.collect::<Result<_, _>>()?,
                })
            })
            .await
    }
}
