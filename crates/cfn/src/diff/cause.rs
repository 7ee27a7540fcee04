//! Why a property changes: the template was edited, or something the property refers to changes.

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::overlay::Overlay;
use super::{Detail, PropertyChange, Scoped, evaluation, shown};
use crate::ResourceSchema;
use crate::intrinsics::{Reference, ReferenceKind, Scope, is_function, named_conditions, references, references_if};

/// What makes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ChangeSource {
    /// The template says something else.
    DirectModification,
    /// A parameter has another value.
    ParameterReference,
    /// The physical id of another resource changes.
    ResourceReference,
    /// An attribute of another resource changes.
    ResourceAttribute,
    /// Something that is neither in the template nor in a parameter, such as a nested stack's own changes.
    Automatic,
}

pub(super) struct Causes<'a, 'b> {
    pub(super) old: &'a Scope<'a>,
    pub(super) new: &'a Scope<'a>,
    pub(super) overlay: &'b Overlay<'a>,
}

impl Causes<'_, '_> {
    /// The details of one difference: one for each cause.
    pub(super) fn details(
        &self,
        change: &PropertyChange,
        old: &WrittenProperties<'_>,
        new: &WrittenProperties<'_>,
        schema: Option<&ResourceSchema>,
    ) -> Vec<Detail> {
        let (written_old, written_new) = (old.at(&change.path), new.at(&change.path));
        let secret = self.hides(written_old, written_new);
        let parts: Vec<&str> = change.path.iter().map(String::as_str).collect();
        let tags = schema.and_then(ResourceSchema::tags).is_some_and(|tags| tags.covers(&parts));
        let mut causes = BTreeSet::new();
        if let Some(written) = written_new {
            self.referred(written, &mut causes);
        }
        if causes.is_empty() || written_old != written_new {
            causes.insert((ChangeSource::DirectModification, None));
        }
        let detail = |(change_source, causing_entity)| Detail {
            attribute: if tags { Scoped::Tags } else { Scoped::Properties },
            name: Some(change.top().to_owned()),
            path: format!("/Properties/{}", change.path.join("/")),
            before: shown(change.before.as_ref(), secret),
            after: shown(change.after.as_ref(), secret),
            requires_recreation: change.recreation,
            evaluation: evaluation(change.after.as_ref()),
            change_source,
            causing_entity,
        };
        causes.into_iter().map(detail).collect()
    }

    /// What of the things a value refers to is changing.
    fn referred(&self, value: &Value, causes: &mut BTreeSet<(ChangeSource, Option<String>)>) {
        let decide = |name: &str| self.new.conditions().get(name).copied();
        for Reference { name, kind, .. } in references_if(value, "", &decide) {
            if self.new.parameter(&name).is_some() {
                if self.old.parameter(&name) != self.new.parameter(&name) {
                    causes.insert((ChangeSource::ParameterReference, Some(name)));
                }
                continue;
            }
            match kind {
                ReferenceKind::Ref if self.overlay.fresh.contains(&name) => {
                    causes.insert((ChangeSource::ResourceReference, Some(name)));
                }
                ReferenceKind::Attribute(attribute) if self.overlay.may_change(&name, &attribute) => {
                    causes.insert((ChangeSource::ResourceAttribute, Some(format!("{name}.{attribute}"))));
                }
                _ => {}
            }
        }
        let mut conditions = Vec::new();
        named_conditions(value, &mut conditions);
        for name in conditions {
            if self.old.conditions().get(name) == self.new.conditions().get(name) {
                continue;
            }
            for parameter in self.parameters_of(name) {
                if self.old.parameter(&parameter) != self.new.parameter(&parameter) {
                    causes.insert((ChangeSource::ParameterReference, Some(parameter)));
                }
            }
        }
    }

    /// The parameters a condition is made of, also by way of other conditions.
    fn parameters_of(&self, condition: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![condition.to_owned()];
        while let Some(name) = waiting.pop() {
            let body = self.new.template().section("Conditions").and_then(|conditions| conditions.get(&name));
            if let Some(body) = body.filter(|_| seen.insert(name)) {
                found.extend(references(body, "").into_iter().map(|reference| reference.name));
                let mut others = Vec::new();
                named_conditions(body, &mut others);
                waiting.extend(others.into_iter().map(str::to_owned));
            }
        }
        found
    }

    /// Whether something written on either side holds a `NoEcho` parameter, so that its value is not shown.
    pub(super) fn hides(&self, old: Option<&Value>, new: Option<&Value>) -> bool {
        old.into_iter().chain(new).flat_map(|value| references(value, "")).any(|reference| {
            [self.old, self.new]
                .iter()
                .any(|scope| scope.template().parameter(&reference.name).is_some_and(|parameter| parameter.no_echo()))
        })
    }
}

/// A resource's properties as the template has them, functions and all.
pub(super) struct WrittenProperties<'a> {
    properties: Option<&'a Map<String, Value>>,
    /// Lists with entries that may be left out, known by their address: indices before and after evaluation differ. Found
    /// once, because a policy of thousands of statements is asked about once for each of them.
    elastic: HashSet<*const Vec<Value>>,
}

impl<'a> WrittenProperties<'a> {
    /// The properties of a resource, which may have none.
    pub(super) fn new(properties: Option<&'a Map<String, Value>>) -> Self {
        let mut elastic = HashSet::new();
        properties.into_iter().flat_map(Map::values).for_each(|value| find_elastic(value, &mut elastic));
        Self { properties, elastic }
    }

    /// What the template says at a path of resolved properties: the value there, or the function or list it comes from.
    fn at(&self, path: &[String]) -> Option<&'a Value> {
        let (first, rest) = path.split_first()?;
        let mut here = self.properties?.get(first)?;
        for part in rest {
            here = match here {
                Value::Object(map) if map.iter().any(|(key, item)| is_function(key, item)) => return Some(here),
                Value::Object(map) => map.get(part)?,
                Value::Array(items) if self.elastic.contains(&std::ptr::from_ref(items)) => return Some(here),
                Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
                _ => return Some(here),
            };
        }
        Some(here)
    }
}

fn find_elastic(value: &Value, found: &mut HashSet<*const Vec<Value>>) {
    match value {
        Value::Object(map) => map.values().for_each(|item| find_elastic(item, found)),
        Value::Array(items) => {
            if items.iter().any(|item| item.get("Fn::If").is_some() || item.get("Ref").is_some()) {
                found.insert(std::ptr::from_ref(items));
            }
            items.iter().for_each(|item| find_elastic(item, found));
        }
        _ => {}
    }
}
