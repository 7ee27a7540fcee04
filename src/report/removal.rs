//! What destroying a stack takes away and what it leaves, as a person reads it before approving.

use std::fmt::Write as _;

use super::findings::printable;
use super::style::{Styles, count, paint};
use crate::engine::{Fate, Leftover, ObjectCount, Removal};

/// The whole removal.
pub fn text(removal: &Removal, styles: &Styles) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} ({}) would be deleted", paint(styles.strong, &removal.stack), removal.status);
    out.push('\n');
    let width = removal.resources.iter().map(|resource| resource.logical_id.chars().count()).max().unwrap_or(0);
    for resource in &removal.resources {
        let (symbol, style, said) = match resource.fate {
            Fate::Deleted => ("-", styles.bad, String::new()),
            Fate::Retained => ("=", styles.warn, "  stays in the account, no longer managed".to_owned()),
            Fate::Snapshot => ("-", styles.bad, "  a snapshot stays".to_owned()),
        };
        let _ = writeln!(
            out,
            "  {} {:width$}  {}{said}",
            paint(style, symbol),
            resource.logical_id,
            paint(styles.dim, &resource.resource_type),
        );
        let holds =
            resource.objects.filter(|objects| objects.count > 0).map(|objects| number(objects, "object version"));
        for line in holds.into_iter().chain(resource.data.map(str::to_owned)) {
            let _ = writeln!(out, "      {} {line}", paint(styles.bad, "goes with it:"));
        }
    }
    if removal.artifacts.count > 0 {
        let _ =
            writeln!(out, "  {} {} in the artifact bucket", paint(styles.bad, "-"), number(removal.artifacts, "file"));
    }
    out.push_str(&leftovers("What stays", &removal.stays, styles));
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
            one.resource_type,
            printable(&one.physical_id),
            printable(&one.reason)
        );
    }
    out
}

fn number(objects: ObjectCount, what: &str) -> String {
    let count = count(usize::try_from(objects.count).unwrap_or(usize::MAX), what);
    if objects.more { format!("more than {count}") } else { count }
}
