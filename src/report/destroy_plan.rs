//! What destroying a stack takes away and what it leaves, as a person reads it before approving.

use std::fmt::Write as _;

use super::findings::{on_one_line, printable};
use super::style::{Styles, count, paint};
use crate::engine::{DestroyPlan, Disposition, Leftover, ObjectCount, PlannedDeletion};

/// The whole destroy_plan.
pub fn text(destroy_plan: &DestroyPlan, styles: &Styles) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} ({}) would be deleted",
        paint(styles.strong, on_one_line(&destroy_plan.stack)),
        on_one_line(&destroy_plan.status)
    );
    out.push('\n');
    let widest = |text: fn(&PlannedDeletion) -> &str| {
        destroy_plan.resources.iter().map(|resource| text(resource).chars().count()).max().unwrap_or(0)
    };
    let (width, type_width) = (widest(|resource| &resource.logical_id), widest(|resource| &resource.resource_type));
    for resource in &destroy_plan.resources {
        let (symbol, style, said) = match resource.disposition {
            Disposition::Deleted => ("-", styles.bad, String::new()),
            Disposition::Retained => ("=", styles.warn, "  stays in the account, no longer managed".to_owned()),
            Disposition::Snapshot => ("-", styles.bad, "  a snapshot stays".to_owned()),
            Disposition::LeftAlone => ("=", styles.warn, "  not proven to be this stack's: left alone".to_owned()),
        };
        let name = resource.physical_id.as_deref().map(on_one_line).unwrap_or_default();
        let line = format!(
            "  {} {:width$}  {}  {name}",
            paint(style, symbol),
            on_one_line(&resource.logical_id),
            paint(styles.dim, format!("{:type_width$}", on_one_line(&resource.resource_type))),
        );
        let _ = writeln!(out, "{}{said}", line.trim_end());
        let holds =
            resource.objects.filter(|objects| objects.count > 0).map(|objects| number(objects, "object version"));
        for line in holds.into_iter().chain(resource.data.map(str::to_owned)) {
            let _ = writeln!(out, "      {} {line}", paint(styles.bad, "goes with it:"));
        }
    }
    if destroy_plan.artifacts.count > 0 {
        let bucket = destroy_plan.artifact_bucket.as_deref().unwrap_or("the artifact bucket");
        let count = number(destroy_plan.artifacts, "file");
        let _ = writeln!(out, "  {} {count} in {bucket}/{}/", paint(styles.bad, "-"), destroy_plan.stack);
    }
    out.push_str(&leftovers("What stays", &destroy_plan.stays, styles));
    out
}

/// A list of what is still there, with a heading; empty when nothing is.
pub fn leftovers(title: &str, left: &[Leftover], styles: &Styles) -> String {
    let mut out = String::new();
    if left.is_empty() {
        return out;
    }
    let _ = writeln!(out, "\n{} ({})", paint(styles.strong, title), left.len());
    for one in left {
        let style = if one.intended { styles.info } else { styles.warn };
        let _ = writeln!(
            out,
            "  {} {} {}: {}",
            paint(style, "•"),
            on_one_line(&one.resource_type),
            on_one_line(&one.physical_id),
            printable(&one.reason)
        );
    }
    out
}

fn number(objects: ObjectCount, what: &str) -> String {
    let count = count(usize::try_from(objects.count).unwrap_or(usize::MAX), what);
    if objects.more { format!("more than {count}") } else { count }
}
