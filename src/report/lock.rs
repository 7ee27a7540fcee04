//! What `lock` has pinned.

use serde::Serialize;
use serde_json::{Value, json};

use super::reporter::{Look, VerbReport};
use super::style::count;

/// The use cases with layers. A person is told of each as soon as it is locked.
#[derive(Debug, Default, Serialize)]
pub struct LockReport {
    /// Each use case, in order.
    pub locked: Vec<LockedUseCase>,
}

/// One use case.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockedUseCase {
    /// The use case.
    pub use_case: String,
    /// How many packages are pinned.
    pub packages: usize,
    /// The file was written; else it said so already.
    pub changed: bool,
    /// The file's name.
    #[serde(skip)]
    pub file: &'static str,
}

impl VerbReport for LockReport {
    fn json(&self) -> Option<Value> {
        Some(json!(self))
    }

    fn aside(&self, _: &Look) -> String {
        let nothing = self.locked.is_empty();
        if nothing { "There are no layers to lock: nothing to do".to_owned() } else { String::new() }
    }
}

impl VerbReport for LockedUseCase {
    fn progress(&self, _: &Look) -> String {
        let said = if self.changed { "pinned" } else { "unchanged" };
        format!("{}: {} in {} {said}", self.use_case, count(self.packages, "package"), self.file)
    }
}
