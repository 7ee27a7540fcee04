//! Which Python of this machine runs a runtime.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bedplate_host::helper::{CHOICE, ProjectTree, Search};

/// A Python that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Python {
    /// Its own path.
    pub executable: PathBuf,
    /// For example `3.13`.
    pub version: String,
    /// What to tell of those that were passed over.
    pub passed: Option<String>,
}

impl Python {
    /// What to tell when it is not the version the function asks for.
    pub fn difference(&self, runtime: &str) -> Option<String> {
        let wanted = runtime.strip_prefix("python")?;
        (wanted != self.version).then(|| {
            format!(
                "The function's runtime is {runtime} and this machine runs it with Python {}: no `{runtime}` was found on \
                 PATH. Packages with parts in machine code are for {wanted} and will not load.",
                self.version
            )
        })
    }
}

/// What was found so far, by the name looked for; programs don't come and go while an endpoint serves.
#[derive(Debug, Default)]
pub(super) struct Pythons {
    project: ProjectTree,
    found: Mutex<HashMap<String, Option<Python>>>,
}

impl Pythons {
    /// Those for the functions of a state folder: none of its project.
    pub fn for_state(dir: &Path) -> Self {
        Self { project: ProjectTree::of_state(dir), found: Mutex::default() }
    }

    /// The Python for a runtime: one of its very version, else any `python3`.
    ///
    /// # Errors
    ///
    /// Why there is none, for a person to read.
    pub async fn of(&self, runtime: &str) -> Result<Python, String> {
        if !runtime.starts_with("python3.") {
            return Err(format!(
                "The local target runs functions with a `python3.x` runtime only, not `{runtime}`; deploy to AWS for it"
            ));
        }
        for name in [runtime, "python3"] {
            if let Some(python) = self.named(name).await {
                return Ok(python);
            }
        }
        Err(format!(
            "Neither `{runtime}` nor `python3` is on PATH outside the project: install Python to run functions on the local \
             target, or name one in {CHOICE}"
        ))
    }

    async fn named(&self, name: &str) -> Option<Python> {
        if let Some(known) = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return known.clone();
        }
        let (wanted, project) = (name.to_owned(), self.project.clone());
        let found = tokio::task::spawn_blocking(move || {
            let search = Search::of(&[&wanted], &project);
            let python = search.interpreter()?;
            Some(Python { executable: python.executable, version: python.version, passed: search.passed.told() })
        });
        // A runtime that is ending finds nothing.
        let found = found.await.ok().flatten();
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), found.clone());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_python_tells_its_version_and_what_it_is_not() {
        let pythons = Pythons::default();
        let python = pythons.of("python3.13").await.expect("a Python on PATH");
        assert!(python.version.starts_with("3."), "{python:?}");
        assert_eq!(python.difference(&format!("python{}", python.version)), None);
        assert!(python.difference("python3.1").is_some_and(|told| told.contains("python3.1 ")));
        let refused = pythons.of("nodejs22.x").await.expect_err("no Node here");
        assert!(refused.contains("`nodejs22.x`"), "{refused}");
    }
}
