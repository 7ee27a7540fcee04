//! A plan from templates alone: for a stack that does not exist yet, and for comparing with a saved template. Nobody is
//! asked, so what only the service knows (physical ids, values of references) is missing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::observed::{assemble, from_change_set};
use super::types::{Action, Current, DesiredStack, Plan, PlanKind, PlannedChange};
use super::values::text_of;
use crate::cfn::change_set::{Change, ChangeDetail, ChangeSet, ChangeTarget, ResourceChangeSummary};
use crate::cfn::intrinsics::{Environment, Placeholders, Problem, Scope};
use crate::cfn::{Template, diff};
use crate::finding::Finding;

/// The plan for making a stack that does not exist, or making it again after a failed creation: every resource is added.
///
/// A change set would say no more and would leave a stack in `REVIEW_IN_PROGRESS` behind.
pub fn for_new_stack(desired: &DesiredStack<'_>, kind: PlanKind) -> Plan {
    let resources = desired.template.into_iter().flat_map(Template::resources);
    let mut changes: Vec<PlannedChange> = resources
        .map(|resource| PlannedChange {
            action: Action::Add,
            logical_id: resource.logical_id.to_owned(),
            resource_type: resource.type_.to_owned(),
            physical_id: None,
            kept: None,
            reasons: Vec::new(),
            more_reasons: 0,
            place: desired.places.of(resource.logical_id).cloned(),
        })
        .collect();
    changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    assemble(desired, &Current::default(), kind, None, changes, &[])
}

/// The plan for going from one template to another, without an account: what only the service knows is compared by
/// name, and a parameter without a value has the same unknown one on both sides.
///
/// # Errors
/// When the desired template cannot be evaluated, or changes the type of a resource.
pub fn between(desired: &DesiredStack<'_>, saved: &Template) -> Result<Plan, Finding> {
    let Some(template) = desired.template else { return Ok(for_new_stack(desired, PlanKind::Create)) };
    let account = desired.account.unwrap_or("${AWS::AccountId}");
    let environment = Environment::new(account, desired.region, desired.stack);
    let (resources, saved_resources) = (Placeholders::new(saved), Placeholders::new(saved));
    let values = |of: &Template| -> BTreeMap<String, String> {
        let missing = of.parameters().filter(|parameter| parameter.default().is_none());
        let placeholders = missing.map(|parameter| (parameter.name.to_owned(), format!("${{{}}}", parameter.name)));
        let mut values: BTreeMap<String, String> = placeholders.collect();
        let given = desired.parameters.iter().filter(|(name, _)| of.parameter(name).is_some());
        values.extend(given.map(|(name, value)| (name.clone(), value.clone())));
        values
    };
    let finding = |problem: Problem| Finding::error(problem.code, problem.message).in_template(problem.path);
    let (old_values, new_values) = (values(saved), values(template));
    let old = Scope::new(saved, &old_values, &environment, &saved_resources).map_err(finding)?;
    let new = Scope::new(template, &new_values, &environment, &resources).map_err(finding)?;
    let tags = BTreeMap::new();
    let (old, new) = (diff::Side { scope: &old, tags: &tags }, diff::Side { scope: &new, tags: &tags });
    let changes = diff::diff(Some(old), new).map_err(finding)?;
    let kind = if changes.is_empty() && !diff::outputs_differ(old.scope, new.scope) {
        PlanKind::NoChange
    } else {
        PlanKind::Update
    };
    let current = Current { status: None, template: Some(saved), parameters: desired.parameters.clone() };
    let set = ChangeSet { changes: changes.iter().map(change).collect(), ..ChangeSet::default() };
    let mut plan = from_change_set(desired, &current, &set, kind);
    plan.change_set = None;
    Ok(plan)
}

/// A compared resource in the words of a change set, so that both kinds of plan are read by the same code.
fn change(change: &diff::ResourceChange) -> Change {
    Change {
        r#type: "Resource".to_owned(),
        resource_change: Some(ResourceChangeSummary {
            action: word(&change.action),
            policy_action: change.policy_action.as_ref().map(word),
            logical_resource_id: change.logical_id.clone(),
            resource_type: change.type_.clone(),
            replacement: change.replacement.as_ref().map(word),
            scope: change.scope.iter().map(word).collect(),
            details: change.details.iter().map(detail).collect(),
            ..ResourceChangeSummary::default()
        }),
    }
}

fn detail(detail: &diff::Detail) -> ChangeDetail {
    ChangeDetail {
        target: Some(ChangeTarget {
            attribute: Some(word(&detail.attribute)),
            name: detail.name.clone(),
            requires_recreation: Some(word(&detail.requires_recreation)),
            path: Some(detail.path.clone()),
            before_value: detail.before.as_ref().map(text_of),
            after_value: detail.after.as_ref().map(text_of),
            attribute_change_type: None,
        }),
        evaluation: Some(word(&detail.evaluation)),
        change_source: Some(word(&detail.change_source)),
        causing_entity: detail.causing_entity.clone(),
    }
}

/// A value of an enumeration by the name the service gives it.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
