//! What is known of a zip once it is made.

use std::fs::File;
use std::io::Seek;

use sha2::{Digest, Sha256};

/// A zip that has been put into the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    /// The digest of what it holds.
    pub sha256: String,
    /// The digest of the zip's own bytes, to tell a damaged one.
    pub zip_sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// What it holds, unzipped, in bytes.
    pub uncompressed: u64,
    /// How many files it holds.
    pub files: usize,
}

/// Size and SHA-256 of a file's bytes.
pub(super) fn digest_of(mut file: &File) -> std::io::Result<(u64, String)> {
    file.rewind()?;
    let mut hash = Sha256::new();
    let size = std::io::copy(&mut file, &mut hash)?;
    Ok((size, hex::encode(hash.finalize())))
}
