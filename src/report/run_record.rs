//! What a run has been through: how its stacks ended, what was changed, and what is under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::engine::{Account, ExitCode, Ledger, Leftover, Outcome, Report, VerbResults};
use crate::finding::Finding;

/// What a run has told so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct RunRecord(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    stacks: Vec<StackEnd>,
    findings: Vec<Finding>,
    changes: Account,
    left: Vec<Leftover>,
    /// The stack that is worked on: its region and what was changed so far.
    current: Option<(String, Ledger)>,
}

impl Recorded {
    fn under_way(&self) -> Account {
        self.current.as_ref().map(|(region, ledger)| ledger.account(region)).unwrap_or_default()
    }
}

/// How a stack ended.
#[derive(Debug, Clone, Serialize)]
pub struct StackEnd {
    /// Its name.
    pub stack: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The exit code that stands for it.
    pub exit_code: u8,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// The exit code of the whole.
    pub exit: ExitCode,
    /// Each stack that it came to, in order.
    pub stacks: Vec<StackEnd>,
    /// Everything that was wrong or worth knowing.
    pub findings: Vec<Finding>,
    /// Those among them that nobody was told of yet.
    pub untold: Vec<Finding>,
    /// What was changed, and what may have been.
    pub changes: Account,
    /// What is still there after a destroy.
    pub left: Vec<Leftover>,
}

impl RunEnd {
    /// The word of the stack that decided, else of the run.
    pub(super) fn outcome(&self) -> Value {
        let deciding = self.stacks.iter().find(|stack| stack.exit_code == self.exit.code());
        deciding.and_then(|stack| serde_json::to_value(stack.outcome).ok()).unwrap_or_else(|| self.exit.name().into())
    }
}

impl RunRecord {
    /// A stack is worked on.
    pub(super) fn start_stack(&self, region: &str, ledger: &Ledger) {
        self.lock().current = Some((region.to_owned(), ledger.clone()));
    }

    /// A stack is done with.
    pub(super) fn end_stack<R: VerbResults>(&self, report: &Report<R>) {
        let mut recorded = self.lock();
        recorded.current = None;
        recorded.stacks.push(StackEnd {
            stack: report.stack.clone(),
            outcome: report.outcome,
            exit_code: report.outcome.exit_code().code(),
        });
        recorded.findings.extend(report.findings.iter().cloned());
        recorded.left.extend(report.results.left().iter().cloned());
        recorded.changes.add(report.account_of_changes.clone());
    }

    /// Something was found that no report holds.
    pub(super) fn add_findings(&self, findings: &[Finding]) {
        self.lock().findings.extend(findings.iter().cloned());
    }

    /// What the stacks of this run have been through by now; none when it has not come to any.
    pub(super) fn so_far(&self) -> Option<Account> {
        let recorded = self.lock();
        let mut all = recorded.changes.clone();
        all.add(recorded.under_way());
        (recorded.current.is_some() || !recorded.stacks.is_empty()).then_some(all)
    }

    /// How the run ended, with findings that nobody was told of yet.
    pub(super) fn end(&self, exit: ExitCode, untold: &[Finding]) -> RunEnd {
        let recorded = self.lock();
        let under_way = recorded.under_way();
        let mut findings = recorded.findings.clone();
        findings.extend(under_way.findings());
        findings.extend(untold.iter().cloned());
        let mut changes = recorded.changes.clone();
        changes.add(under_way);
        RunEnd {
            exit,
            stacks: recorded.stacks.clone(),
            findings,
            untold: untold.to_vec(),
            changes,
            left: recorded.left.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
