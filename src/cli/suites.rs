//! The results of smoke tests over a run, and the file they go to.

use std::path::Path;

use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::{Report, SmokeResult};
use crate::files::Manner;
use crate::finding::{Finding, code};
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
    pub(super) fn write_after(&self, session: &Session, outcome: VerbResult, file: Option<&Path>) -> VerbResult {
        match (outcome, self.write(session, file)) {
            (Ok(exit), Ok(())) => Ok(exit),
            (Err(findings), Ok(())) | (Ok(_), Err(findings)) => Err(findings),
            (Err(mut findings), Err(more)) => {
                findings.extend(more);
                Err(findings)
            }
        }
    }

    fn write(&self, session: &Session, file: Option<&Path>) -> Result<(), Vec<Finding>> {
        let Some(file) = file else { return Ok(()) };
        let text = report::smoke::junit(&self.0);
        session.write(file, text.as_bytes(), Manner::Replace, code::D064, "name a file in a folder that exists")
    }
}
