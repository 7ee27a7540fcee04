//! A plan as a person reads it before approving.

use std::fmt::Write as _;

use anstyle::Style;
use serde::Serialize;
use serde_json::{Value, json};

use super::conclusion::{Concluded, Words};
use super::findings::{harmless, on_one_line, printable};
use super::reporter::{Look, VerbReport};
use super::style::{Styles, bytes, count, paint};
use crate::cfn::intrinsics::UNKNOWN;
use crate::engine::{Outcome, PlanResults};
use crate::plan::{
    Action, Broadening, Kept, Plan, PlanKind, PlannedChange, PlannedContent, Reason, Recreation, Risk, RiskKind,
};
use crate::render::ARTIFACT_BUCKET;

/// Longest value shown of a property; longer ones are cut, the JSON format has them whole.
const VALUE_SHOWN: usize = 60;

/// What stands for a value, or a part of one, that only the deploy itself will tell.
const KNOWN_AFTER_APPLY: &str = "(known after apply)";

/// The plan itself says what would change, and whether anything would.
impl Concluded for PlanResults {
    fn line(&self, _: Outcome, _: &Words<'_>) -> Option<String> {
        None
    }
}

/// A plan that is a verb's result.
#[derive(Debug, Serialize)]
pub struct PlannedStack<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Anything would change.
    pub changes: bool,
    /// The kinds of risk that a deploy by `--yes` still needs allowed.
    pub needs: Vec<&'static str>,
}

impl VerbReport for PlannedStack<'_> {
    fn json(&self) -> Option<Value> {
        Some(json!(self))
    }

    fn text(&self, look: &Look) -> String {
        text(self.plan, &look.styles)
    }
}

/// The whole plan.
pub fn text(plan: &Plan, styles: &Styles) -> String {
    let mut out = String::new();
    if plan.kind == PlanKind::NoChange {
        let _ = writeln!(out, "{} is up to date: {}", paint(styles.strong, &plan.stack), summary(plan));
        if plan.has_changes() {
            contents(&mut out, plan, styles);
            risks(&mut out, plan, styles);
            if !plan.risks.is_empty() {
                out.push('\n');
            }
            needs(&mut out, plan);
        }
        return out;
    }
    let verb = match plan.kind {
        PlanKind::Create | PlanKind::NoChange => "would be created",
        PlanKind::Update => "would change",
        PlanKind::Recreate => "would be deleted and created again: its first creation failed",
    };
    let _ = writeln!(out, "{} {verb}", paint(styles.strong, &plan.stack));
    out.push('\n');
    let widest = |text: fn(&PlannedChange) -> &str| {
        plan.changes.iter().map(|change| text(change).chars().count()).max().unwrap_or(0)
    };
    let widths = (widest(|change| &change.logical_id), widest(|change| &change.resource_type));
    // A changed tag of the stack reaches everything in it; thirteen lines about it would hide what matters.
    let (tags_only, changes): (Vec<_>, Vec<_>) = plan.changes.iter().partition(|change| only_tags(change));
    for change in changes {
        write_change(&mut out, change, widths, styles);
    }
    if !tags_only.is_empty() {
        let _ = writeln!(out, "  {} tags of {}", paint(styles.info, "~"), count(tags_only.len(), "more resource"));
    }
    // The keys of artifacts are told below, as artifacts.
    let is_artifact = |value: &Option<String>| {
        value.as_ref().is_some_and(|value| plan.artifacts.iter().any(|artifact| artifact.key == *value))
    };
    let parameters = plan.parameters.iter().filter(|p| !is_artifact(&p.after) && p.name != ARTIFACT_BUCKET);
    section(
        &mut out,
        "Parameters",
        parameters.map(|p| format!("{}: {}", p.name, from_to(p.before.as_deref(), p.after.as_deref(), false))),
        styles.info,
        styles,
    );
    section(&mut out, "New permissions", plan.iam_broadening.iter().map(permission), styles.warn, styles);
    risks(&mut out, plan, styles);
    section(
        &mut out,
        "Artifacts",
        plan.artifacts.iter().map(|artifact| {
            if artifact.to_build {
                return format!("{}: to build, what it holds is not known", artifact.component);
            }
            let state = if artifact.present { "there already" } else { "to upload" };
            format!("{}: {}, {state}", artifact.component, bytes(artifact.size))
        }),
        styles.info,
        styles,
    );
    contents(&mut out, plan, styles);
    let _ = writeln!(out, "\n{}", summary(plan));
    needs(&mut out, plan);
    out
}

