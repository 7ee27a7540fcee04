//! How a verb that changes or tries something says how it ended.

use std::time::Duration;

use super::findings::on_one_line;
use super::outputs;
use super::reporter::{Look, VerbReport};
use super::style::{count, duration, paint};
use super::{changes, destroy_plan};
use crate::engine::{Outcome, Report};
use crate::finding::Finding;

/// The end of a verb on one stack.
#[derive(Debug)]
pub struct Conclusion<'a> {
    /// What the engine says of it.
    pub report: &'a Report,
    /// How long it took.
    pub elapsed: Duration,
    /// The outputs are its result, where the stack stands.
    pub with_outputs: bool,
}

impl VerbReport for Conclusion<'_> {
    fn findings(&self) -> &[Finding] {
        &self.report.findings
    }

    fn to_be_seen(&self, look: &Look) -> String {
        let left = destroy_plan::leftovers("Still there", &self.report.left, &look.styles);
        let done = if breaks_off(self.report.outcome) {
            changes::text(&self.report.account_of_changes, &look.styles)
        } else {
            String::new()
        };
        let parts = [left.trim_end(), done.trim_end()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn progress(&self, look: &Look) -> String {
        let (report, styles) = (self.report, &look.styles);
        let (took, stack) = (duration(self.elapsed), paint(styles.strong, &report.stack));
        let account = &report.account_of_changes;
        match report.outcome {
            Outcome::Deployed if !report.smoke.is_empty() => {
                format!("{} {stack} in {took}; {}", paint(styles.good, "deployed"), tried(report))
            }
            Outcome::Deployed => format!("{} {stack} in {took}", paint(styles.good, "deployed")),
            Outcome::Unfinished => format!("{} {stack} in {took}", paint(styles.warn, "deployed, not finished")),
            Outcome::Untested => {
                format!("{} {stack}: its smoke tests could not be completed", paint(styles.warn, "untested"))
            }
            Outcome::SmokeFailed => format!("{} {stack} in {took}: {}", paint(styles.bad, "failed"), tried(report)),
            Outcome::Tested => format!("{} {stack} in {took}: {}", paint(styles.good, "tried"), tried(report)),
            Outcome::NoChange => format!("{stack} is up to date: nothing to do ({took})"),
            Outcome::Planned => String::new(),
            Outcome::Destroyed => {
                // What stays was said in the plan and is listed above; the last line must not deny it.
                let left = match report.left.len() {
                    0 => "nothing of it remains".to_owned(),
                    1 => "all but the one above, which was meant to stay".to_owned(),
                    several => format!("all but the {several} above, which were meant to stay"),
                };
                format!("{} {stack} in {took}; {left}", paint(styles.good, "destroyed"))
            }
            Outcome::Absent => {
                let account = report.account.as_deref().unwrap_or("this account");
                format!("{stack} does not exist: nothing to do in account {account}, {}", report.region)
            }
            Outcome::Ready => format!("{stack} is ready ({took})"),
            Outcome::Failed => format!("{} {stack}: {}", paint(styles.bad, "failed"), account.aftermath()),
            Outcome::Unknown => {
                format!("{} {stack}: its state is not known; see above", paint(styles.bad, "lost"))
            }
            Outcome::OutOfSight => {
                format!("{} {stack}: its operation could not be followed to its end", paint(styles.bad, "lost"))
            }
            Outcome::Declined => format!("{stack}: {}; {}", declined(look, report), account.aftermath()),
            Outcome::RolledBack => format!("{} {stack}: rolled back after {took}", paint(styles.bad, "failed")),
            Outcome::FailedState => {
                let status = on_one_line(report.status.as_deref().unwrap_or("a failed state"));
                format!("{} {stack}: left in {status} after {took}", paint(styles.bad, "failed"))
            }
            Outcome::Leftovers => {
                format!("{} {stack} in {took}; what is still there is listed above", paint(styles.warn, "destroyed"))
            }
            Outcome::Interrupted => format!("interrupted after {took}; run the same command again to pick it up"),
        }
    }

    fn text(&self, look: &Look) -> String {
        let stands = matches!(
            self.report.outcome,
            Outcome::Deployed | Outcome::NoChange | Outcome::Unfinished | Outcome::SmokeFailed | Outcome::Untested
        );
        if self.with_outputs && stands { outputs::text(&self.report.outputs, &look.styles) } else { String::new() }
    }
}

/// How many smoke tests passed.
fn tried(report: &Report) -> String {
    let passed = report.smoke.iter().filter(|result| result.ok).count();
    format!("{passed} of {} passed", count(report.smoke.len(), "smoke test"))
}

/// Whether a run that ended so has something to tell of what it did before.
fn breaks_off(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Failed | Outcome::Unknown | Outcome::OutOfSight | Outcome::Declined | Outcome::Interrupted
    )
}

/// Why nobody agreed.
fn declined(look: &Look, report: &Report) -> &'static str {
    match (look.interactive, report.findings.is_empty()) {
        (_, false) => "not allowed, see above",
        (true, true) => "declined",
        (false, true) => "not approved: there is no terminal to ask on, and `--yes` was not given",
    }
}
