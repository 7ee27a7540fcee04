//! The results of smoke tests over a run, and the file they go to.

use std::path::Path;

use super::outcome::Outcome;
use crate::engine::{Report, SmokeResult};
use crate::finding::Finding;
use crate::report;

/// The results of a run, stack by stack.
#[derive(Debug, Default)]
pub(super) struct Suites(Vec<(String, Vec<SmokeResult>)>);

impl Suites {
    /// Takes in what was tried.
    pub(super) fn add(&mut self, report: &Report) {
        if !report.smoke.is_empty() {
            self.0.push((report.stack.clone(), report.smoke.clone()));
        }
    }

    /// Writes them where they were asked for, however the run ended, and gives its end.
    pub(super) fn write_after(&self, outcome: Outcome, file: Option<&Path>) -> Outcome {
        match (outcome, self.write(file)) {
            (Ok(exit), Ok(())) => Ok(exit),
            (Err(findings), Ok(())) | (Ok(_), Err(findings)) => Err(findings),
            (Err(mut findings), Err(more)) => {
                findings.extend(more);
                Err(findings)
            }
        }
    }

    fn write(&self, file: Option<&Path>) -> Result<(), Vec<Finding>> {
        let Some(file) = file else { return Ok(()) };
        std::fs::write(file, report::smoke::junit(&self.0)).map_err(|error| {
            let message = format!("`{}` cannot be written: {error}", file.display());
            vec![Finding::error("D064", message).help("name a file in a folder that is there")]
        })
    }
}