/// Data that goes, data that is out of reach, and what anyone can reach.
fn risks(out: &mut String, plan: &Plan, styles: &Styles) {
    let lost = plan.data_loss.iter().map(|loss| {
        let name = loss.physical_id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
        format!("{}{name}: {}", loss.logical_id, loss.what)
    });
    let is_resource = |risk: &&Risk| {
        let same = |change: &&PlannedChange| change.logical_id == risk.resource;
        plan.changes.iter().find(same).is_some_and(|change| change.action != Action::Modify)
    };
    let of = |kind: RiskKind| plan.risks.iter().filter(move |risk| risk.kind == kind);
    let line = |risk: &Risk| format!("{}: {}", risk.resource, risk.reason);
    let settings = of(RiskKind::DataLoss).filter(|risk| !is_resource(risk));
    let kept = of(RiskKind::Replacement).filter(|risk| !plan.data_loss.iter().any(|it| it.logical_id == risk.resource));
    section(out, "Data that would be lost", lost.chain(settings.map(line)), styles.bad, styles);
    section(out, "Data that would be out of reach", kept.map(line), styles.bad, styles);
    section(out, "Open to anyone", of(RiskKind::Public).map(line), styles.bad, styles);
}

/// Which kinds of permission it all needs.
fn needs(out: &mut String, plan: &Plan) {
    let kinds: Vec<&str> = plan.risk_kinds().into_iter().map(RiskKind::as_str).collect();
    if !kinds.is_empty() {
        let _ = writeln!(out, "needs --allow {}: `--yes` alone does not cover that", kinds.join(","));
    }
}

/// What buckets and tables would be filled with.
fn contents(out: &mut String, plan: &Plan, styles: &Styles) {
    let documents = plan.content.iter().filter_map(|content| match content {
        PlannedContent::Documents { component, upload, bytes: size, remove, unchanged, .. } => {
            let mut parts = vec![match upload {
                0 => "none to upload".to_owned(),
                _ => format!("{upload} to upload, {}", bytes(*size)),
            }];
            parts.extend((*remove > 0).then(|| format!("{remove} to delete")));
            parts.extend((*unchanged > 0).then(|| format!("{unchanged} there already")));
            Some(format!("{component}: {}", parts.join(", ")))
        }
        PlannedContent::Rows { .. } | PlannedContent::Ingestion { .. } => None,
    });
    section(out, "Documents", documents, styles.info, styles);
    let rows = plan.content.iter().filter_map(|content| match content {
        PlannedContent::Rows { component, write, present } => {
            let there = if *present > 0 { format!(", {present} there already") } else { String::new() };
            Some(format!("{component}: {write} to write{there}"))
        }
        PlannedContent::Documents { .. } | PlannedContent::Ingestion { .. } => None,
    });
    section(out, "Rows", rows, styles.info, styles);
    let read = plan.content.iter().filter_map(|content| match content {
        PlannedContent::Ingestion { component, read: true } => Some(format!("{component}: to be read")),
        PlannedContent::Ingestion { component, read: false } => Some(format!("{component}: read already")),
        _ => None,
    });
    section(out, "Knowledge", read, styles.info, styles);
}

/// `13 to add, 1 to modify`, in the order of the plan.
pub fn summary(plan: &Plan) -> String {
    if plan.kind == PlanKind::NoChange {
        return if plan.has_changes() { "only contents would change" } else { "nothing would change" }.to_owned();
    }
    let parts: Vec<String> =
        plan.counts().into_iter().map(|(action, number)| format!("{number} to {action}")).collect();
    if parts.is_empty() { "no resource changes; outputs or tags do".to_owned() } else { parts.join(", ") }
}

