//! A folder of documents: its files with their digests and media types, ready to be put into a bucket.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::list::code;
use crate::finding::{Finding, Place, code};

/// A document on its way to a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its path in the folder, with `/` between folders.
    pub name: String,
    /// Where it is read from.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Its media type, by its extension; `application/octet-stream` where that says nothing.
    pub content_type: String,
}

/// Reads a folder of documents, in the order of their names. What packaging leaves out is left out here, too: see
/// `.bedplateignore`.
///
/// # Errors
/// As packaging code, with the same codes.
pub fn documents(folder: &Path, shown: &str, place: Option<&Place>) -> Result<Vec<Document>, Vec<Finding>> {
    let listed = code(folder, shown, place)?;
    let mut documents = Vec::new();
    let mut findings = Vec::new();
    for file in listed {
        match digest(&file.path) {
            Ok((sha256, size)) => documents.push(Document {
                content_type: mime_guess::from_path(&file.name).first_or_octet_stream().to_string(),
                name: file.name,
                path: file.path,
                size,
                sha256,
            }),
            Err(error) => findings.push(
                Finding::error(code::A003, format!("cannot read `{}`: {error}", file.name))
                    .at(place.cloned())
                    .help("check its permissions, or leave it out in `.bedplateignore`"),
            ),
        }
    }
    if findings.is_empty() { Ok(documents) } else { Err(findings) }
}

/// Digest and size of a file's bytes, a piece at a time: documents may be larger than memory.
fn digest(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((hex::encode(hash.finalize()), size));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
        size += count as u64;
    }
}
