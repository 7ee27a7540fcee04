//! What an update would change, and what it would replace: two templates with their values, compared.
//!
//! One function serves the offline plan and the change sets of the local target, whose engine asks [`compare`] whether a
//! resource is changed in place, replaced or left alone. Values that come from a resource which is new or replaced are
//! unknown until then, and whatever holds one counts as changed, as CloudFormation counts it.

mod cause;
mod overlay;
mod properties;
mod replacing;
mod state;
mod tags;

use crate::finding::code;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::intrinsics::{Problem, Resolver, Scope, has_unknown, resolve_at};
use super::{Resource, ResourceGraph, Schemas};
use cause::{Causes, WrittenProperties};
use overlay::Overlay;

pub use cause::ChangeSource;
pub use properties::{PropertyChange, Recreation, compare};
pub use state::{Before, Existing, State, Update};
pub use tags::with_stack_tags;

/// One side of the comparison.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The template with its values, and what exists of its resources. On both sides the resources are those that
    /// exist now: what the new side adds or replaces is worked out here.
    pub scope: &'a Scope<'a>,
    /// The tags of the stack, which CloudFormation puts on every resource that takes tags.
    pub tags: &'a BTreeMap<String, String>,
}

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Action {
    /// It is made.
    Add,
    /// It is changed, in place or by a new one.
    Modify,
    /// It leaves the stack.
    Remove,
}

/// Whether a changed resource is replaced by a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Replacement {
    /// It keeps its identity.
    False,
    /// It depends on values known only then.
    Conditional,
    /// A new one takes its place.
    True,
}

/// What becomes of the resource that leaves or is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum PolicyAction {
    /// It leaves the stack and is deleted.
    Delete,
    /// It leaves the stack and stays.
    Retain,
    /// It leaves the stack and is deleted after a snapshot.
    Snapshot,
    /// It is replaced, and the old one is deleted.
    ReplaceAndDelete,
    /// It is replaced, and the old one stays.
    ReplaceAndRetain,
    /// It is replaced, and the old one is deleted after a snapshot.
    ReplaceAndSnapshot,
}

/// The part of a resource a change is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Scoped {
    /// Its properties.
    Properties,
    /// Its tags.
    Tags,
    /// Its metadata.
    Metadata,
    /// Its creation policy.
    CreationPolicy,
    /// Its update policy.
    UpdatePolicy,
    /// Its deletion policy.
    DeletionPolicy,
    /// Its update-replace policy.
    UpdateReplacePolicy,
}

/// When the new value is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Evaluation {
    /// Now.
    Static,
    /// When the change is made.
    Dynamic,
}

/// One change within a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detail {
    /// The part it is in.
    pub attribute: Scoped,
    /// The top-level property, for changes in properties and tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where, such as `/Properties/VersioningConfiguration/Status`.
    pub path: String,
    /// The value before; `None` when there was none. `"****"` for what comes from a `NoEcho` parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value after; `None` when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Whether the change needs a new resource.
    pub requires_recreation: Recreation,
    /// When the value is known.
    pub evaluation: Evaluation,
    /// What makes the change.
    pub change_source: ChangeSource,
    /// The parameter, resource or attribute that makes it, such as `Topic.TopicArn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causing_entity: Option<String>,
}

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceChange {
    /// Its logical id.
    pub logical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_: String,
    /// What happens to it.
    pub action: Action,
    /// Whether it is replaced; only for [`Action::Modify`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Replacement>,
    /// What becomes of the old one, when there is one that goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_action: Option<PolicyAction>,
    /// The parts that change.
    pub scope: Vec<Scoped>,
    /// The changes one by one.
    pub details: Vec<Detail>,
}

/// What stands in for a value that comes from a `NoEcho` parameter.
pub const MASK: &str = "****";

/// The parts of a resource beside its properties whose change is a change of the resource.
const ATTRIBUTES: [(&str, Scoped); 5] = [
    ("Metadata", Scoped::Metadata),
    ("CreationPolicy", Scoped::CreationPolicy),
    ("UpdatePolicy", Scoped::UpdatePolicy),
    ("DeletionPolicy", Scoped::DeletionPolicy),
    ("UpdateReplacePolicy", Scoped::UpdateReplacePolicy),
];

