//! Which regions there are: those of the facts, and those that a project adds because they are newer.

use super::project::ProjectFile;
use crate::facts;

impl ProjectFile {
    /// Whether there is such a region.
    pub fn knows_region(&self, name: &str) -> bool {
        facts::regions().partition(name).is_some() || self.regions.iter().any(|known| known == name)
    }
}

/// What is to be done about a region that nobody knows, and the nearest that there is.
pub fn help_with_region(name: &str) -> String {
    let table = facts::regions();
    let added =
        format!("region that is newer than {} is added with `regions: [{name}]` in `bedplate.yaml`", table.as_of);
    match table.nearest(name) {
        Some(nearest) => format!("did you mean `{nearest}`? A {added}"),
        None => format!("write it as AWS does; a {added}"),
    }
}
