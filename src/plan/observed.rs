//! A plan from the change set CloudFormation made: the same one that is executed once it is approved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::change_set_values::apply_change_set_values;
use super::data_loss::losses;
use super::grants::broadening;
use super::resolved::{DeploymentScope, resolve_template};
use super::risks::{Compared, of_changes};
use super::types::{
    Action, Current, DesiredStack, Kept, ParameterChange, Plan, PlanKind, PlannedChange, Reason, Recreation,
};
use super::values::{HIDDEN, Secrets, is_secret, text_of};
use crate::cfn::change_set::{ChangeDetail, ChangeSet, ResourceChangeSummary};

/// What CloudFormation writes where a value is known only while the change set runs.
const KNOWN_AFTER_APPLY: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// The most reasons that are given for one resource.
const MOST_REASONS: usize = 100;

/// Reads a described change set.
pub fn from_change_set(desired: &DesiredStack<'_>, current: &Current<'_>, set: &ChangeSet, kind: PlanKind) -> Plan {
    let secrets = Secrets::from_parameters(desired.template, &desired.parameters);
    let summaries: Vec<&ResourceChangeSummary> =
        set.changes.iter().filter_map(|change| change.resource_change.as_ref()).collect();
    let mut changes: Vec<PlannedChange> = summaries.iter().map(|change| planned(change, desired, &secrets)).collect();
    changes.sort_by(|a, b| (a.action, &a.logical_id).cmp(&(b.action, &b.logical_id)));
    assemble(desired, current, kind, Some(set.change_set_name.clone()), changes, &summaries)
}

/// What every plan has in common once its changes are known, in the service's own words too where it was asked.
pub(super) fn assemble(
    desired: &DesiredStack<'_>,
    current: &Current<'_>,
    kind: PlanKind,
    change_set: Option<String>,
    mut changes: Vec<PlannedChange>,
    summaries: &[&ResourceChangeSummary],
) -> Plan {
    let unchanged = kind == PlanKind::NoChange;
    let deployed = DeploymentScope { account: desired.account, region: desired.region, stack: desired.stack };
    let mut new = desired.template.filter(|_| !unchanged).map(|it| resolve_template(it, &desired.parameters, deployed));
    let mut old = current.template.map(|it| resolve_template(it, &current.parameters, deployed));
    let unknown = match (&mut old, &mut new) {
        (Some(old), Some(new)) => {
            let secrets = Secrets::from_parameters(desired.template, &desired.parameters);
            apply_change_set_values(summaries, &secrets, old, new)
        }
        _ => BTreeSet::new(),
    };
    let iam_broadening = new.as_ref().map(|new| broadening(old.as_ref(), new, &unknown)).unwrap_or_default();
    let compared = Compared { old: old.as_ref(), new: new.as_ref(), unknown: &unknown };
    let risks = of_changes(desired, kind, &changes, &iam_broadening, &compared);
    let parameters = if unchanged { Vec::new() } else { parameter_changes(desired, current, &changes) };
    // All of them were looked at; of thousands a person reads the first.
    for change in &mut changes {
        change.more_reasons = change.reasons.len().saturating_sub(MOST_REASONS);
        change.reasons.truncate(MOST_REASONS);
    }
    Plan {
        stack: desired.stack.to_owned(),
        account: desired.account.map(str::to_owned),
        region: desired.region.to_owned(),
        kind,
        change_set,
        data_loss: losses(&changes),
        risks,
        parameters,
        changes,
        iam_broadening,
        artifacts: desired.artifacts.clone(),
        content: Vec::new(),
    }
}

fn planned(change: &ResourceChangeSummary, desired: &DesiredStack<'_>, secrets: &Secrets) -> PlannedChange {
    let action = action_of(change);
    PlannedChange {
        action,
        logical_id: change.logical_resource_id.clone(),
        resource_type: change.resource_type.clone(),
        physical_id: change.physical_resource_id.clone(),
        kept: match change.policy_action.as_deref() {
            Some("Retain" | "ReplaceAndRetain") => Some(Kept::Retained),
            Some("Snapshot" | "ReplaceAndSnapshot") => Some(Kept::Snapshot),
            _ => None,
        },
        reasons: if action == Action::Add { Vec::new() } else { reasons(change, desired, secrets) },
        more_reasons: 0,
        place: desired.places.of(&change.logical_resource_id).cloned(),
    }
}

/// `Replacement` says whether a new resource is made, `PolicyAction` what becomes of the old one; a service may give
/// either without the other.
fn action_of(change: &ResourceChangeSummary) -> Action {
    let policy_replaces = change.policy_action.as_deref().is_some_and(|policy| policy.starts_with("ReplaceAnd"));
    match change.action.as_str() {
        "Add" => Action::Add,
        "Remove" => Action::Remove,
        "Import" => Action::Import,
        "Dynamic" => Action::MaybeReplace,
        _ => match change.replacement.as_deref() {
            Some("True") => Action::Replace,
            Some("Conditional") => Action::MaybeReplace,
            None if policy_replaces => Action::Replace,
            _ => Action::Modify,
        },
    }
}

