//! A plan from templates alone: for a stack that does not exist yet, and for comparing with a saved template. Nobody is
//! asked, so what only the service knows (physical ids, values of references) is missing.

use serde_json::Value;

use super::observed::assemble;
use super::types::{Action, Current, Plan, PlanKind, PlannedChange, Wanted};

/// The plan for making a stack that does not exist, or making it again after a failed creation: every resource is added.
///
/// A change set would say no more and would leave a stack in `REVIEW_IN_PROGRESS` behind.
pub fn for_new_stack(wanted: &Wanted<'_>, kind: PlanKind) -> Plan {
    let resources = wanted.template.and_then(|template| template.get("Resources")).and_then(Value::as_object);
    let mut changes: Vec<PlannedChange> = resources
        .into_iter()
        .flatten()
        .map(|(logical_id, resource)| PlannedChange {
            action: Action::Add,
            logical_id: logical_id.clone(),
            resource_type: resource.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned(),
            physical_id: None,
            kept: None,
            reasons: Vec::new(),
            place: wanted.places.get(logical_id).cloned(),
        })
        .collect();
    changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    assemble(wanted, &Current::default(), kind, None, changes)
}
