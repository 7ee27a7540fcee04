//! The local target of a program that was built without one.

use std::path::{Path, PathBuf};

use crate::finding::{Finding, code};

/// The local target that this program was built without.
pub(in crate::cli) enum LocalTarget {}

impl LocalTarget {
    /// Refuses.
    pub(in crate::cli) async fn start(_: PathBuf) -> Result<Self, Vec<Finding>> {
        let finding = Finding::error(code::P075, "this build of Bedplate has no local target");
        Err(vec![finding.help("use a build with the feature `local`, or `--target aws` or `--endpoint-url`")])
    }

    /// Where it listens.
    pub(in crate::cli) fn url(&self) -> &str {
        match *self {}
    }

    /// The region where none is named.
    pub(in crate::cli) fn default_region() -> String {
        String::new()
    }

    /// Ends it.
    pub(in crate::cli) async fn shutdown(self) {
        match self {}
    }
}

/// The address at which another process serves a folder's state: none that this program can tell.
pub(in crate::cli) async fn served_at(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_without_the_local_target_says_so() {
        let refused = LocalTarget::start(PathBuf::new()).await.err().unwrap_or_default();
        assert_eq!(refused.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["P075"]);
    }
}
