//! For GitHub Actions: as for a person, with findings as annotations.

use super::console::Console;
use super::findings;
use super::reporter::{Reporter, VerbReport};
use super::run_record::RunEnd;
use super::text_reporter::TextReporter;
use crate::engine::Event;
use crate::finding::Finding;

/// Tells GitHub's log.
pub struct GithubReporter {
    text: TextReporter,
}

impl GithubReporter {
    /// Tells the log that this console is.
    pub fn new(console: Console) -> Self {
        Self { text: TextReporter::new(console) }
    }
}

impl Reporter for GithubReporter {
    fn event(&self, event: &Event) {
        self.text.event(event);
    }

    fn progress(&self, line: &str) {
        self.text.progress(line);
    }

    fn say(&self, line: &str) {
        self.text.say(line);
    }

    fn findings(&self, findings: &[Finding]) {
        if !findings.is_empty() {
            self.say(findings::github(findings).trim_end_matches('\n'));
        }
    }

    fn result(&self, report: &dyn VerbReport) -> Result<(), Vec<Finding>> {
        let console = self.text.console();
        self.findings(report.findings());
        console.beside(report);
        console.out(&report.github(&console.out_look()))?;
        console.aside(report);
        Ok(())
    }

    fn data(&self, text: &str) -> Result<(), Vec<Finding>> {
        self.text.data(text)
    }

    fn ended(&self, end: &RunEnd) {
        self.findings(&end.untold);
    }
}
