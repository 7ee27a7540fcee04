//! The current objects of a bucket, for other services of the local target that read documents from it.

use rusqlite::Transaction;

use super::buckets::Buckets;
use super::list::{Listing, objects};
use super::model::StoredVersion;
use crate::ground::ApiError;

/// The current objects whose keys begin with a prefix, by key.
///
/// # Errors
///
/// When there is no such bucket.
pub fn current_objects(tx: &Transaction<'_>, bucket: &str, prefix: &str) -> Result<Vec<StoredVersion>, ApiError> {
    let bucket = Buckets::get(tx, bucket)?;
    let listing = Listing { prefix: prefix.to_owned(), max: usize::MAX, ..Listing::default() };
    Ok(objects(tx, &bucket, &listing)?.items)
}
