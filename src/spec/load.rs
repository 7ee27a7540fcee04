//! Loading a spec: text → positions and values → types.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::types::UseCase;
use crate::finding::{Finding, Place};
use crate::yaml::{self, Positions};

/// A spec as its author wrote it, with the place of everything in it.
#[derive(Debug, Clone)]
pub struct LoadedSpec {
    /// What it says.
    pub spec: UseCase,
    /// The folder of the spec file: paths in the spec are relative to it.
    pub dir: PathBuf,
    /// The file as the user named it.
    pub file: String,
    /// The document before it was given its types.
    pub document: Value,
    positions: Positions,
}

impl LoadedSpec {
    /// The place of the value at a JSON pointer into the spec, such as `/functions/design/code`, or of the nearest
    /// thing around it.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        self.positions.at(pointer).map(|at| self.in_file(at))
    }

    /// The place of the key of the value at a JSON pointer.
    pub fn key_place(&self, pointer: &str) -> Option<Place> {
        self.positions.key_at(pointer).map(|at| self.in_file(at))
    }

    fn in_file(&self, (line, column): (usize, usize)) -> Place {
        Place { file: self.file.clone(), line, column }
    }
}

/// Loads the spec file at `path`; `shown` is how findings name it.
///
/// # Errors
/// Everything wrong with it that can be told in one run.
pub fn load(path: &Path, shown: &str) -> Result<LoadedSpec, Vec<Finding>> {
    let bytes = read(path, shown).map_err(|finding| vec![finding])?;
    let text = yaml::utf8(&bytes).map_err(|error| vec![error.finding(shown)])?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    load_text(text, dir, shown)
}

/// Loads a spec from text, as if it lay in the current folder.
///
/// # Errors
/// As [`load`].
pub fn load_str(text: &str, shown: &str) -> Result<LoadedSpec, Vec<Finding>> {
    load_text(text, Path::new("."), shown)
}

/// Loads a spec from text that belongs in a folder.
///
/// # Errors
/// As [`load`].
pub fn load_text(text: &str, dir: &Path, shown: &str) -> Result<LoadedSpec, Vec<Finding>> {
    let document = yaml::parse(text).map_err(|error| vec![error.finding(shown)])?;
    let spec = serde_path_to_error::deserialize::<_, UseCase>(&document.value);
    match spec {
        Ok(spec) => Ok(LoadedSpec {
            spec,
            dir: dir.to_owned(),
            file: shown.to_owned(),
            document: document.value,
            positions: document.positions,
        }),
        Err(error) => {
            let pointer: String = error
                .path()
                .iter()
                .map(|segment| format!("/{}", segment.to_string().trim_matches(['[', ']'])))
                .collect();
            let place = document.positions.key_at(&pointer);
            let place = place.map(|(line, column)| Place { file: shown.to_owned(), line, column });
            Err(vec![Finding::error("S012", error.inner().to_string()).at(place)])
        }
    }
}

/// Reads a file no larger than a spec may be; a larger one is refused by its size, without reading it.
fn read(path: &Path, shown: &str) -> Result<Vec<u8>, Finding> {
    let unreadable = |error: std::io::Error| {
        Finding::error("S007", format!("cannot read `{shown}`: {error}"))
            .at(Some(Place { file: shown.to_owned(), line: 1, column: 1 }))
            .help("check the path and the permissions of the file")
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Finding::error("S007", format!("`{shown}` is not a file"))
            .at(Some(Place { file: shown.to_owned(), line: 1, column: 1 }))
            .help("name the spec file itself, such as `usecase.yaml`"));
    }
    let too_large = |bytes: u64| yaml::too_large(bytes).finding(shown);
    if metadata.len() > yaml::MAX_BYTES as u64 {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::new();
    let limit = yaml::MAX_BYTES as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() > yaml::MAX_BYTES { Err(too_large(bytes.len() as u64)) } else { Ok(bytes) }
}