/// What an update from `old` to `new` does; without `old`, what a creation does. In the order of the new template, and
/// then what leaves, in the order of the old one.
///
/// # Errors
///
/// One of the templates can't be evaluated, the new one's resources wait in a circle, or it changes the type of a
/// resource.
pub fn diff(old: Option<Side<'_>>, new: Side<'_>) -> Result<Vec<ResourceChange>, Problem> {
    let before = old.map(|side| Before::written(side, new)).transpose()?;
    Ok(update(before.as_ref(), new)?.into_iter().map(|update| update.change).collect())
}

/// The same as [`diff`], from resources as they are rather than as a template has them, and with what each comes to.
///
/// # Errors
///
/// As [`diff`].
pub fn update(old: Option<&Before<'_>>, new: Side<'_>) -> Result<Vec<Update>, Problem> {
    let conditions = new.scope.conditions();
    let graph = ResourceGraph::with(new.scope.template(), &|name| conditions.get(name).copied());
    let before: BTreeMap<&str, (&Existing<'_>, &State)> = old
        .iter()
        .flat_map(|old| &old.resources)
        .filter_map(|existing| Some((existing.declared.logical_id, (existing, existing.state.as_ref()?))))
        .collect();
    refuse_new_types(&before, new.scope)?;

    let mut updates = BTreeMap::new();
    let mut overlay = Overlay::new(new.scope);
    for logical_id in graph.order()? {
        let Some(resource) = new.scope.template().resource(logical_id) else { continue };
        // Of what is added too: what can't be made must not look as if it could.
        let after = State::of(resource, &overlay, new.tags)?;
        let change = match (before.get(logical_id), old) {
            (Some((existing, state)), Some(old)) => {
                let causes = Causes { old: old.side.scope, new: new.scope, overlay: &overlay };
                let change = modified(existing.declared, state, resource, &after, &causes);
                if let Some(change) = &change {
                    overlay.note(change, &after.properties);
                }
                change
            }
            _ => {
                overlay.fresh.insert(logical_id.to_owned());
                Some(added(resource))
            }
        };
        if let Some(change) = change {
            let before = before.get(logical_id).map(|(_, state)| (*state).clone());
            updates.insert(logical_id.to_owned(), Update { change, before, after: Some(after) });
        }
    }
    let mut all: Vec<Update> =
        new.scope.resources().filter_map(|resource| updates.remove(resource.logical_id)).collect();
    let kept: BTreeSet<&str> = new.scope.resources().map(|resource| resource.logical_id).collect();
    for (existing, side) in old.iter().flat_map(|old| old.resources.iter().map(|it| (it, old.side))) {
        if !kept.contains(existing.declared.logical_id) {
            let change = removed(existing.declared, side.scope);
            all.push(Update { change, before: existing.state.clone(), after: None });
        }
    }
    Ok(all)
}

/// Whether the outputs of two templates come to the same values under the same names.
pub fn outputs_differ(old: &Scope<'_>, new: &Scope<'_>) -> bool {
    let values = |scope: &Scope<'_>| -> Vec<_> {
        let existing = scope.template().outputs().filter(|output| scope.exists(output.condition()));
        existing
            .map(|output| {
                let export = output.export().unwrap_or(&Value::Null);
                let at = |value: &Value| resolve_at(value, scope, "");
                (output.name.to_owned(), at(output.value()), at(export))
            })
            .collect()
    };
    values(old) != values(new)
}

