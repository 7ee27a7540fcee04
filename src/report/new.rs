//! What `new` has written, and what one can start from.

use serde::Serialize;
use serde_json::{Value, json};

use super::reporter::{Look, VerbReport};

/// A use case that was written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NewReport<'a> {
    /// Its name.
    pub use_case: &'a str,
    /// Its folder.
    pub folder: &'a str,
    /// The files in it.
    pub files: Vec<&'a str>,
}

impl VerbReport for NewReport<'_> {
    fn json(&self) -> Option<Value> {
        Some(json!(self))
    }

    fn text(&self, _: &Look) -> String {
        self.files.iter().map(|file| format!("{}/{file}\n", self.folder)).collect()
    }
}

/// What to do with a use case next.
#[derive(Debug)]
pub struct NextSteps<'a>(pub &'a str);

impl VerbReport for NextSteps<'_> {
    fn to_be_seen(&self, _: &Look) -> String {
        let name = self.0;
        format!(
            "\nNext:\n  bedplate check {name}           what is wrong with it, offline\n  bedplate deploy {name}          to \
             the local target, no account needed\n  bedplate destroy {name}         and away with it"
        )
    }
}

/// The use cases one can start from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StartersReport {
    /// Each of them.
    pub use_cases: Vec<StarterUseCase>,
}

/// A use case to start from.
#[derive(Debug, Serialize)]
pub struct StarterUseCase {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: String,
}

impl VerbReport for StartersReport {
    fn json(&self) -> Option<Value> {
        Some(json!(self))
    }

    fn text(&self, _: &Look) -> String {
        let width = self.use_cases.iter().map(|one| one.name.len()).max().unwrap_or(0);
        self.use_cases.iter().map(|one| format!("{:width$}  {}\n", one.name, one.description)).collect()
    }
}
