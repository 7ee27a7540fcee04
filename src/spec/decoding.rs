//! Where a document could not be given its types.

use serde_path_to_error::{Path, Segment};

use super::words::escape;

/// A path of serde_path_to_error as a JSON pointer.
pub(super) fn pointer(path: &Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escape(key))),
            Segment::Enum { variant } => Some(format!("/{variant}")),
            Segment::Unknown => None,
        })
        .collect()
}
