//! Listing: prefixes, delimiters and pages, over objects, versions and uploads alike.

use rusqlite::{Row, Transaction};

use crate::ground::ApiError;

use super::buckets::Bucket;
use super::model::StoredVersion;
use super::versions::{COLUMNS, version_of};

/// What to list.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys that have this after the prefix are rolled up.
    pub delimiter: Option<String>,
    /// Only what comes after this key, or after this rolled-up prefix.
    pub after: Option<String>,
    /// At most so many keys and prefixes together.
    pub max: usize,
}

/// One page of a listing.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub items: Vec<T>,
    pub prefixes: Vec<String>,
    /// Whether there is more.
    pub truncated: bool,
    /// The last key or prefix of the page.
    pub last: Option<Last>,
}

/// What a page ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Last {
    Key(String),
    Prefix(String),
}

impl Last {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Prefix(text) => text,
        }
    }
}

/// What is to be done with a key.
enum ListStep {
    Take,
    /// It went into a prefix, or belongs to one that was given before: go on from this key.
    SeekFrom(Option<String>),
    Full,
    /// Past the prefix.
    End,
}

struct Collector<'a, T> {
    listing: &'a Listing,
    page: Page<T>,
}

impl<'a, T> Collector<'a, T> {
    fn new(listing: &'a Listing) -> Self {
        Self { listing, page: Page { items: Vec::new(), prefixes: Vec::new(), truncated: false, last: None } }
    }

    /// The first key that can be in the page.
    fn start(&self) -> Option<String> {
        let after = match &self.listing.after {
            Some(after) if self.rolled_up(after).as_deref() == Some(after.as_str()) => successor(after)?,
            // The least text that is greater.
            Some(after) => format!("{after}\0"),
            None => String::new(),
        };
        Some(after.max(self.listing.prefix.clone()))
    }

    /// The prefix a key is rolled up into.
    fn rolled_up(&self, key: &str) -> Option<String> {
        let delimiter = self.listing.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.listing.prefix.as_str())?;
        let at = rest.find(delimiter)?;
        key.get(..self.listing.prefix.len() + at + delimiter.len()).map(str::to_owned)
    }

    fn step(&mut self, key: &str) -> ListStep {
        if !key.starts_with(self.listing.prefix.as_str()) {
            return ListStep::End;
        }
        if self.page.items.len() + self.page.prefixes.len() >= self.listing.max {
            self.page.truncated = self.listing.max > 0;
            return ListStep::Full;
        }
        match self.rolled_up(key) {
            None => {
                self.page.last = Some(Last::Key(key.to_owned()));
                ListStep::Take
            }
            Some(prefix) => {
                let next = successor(&prefix);
                self.page.last = Some(Last::Prefix(prefix.clone()));
                self.page.prefixes.push(prefix);
                ListStep::SeekFrom(next)
            }
        }
    }
}

/// The least text greater than every text that begins with this one; none when there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            c => char::from_u32(c as u32 + 1),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// The current objects of a bucket.
pub(super) fn objects(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    listing: &Listing,
) -> Result<Page<StoredVersion>, ApiError> {
    let mut collector = Collector::new(listing);
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM s3_versions WHERE bucket = ?1 AND latest = 1 AND marker = 0 AND key >= ?2 ORDER BY key"
    ))?;
    let mut from = collector.start();
    while let Some(start) = from.take() {
        let mut rows = statement.query((bucket.id, start))?;
        from = walk(&mut collector, &mut rows, 0, version_of)?;
    }
    Ok(collector.page)
}

/// All versions and delete markers of a bucket, from one version of the key in `listing.after` on: those with a `seq`
/// below the one given.
pub(super) fn versions(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    listing: &Listing,
    below: Option<i64>,
) -> Result<Page<StoredVersion>, ApiError> {
    let mut collector = Collector::new(listing);
    if let (Some(key), Some(below)) = (&listing.after, below)
        && collector.rolled_up(key).is_none()
    {
        let mut statement = tx.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM s3_versions WHERE bucket = ?1 AND key = ?2 AND seq < ?3 ORDER BY seq DESC"
        ))?;
        let mut rows = statement.query((bucket.id, key, below))?;
        walk(&mut collector, &mut rows, 0, version_of)?;
        if collector.page.truncated {
            return Ok(collector.page);
        }
    }
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM s3_versions WHERE bucket = ?1 AND key >= ?2 ORDER BY key, seq DESC"
    ))?;
    let mut from = collector.start();
    while let Some(start) = from.take() {
        let mut rows = statement.query((bucket.id, start))?;
        from = walk(&mut collector, &mut rows, 0, version_of)?;
    }
    Ok(collector.page)
}

/// An upload in parts that is under way.
#[derive(Debug)]
pub(super) struct Upload {
    pub id: String,
    pub key: String,
    /// Seconds since 1970.
    pub started: i64,
    /// As JSON, see [`super::model::Meta`].
    pub meta: String,
    pub tags: String,
}

pub(super) fn upload_of(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload { id: row.get(0)?, key: row.get(1)?, started: row.get(2)?, meta: row.get(3)?, tags: row.get(4)? })
}

/// The uploads under way in a bucket, from one upload of the key in `listing.after` on.
pub(super) fn uploads(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    listing: &Listing,
    after_id: Option<&str>,
) -> Result<Page<Upload>, ApiError> {
    let mut collector = Collector::new(listing);
    if let (Some(key), Some(after_id)) = (&listing.after, after_id)
        && collector.rolled_up(key).is_none()
    {
        let mut statement = tx.prepare_cached(
            "SELECT id, key, started, meta, tags FROM s3_uploads WHERE bucket = ?1 AND key = ?2 AND id > ?3 ORDER BY id",
        )?;
        let mut rows = statement.query((bucket.id, key, after_id))?;
        walk(&mut collector, &mut rows, 1, upload_of)?;
        if collector.page.truncated {
            return Ok(collector.page);
        }
    }
    let mut statement = tx.prepare_cached(
        "SELECT id, key, started, meta, tags FROM s3_uploads WHERE bucket = ?1 AND key >= ?2 ORDER BY key, id",
    )?;
    let mut from = collector.start();
    while let Some(start) = from.take() {
        let mut rows = statement.query((bucket.id, start))?;
        from = walk(&mut collector, &mut rows, 1, upload_of)?;
    }
    Ok(collector.page)
}

/// Takes rows until the page is full, the prefix ends, or a rolled-up prefix lets the rest of its keys be jumped over: then
/// it gives the key to go on from.
fn walk<T>(
    collector: &mut Collector<'_, T>,
    rows: &mut rusqlite::Rows<'_>,
    key_column: usize,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<String>, ApiError> {
    while let Some(row) = rows.next()? {
        let key: String = row.get(key_column)?;
        match collector.step(&key) {
            ListStep::Take => collector.page.items.push(read(row)?),
            ListStep::SeekFrom(next) => return Ok(next),
            ListStep::Full | ListStep::End => return Ok(None),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_successor_is_above_all_that_begins_with_the_text(prefix in "\\PC{0,4}", rest in "\\PC{0,4}", other in "\\PC{0,5}") {
            match successor(&prefix) {
                Some(next) => {
                    let longer = prefix.clone() + &rest;
                    prop_assert!(next > longer);
                    if other.as_str() > prefix.as_str() && !other.starts_with(&prefix) {
                        prop_assert!(other >= next);
                    }
                }
                None => prop_assert!(prefix.chars().all(|c| c == char::MAX)),
            }
        }
    }
}
