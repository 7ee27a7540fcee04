//! How a verb that changes or tries something says how it ended.

use std::time::Duration;

use super::globals::Format;
use super::session::Session;
use super::stack_outputs;
use super::verb_result::VerbResult;
use crate::engine::{self, Desired, Report};
use crate::report;
use crate::report::findings::on_one_line;
use crate::report::style::{count, duration, paint};

/// Says how a verb that changes something ended, and gives its exit code.
pub(super) fn conclude(session: &Session, report: &Report, elapsed: Duration, desired: Option<&Desired>) -> VerbResult {
    let ui = &session.ui;
    ui.stream.end(report);
    let styles = &ui.err_styles;
    let took = duration(elapsed);
    let stack = paint(styles.strong, &report.stack);
    ui.findings(&report.findings);
    let left = report::destroy_plan::leftovers("Still there", &report.left, styles);
    if !left.is_empty() {
        ui.say(left.trim_end());
    }
    let account = &report.account_of_changes;
    if breaks_off(report.outcome) {
        let done = report::changes::text(account, styles);
        if !done.is_empty() {
            ui.say(done.trim_end());
        }
    }
    let line = match report.outcome {
        engine::Outcome::Deployed if !report.smoke.is_empty() => {
            format!("{} {stack} in {took}; {}", paint(styles.good, "deployed"), tried(report))
        }
        engine::Outcome::Deployed => format!("{} {stack} in {took}", paint(styles.good, "deployed")),
        engine::Outcome::Unfinished => format!("{} {stack} in {took}", paint(styles.warn, "deployed, not finished")),
        engine::Outcome::Untested => {
            format!("{} {stack}: its smoke tests could not be completed", paint(styles.warn, "untested"))
        }
        engine::Outcome::SmokeFailed => format!("{} {stack} in {took}: {}", paint(styles.bad, "failed"), tried(report)),
        engine::Outcome::Tested => format!("{} {stack} in {took}: {}", paint(styles.good, "tried"), tried(report)),
        engine::Outcome::NoChange => format!("{stack} is up to date: nothing to do ({took})"),
        engine::Outcome::Planned => String::new(),
        engine::Outcome::Destroyed => {
            // What stays was said in the plan and is listed above; the last line must not deny it.
            let left = match report.left.len() {
                0 => "nothing of it remains".to_owned(),
                1 => "all but the one above, which was meant to stay".to_owned(),
                several => format!("all but the {several} above, which were meant to stay"),
            };
            format!("{} {stack} in {took}; {left}", paint(styles.good, "destroyed"))
        }
        engine::Outcome::Absent => {
            let account = report.account.as_deref().unwrap_or("this account");
            format!("{stack} does not exist: nothing to do in account {account}, {}", report.region)
        }
        engine::Outcome::Ready => format!("{stack} is ready ({took})"),
        engine::Outcome::Failed => format!("{} {stack}: {}", paint(styles.bad, "failed"), account.aftermath()),
        engine::Outcome::Unknown => {
            format!("{} {stack}: its state is not known; see above", paint(styles.bad, "lost"))
        }
        engine::Outcome::OutOfSight => {
            format!("{} {stack}: its operation could not be followed to its end", paint(styles.bad, "lost"))
        }
        engine::Outcome::Declined => format!("{stack}: {}; {}", declined(session, report), account.aftermath()),
        engine::Outcome::RolledBack => format!("{} {stack}: rolled back after {took}", paint(styles.bad, "failed")),
        engine::Outcome::FailedState => {
            let status = on_one_line(report.status.as_deref().unwrap_or("a failed state"));
            format!("{} {stack}: left in {status} after {took}", paint(styles.bad, "failed"))
        }
        engine::Outcome::Leftovers => {
            format!("{} {stack} in {took}; what is still there is listed above", paint(styles.warn, "destroyed"))
        }
        engine::Outcome::Interrupted => format!("interrupted after {took}; run the same command again to pick it up"),
    };
    if !line.is_empty() {
        ui.status(&line);
    }
    if desired.is_some()
        && ui.format != Format::Json
        && matches!(
            report.outcome,
            engine::Outcome::Deployed
                | engine::Outcome::NoChange
                | engine::Outcome::Unfinished
                | engine::Outcome::SmokeFailed
                | engine::Outcome::Untested
        )
    {
        ui.out(&stack_outputs::text(&report.outputs, ui))?;
    }
    Ok(report.outcome.exit_code())
}

/// How many smoke tests passed.
fn tried(report: &Report) -> String {
    let passed = report.smoke.iter().filter(|result| result.ok).count();
    format!("{passed} of {} passed", count(report.smoke.len(), "smoke test"))
}

/// Whether a run that ended so has something to tell of what it did before.
fn breaks_off(outcome: engine::Outcome) -> bool {
    matches!(
        outcome,
        engine::Outcome::Failed
            | engine::Outcome::Unknown
            | engine::Outcome::OutOfSight
            | engine::Outcome::Declined
            | engine::Outcome::Interrupted
    )
}

/// Why nobody agreed.
fn declined(session: &Session, report: &Report) -> &'static str {
    match (session.ui.interactive, report.findings.is_empty()) {
        (_, false) => "not allowed, see above",
        (true, true) => "declined",
        (false, true) => "not approved: there is no terminal to ask on, and `--yes` was not given",
    }
}
