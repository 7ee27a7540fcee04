//! Buckets, within a transaction of the caller's: for the S3 API, and for whoever makes a bucket by other means.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

use crate::ground::ApiError;

use super::names::{self, Namespace};
use super::refusals;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its key in the tables.
    pub(super) id: i64,
    /// Its name.
    pub name: String,
    /// The region it is in.
    pub region: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Whether and how it keeps versions.
    pub versioning: Versioning,
}

/// Whether a bucket keeps versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// Never switched on.
    Unset,
    /// Every write makes a version.
    Enabled,
    /// Older versions stay, new writes replace the `null` version.
    Suspended,
}

impl Versioning {
    /// As the API and the table name it.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unset => None,
            Self::Enabled => Some("Enabled"),
            Self::Suspended => Some("Suspended"),
        }
    }

    fn parse(text: Option<&str>) -> Self {
        match text {
            Some("Enabled") => Self::Enabled,
            Some("Suspended") => Self::Suspended,
            _ => Self::Unset,
        }
    }
}

/// What can be done with buckets as a whole. All of it happens within the transaction given.
#[derive(Debug)]
pub struct Buckets;

const COLUMNS: &str = "id, name, region, created, versioning";

fn bucket_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Bucket> {
    let versioning: Option<String> = row.get(4)?;
    Ok(Bucket {
        id: row.get(0)?,
        name: row.get(1)?,
        region: row.get(2)?,
        created: row.get(3)?,
        versioning: Versioning::parse(versioning.as_deref()),
    })
}

impl Buckets {
    /// Makes a bucket.
    ///
    /// # Errors
    ///
    /// `InvalidBucketName`, or `BucketAlreadyOwnedByYou` when there is one of that name in any region.
    pub fn create(
        tx: &Transaction<'_>,
        name: &str,
        region: &str,
        namespace: Namespace,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        names::check(name, namespace, region)?;
        if Self::exists(tx, name)? {
            return Err(refusals::bucket_owned_by_you());
        }
        tx.execute(
            "INSERT INTO s3_buckets (name, region, created) VALUES (?1, ?2, ?3)",
            (name, region, now.as_second()),
        )?;
        Ok(())
    }

    /// Removes a bucket that holds nothing. Uploads in parts that were never completed go with it, as on AWS.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`; `BucketNotEmpty` when an object, an older version or a delete marker is left.
    pub fn delete(tx: &Transaction<'_>, name: &str) -> Result<(), ApiError> {
        let bucket = Self::get(tx, name)?;
        if !Self::is_empty(tx, name)? {
            return Err(refusals::bucket_not_empty(bucket.versioning != Versioning::Unset));
        }
        for statement in [
            "DELETE FROM s3_parts WHERE upload IN (SELECT id FROM s3_uploads WHERE bucket = ?1)",
            "DELETE FROM s3_uploads WHERE bucket = ?1",
            "DELETE FROM s3_bucket_settings WHERE bucket = ?1",
            "DELETE FROM s3_buckets WHERE id = ?1",
        ] {
            tx.execute(statement, [bucket.id])?;
        }
        Ok(())
    }

    /// Whether there is a bucket of that name.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub fn exists(tx: &Transaction<'_>, name: &str) -> Result<bool, ApiError> {
        Ok(Self::find(tx, name)?.is_some())
    }

    /// The bucket of that name, if there is one.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub fn find(tx: &Transaction<'_>, name: &str) -> Result<Option<Bucket>, ApiError> {
        Ok(tx
            .prepare_cached(&format!("SELECT {COLUMNS} FROM s3_buckets WHERE name = ?1"))?
            .query_row([name], bucket_of)
            .optional()?)
    }

    /// The bucket of that name.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`.
    pub fn get(tx: &Transaction<'_>, name: &str) -> Result<Bucket, ApiError> {
        Self::find(tx, name)?.ok_or_else(refusals::no_such_bucket)
    }

    /// Whether a bucket holds neither objects nor older versions nor delete markers.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`.
    pub fn is_empty(tx: &Transaction<'_>, name: &str) -> Result<bool, ApiError> {
        let bucket = Self::get(tx, name)?;
        Ok(!tx.prepare_cached("SELECT 1 FROM s3_versions WHERE bucket = ?1 LIMIT 1")?.exists([bucket.id])?)
    }

    /// All buckets by name, from one on.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub fn list(tx: &Transaction<'_>) -> Result<Vec<Bucket>, ApiError> {
        let mut statement = tx.prepare_cached(&format!("SELECT {COLUMNS} FROM s3_buckets ORDER BY name"))?;
        let rows = statement.query_map([], bucket_of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Switches versioning on, or suspends it.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`.
    pub fn set_versioning(tx: &Transaction<'_>, name: &str, versioning: Versioning) -> Result<(), ApiError> {
        let bucket = Self::get(tx, name)?;
        tx.execute("UPDATE s3_buckets SET versioning = ?2 WHERE id = ?1", (bucket.id, versioning.as_str()))?;
        Ok(())
    }

    /// A setting of a bucket, as it was stored.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`.
    pub(super) fn setting(tx: &Transaction<'_>, name: &str, kind: &str) -> Result<Option<String>, ApiError> {
        let bucket = Self::get(tx, name)?;
        Self::setting_of(tx, &bucket, kind)
    }

    pub(super) fn setting_of(tx: &Transaction<'_>, bucket: &Bucket, kind: &str) -> Result<Option<String>, ApiError> {
        Ok(tx
            .prepare_cached("SELECT document FROM s3_bucket_settings WHERE bucket = ?1 AND kind = ?2")?
            .query_row((bucket.id, kind), |row| row.get(0))
            .optional()?)
    }

    /// Stores a setting of a bucket, or removes it.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`.
    pub(super) fn set(tx: &Transaction<'_>, name: &str, kind: &str, document: Option<&str>) -> Result<(), ApiError> {
        let bucket = Self::get(tx, name)?;
        match document {
            Some(document) => tx.execute(
                "INSERT INTO s3_bucket_settings (bucket, kind, document) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (bucket, kind) DO UPDATE SET document = ?3",
                (bucket.id, kind, document),
            )?,
            None => tx.execute("DELETE FROM s3_bucket_settings WHERE bucket = ?1 AND kind = ?2", (bucket.id, kind))?,
        };
        Ok(())
    }
}