fn only_tags(change: &PlannedChange) -> bool {
    let is_tag = |reason: &Reason| reason.path == "Tags" || reason.path.starts_with("Tags.");
    change.action == Action::Modify && !change.reasons.is_empty() && change.reasons.iter().all(is_tag)
}

fn write_change(out: &mut String, change: &PlannedChange, (id, kind): (usize, usize), styles: &Styles) {
    let style = match change.action {
        Action::Remove => styles.bad,
        Action::Replace | Action::MaybeReplace => styles.warn,
        Action::Modify | Action::Import => styles.info,
        Action::Add => styles.good,
    };
    let place = change.place.as_ref().map_or_else(String::new, |place| {
        format!("  {}", paint(styles.dim, format!("{}:{}", on_one_line(&place.file), place.line)))
    });
    let _ = writeln!(
        out,
        "  {} {:id$}  {}{place}",
        paint(style, change.action.symbol()),
        on_one_line(&change.logical_id),
        paint(styles.dim, format!("{:kind$}", on_one_line(&change.resource_type))),
    );
    if let Some(disposition) = disposition(change) {
        let _ = writeln!(out, "      {disposition}");
    }
    for reason in &change.reasons {
        let _ = writeln!(out, "      {}", printable(&why(reason)));
    }
    if change.more_reasons > 0 {
        let _ = writeln!(out, "      and {}", count(change.more_reasons, "more property"));
    }
}

/// What becomes of the physical resource, by its name in the account, when it does not stay as it is.
fn disposition(change: &PlannedChange) -> Option<String> {
    let name = change.physical_id.as_deref().map(on_one_line).unwrap_or_default();
    let said = match (change.kept, change.action) {
        (Some(Kept::Retained), _) => "stays in the account, no longer managed",
        (Some(Kept::Snapshot), _) => "a snapshot stays",
        (None, Action::Remove) if !name.is_empty() => "is deleted",
        (None, Action::Replace) if !name.is_empty() => "is replaced by a new one and deleted",
        (None, Action::MaybeReplace) if !name.is_empty() => "may be replaced by a new one and deleted",
        _ => return None,
    };
    Some(if name.is_empty() { said.to_owned() } else { format!("{name}  {said}") })
}

fn why(reason: &Reason) -> String {
    let mut said = reason.path.clone();
    // Not every endpoint tells the values.
    if reason.before.is_some() || reason.after.is_some() || reason.known_after_apply {
        let values = from_to(reason.before.as_deref(), reason.after.as_deref(), reason.known_after_apply);
        let _ = write!(said, ": {values}");
    }
    match reason.recreation {
        Recreation::Never => {}
        Recreation::Conditionally => said.push_str("  (may need a new resource)"),
        Recreation::Always => said.push_str("  (needs a new resource)"),
    }
    if let Some(cause) = &reason.caused_by {
        let _ = write!(said, "  because of {cause}");
    }
    said
}

fn from_to(before: Option<&str>, after: Option<&str>, known_after_apply: bool) -> String {
    let value = |value: Option<&str>| value.map_or_else(|| "(none)".to_owned(), short);
    let after = if known_after_apply && after.is_none() { KNOWN_AFTER_APPLY.to_owned() } else { value(after) };
    format!("{} → {after}", value(before))
}

fn short(value: &str) -> String {
    let value = harmless(value).replace('\n', "⏎").replace(UNKNOWN, KNOWN_AFTER_APPLY);
    let mut shown: String = value.chars().take(VALUE_SHOWN).collect();
    if value.chars().count() > VALUE_SHOWN {
        shown.push('…');
    }
    shown
}

fn permission(broadening: &Broadening) -> String {
    broadening.gain.of(&broadening.logical_id)
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>, style: Style, styles: &Styles) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{} ({})", paint(styles.strong, title), lines.len());
    for line in lines {
        let _ = writeln!(out, "  {} {}", paint(style, "•"), printable(&line));
    }
}
