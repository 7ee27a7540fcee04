//! A plan from templates alone: for a stack that does not exist yet, and for comparing with a saved template. Nobody is
//! asked, so what only the service knows (physical ids, values of references) is missing.

use super::observed::assemble;
use super::types::{Action, Current, Plan, PlanKind, PlannedChange, Wanted};
use crate::cfn::Template;

/// The plan for making a stack that does not exist, or making it again after a failed creation: every resource is added.
///
/// A change set would say no more and would leave a stack in `REVIEW_IN_PROGRESS` behind.
pub fn for_new_stack(wanted: &Wanted<'_>, kind: PlanKind) -> Plan {
    let resources = wanted.template.into_iter().flat_map(Template::resources);
    let mut changes: Vec<PlannedChange> = resources
        .map(|resource| PlannedChange {
            action: Action::Add,
            logical_id: resource.logical_id.to_owned(),
            resource_type: resource.type_.to_owned(),
            physical_id: None,
            kept: None,
            reasons: Vec::new(),
            place: wanted.places.get(resource.logical_id).cloned(),
        })
        .collect();
    changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    assemble(wanted, &Current::default(), kind, None, changes)
}
