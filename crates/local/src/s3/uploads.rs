//! Uploads in parts, within a transaction.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

use crate::ground::ApiError;
use crate::ground::store::Blob;

use super::buckets::Bucket;
use super::list::{Upload, upload_of};
use super::model::{Checksums, Meta, Tags};
use super::{refusals, versions};

/// One uploaded part.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub number: i32,
    /// Seconds since 1970.
    pub modified: i64,
    pub size: u64,
    /// The MD5 in hexadecimal.
    pub etag: String,
    pub blob: Blob,
    pub checksums: Checksums,
}

/// Begins an upload.
pub(super) fn begin(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    id: &str,
    key: &str,
    meta: &Meta,
    tags: &Tags,
    now: Timestamp,
) -> Result<(), ApiError> {
    tx.execute(
        "INSERT INTO s3_uploads (id, bucket, key, started, meta, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (id, bucket.id, key, now.as_second(), versions::json(meta)?, versions::json(tags)?),
    )?;
    Ok(())
}

/// An upload under way, with what its object will have.
pub(super) fn get(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    id: &str,
) -> Result<(Upload, Meta, Tags), ApiError> {
    let upload = tx
        .prepare_cached(
            "SELECT id, key, started, meta, tags FROM s3_uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3",
        )?
        .query_row((id, bucket.id, key), upload_of)
        .optional()?
        .ok_or_else(refusals::no_such_upload)?;
    let broken = |error: serde_json::Error| ApiError::internal(error.to_string());
    let meta = serde_json::from_str(&upload.meta).map_err(broken)?;
    let tags = serde_json::from_str(&upload.tags).map_err(broken)?;
    Ok((upload, meta, tags))
}

/// Adds a part, in place of an earlier one of its number.
pub(super) fn add_part(
    tx: &Transaction<'_>,
    upload: &str,
    number: i32,
    blob: &Blob,
    etag: &str,
    checksums: &Checksums,
    now: Timestamp,
) -> Result<(), ApiError> {
    // Deleted and inserted, not replaced: the triggers count on it.
    tx.prepare_cached("DELETE FROM s3_parts WHERE upload = ?1 AND number = ?2")?.execute((upload, number))?;
    tx.prepare_cached(
        "INSERT INTO s3_parts (upload, number, modified, size, etag, blob, checksums) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        upload,
        number,
        now.as_second(),
        i64::try_from(blob.size).unwrap_or(i64::MAX),
        etag,
        blob.id,
        versions::json(checksums)?,
    ))?;
    Ok(())
}

/// The parts of an upload by number, those above one.
pub(super) fn parts(tx: &Transaction<'_>, upload: &str, above: i32) -> Result<Vec<Part>, ApiError> {
    let mut statement = tx.prepare_cached(
        "SELECT number, modified, size, etag, checksums, blob, (SELECT sha256 FROM blobs WHERE id = blob) FROM s3_parts \
         WHERE upload = ?1 AND number > ?2 ORDER BY number",
    )?;
    let rows = statement.query_map((upload, above), |row| {
        let checksums: String = row.get(4)?;
        let size = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        Ok(Part {
            number: row.get(0)?,
            modified: row.get(1)?,
            size,
            etag: row.get(3)?,
            blob: Blob { id: row.get(5)?, sha256: row.get(6)?, size },
            checksums: serde_json::from_str(&checksums).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(error))
            })?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ends an upload; its parts go with it.
pub(super) fn end(tx: &Transaction<'_>, upload: &str) -> Result<(), ApiError> {
    tx.prepare_cached("DELETE FROM s3_parts WHERE upload = ?1")?.execute([upload])?;
    tx.prepare_cached("DELETE FROM s3_uploads WHERE id = ?1")?.execute([upload])?;
    Ok(())
}
