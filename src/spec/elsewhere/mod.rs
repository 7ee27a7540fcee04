//! A template made elsewhere, with the files beside it that it names by their paths: code, descriptions, nested templates.
//!
//! They are found and looked for when the spec is loaded, and nothing of them is run. What is wrong with one is kept with the
//! place that names it, for the check to tell with the rest.

mod assembly;
mod paths;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::facts::PackagedProperty;
use crate::files::Root;
use crate::finding::{Code, Finding, Place};
use crate::yaml::Document;

pub(super) use assembly::{AssemblyAt, read as read_assembly};
pub(super) use paths::read;

/// A template made elsewhere.
#[derive(Debug, Clone)]
pub struct ElsewhereTemplate {
    /// The file as findings name it.
    pub file: String,
    /// What it holds; none where it is neither JSON nor YAML.
    pub document: Result<Document, Finding>,
    /// The local paths in it.
    pub paths: Vec<LocalPath>,
    /// The snippets that it includes from local files.
    pub includes: Vec<Include>,
    /// The assets of the cloud assembly that it belongs to.
    pub assets: Vec<Asset>,
    /// Whether it comes from a cloud assembly, whose bucket of assets is ours.
    pub assembled: bool,
}

/// A property that names something local.
#[derive(Debug, Clone)]
pub struct LocalPath {
    /// The resource it belongs to.
    pub logical_id: String,
    /// Its JSON pointer in the template.
    pub pointer: String,
    /// What is known of such a property.
    pub property: &'static PackagedProperty,
    /// What it leads to.
    pub leads_to: Result<LocalFile, PathProblem>,
}

/// What a path leads to.
#[derive(Debug, Clone)]
pub enum LocalFile {
    /// A folder.
    Folder(PathBuf, String),
    /// A file that is uploaded as it is.
    File(PathBuf, String),
    /// A file that a zip is made of.
    Zipped(PathBuf, String),
    /// A template.
    Template(Arc<ElsewhereTemplate>),
}

/// A snippet that `AWS::Include` puts in.
#[derive(Debug, Clone)]
pub struct Include {
    /// The JSON pointer of what it becomes part of.
    pub pointer: String,
    /// What it holds.
    pub content: Result<serde_json::Map<String, Value>, PathProblem>,
}

/// A file or folder of a cloud assembly.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its key in the bucket of assets, by which templates name it.
    pub object_key: String,
    /// The bucket, as templates name it.
    pub bucket: String,
    /// What it is.
    pub leads_to: Result<LocalFile, PathProblem>,
}

/// Why a path is not packaged.
#[derive(Debug, Clone)]
pub struct PathProblem {
    /// The code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl PathProblem {
    fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }

    /// As a finding.
    pub fn finding(&self, place: Option<Place>) -> Finding {
        Finding::error(self.code, self.message.clone()).at(place).help(self.help.clone())
    }
}

impl ElsewhereTemplate {
    /// The place of a part of the template, by its JSON pointer.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        let positions = &self.document.as_ref().ok()?.positions;
        let (value, key) = (positions.at(pointer)?, positions.key_at(pointer));
        // What begins below its key is found by the key.
        let (line, column) = key.filter(|key| key.0 != value.0).unwrap_or(value);
        Some(Place { file: self.file.clone(), line, column })
    }
}

/// What may still be read for one spec.
pub(super) struct Reading<'a> {
    root: &'a Root,
    /// Nothing is read outside this folder either, where there is one: that of a cloud assembly.
    within: Option<PathBuf>,
    bytes: usize,
    templates: usize,
}

/// The most templates that one spec leads to, and the most bytes of them and of what they include.
const MOST_TEMPLATES: usize = 50;
const MOST_BYTES: usize = 4 << 20;

impl<'a> Reading<'a> {
    pub(super) fn new(root: &'a Root) -> Self {
        Self { root, within: None, bytes: 0, templates: 0 }
    }

    /// A path with its links resolved, in the project and in the folder that bounds it.
    fn resolve(&self, path: &Path) -> Result<PathBuf, crate::files::Unopened> {
        let real = self.root.resolve(path)?;
        match &self.within {
            Some(folder) if !real.starts_with(folder) => Err(crate::files::Unopened::Outside),
            _ => Ok(real),
        }
    }
}
