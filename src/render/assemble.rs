//! Putting what the partials give together into one template, knowing where each resource came from.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::data::PartialData;
use super::partials::{Budget, Partials};
use super::provenance::{Elsewhere, Provenance};
use crate::finding::{Finding, code};
use crate::spec::{LoadedSpec, escape};

/// The sections of a template, in the order they are written.
const SECTIONS: [&str; 12] = [
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Metadata",
    "Globals",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Hooks",
    "Resources",
    "Outputs",
];

/// A template in the making.
pub(super) struct Assembly<'a> {
    loaded: &'a LoadedSpec,
    partials: &'a Partials,
    sections: BTreeMap<&'static str, Value>,
    /// Logical id or output → the place in the spec it came from.
    origins: BTreeMap<(Space, String), String>,
    /// The same of the parts of all of these, by JSON pointers into the template.
    provenance: BTreeMap<String, String>,
    elsewhere: Option<Elsewhere>,
    /// What of a template made elsewhere is no section of one.
    foreign: Map<String, Value>,
    findings: Vec<Finding>,
    /// What all partials together may still do.
    budget: Budget,
}

/// How many findings are kept: who has more knows enough.
const MOST_FINDINGS: usize = 200;

/// What names must differ among: parameters and resources share one space, outputs have their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    Logical,
    Output,
    Other,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(loaded: &'a LoadedSpec, partials: &'a Partials) -> Self {
        Self {
            loaded,
            partials,
            sections: BTreeMap::new(),
            origins: BTreeMap::new(),
            provenance: BTreeMap::new(),
            elsewhere: None,
            foreign: Map::new(),
            findings: Vec::new(),
            budget: Budget::default(),
        }
    }

    /// Renders a partial for the thing at a place of the spec and takes in what it gives.
    pub(super) fn add(&mut self, partial: &str, data: PartialData) {
        self.add_some(partial, data, false);
    }

    /// As [`Assembly::add`], with the resources that the partial gave, for who must know their content.
    pub(super) fn add_known(&mut self, partial: &str, data: PartialData) -> Map<String, Value> {
        self.add_some(partial, data, true)
    }

    fn add_some(&mut self, partial: &str, data: PartialData, known: bool) -> Map<String, Value> {
        let pointer = data.pointer().to_owned();
        let (data, rows) = data.into_parts();
        match self.partials.render(partial, data, &rows, &self.budget) {
            Ok((Value::Object(sections), found)) => {
                let resources = self.take(partial, sections, &pointer, known);
                for (part, place) in found {
                    self.provenance.entry(part).or_insert(place);
                }
                resources
            }
            Ok((Value::Null, _)) => Map::new(),
            Ok(_) => {
                self.refuse_partial(partial, "it does not render to a mapping of sections such as `Resources`");
                Map::new()
            }
            Err(finding) => {
                self.report(finding);
                Map::new()
            }
        }
    }

    /// Takes in the sections of a template that came from no partial.
    pub(super) fn take_template(&mut self, sections: Map<String, Value>, pointer: &str, elsewhere: Elsewhere) {
        self.elsewhere = Some(elsewhere);
        for (name, content) in sections {
            let section = SECTIONS.iter().copied().find(|section| *section == name);
            match (section, content) {
                (_, Value::Null) => {}
                (Some(section), Value::Object(entries)) => {
                    for (id, entry) in entries {
                        self.take_entry("", section, id, entry, pointer);
                    }
                }
                (Some(section), scalar @ (Value::String(_) | Value::Array(_))) if scalar_section(section) => {
                    self.provenance.insert(format!("/{section}"), pointer.to_owned());
                    self.sections.entry(section).or_insert(scalar);
                }
                // What a template has not, or not in this form, is told when it is held against CloudFormation's grammar.
                (_, content) => {
                    self.provenance.insert(format!("/{}", escape(&name)), pointer.to_owned());
                    self.foreign.insert(name, content);
                }
            }
        }
    }

    /// Whether something taken in so far holds a text.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.sections.values().any(|section| section.to_string().contains(text))
    }

    /// A resource that is there already, for who must know its content.
    pub(super) fn resource(&self, id: &str) -> Option<&Value> {
        self.sections.get("Resources")?.get(id)
    }

    /// Keeps a finding for the end.
    pub(super) fn report(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// The value of a result, or nothing with its finding kept.
    pub(super) fn keep<T>(&mut self, result: Result<T, Finding>) -> Option<T> {
        result.map_err(|finding| self.report(finding)).ok()
    }

    /// The whole template, and the places its resources came from.
    pub(super) fn finish(mut self) -> Result<(Value, BTreeMap<String, String>, Provenance), Vec<Finding>> {
        if !self.findings.is_empty() {
            // The same slip shows wherever it matters; saying it once is enough.
            let mut once = BTreeSet::new();
            self.findings.retain(|finding| {
                once.insert((finding.code, finding.message.clone(), finding.place.clone(), finding.help.clone()))
            });
            return Err(self.findings);
        }
        let mut template = Map::new();
        for section in SECTIONS {
            match self.sections.remove(section) {
                Some(Value::Object(entries)) if entries.is_empty() && section != "Resources" => {}
                Some(value) => {
                    template.insert(section.to_owned(), value);
                }
                None if section == "Resources" => {
                    template.insert(section.to_owned(), Value::Object(Map::new()));
                }
                None => {}
            }
        }
        for (name, content) in self.foreign {
            template.entry(name).or_insert(content);
        }
        for section in SECTIONS {
            let Some(Value::Object(entries)) = template.get(section) else { continue };
            for id in entries.keys() {
                let Some(pointer) = self.origins.get(&(space(section), id.clone())) else { continue };
                self.provenance.entry(format!("/{section}/{id}")).or_insert_with(|| pointer.clone());
            }
        }
        let origins = self
            .origins
            .into_iter()
            .filter(|((space, _), _)| *space == Space::Logical)
            .map(|((_, id), pointer)| (id, pointer))
            .collect();
        Ok((Value::Object(template), origins, Provenance::new(self.provenance, self.elsewhere)))
    }

    /// Takes in the sections that a partial gave; with a copy of its resources when they are to be known.
    fn take(&mut self, partial: &str, sections: Map<String, Value>, pointer: &str, known: bool) -> Map<String, Value> {
        let mut resources = Map::new();
        for (name, content) in sections {
            let Some(section) = SECTIONS.iter().copied().find(|section| *section == name) else {
                self.refuse_partial(partial, &format!("`{name}` is not a section of a template"));
                continue;
            };
            match content {
                Value::Null => {}
                Value::Object(entries) => {
                    if known && section == "Resources" {
                        resources = entries.clone();
                    }
                    for (id, entry) in entries {
                        self.take_entry(partial, section, id, entry, pointer);
                    }
                }
                scalar @ (Value::String(_) | Value::Array(_)) if scalar_section(section) => {
                    self.sections.entry(section).or_insert(scalar);
                }
                _ => self.refuse_partial(partial, &format!("`{name}` has not the shape CloudFormation wants")),
            }
        }
        resources
    }

    fn take_entry(&mut self, partial: &str, section: &'static str, id: String, entry: Value, pointer: &str) {
        let space = space(section);
        // What a template made elsewhere holds, loops and sections of other tools among it, is judged as a template.
        let is_own = !partial.is_empty();
        if is_own && section == "Resources" && entry.get("Type").and_then(Value::as_str).is_none() {
            self.refuse_partial(partial, &format!("the resource `{id}` has no `Type`"));
            return;
        }
        if is_own && (id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric())) {
            let place = self.loaded.key_place(pointer);
            self.report(
                Finding::error(code::R011, format!("`{id}` is not a logical id"))
                    .at(place)
                    .help("give the component a name with letters or digits in it"),
            );
            return;
        }
        let entries = self.sections.entry(section).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(entries) = entries else { return };
        if let Some(other) = self.origins.get(&(space, id.clone())) {
            let place = self.loaded.key_place(other).map_or(String::new(), |place| format!(" at {place}"));
            let kind = if space == Space::Output { "output" } else { "logical id" };
            let here = self.loaded.key_place(pointer);
            self.report(
                Finding::error(
                    code::R010,
                    format!("this gives the {kind} `{id}`, which `{}`{place} gives already", shown(other)),
                )
                .at(here)
                .help("rename one of the two: names that differ only in capitals and punctuation give the same id"),
            );
            return;
        }
        self.origins.insert((space, id.clone()), pointer.to_owned());
        entries.insert(id, entry);
    }

    fn refuse_partial(&mut self, partial: &str, reason: &str) {
        let finding = Finding::error(code::R005, format!("the partial `{partial}` is no part of a template: {reason}"))
            .at(self.partials.place(partial, 1, 1))
            .help("a partial renders to sections of a CloudFormation template, such as `Resources` with ids and resources below");
        self.report(finding);
    }
}

fn space(section: &str) -> Space {
    match section {
        "Parameters" | "Resources" => Space::Logical,
        "Outputs" => Space::Output,
        _ => Space::Other,
    }
}

fn scalar_section(section: &str) -> bool {
    ["AWSTemplateFormatVersion", "Description", "Transform"].contains(&section)
}

/// Ten hexadecimal digits that change with the content, whatever its order.
pub(super) fn digest(content: &Map<String, Value>) -> String {
    let mut content = Value::Object(content.clone());
    content.sort_all_objects();
    let mut digest = hex::encode(Sha256::digest(content.to_string()));
    digest.truncate(10);
    digest
}

/// A JSON pointer as a person reads it: `/buckets/posters` is `buckets.posters`.
fn shown(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}
