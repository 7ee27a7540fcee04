//! The rules a well-shaped spec must keep: one file a subject, all of them run, every finding at its place.

mod agents;
mod alarms;
mod api_routes;
mod apis;
mod authorizers;
mod bounds;
mod code;
mod counts;
mod cycles;
mod documents;
mod flows;
mod functions;
mod grants;
mod guardrails;
mod knowledge;
mod layers;
mod limits;
mod models;
mod names;
mod names_of;
mod needs;
mod network;
mod parameters;
mod prompts;
mod references;
mod roles;
mod routes;
mod secrets;
mod seeds;
mod smoke;
mod stored_secrets;
mod tables;
mod user_pools;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::marks::Marks;
use super::sections::NETWORK_PARTS;
use super::shape::MOST_FINDINGS;
use super::types::UseCase;
use super::words::suggest;
use crate::files::Root;
use crate::finding::{Finding, Place};
use crate::yaml::Positions;

pub use code::handler_files;
pub use names::logical_name;
pub(super) use secrets::{hide, secrets};

/// What the rules look at and report to.
pub(super) struct Rules<'a> {
    /// What decoded; what did not is missing here and still in `document`.
    pub spec: &'a UseCase,
    pub document: &'a Value,
    pub positions: &'a Positions,
    /// What the schema marks in the document.
    pub marks: &'a Marks,
    pub file: &'a str,
    /// The folder of the spec and the root of its project; none when it has no files.
    pub beside: Option<(&'a Path, &'a Root)>,
    /// The texts of the files it names, by the JSON pointer of each path.
    pub files: &'a BTreeMap<String, String>,
    /// Pointers of values that did not decode.
    pub broken: &'a [String],
    pub findings: Vec<Finding>,
    /// How many regular expressions have been looked at.
    pub patterns: usize,
}

impl Rules<'_> {
    /// Runs every rule, unless there is so much that AWS would not take it anyway.
    pub(super) fn run(&mut self) {
        if !counts::check(self) {
            return;
        }
        names::check(self);
        limits::check(self);
        bounds::check(self);
        parameters::check(self);
        models::check(self);
        layers::check(self);
        functions::check(self);
        roles::check(self);
        network::check(self);
        alarms::check(self);
        needs::check(self);
        names_of::check(self);
        references::check(self);
        grants::check(self);
        cycles::check(self);
        routes::check(self);
        knowledge::check(self);
        guardrails::check(self);
        prompts::check(self);
        flows::check(self);
        apis::check(self);
        api_routes::check(self);
        authorizers::check(self);
        user_pools::check(self);
        smoke::check(self);
        tables::check(self);
        agents::check(self);
        stored_secrets::check(self);
        code::check(self);
        documents::check(self);
        seeds::check(self);
    }

    /// Adds a finding, unless there are enough.
    fn push(&mut self, finding: Finding, at: Option<(usize, usize)>, help: impl Into<String>) {
        let place = at.map(|(line, column)| Place { file: self.file.to_owned(), line, column });
        self.findings.push(finding.at(place).help(help));
    }

    fn is_full(&self) -> bool {
        self.findings.len() >= MOST_FINDINGS
    }

    /// An error at the value of a pointer.
    fn error(&mut self, code: &'static str, pointer: &str, message: String, help: impl Into<String>) {
        if !self.is_full() {
            self.push(Finding::error(code, message), self.positions.at(pointer), help);
        }
    }

    /// An error at the key of a pointer.
    fn error_at_key(&mut self, code: &'static str, pointer: &str, message: String, help: impl Into<String>) {
        if !self.is_full() {
            self.push(Finding::error(code, message), self.positions.key_at(pointer), help);
        }
    }

    /// A warning at the value of a pointer.
    fn warning(&mut self, code: &'static str, pointer: &str, message: String, help: impl Into<String>) {
        if !self.is_full() {
            self.push(Finding::warning(code, message), self.positions.at(pointer), help);
        }
    }

    /// Whether a section has a name, be its component broken or not. A section that is no mapping has its own finding,
    /// and may have meant any name.
    fn has(&self, section: &str, name: &str) -> bool {
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
    fn names(&self, section: &str) -> Vec<&str> {
        if section == "network" && self.document.get("network").is_some() {
            return NETWORK_PARTS.to_vec();
        }
        let map = self.document.get(section).and_then(Value::as_object);
        map.map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// What to say of a name that a section does not have.
    fn suggest_name(&self, section: &str, name: &str) -> String {
        let names = self.names(section);
        if names.is_empty() {
            return format!("the spec has no `{section}`; add `{name}` under it");
        }
        suggest(name, names, &format!("`{section}` has"))
    }

    /// Whether a value decoded.
    fn intact(&self, pointer: &str) -> bool {
        !self
            .broken
            .iter()
            .any(|broken| broken == pointer || broken.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/')))
    }
}
