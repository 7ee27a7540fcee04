//! Where in the spec each part of a template comes from.

use std::collections::BTreeMap;

use serde_json::Value;

use super::made_elsewhere;
use crate::finding::{Place, TemplatePlaces};
use crate::spec::{LoadedSpec, escape};
use crate::yaml::Positions;

/// Where in the spec each part of a template comes from, as it was recorded while the template was put together.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// JSON pointer into the template → JSON pointer into the spec. What is below a part with a row has its row, with the
    /// rest of the way appended.
    rows: BTreeMap<String, String>,
    elsewhere: Option<Elsewhere>,
}

/// The template made elsewhere that became part of this one, whose parts have lines of its own file.
#[derive(Debug, Clone)]
pub(super) struct Elsewhere {
    /// As findings name it.
    pub(super) file: String,
    pub(super) positions: Positions,
}

impl Provenance {
    pub(super) fn new(rows: BTreeMap<String, String>, elsewhere: Option<Elsewhere>) -> Self {
        Self { rows, elsewhere }
    }

    /// Each part of the template that was recorded with the place it comes from: JSON pointers into the template and into
    /// the spec. A key that is left out in the spec has a place, too.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().map(|(part, place)| (part.as_str(), place.as_str()))
    }

    /// Where the part at a JSON pointer into the template stands in the spec: what is recorded for it or for the nearest
    /// thing around it. For a part that only holds others of one and the same place, that place.
    fn pointer(&self, part: &str) -> Option<String> {
        let (around, place) = self.around(part)?;
        if around.len() < part.len()
            && let Some(common) = self.common_below(part).filter(|common| common.len() > place.len())
        {
            return Some(common);
        }
        Some(format!("{place}{}", part.get(around.len()..).unwrap_or_default()))
    }

    fn around<'p>(&self, part: &'p str) -> Option<(&'p str, &str)> {
        let mut around = part;
        loop {
            if let Some(place) = self.rows.get(around) {
                return Some((around, place));
            }
            (around, _) = around.rsplit_once('/')?;
        }
    }

    /// What the places of everything below a part have in common.
    fn common_below(&self, part: &str) -> Option<String> {
        let below = format!("{part}/");
        let mut places = self.rows.range(below.clone()..).take_while(|(at, _)| at.starts_with(&below));
        let mut common: Vec<&str> = places.next()?.1.split('/').collect();
        for (_, place) in places {
            let same = common.iter().zip(place.split('/')).take_while(|(one, other)| *one == other).count();
            common.truncate(same);
        }
        Some(common.join("/"))
    }

    /// The place of the part at a JSON pointer into the template: the value, or the key of what has others below it.
    pub(super) fn place(&self, loaded: &LoadedSpec, part: &str) -> Option<Place> {
        if let Some(elsewhere) = &self.elsewhere
            && self.around(part).is_some_and(|(_, place)| place == made_elsewhere::POINTER)
        {
            // What begins below its key is found by the key.
            let (value, key) = (elsewhere.positions.at(part)?, elsewhere.positions.key_at(part));
            let (line, column) = key.filter(|key| key.0 != value.0).unwrap_or(value);
            return Some(Place { file: elsewhere.file.clone(), line, column });
        }
        let pointer = self.pointer(part)?;
        let said = nearest(&loaded.document, &pointer);
        let component = said.matches('/').count() <= 2;
        match loaded.document.pointer(said) {
            Some(Value::Object(_) | Value::Array(_)) => loaded.key_place(said),
            _ if component && said.len() < pointer.len() => loaded.key_place(said),
            _ => loaded.place(said),
        }
    }

    /// The places of all parts of a template, for who no longer has the spec.
    pub(super) fn places(&self, loaded: &LoadedSpec, template: &Value) -> TemplatePlaces {
        let mut found = Vec::new();
        self.collect(loaded, template, String::new(), None, &mut found);
        found.into_iter().collect()
    }

    fn collect(
        &self,
        loaded: &LoadedSpec,
        value: &Value,
        part: String,
        around: Option<&Place>,
        found: &mut Vec<(String, Place)>,
    ) {
        let place = self.place(loaded, &part);
        let below: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(key, member)| (escape(key), member)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
            _ => Vec::new(),
        };
        for (segment, value) in below {
            self.collect(loaded, value, format!("{part}/{segment}"), place.as_ref().or(around), found);
        }
        if let Some(place) = place.filter(|place| Some(place) != around) {
            found.push((part, place));
        }
    }
}

/// A JSON pointer, or that of the nearest thing around it that is in a document.
fn nearest<'p>(document: &Value, pointer: &'p str) -> &'p str {
    let mut nearest = pointer;
    while document.pointer(nearest).is_none() {
        let Some((around, _)) = nearest.rsplit_once('/') else { return nearest };
        nearest = around;
    }
    nearest
}
