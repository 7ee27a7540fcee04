//! A spec that has been loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::elsewhere::ElsewhereTemplate;
use super::types::UseCase;
use crate::finding::{Finding, Place};
use crate::yaml::Positions;

/// A spec as its author wrote it, with the place of everything in it.
#[derive(Debug, Clone)]
pub struct LoadedSpec {
    /// What it says.
    pub spec: UseCase,
    /// The folder of the spec file: paths in the spec are relative to it.
    pub dir: PathBuf,
    /// The file as the user named it.
    pub file: String,
    /// The texts of the files it names, by the JSON pointer of each path. A spec from text alone has none.
    pub files: BTreeMap<String, String>,
    /// The template made elsewhere that it names. A spec from text alone has none.
    pub elsewhere: Option<ElsewhereTemplate>,
    /// The components that others name without a `${…}` or a grant: section and name of each.
    pub named: BTreeSet<(String, String)>,
    /// The document before it was given its types.
    pub document: Value,
    /// What is odd about it and stops nothing.
    pub warnings: Vec<Finding>,
    /// The place of everything in the file.
    pub(super) positions: Positions,
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

    /// A file beside the spec as findings name it.
    pub fn beside(&self, path: &str) -> String {
        match self.file.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{path}"),
            None => path.to_owned(),
        }
    }

    fn in_file(&self, (line, column): (usize, usize)) -> Place {
        Place { file: self.file.clone(), line, column }
    }
}
