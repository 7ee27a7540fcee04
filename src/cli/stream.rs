//! The events of a run in JSON, a line each on standard output. Whatever happens, the last line is one of kind `finished`:
//! after an error of the spec, without a target, after an interrupt, even when the program itself goes down.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::engine::{Account, ExitCode, Ledger, Leftover, Report};
use crate::finding::Finding;
use crate::report::findings::json_line;

/// What a run has told so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct EventStream(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The verb tells events, in JSON.
    open: bool,
    /// The last line is written.
    closed: bool,
    /// How each stack ended: its name, its outcome, its exit code.
    stacks: Vec<(String, Value, u8)>,
    findings: Vec<Finding>,
    changes: Account,
    left: Vec<Leftover>,
    /// The stack that is worked on: its region and what was changed so far.
    current: Option<(String, Ledger)>,
}

impl State {
    fn under_way(&self) -> Account {
        self.current.as_ref().map(|(region, ledger)| ledger.account(region)).unwrap_or_default()
    }
}

impl EventStream {
    /// From now on the last line will be `finished`.
    pub fn open(&self) {
        self.lock().open = true;
    }

    /// A stack is worked on.
    pub fn start_stack(&self, region: &str, ledger: &Ledger) {
        self.lock().current = Some((region.to_owned(), ledger.clone()));
    }

    /// A stack is done with.
    pub fn end(&self, report: &Report) {
        let mut state = self.lock();
        state.current = None;
        let outcome = serde_json::to_value(report.outcome).unwrap_or_default();
        state.stacks.push((report.stack.clone(), outcome, report.outcome.exit_code().code()));
        state.findings.extend(report.findings.iter().cloned());
        state.left.extend(report.left.iter().cloned());
        state.changes.add(report.account_of_changes.clone());
    }

    /// Something was found that no report holds.
    pub fn add_findings(&self, findings: &[Finding]) {
        self.lock().findings.extend(findings.iter().cloned());
    }

    /// Writes an event. A reader that went away must not stop what is under way.
    pub fn event(&self, line: &Value) {
        let state = self.lock();
        if !state.closed {
            write(line);
        }
    }

    /// What the stacks of this run have been through by now; none when it has not come to any.
    pub fn so_far(&self) -> Option<Account> {
        let state = self.lock();
        let mut all = state.changes.clone();
        all.add(state.under_way());
        (state.current.is_some() || !state.stacks.is_empty()).then_some(all)
    }

    /// Writes the last line, once.
    pub fn close(&self, exit: ExitCode, findings: &[Finding]) {
        let mut state = self.lock();
        if !state.open || state.closed {
            return;
        }
        state.closed = true;
        let under_way = state.under_way();
        state.findings.extend(under_way.findings());
        state.findings.extend(findings.iter().cloned());
        state.changes.add(under_way);
        // The word of the stack that decided, else of the run.
        let deciding = state.stacks.iter().find(|(_, _, code)| *code == exit.code());
        let outcome = deciding.map_or_else(|| Value::from(exit.name()), |(_, outcome, _)| outcome.clone());
        let stacks: Vec<Value> = state
            .stacks
            .iter()
            .map(|(stack, outcome, code)| json!({ "stack": stack, "outcome": outcome, "exit_code": code }))
            .collect();
        let mut line = json!({
            "at": jiff::Timestamp::now(),
            "kind": "finished",
            "outcome": outcome,
            "exit_code": exit.code(),
            "stacks": stacks,
            "findings": state.findings,
            "done": state.changes.done,
            "unknown": state.changes.unknown,
        });
        if let (Some(all), false) = (line.as_object_mut(), state.left.is_empty()) {
            all.insert("left".to_owned(), json!(state.left));
        }
        write(&line);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(line: &Value) {
    let mut stdout = io::stdout().lock();
    // There is nobody to tell when standard output cannot be written.
    let _ = stdout.write_all(format!("{}\n", json_line(line)).as_bytes()).and_then(|()| stdout.flush());
}
