//! Reading a spec or project file, no larger than one may be.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::finding::{Finding, Place};
use crate::yaml;

/// Reads a file; a larger one than a document may be is refused by its size, without reading it.
pub(super) fn read(path: &Path, shown: &str) -> Result<Vec<u8>, Vec<Finding>> {
    let start = || Some(Place { file: shown.to_owned(), line: 1, column: 1 });
    let unreadable = |error: std::io::Error| {
        let (why, help) = match error.kind() {
            ErrorKind::NotFound => ("there is no such file".to_owned(), "check the path"),
            ErrorKind::PermissionDenied => ("you may not read it".to_owned(), "check the file's permissions"),
            _ => (error.to_string(), "check the path and the disk"),
        };
        vec![Finding::error("S007", format!("cannot read `{shown}`: {why}")).at(start()).help(help)]
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "not a regular file" };
        return Err(vec![
            Finding::error("S007", format!("`{shown}` is {what}"))
                .at(start())
                .help("name the spec file itself, such as `usecase.yaml`"),
        ]);
    }
    let limit = yaml::MAX_BYTES as u64;
    if metadata.len() > limit {
        return Err(vec![yaml::too_large(metadata.len()).finding(shown)]);
    }
    let mut bytes = Vec::new();
    // It may have grown since.
    File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > limit { Err(vec![yaml::too_large(bytes.len() as u64).finding(shown)]) } else { Ok(bytes) }
}
