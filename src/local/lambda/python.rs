//! Which Python of this machine runs a runtime.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use tokio::process::Command;

/// A Python that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Python {
    /// Its own path: what is on `PATH` may be a script that chooses one.
    pub executable: String,
    /// For example `3.13`.
    pub version: String,
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
pub(super) struct Pythons(Mutex<HashMap<String, Option<Python>>>);

impl Pythons {
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
            "Neither `{runtime}` nor `python3` is on PATH: install Python to run functions on the local target"
        ))
    }

    async fn named(&self, name: &str) -> Option<Python> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return known.clone();
        }
        let found = ask(name).await;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), found.clone());
        found
    }
}

async fn ask(name: &str) -> Option<Python> {
    let script = "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])";
    let asked = Command::new(name).args(["-I", "-c", script]).stdin(Stdio::null()).stderr(Stdio::null()).output().await;
    let output = asked.ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (executable, version) = text.trim_end().split_once('\n')?;
    Some(Python { executable: executable.to_owned(), version: version.to_owned() })
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
