//! Objects and their versions, within a transaction.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction};

use crate::ground::store::{Blob, StoreError};
use crate::ground::{ApiError, Ids};

use super::buckets::{Bucket, Versioning};
use super::model::{Meta, NULL_VERSION, StoredVersion, Tags};

pub(super) const COLUMNS: &str = "key, seq, version, latest, marker, modified, size, etag, meta, tags, blob, (SELECT sha256 FROM blobs WHERE id = blob)";

pub(super) fn version_of(row: &Row<'_>) -> rusqlite::Result<StoredVersion> {
    let (meta, tags): (String, String) = (row.get(8)?, row.get(9)?);
    let size = u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0);
    let blob: Option<(i64, String)> = row.get::<_, Option<i64>>(10)?.zip(row.get(11)?);
    let bad = |at: usize| {
        move |error: serde_json::Error| {
            rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error))
        }
    };
    Ok(StoredVersion {
        key: row.get(0)?,
        seq: row.get(1)?,
        version: row.get(2)?,
        latest: row.get(3)?,
        marker: row.get(4)?,
        modified: row.get(5)?,
        size,
        etag: row.get(7)?,
        blob: blob.map(|(id, sha256)| Blob { id, sha256, size }),
        meta: serde_json::from_str(&meta).map_err(bad(8))?,
        tags: serde_json::from_str(&tags).map_err(bad(9))?,
    })
}

/// The current version of a key, which may be a delete marker.
pub(super) fn current(tx: &Transaction<'_>, bucket: &Bucket, key: &str) -> Result<Option<StoredVersion>, ApiError> {
    Ok(tx
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM s3_versions WHERE bucket = ?1 AND key = ?2 ORDER BY seq DESC LIMIT 1"
        ))?
        .query_row((bucket.id, key), version_of)
        .optional()?)
}

/// One version of a key by its id.
pub(super) fn by_id(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    version: &str,
) -> Result<Option<StoredVersion>, ApiError> {
    Ok(tx
        .prepare_cached(&format!("SELECT {COLUMNS} FROM s3_versions WHERE bucket = ?1 AND key = ?2 AND version = ?3"))?
        .query_row((bucket.id, key, version), version_of)
        .optional()?)
}

/// What a new version is made of.
pub(super) struct NewVersion<'a> {
    pub key: &'a str,
    /// None makes a delete marker.
    pub body: Option<(&'a Blob, &'a str)>,
    pub meta: &'a Meta,
    pub tags: &'a Tags,
}

/// Adds a version, replacing what the bucket's versioning says it replaces; gives its id, none without versioning.
pub(super) fn add(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    new: &NewVersion<'_>,
    ids: &Ids,
    now: Timestamp,
) -> Result<Option<String>, ApiError> {
    let keeps = bucket.versioning == Versioning::Enabled;
    if !keeps {
        tx.prepare_cached("DELETE FROM s3_versions WHERE bucket = ?1 AND key = ?2 AND version = 'null'")?
            .execute((bucket.id, new.key))?;
    }
    if bucket.versioning != Versioning::Unset {
        tx.prepare_cached("UPDATE s3_versions SET latest = 0 WHERE bucket = ?1 AND key = ?2 AND latest = 1")?
            .execute((bucket.id, new.key))?;
    }
    let seq = newest(tx, bucket, new.key)?.unwrap_or(0) + 1;
    let version = if keeps { version_id(seq, ids) } else { NULL_VERSION.to_owned() };
    let (size, etag, blob) = match new.body {
        Some((blob, etag)) => (blob.size, etag, Some(blob.id)),
        None => (0, "", None),
    };
    tx.prepare_cached(
        "INSERT INTO s3_versions (bucket, key, seq, version, latest, marker, modified, size, etag, blob, meta, tags) \
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute((
        bucket.id,
        new.key,
        seq,
        &version,
        blob.is_none(),
        now.as_second(),
        i64::try_from(size).unwrap_or(i64::MAX),
        etag,
        blob,
        json(new.meta)?,
        json(new.tags)?,
    ))?;
    Ok((bucket.versioning != Versioning::Unset).then_some(version))
}

/// What a deletion did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Deleted {
    /// Whether a delete marker was made, or was what was deleted.
    pub marker: bool,
    /// The version deleted, or the marker made.
    pub version: Option<String>,
}

/// Deletes an object, or one version of it for good. What is not there counts as deleted.
pub(super) fn delete(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
    ids: &Ids,
    now: Timestamp,
) -> Result<Deleted, ApiError> {
    let Some(version) = version else {
        if bucket.versioning == Versioning::Unset {
            tx.prepare_cached("DELETE FROM s3_versions WHERE bucket = ?1 AND key = ?2")?.execute((bucket.id, key))?;
            return Ok(Deleted::default());
        }
        let marker = NewVersion { key, body: None, meta: &Meta::default(), tags: &Tags::new() };
        return Ok(Deleted { marker: true, version: add(tx, bucket, &marker, ids, now)? });
    };
    let found: Option<(i64, bool, bool)> = tx
        .prepare_cached(
            "DELETE FROM s3_versions WHERE bucket = ?1 AND key = ?2 AND version = ?3 RETURNING seq, latest, marker",
        )?
        .query_row((bucket.id, key, version), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let was_marker = match found {
        Some((_, latest, marker)) => {
            if latest && let Some(next) = newest(tx, bucket, key)? {
                tx.prepare_cached("UPDATE s3_versions SET latest = 1 WHERE bucket = ?1 AND key = ?2 AND seq = ?3")?
                    .execute((bucket.id, key, next))?;
            }
            marker
        }
        None => false,
    };
    Ok(Deleted { marker: was_marker, version: Some(version.to_owned()) })
}

/// Replaces the tags of a version.
pub(super) fn set_tags(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    version: &StoredVersion,
    tags: &Tags,
) -> Result<(), ApiError> {
    tx.prepare_cached("UPDATE s3_versions SET tags = ?4 WHERE bucket = ?1 AND key = ?2 AND seq = ?3")?.execute((
        bucket.id,
        &version.key,
        version.seq,
        json(tags)?,
    ))?;
    Ok(())
}

fn newest(tx: &Transaction<'_>, bucket: &Bucket, key: &str) -> Result<Option<i64>, StoreError> {
    Ok(tx
        .prepare_cached("SELECT max(seq) FROM s3_versions WHERE bucket = ?1 AND key = ?2")?
        .query_row((bucket.id, key), |row| row.get(0))?)
}

/// A version id that carries its place among the versions of its key, so that a listing can go on after a version that
/// has been deleted meanwhile. To clients it is opaque, and as long as AWS's.
fn version_id(seq: i64, ids: &Ids) -> String {
    let random = ids.uuid().simple().to_string();
    format!("{seq:08x}{}", random.get(..24).unwrap_or_default())
}

/// The place in a version id, see [`version_id`].
pub(super) fn seq_of(version: &str) -> Option<i64> {
    i64::from_str_radix(version.get(..8)?, 16).ok()
}

pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(|error| ApiError::internal(error.to_string()))
}
