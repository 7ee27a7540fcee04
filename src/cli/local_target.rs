//! The local target within this program: started for one run, and where another process serves it. A build without the
//! feature `local` has none and says so.

use std::path::{Path, PathBuf};

use crate::finding::Finding;

/// The local target does not start, and why.
pub(super) fn unavailable_because(error: &dyn std::fmt::Display) -> Vec<Finding> {
    vec![Finding::error("P029", format!("the local target does not start: {error}"))]
}

#[cfg(feature = "local")]
mod built_in {
    use super::*;
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
}

#[cfg(not(feature = "local"))]
mod built_in {
    use super::*;

    /// The local target that this program was built without.
    pub(in crate::cli) enum LocalTarget {}

    impl LocalTarget {
        /// Refuses.
        pub(in crate::cli) async fn start(_: PathBuf) -> Result<Self, Vec<Finding>> {
            let finding = Finding::error("P075", "this build of Bedplate has no local target");
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
}

#[cfg(feature = "local")]
pub(super) use built_in::unavailable;
pub(super) use built_in::{LocalTarget, served_at};