/// One reason a path: CloudFormation gives a detail for every cause, so the same property turns up more than once.
fn reasons(change: &ResourceChangeSummary, desired: &DesiredStack<'_>, secrets: &Secrets) -> Vec<Reason> {
    let before = change.before_context.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let after = change.after_context.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let mut hidden = BTreeSet::new();
    let mut by_path: BTreeMap<String, Reason> = BTreeMap::new();
    for detail in &change.details {
        let Some(path) = path_of(detail) else { continue };
        if detail.causing_entity.as_deref().is_some_and(|name| is_secret(desired.template, name)) {
            hidden.insert(path.clone());
        }
        let reason = reason(detail, &path, before.as_ref(), after.as_ref(), secrets);
        match by_path.get_mut(&path) {
            None => {
                by_path.insert(path, reason);
            }
            Some(known) => {
                known.recreation = known.recreation.max(reason.recreation);
                known.caused_by = known.caused_by.take().or(reason.caused_by);
                known.before = known.before.take().or(reason.before);
                known.after = known.after.take().or(reason.after);
                known.known_after_apply &= reason.known_after_apply;
            }
        }
    }
    for reason in by_path.values_mut() {
        reason.place = desired.place_in(&change.logical_resource_id, &reason.path);
    }
    // What a secret feeds is hidden as a whole, the value before included, which nobody gave to this run.
    for reason in by_path.values_mut().filter(|reason| hidden.contains(&reason.path)) {
        for value in [&mut reason.before, &mut reason.after].into_iter().flatten() {
            HIDDEN.clone_into(value);
        }
    }
    by_path.into_values().collect()
}

/// `/Properties/Environment/Variables/KEY` as `Properties.Environment.Variables.KEY`.
fn path_of(detail: &ChangeDetail) -> Option<String> {
    let target = detail.target.as_ref()?;
    if let Some(path) = target.path.as_deref().filter(|path| !path.is_empty()) {
        return Some(path.trim_matches('/').replace('/', "."));
    }
    let attribute = target.attribute.as_deref()?;
    Some(match target.name.as_deref() {
        Some(name) => format!("{attribute}.{name}"),
        None => attribute.to_owned(),
    })
}

fn reason(
    detail: &ChangeDetail,
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    secrets: &Secrets,
) -> Reason {
    let target = detail.target.clone().unwrap_or_default();
    let inside = |context: Option<&Value>| {
        let pointer = format!("/{}", path.replace('.', "/"));
        context.and_then(|context| context.pointer(&pointer)).map(text_of)
    };
    let removed = target.attribute_change_type.as_deref() == Some("Remove");
    let added = target.attribute_change_type.as_deref() == Some("Add");
    let before = if added { None } else { target.before_value.or_else(|| inside(before)) };
    let after = if removed { None } else { target.after_value.or_else(|| inside(after)) };
    let unknown = after.as_deref() == Some(KNOWN_AFTER_APPLY);
    let dynamic = detail.evaluation.as_deref() == Some("Dynamic") && after.is_none();
    Reason {
        path: path.to_owned(),
        before: before.map(|value| secrets.show(&value)),
        after: after.filter(|_| !unknown).map(|value| secrets.show(&value)),
        recreation: match target.requires_recreation.as_deref() {
            Some("Always") => Recreation::Always,
            Some("Conditionally") => Recreation::Conditionally,
            _ => Recreation::Never,
        },
        caused_by: detail.causing_entity.clone(),
        known_after_apply: !removed && (unknown || dynamic),
        place: None,
    }
}

fn parameter_changes(
    desired: &DesiredStack<'_>,
    current: &Current<'_>,
    changes: &[PlannedChange],
) -> Vec<ParameterChange> {
    let names = desired.parameters.keys().chain(current.parameters.keys());
    let mut found: Vec<ParameterChange> = names
        .filter_map(|name| {
            let before = current.parameters.get(name);
            let after = desired.parameters.get(name);
            let secret = is_secret(desired.template, name) || is_secret(current.template, name);
            let causes = || {
                let mut reasons = changes.iter().flat_map(|change| &change.reasons);
                reasons.any(|reason| reason.caused_by.as_deref() == Some(name))
            };
            // Of a secret only the change set knows whether it changes.
            let differs = if secret && before.is_some() && after.is_some() { causes() } else { before != after };
            let show =
                |value: Option<&String>| value.map(|value| if secret { HIDDEN.to_owned() } else { value.clone() });
            differs.then(|| ParameterChange { name: name.clone(), before: show(before), after: show(after) })
        })
        .collect();
    found.sort();
    found.dedup();
    found
}
