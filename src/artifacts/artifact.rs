//! What a build gives: a zip in the cache.

use std::path::PathBuf;

use crate::finding::Finding;

/// What Lambda takes as a function's code or a layer, unzipped, in bytes: 250 MiB, by its quotas.
pub const MAX_UNCOMPRESSED: u64 = 250 * 1024 * 1024;

/// A zip in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The zip.
    pub path: PathBuf,
    /// SHA-256 of what the zip holds, in lower-case hexadecimal: the artifact's address. It is not the digest of the
    /// zip's own bytes.
    pub sha256: String,
    /// The zip's size in bytes.
    pub size: u64,
    /// What it holds, unzipped, in bytes.
    pub uncompressed: u64,
    /// How many files it holds.
    pub files: usize,
    /// A layer's packages with their versions, such as `boto3 1.40.1`.
    pub packages: Vec<String>,
    /// What is odd about it and stops nothing.
    pub warnings: Vec<Finding>,
}
