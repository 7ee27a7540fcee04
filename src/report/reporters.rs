//! All reporters of a run, each of which is told everything.

use std::sync::{Arc, PoisonError, RwLock};

use super::conclusion::{Concluded, Conclusion};
use super::reporter::{Reporter, VerbReport};
use super::run_record::RunRecord;
use crate::engine::{Account, Event, EventSink, ExitCode, Ledger, Report, VerbResults};
use crate::finding::Finding;

/// Those who listen to a run, and the record of what they were told. Clones share both.
#[derive(Clone, Default)]
pub struct Reporters {
    listening: Arc<RwLock<Vec<Arc<dyn Reporter>>>>,
    record: RunRecord,
}

impl Reporters {
    /// From now on this one listens too.
    pub fn add(&self, reporter: impl Reporter + 'static) {
        self.listening.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(reporter));
    }

    /// How things go, in a line; `--quiet` leaves it out.
    pub fn progress(&self, line: &str) {
        self.each(|reporter| reporter.progress(line));
    }

    /// Something that must be seen, even with `--quiet`.
    pub fn say(&self, line: &str) {
        self.each(|reporter| reporter.say(line));
    }

    /// What is wrong, or worth knowing.
    pub fn findings(&self, findings: &[Finding]) {
        self.each(|reporter| reporter.findings(findings));
    }

    /// Findings that are also those of the whole run, though they belong to no stack's end.
    pub fn findings_of_run(&self, findings: &[Finding]) {
        self.record.add_findings(findings);
        self.findings(findings);
    }

    /// What a verb has come to.
    ///
    /// # Errors
    /// When a reporter cannot write it.
    pub fn result(&self, report: &dyn VerbReport) -> Result<(), Vec<Finding>> {
        self.try_each(|reporter| reporter.result(report))
    }

    /// A text that was asked for as it is.
    ///
    /// # Errors
    /// When a reporter cannot write it.
    pub fn data(&self, text: &str) -> Result<(), Vec<Finding>> {
        self.try_each(|reporter| reporter.data(text))
    }

    /// A stack is worked on: where it is, and what will have been changed.
    pub fn start_stack(&self, region: &str, ledger: &Ledger) {
        self.record.start_stack(region, ledger);
    }

    /// A stack is done with, and it is said elsewhere how.
    pub fn end_stack<R: VerbResults>(&self, report: &Report<R>) {
        self.record.end_stack(report);
    }

    /// A stack is done with; says how, and gives the exit code that stands for it.
    ///
    /// # Errors
    /// When a reporter cannot write its outputs.
    pub fn conclude<R: Concluded>(&self, conclusion: &Conclusion<'_, R>) -> Result<ExitCode, Vec<Finding>> {
        self.end_stack(conclusion.report);
        self.result(conclusion)?;
        Ok(conclusion.report.outcome.exit_code())
    }

    /// What the stacks of this run have been through by now; none when it has not come to any.
    pub fn so_far(&self) -> Option<Account> {
        self.record.so_far()
    }

    /// The verb is over, however it ended; what only then could be written is part of its end.
    ///
    /// # Errors
    /// The findings it ended with, and those of reporters that could not write.
    pub fn complete(&self, outcome: Result<ExitCode, Vec<Finding>>) -> Result<ExitCode, Vec<Finding>> {
        match (outcome, self.try_each(|reporter| reporter.complete())) {
            (outcome, Ok(())) => outcome,
            (Ok(_), Err(findings)) => Err(findings),
            (Err(findings), Err(more)) => Err([findings, more].concat()),
        }
    }

    /// The run is over, with findings that nobody was told of yet.
    pub fn end(&self, exit: ExitCode, findings: &[Finding]) {
        let end = self.record.end(exit, findings);
        self.each(|reporter| reporter.ended(&end));
    }

    /// Every one is told, though another could not write.
    fn try_each(&self, mut tell: impl FnMut(&dyn Reporter) -> Result<(), Vec<Finding>>) -> Result<(), Vec<Finding>> {
        let mut findings = Vec::new();
        self.each(|reporter| findings.extend(tell(reporter).err().unwrap_or_default()));
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }

    fn each(&self, mut tell: impl FnMut(&dyn Reporter)) {
        let listening = self.listening.read().unwrap_or_else(PoisonError::into_inner).clone();
        listening.iter().for_each(|reporter| tell(reporter.as_ref()));
    }
}

impl EventSink for Reporters {
    fn emit(&self, event: Event) {
        self.each(|reporter| reporter.event(&event));
    }
}
