//! What every rule is given: the spec to look at, and where to report to.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::files::Root;
use crate::finding::{Code, Finding, Place};
use crate::spec::marks::Marks;
use crate::spec::sections::NETWORK_PARTS;
use crate::spec::shape::MOST_FINDINGS;
use crate::spec::types::UseCase;
use crate::spec::words::suggest;
use crate::yaml::Positions;

/// What the rules look at and report to.
pub(in crate::spec) struct Rules<'a> {
    /// What decoded; what did not is missing here and still in `document`.
    pub spec: &'a UseCase,
    /// What the author wrote.
    pub document: &'a Value,
    /// The place of everything in it.
    pub positions: &'a Positions,
    /// What the schema marks in the document.
    pub marks: &'a Marks,
    /// The file as findings name it.
    pub file: &'a str,
    /// The folder of the spec and the root of its project; none when it has no files.
    pub beside: Option<(&'a Path, &'a Root)>,
    /// The texts of the files it names, by the JSON pointer of each path.
    pub files: &'a BTreeMap<String, String>,
    /// Pointers of values that did not decode.
    pub broken: &'a [String],
    /// What has been found so far.
    pub findings: Vec<Finding>,
    /// How many regular expressions have been looked at.
    pub patterns: usize,
}

impl Rules<'_> {
    /// Adds a finding, unless there are enough.
    pub(super) fn push(&mut self, finding: Finding, at: Option<(usize, usize)>, help: impl Into<String>) {
        let place = at.map(|(line, column)| Place { file: self.file.to_owned(), line, column });
        self.findings.push(finding.at(place).help(help));
    }

    /// Whether there are enough findings.
    pub(super) fn is_full(&self) -> bool {
        self.findings.len() >= MOST_FINDINGS
    }

    /// An error at the value of a pointer.
    pub(super) fn error(&mut self, code: Code, pointer: &str, message: String, help: impl Into<String>) {
        if !self.is_full() {
            self.push(Finding::error(code, message), self.positions.at(pointer), help);
        }
    }

    /// An error at the key of a pointer.
    pub(super) fn error_at_key(&mut self, code: Code, pointer: &str, message: String, help: impl Into<String>) {
        if !self.is_full() {
            self.push(Finding::error(code, message), self.positions.key_at(pointer), help);
        }
    }

    /// A warning at the value of a pointer.
    pub(super) fn warning(&mut self, code: Code, pointer: &str, message: String, help: impl Into<String>) {
        if !self.is_full() {
            self.push(Finding::warning(code, message), self.positions.at(pointer), help);
        }
    }

    /// Whether a section has a name, be its component broken or not. A section that is no mapping has its own finding,
    /// and may have meant any name.
    pub(super) fn has(&self, section: &str, name: &str) -> bool {
        if section == "network" {
            return self.document.get("network").is_some() && NETWORK_PARTS.contains(&name);
        }
        match self.document.get(section) {
            None => false,
            Some(Value::Object(map)) => map.contains_key(name),
            Some(_) => true,
        }
    }

    /// The names under a section, those of broken components included.
    pub(super) fn names(&self, section: &str) -> Vec<&str> {
        if section == "network" && self.document.get("network").is_some() {
            return NETWORK_PARTS.to_vec();
        }
        let map = self.document.get(section).and_then(Value::as_object);
        map.map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// What to say of a name that a section does not have.
    pub(super) fn suggest_name(&self, section: &str, name: &str) -> String {
        let names = self.names(section);
        if names.is_empty() {
            return format!("the spec has no `{section}`; add `{name}` under it");
        }
        suggest(name, names, &format!("`{section}` has"))
    }

    /// Whether a value decoded.
    pub(super) fn intact(&self, pointer: &str) -> bool {
        !self
            .broken
            .iter()
            .any(|broken| broken == pointer || broken.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/')))
    }
}
