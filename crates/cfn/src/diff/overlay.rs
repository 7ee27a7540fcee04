//! The new side's resources as they will be: what is new or replaced is unknown, what is changed in place mostly is not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Replacement, ResourceChange, Scoped};
use crate::intrinsics::{Answer, DynamicReference, Problem, Resolver, Scope};

/// Endings of the names of attributes that stay what they are when a resource is changed in place. CloudFormation
/// counts every attribute of a changed resource as one that may change; what these name is the resource itself.
const STABLE: [&str; 10] = ["Arn", "ARN", "Id", "ID", "Name", "Url", "URL", "Uri", "Endpoint", "Address"];

/// A resolver for the new side that knows what has been found out so far.
pub(super) struct Overlay<'a> {
    scope: &'a Scope<'a>,
    /// Resources that are new, replaced, or may be.
    pub(super) fresh: BTreeSet<String>,
    /// Resources changed in place, with their new properties.
    pub(super) touched: BTreeMap<String, Value>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(scope: &'a Scope<'a>) -> Self {
        Self { scope, fresh: BTreeSet::new(), touched: BTreeMap::new() }
    }

    /// Notes a resource that changes. What changes only in the stack's books, such as a deletion policy, is the same to
    /// those that refer to it.
    pub(super) fn note(&mut self, change: &ResourceChange, after: &Value) {
        if change.replacement != Some(Replacement::False) {
            self.fresh.insert(change.logical_id.clone());
        } else if change.scope.iter().any(|scoped| matches!(scoped, Scoped::Properties | Scoped::Tags)) {
            self.touched.insert(change.logical_id.clone(), after.clone());
        }
    }

    /// Whether an attribute may be another one after the update.
    pub(super) fn may_change(&self, logical_id: &str, attribute: &str) -> bool {
        // The names of a nested stack's outputs are its author's and say nothing.
        let stable = !attribute.starts_with("Outputs.") && STABLE.iter().any(|ending| attribute.ends_with(ending));
        self.fresh.contains(logical_id) || self.touched.contains_key(logical_id) && !stable
    }
}

impl Resolver for Overlay<'_> {
    fn reference(&self, name: &str) -> Result<Answer, Problem> {
        if self.fresh.contains(name) { Ok(Answer::Unknown) } else { self.scope.reference(name) }
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Answer, Problem> {
        if let Some(properties) = self.touched.get(logical_id)
            && let Some(value) = properties.pointer(&format!("/{}", attribute.replace('.', "/")))
        {
            return Ok(Answer::Known(value.clone()));
        }
        if self.may_change(logical_id, attribute) {
            return Ok(Answer::Unknown);
        }
        self.scope.attribute(logical_id, attribute)
    }

    fn import(&self, name: &str) -> Result<Answer, Problem> {
        self.scope.import(name)
    }

    fn condition(&self, name: &str) -> Result<bool, Problem> {
        self.scope.condition(name)
    }

    fn mapping(&self, map: &str, top: &str, second: &str) -> Result<Option<Value>, Problem> {
        self.scope.mapping(map, top, second)
    }

    fn zones(&self, region: &str) -> Result<Answer, Problem> {
        self.scope.zones(region)
    }

    fn dynamic(&self, reference: &DynamicReference<'_>) -> Result<Option<String>, Problem> {
        self.scope.dynamic(reference)
    }

    fn spend(&self, bytes: usize) -> bool {
        self.scope.spend(bytes)
    }
}
