//! What of a plan needs more than a general yes: changes of a stack that exists by which data goes, by which something may
//! do more, or by which anyone can reach something.

use std::collections::{BTreeMap, BTreeSet};

use super::change_set_values::UnknownValue;
use super::data_loss::holds_data;
use super::expiry::shortened;
use super::lost_protection::lost_protection;
use super::public::exposures;
use super::resolved::{NESTED, ResolvedTemplate};
use super::risk_kinds::{Risk, RiskKind};
use super::types::{Action, Broadening, DesiredStack, Kept, PlanKind, PlannedChange, PlannedContent};

/// What the two templates are, where both are known.
pub(super) struct Compared<'a> {
    pub(super) old: Option<&'a ResolvedTemplate>,
    pub(super) new: Option<&'a ResolvedTemplate>,
    /// What changes, and nobody says to what.
    pub(super) unknown: &'a BTreeSet<UnknownValue>,
}

/// The risks of changing a stack that exists. Making one has none: nobody relies on it yet.
pub(super) fn of_changes(
    desired: &DesiredStack<'_>,
    kind: PlanKind,
    changes: &[PlannedChange],
    broadening: &[Broadening],
    compared: &Compared<'_>,
) -> Vec<Risk> {
    if kind != PlanKind::Update {
        return Vec::new();
    }
    let by_id: BTreeMap<&str, &PlannedChange> = changes.iter().map(|it| (it.logical_id.as_str(), it)).collect();
    let type_of = |id: &str| {
        let resource = |template: Option<&ResolvedTemplate>| template?.resources.get(id).map(|it| it.type_.clone());
        by_id.get(id).map(|it| it.resource_type.clone()).or_else(|| resource(compared.new))
    };
    let risk = |kind: RiskKind, id: &str, reason: String| Risk {
        kind,
        resource: id.to_owned(),
        resource_type: type_of(id),
        physical: by_id.get(id).and_then(|change| change.physical_id.clone()),
        pointer: desired.pointers.get(id).cloned(),
        place: desired.places.of(id).cloned(),
        reason,
    };
    let mut risks: Vec<Risk> = changes
        .iter()
        .filter_map(|change| {
            let (kind, reason) = of_data(change)?;
            Some(risk(kind, &change.logical_id, reason))
        })
        .collect();
    for gained in broadening {
        risks.push(risk(RiskKind::Rights, &gained.logical_id, gained.gain.of("it")));
    }
    if let (Some(old), Some(new)) = (compared.old, compared.new) {
        risks.extend(shortened(old, new).into_iter().map(|(id, reason)| risk(RiskKind::DataLoss, &id, reason)));
        risks.extend(
            lost_protection(old, new, changes).into_iter().map(|(id, reason)| risk(RiskKind::DataLoss, &id, reason)),
        );
        // A nested stack's own changes are in a plan of their own, which nobody has seen.
        let nested = new.resources.iter().filter(|(id, has)| {
            let had = old.resources.get(*id);
            has.type_ == NESTED && had.is_some_and(|had| had.properties != has.properties)
        });
        let unseen = "it changes, and what becomes of the data inside is not in the plan";
        risks.extend(nested.map(|(id, _)| risk(RiskKind::DataLoss, id, unseen.to_owned())));
        risks.extend(
            exposures(old, new, compared.unknown)
                .into_iter()
                .map(|it| risk(RiskKind::Public, &it.logical_id, it.reason)),
        );
    } else if let Some(new) = compared.new {
        // What the stack is now cannot be read: everything may be new.
        let nothing = ResolvedTemplate::default();
        risks.extend(
            exposures(&nothing, new, compared.unknown)
                .into_iter()
                .map(|it| risk(RiskKind::Public, &it.logical_id, it.reason)),
        );
    }
    risks.sort();
    risks.dedup();
    bounded(risks)
}

/// The most reasons of one kind that a plan gives for one resource, and the most characters of a reason.
const MOST_REASONS: usize = 100;
const LONGEST_REASON: usize = 1_500;

/// No more than a person reads. What is compared is whole; only what is said of it is cut.
fn bounded(risks: Vec<Risk>) -> Vec<Risk> {
    let mut kept: Vec<Risk> = Vec::new();
    let (mut said, mut left_out) = (0_usize, 0_usize);
    let mut last: Option<Risk> = None;
    let close = |kept: &mut Vec<Risk>, last: Option<Risk>, left_out: usize| {
        kept.extend(last.filter(|_| left_out > 0).map(|it| Risk { reason: format!("and {left_out} more"), ..it }));
    };
    for mut risk in risks {
        if last.as_ref().is_none_or(|last| (last.kind, &last.resource) != (risk.kind, &risk.resource)) {
            close(&mut kept, last.take(), left_out);
            (said, left_out) = (0, 0);
        }
        if let Some((end, _)) = risk.reason.char_indices().nth(LONGEST_REASON) {
            risk.reason.truncate(end);
            risk.reason.push('…');
        }
        if said < MOST_REASONS {
            said += 1;
            last = Some(risk.clone());
            kept.push(risk);
        } else {
            left_out += 1;
        }
    }
    close(&mut kept, last, left_out);
    kept
}

/// What a change does to the data its resource holds.
fn of_data(change: &PlannedChange) -> Option<(RiskKind, String)> {
    let what = holds_data(&change.resource_type)?;
    match (change.action, change.kept) {
        (Action::Remove, None) => Some((RiskKind::DataLoss, format!("it is deleted, and with it {what}"))),
        (Action::Remove, Some(_)) => None,
        (Action::Replace | Action::MaybeReplace, kept) => {
            let is = if change.action == Action::Replace { "is" } else { "may be" };
            let fate = match kept {
                None => format!("; with the present one this goes: {what}"),
                Some(Kept::Retained) => "; the present one stays in the account and is no longer managed".to_owned(),
                Some(Kept::Snapshot) => "; of the present one a snapshot stays".to_owned(),
            };
            Some((RiskKind::Replacement, format!("it {is} replaced by a new, empty one{fate}")))
        }
        _ => None,
    }
}

/// The risks of what a stack that exists is filled with.
pub fn of_content(content: &[PlannedContent]) -> Vec<Risk> {
    let mut risks = Vec::new();
    for one in content {
        let PlannedContent::Documents { component, remove, overwrite, .. } = one else { continue };
        let pointer = format!("/{}", component.replace('.', "/"));
        let mut push = |reason: String| {
            risks.push(Risk {
                kind: RiskKind::DataLoss,
                resource: component.clone(),
                resource_type: None,
                physical: None,
                pointer: Some(pointer.clone()),
                place: None,
                reason,
            });
        };
        if *remove > 0 {
            push(match remove {
                1 => "1 document that the folder no longer has is deleted".to_owned(),
                several => format!("{several} documents that the folder no longer has are deleted"),
            });
        }
        if *overwrite > 0 {
            push(match overwrite {
                1 => "1 object that was not uploaded from its folder is overwritten".to_owned(),
                several => format!("{several} objects that were not uploaded from its folder are overwritten"),
            });
        }
    }
    risks
}
