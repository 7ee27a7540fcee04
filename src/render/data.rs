//! What a component gives its partial: values by name, and for each where in the spec it stands.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::grants::Asked;
use crate::spec::escape;

/// Which values of a partial's data come from which places: JSON pointer into the data → JSON pointer into the spec. What
/// is below a value with a row has its row, with the rest of the way appended.
pub(super) type Rows = BTreeMap<String, String>;

/// The values that a component gives its partial. Each is added with the key of the spec that says it, or as one that no
/// single key says; so a finding about the rendered template is shown at that key.
#[derive(Debug, Clone, Default)]
pub(super) struct PartialData {
    /// Where the component stands in the spec.
    pointer: String,
    values: Map<String, Value>,
    rows: Rows,
}

impl PartialData {
    /// Nothing yet, for the component at a place of the spec.
    pub(super) fn new(pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), ..Self::default() }
    }

    /// Adds a value that a key of the spec says: a key below the component, such as `limits/tokens`, or a pointer that
    /// begins with `/`.
    #[must_use]
    pub(super) fn said(mut self, name: &str, key: &str, value: impl Serialize) -> Self {
        self.rows.insert(format!("/{}", escape(name)), self.place_of(key));
        self.made(name, value)
    }

    /// Adds a value that is worked out: it stands in the spec where the component does.
    #[must_use]
    pub(super) fn made(mut self, name: &str, value: impl Serialize) -> Self {
        self.values.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// Adds values that stand at a place of their own, or nothing in their place.
    #[must_use]
    pub(super) fn part(mut self, name: &str, part: Option<PartialData>) -> Self {
        let value = part.map_or(Value::Null, |part| self.take(&format!("/{}", escape(name)), part));
        self.values.insert(name.to_owned(), value);
        self
    }

    /// Adds a list of such values; the list itself stands at a key as for [`PartialData::said`], an empty one where it has
    /// none.
    #[must_use]
    pub(super) fn parts(mut self, name: &str, key: &str, parts: impl IntoIterator<Item = PartialData>) -> Self {
        let at = format!("/{}", escape(name));
        if !key.is_empty() {
            self.rows.insert(at.clone(), self.place_of(key));
        }
        let parts = parts.into_iter().enumerate();
        let values = parts.map(|(index, part)| self.take(&format!("{at}/{index}"), part)).collect();
        self.values.insert(name.to_owned(), Value::Array(values));
        self
    }

    /// Adds a policy document, which a key says as for [`PartialData::said`], each of its statements where what asks for it
    /// stands; nothing when nothing is asked for.
    #[must_use]
    pub(super) fn policy(mut self, name: &str, key: &str, asked: &Asked) -> Self {
        if asked.is_empty() {
            return self.said(name, key, Value::Null);
        }
        let policy = asked.policy();
        let at = format!("/{}", escape(name));
        self.rows.extend(asked.places(&policy).into_iter().map(|(within, place)| (format!("{at}{within}"), place)));
        self.said(name, key, policy.to_value())
    }

    /// Says where a value within one that was added stands: a JSON pointer into what was added, where there may be nothing,
    /// and a key as for [`PartialData::said`].
    #[must_use]
    pub(super) fn at(mut self, within: &str, key: &str) -> Self {
        let (name, rest) = within.trim_start_matches('/').split_once('/').unwrap_or((within, ""));
        if self.values.get(name).is_some_and(|value| value.pointer(&format!("/{rest}")).is_some()) {
            self.rows.insert(within.to_owned(), self.place_of(key));
        }
        self
    }

    /// With everything that others of the same component add; of a name in both, theirs holds.
    #[must_use]
    pub(super) fn with(mut self, others: PartialData) -> Self {
        self.rows.extend(others.rows);
        self.values.extend(others.values);
        self
    }

    /// Where the component stands.
    pub(super) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// A value by its name.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// What the partial sees, and where it comes from.
    pub(super) fn into_parts(self) -> (Value, Rows) {
        (Value::Object(self.values), self.rows)
    }

    fn place_of(&self, key: &str) -> String {
        match key {
            "" => self.pointer.clone(),
            absolute if absolute.starts_with('/') => absolute.to_owned(),
            below => format!("{}/{below}", self.pointer),
        }
    }

    fn take(&mut self, at: &str, part: PartialData) -> Value {
        // What is worked out there stands where the part does, whatever keys of the spec have its name.
        for name in part.values.keys() {
            self.rows.insert(format!("{at}/{}", escape(name)), part.pointer.clone());
        }
        self.rows.insert(at.to_owned(), part.pointer);
        self.rows.extend(part.rows.into_iter().map(|(within, place)| (format!("{at}{within}"), place)));
        Value::Object(part.values)
    }
}

/// Where the value at a pointer into the data stands in the spec, when it or something around it has a row.
pub(super) fn row(rows: &Rows, pointer: &str) -> Option<String> {
    let mut around = pointer;
    loop {
        if let Some(place) = rows.get(around) {
            return Some(format!("{place}{}", pointer.get(around.len()..).unwrap_or_default()));
        }
        (around, _) = around.rsplit_once('/')?;
    }
}

/// The rows of what is below a pointer into the data, by the way from there.
pub(super) fn rows_below<'r>(rows: &'r Rows, pointer: &str) -> impl Iterator<Item = (&'r str, &'r str)> {
    let below = format!("{pointer}/");
    let start = pointer.len();
    rows.range(below.clone()..)
        .take_while(move |(within, _)| within.starts_with(&below))
        .filter_map(move |(within, place)| Some((within.get(start..)?, place.as_str())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_value_has_the_place_of_what_says_it() {
        let topic = PartialData::new("/guardrails/g/topics/tax").said("definition", "definition", "About tax");
        let (value, rows) = PartialData::new("/guardrails/g")
            .made("id", "G")
            .said("words", "words", ["a", "b"])
            .parts("topics", "topics", [topic])
            .said("model", "/models/m/id", "x")
            .into_parts();
        let topics = json!([{ "definition": "About tax" }]);
        assert_eq!(value, json!({ "id": "G", "words": ["a", "b"], "topics": topics, "model": "x" }));
        let place = |pointer: &str| row(&rows, pointer);
        assert_eq!(place("/id"), None);
        assert_eq!(place("/words/1").as_deref(), Some("/guardrails/g/words/1"));
        assert_eq!(place("/topics/0/definition").as_deref(), Some("/guardrails/g/topics/tax/definition"));
        assert_eq!(place("/model").as_deref(), Some("/models/m/id"));
        let below: Vec<&str> = rows_below(&rows, "/topics").map(|(within, _)| within).collect();
        assert_eq!(below, ["/0", "/0/definition"]);
    }
}
