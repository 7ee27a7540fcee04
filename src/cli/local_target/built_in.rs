//! The local target as this program holds it.

use std::path::{Path, PathBuf};

use super::unavailable::unavailable_because;
use crate::finding::Finding;
use crate::local::{self, LocalError, LocalOptions, Running};

/// The local target that does not start, as a finding.
pub(in crate::cli) fn unavailable(error: LocalError) -> Vec<Finding> {
    unavailable_because(&error)
}

/// The local target, running for as long as one run needs it.
pub(in crate::cli) struct LocalTarget(Running);

impl LocalTarget {
    /// Starts it with the state in a folder.
    pub(in crate::cli) async fn start(dir: PathBuf) -> Result<Self, Vec<Finding>> {
        let options = LocalOptions::new(dir).with_model_server().and_then(LocalOptions::with_limit);
        local::start(options.map_err(unavailable)?).await.map(Self).map_err(unavailable)
    }

    /// Where it listens.
    pub(in crate::cli) fn url(&self) -> &str {
        self.0.url()
    }

    /// The region where none is named.
    pub(in crate::cli) fn default_region() -> String {
        local::DEFAULT_REGION.to_owned()
    }

    /// Ends it, once what is under way is finished.
    pub(in crate::cli) async fn shutdown(self) {
        self.0.shutdown().await;
    }
}

/// The address at which another process serves a folder's state, if one does.
pub(in crate::cli) async fn served_at(dir: &Path) -> Option<String> {
    local::serving::address(dir).await
}
