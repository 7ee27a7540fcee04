//! A finisher, as data.

use std::path::PathBuf;

use crate::aws::Item;
use crate::finding::Place;

/// Something to do once the stack is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finisher {
    /// Puts a folder's files into a bucket, and takes out what it put there and the folder no longer has.
    Upload {
        /// The component, such as `buckets.handbook`; objects are marked with it.
        component: String,
        /// The bucket's logical id.
        bucket: String,
        /// The folder.
        folder: PathBuf,
        /// The folder as its author wrote it.
        shown: String,
        /// What keys begin with, before the file's path in the folder.
        prefix: String,
        /// Where the spec names the folder.
        place: Option<Place>,
    },
    /// Puts rows into a table where there is no item of their key.
    Seed {
        /// The component, such as `tables.accounts`.
        component: String,
        /// The table's logical id.
        table: String,
        /// The partition key's name, and the sort key's where there is one.
        key: Vec<String>,
        /// The rows; no two have the same key.
        rows: Vec<Item>,
        /// Where the spec names the file.
        place: Option<Place>,
    },
    /// Reads a bucket's documents into a knowledge base.
    Ingest {
        /// The component, such as `knowledge-bases.bank.sources.documents`.
        component: String,
        /// The data source's logical id.
        source: String,
        /// The bucket's logical id.
        bucket: String,
        /// The component that fills the bucket, such as `buckets.documents`.
        filled_by: String,
        /// What keys begin with.
        prefix: String,
        /// Where the spec names the bucket.
        place: Option<Place>,
    },
}
