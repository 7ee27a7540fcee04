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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::super::JunitReporter;
    use super::*;
    use crate::engine::{EventKind, Outcome, SmokeResult};
    use crate::finding::code;

    /// Keeps what it is told, and cannot write results where it is told so.
    struct Listener {
        told: Arc<Mutex<Vec<String>>>,
        full: bool,
    }

    impl Listener {
        fn hear(&self, what: impl Into<String>) {
            self.told.lock().expect("no panic").push(what.into());
        }
    }

    impl Reporter for Listener {
        fn event(&self, event: &Event) {
            self.hear(serde_json::to_value(event).expect("JSON")["kind"].as_str().unwrap_or_default());
        }

        fn progress(&self, line: &str) {
            self.hear(line);
        }

        fn data(&self, text: &str) -> Result<(), Vec<Finding>> {
            self.hear(text);
            if self.full { Err(vec![Finding::error(code::P020, "full")]) } else { Ok(()) }
        }
    }

    fn event(what: EventKind) -> Event {
        Event { at: jiff::Timestamp::UNIX_EPOCH, elapsed: Duration::ZERO, what }
    }

    fn events() -> [Event; 2] {
        let result = SmokeResult { name: "GET /".into(), ok: true, reason: None, elapsed: Duration::ZERO, place: None };
        [
            event(EventKind::SmokeTested { result }),
            event(EventKind::Finished {
                stack: "a-dev".into(),
                outcome: Outcome::Tested,
                exit_code: 0,
                findings: Vec::new(),
                changes: Account::default(),
                left: Vec::new(),
            }),
        ]
    }

    #[test]
    fn all_listen_at_once_and_one_that_cannot_write_keeps_nothing_from_the_others() {
        let heard: [Arc<Mutex<Vec<String>>>; 2] = Default::default();
        let reporters = Reporters::default();
        for (told, full) in heard.iter().zip([true, false]) {
            reporters.add(Listener { told: Arc::clone(told), full });
        }
        events().into_iter().for_each(|event| reporters.emit(event));
        reporters.progress("a line");
        let findings = reporters.data("a template").expect_err("one is full");
        assert_eq!(findings.len(), 1);
        for told in heard {
            assert_eq!(*told.lock().expect("no panic"), ["smoke-tested", "stack-finished", "a line", "a template"]);
        }
    }

    #[test]
    fn what_is_written_as_a_whole_is_written_however_the_verb_ended() {
        let written = Arc::new(Mutex::new(String::new()));
        let reporters = Reporters::default();
        let file = Arc::clone(&written);
        reporters.add(JunitReporter::new(move |xml: &str| {
            file.lock().expect("no panic").push_str(xml);
            Err(vec![Finding::error(code::D064, "full")])
        }));
        events().into_iter().for_each(|event| reporters.emit(event));
        let ended = reporters.complete(Err(vec![Finding::error(code::P023, "no")])).expect_err("findings");
        assert_eq!(ended.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["P023", "D064"]);
        let written = written.lock().expect("no panic");
        assert!(written.contains("<testsuite name=\"a-dev\" tests=\"1\" failures=\"0\""), "{written}");
    }
}
