//! What resources come to on either side of an update.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{ATTRIBUTES, ResourceChange, Side, with_stack_tags};
use crate::intrinsics::{Problem, Resolver, resolve_at};
use crate::{Resource, Schemas};

/// A resource with its functions evaluated. Values of `NoEcho` parameters are in it as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Its properties, with the stack's tags where the type takes tags.
    pub properties: Value,
    /// Its metadata and policies, those that are said.
    pub attributes: Map<String, Value>,
}

impl State {
    /// A resource as a template has it.
    ///
    /// # Errors
    ///
    /// Something in it can't be evaluated.
    pub fn of(
        resource: Resource<'_>,
        resolver: &dyn Resolver,
        tags: &BTreeMap<String, String>,
    ) -> Result<Self, Problem> {
        let properties = resolved(resource, "Properties", resolver)?.unwrap_or_else(|| Value::Object(Map::new()));
        let schema = Schemas::embedded().get(resource.type_);
        let mut attributes = Map::new();
        for (name, _) in ATTRIBUTES {
            if let Some(value) = resolved(resource, name, resolver)? {
                attributes.insert(name.to_owned(), value);
            }
        }
        Ok(Self { properties: with_stack_tags(schema.as_deref(), properties, tags), attributes })
    }

    /// A resource with the properties it was made with, tags included. The rest is as its declaration has it, unevaluated
    /// where it can't be any more.
    pub fn made(resource: Resource<'_>, properties: Value, resolver: &dyn Resolver) -> Self {
        let attribute = |(name, _)| {
            let value = resolved(resource, name, resolver).unwrap_or_else(|_| resource.attribute(name).cloned());
            Some((name.to_owned(), value?))
        };
        Self { properties, attributes: ATTRIBUTES.into_iter().filter_map(attribute).collect() }
    }

    /// The resource as the context of a change set shows it.
    pub fn context(&self) -> Value {
        let mut shown = Map::from_iter([("Properties".to_owned(), self.properties.clone())]);
        shown.extend(self.attributes.clone());
        Value::Object(shown)
    }
}

/// A resource the stack has before the update.
#[derive(Debug, Clone)]
pub struct Existing<'a> {
    /// What it was declared as.
    pub declared: Resource<'a>,
    /// What it is. `None` when it never came to be, so that it is added if the new template still has it, and when it
    /// leaves and nobody asks.
    pub state: Option<State>,
}

/// What there is before the update.
#[derive(Clone)]
pub struct Before<'a> {
    /// The template of that time.
    pub side: Side<'a>,
    /// The resources, in the order in which those that leave are told.
    pub resources: Vec<Existing<'a>>,
}

impl<'a> Before<'a> {
    /// Resources that are what the template says of them; those that `new` no longer has are not evaluated.
    ///
    /// # Errors
    ///
    /// The template can't be evaluated.
    pub fn written(side: Side<'a>, new: Side<'_>) -> Result<Self, Problem> {
        let kept: BTreeSet<&str> = new.scope.resources().map(|resource| resource.logical_id).collect();
        let mut resources = Vec::new();
        for declared in side.scope.resources() {
            let stays = kept.contains(declared.logical_id);
            let state = stays.then(|| State::of(declared, side.scope, side.tags)).transpose()?;
            resources.push(Existing { declared, state });
        }
        Ok(Self { side, resources })
    }
}

/// What happens to one resource, and what it is before and after.
#[derive(Debug, Clone)]
pub struct Update {
    /// The change.
    pub change: ResourceChange,
    /// The resource that is there.
    pub before: Option<State>,
    /// The resource that will be, as far as that is known.
    pub after: Option<State>,
}

fn resolved(resource: Resource<'_>, name: &str, resolver: &dyn Resolver) -> Result<Option<Value>, Problem> {
    let resolve = |value| resolve_at(value, resolver, &format!("Resources/{}/{name}", resource.logical_id));
    resource.attribute(name).map(resolve).transpose()
}