fn refuse_new_types(before: &BTreeMap<&str, (&Existing<'_>, &State)>, new: &Scope<'_>) -> Result<(), Problem> {
    let changed: Vec<&str> = new
        .resources()
        .filter(|resource| {
            before.get(resource.logical_id).is_some_and(|(existing, _)| existing.declared.type_ != resource.type_)
        })
        .map(|resource| resource.logical_id)
        .collect();
    match changed.first() {
        None => Ok(()),
        Some(first) => Err(Problem::new(
            code::T151,
            format!(
                "Update of resource type is not permitted. The new template modifies resource type of the following \
                 resources: [{}]",
                changed.join(", ")
            ),
        )
        .at(&format!("Resources/{first}/Type"))),
    }
}

fn added(resource: Resource<'_>) -> ResourceChange {
    ResourceChange {
        logical_id: resource.logical_id.to_owned(),
        type_: resource.type_.to_owned(),
        action: Action::Add,
        replacement: None,
        policy_action: None,
        scope: Vec::new(),
        details: Vec::new(),
    }
}

/// A policy as a text; none, which deletes, when it can't be known.
fn policy(resource: Resource<'_>, name: &str, resolver: &dyn Resolver) -> Option<String> {
    let value = resolve_at(resource.attribute(name)?, resolver, "").ok()?;
    value.as_str().map(str::to_owned)
}

fn removed(resource: Resource<'_>, resolver: &dyn Resolver) -> ResourceChange {
    let policy_action = match policy(resource, "DeletionPolicy", resolver).as_deref() {
        // It was not made by the operation under way, so `RetainExceptOnCreate` retains.
        Some("Retain" | "RetainExceptOnCreate") => PolicyAction::Retain,
        Some("Snapshot") => PolicyAction::Snapshot,
        _ => PolicyAction::Delete,
    };
    ResourceChange { action: Action::Remove, policy_action: Some(policy_action), ..added(resource) }
}

/// The change of a resource that is on both sides, or none.
fn modified(
    earlier: Resource<'_>,
    before: &State,
    later: Resource<'_>,
    after: &State,
    causes: &Causes<'_, '_>,
) -> Option<ResourceChange> {
    let schema = Schemas::embedded().get(later.type_);
    let mut details = Vec::new();
    let (old, new) = (WrittenProperties::new(earlier.properties()), WrittenProperties::new(later.properties()));
    for change in compare(schema.as_deref(), &before.properties, &after.properties) {
        details.extend(causes.details(&change, &old, &new, schema.as_deref()));
    }
    for (name, scoped) in ATTRIBUTES {
        let (old, new) = (before.attributes.get(name), after.attributes.get(name));
        if old != new {
            let secret = causes.hides(earlier.attribute(name), later.attribute(name));
            details.push(Detail {
                attribute: scoped,
                name: None,
                path: format!("/{name}"),
                before: shown(old, secret),
                after: shown(new, secret),
                requires_recreation: Recreation::Never,
                evaluation: Evaluation::Static,
                change_source: ChangeSource::DirectModification,
                causing_entity: None,
            });
        }
    }
    if details.is_empty() {
        return None;
    }

    let replacement = details.iter().map(replaces).max().unwrap_or(Replacement::False);
    let policy_action = (replacement == Replacement::True).then(|| {
        match after.attributes.get("UpdateReplacePolicy").and_then(Value::as_str) {
            Some("Retain") => PolicyAction::ReplaceAndRetain,
            Some("Snapshot") => PolicyAction::ReplaceAndSnapshot,
            _ => PolicyAction::ReplaceAndDelete,
        }
    });
    let scope: BTreeSet<Scoped> = details.iter().map(|detail| detail.attribute).collect();
    Some(ResourceChange {
        action: Action::Modify,
        replacement: Some(replacement),
        policy_action,
        scope: scope.into_iter().collect(),
        details,
        ..added(later)
    })
}

/// What one change means for the resource (CloudFormation API reference, `ResourceChange`): a value known only later may
/// turn out to be the old one.
fn replaces(detail: &Detail) -> Replacement {
    match (detail.requires_recreation, detail.evaluation) {
        (Recreation::Always, Evaluation::Static) => Replacement::True,
        (Recreation::Always, Evaluation::Dynamic) | (Recreation::Conditionally, _) => Replacement::Conditional,
        (Recreation::Never, _) => Replacement::False,
    }
}

/// A value as a detail shows it.
fn shown(value: Option<&Value>, secret: bool) -> Option<Value> {
    value.map(|value| if secret { Value::from(MASK) } else { value.clone() })
}

fn evaluation(value: Option<&Value>) -> Evaluation {
    if value.is_some_and(has_unknown) { Evaluation::Dynamic } else { Evaluation::Static }
}
