//! How a verb that changes or tries something says how it ended.

use std::time::Duration;

use super::findings::on_one_line;
use super::reporter::{Look, VerbReport};
use super::style::{Styles, count, duration, paint};
use super::{changes, destroy_plan};
use crate::engine::{Outcome, Report, SmokeResult, VerbResults};
use crate::finding::Finding;

/// The end of a verb on one stack.
#[derive(Debug)]
pub struct Conclusion<'a, R> {
    /// What the engine says of it.
    pub report: &'a Report<R>,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a verb has to say at its end that the others do not. The texts are in the files of the verbs.
pub trait Concluded: VerbResults {
    /// The last line, where the outcome is one that this verb comes to in its own way.
    fn line(&self, outcome: Outcome, words: &Words<'_>) -> Option<String>;

    /// The result, where the end of the verb is also what gives one.
    fn result(&self, _: Outcome, _: &Look) -> String {
        String::new()
    }
}

/// What last lines are made of.
#[derive(Debug)]
pub struct Words<'a> {
    /// The stack, as it is shown.
    pub stack: String,
    /// How long it took.
    pub took: String,
    /// The account, as far as it is known.
    pub account: &'a str,
    /// The region.
    pub region: &'a str,
    /// Styles of the line.
    pub styles: &'a Styles,
}

impl Words<'_> {
    /// A word for how it ended well.
    pub(super) fn good(&self, word: &str) -> String {
        paint(self.styles.good, word)
    }

    /// A word for how it ended, not as it should.
    pub(super) fn warn(&self, word: &str) -> String {
        paint(self.styles.warn, word)
    }

    /// A word for how it failed.
    pub(super) fn bad(&self, word: &str) -> String {
        paint(self.styles.bad, word)
    }

    /// There was nothing to do.
    pub(super) fn up_to_date(&self) -> String {
        format!("{} is up to date: nothing to do ({})", self.stack, self.took)
    }

    /// The stack is left in a failed state.
    pub(super) fn left_in(&self, status: Option<&str>) -> String {
        let status = on_one_line(status.unwrap_or("a failed state"));
        format!("{} {}: left in {status} after {}", self.bad("failed"), self.stack, self.took)
    }

    /// The smoke tests say something of the stack that is not good.
    pub(super) fn not_passed(&self, smoke: &[SmokeResult]) -> String {
        format!("{} {} in {}: {}", self.bad("failed"), self.stack, self.took, passed(smoke))
    }

    /// The smoke tests say nothing of the stack.
    pub(super) fn untested(&self) -> String {
        format!("{} {}: its smoke tests could not be completed", self.warn("untested"), self.stack)
    }
}

/// How many smoke tests passed.
pub(super) fn passed(smoke: &[SmokeResult]) -> String {
    let passed = smoke.iter().filter(|result| result.ok).count();
    format!("{passed} of {} passed", count(smoke.len(), "smoke test"))
}

impl<R: Concluded> VerbReport for Conclusion<'_, R> {
    fn findings(&self) -> &[Finding] {
        &self.report.findings
    }

    fn to_be_seen(&self, look: &Look) -> String {
        let left = destroy_plan::leftovers("Still there", self.report.results.left(), &look.styles);
        let done = if breaks_off(self.report.outcome) {
            changes::text(&self.report.account_of_changes, &look.styles)
        } else {
            String::new()
        };
        let parts = [left.trim_end(), done.trim_end()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn progress(&self, look: &Look) -> String {
        let report = self.report;
        let words = Words {
            stack: paint(look.styles.strong, &report.stack),
            took: duration(self.elapsed),
            account: report.account.as_deref().unwrap_or("this account"),
            region: &report.region,
            styles: &look.styles,
        };
        let own = report.results.line(report.outcome, &words);
        own.unwrap_or_else(|| self.broken_off(look, &words))
    }

    fn text(&self, look: &Look) -> String {
        self.report.results.result(self.report.outcome, look)
    }
}

impl<R> Conclusion<'_, R> {
    /// The last line of an end that any verb can come to; empty for the others.
    fn broken_off(&self, look: &Look, words: &Words<'_>) -> String {
        let (stack, took) = (&words.stack, &words.took);
        let aftermath = self.report.account_of_changes.aftermath();
        match self.report.outcome {
            Outcome::Failed => format!("{} {stack}: {aftermath}", words.bad("failed")),
            Outcome::Unknown => format!("{} {stack}: its state is not known; see above", words.bad("lost")),
            Outcome::OutOfSight => {
                format!("{} {stack}: its operation could not be followed to its end", words.bad("lost"))
            }
            Outcome::Declined => format!("{stack}: {}; {aftermath}", self.declined(look)),
            Outcome::Interrupted => format!("interrupted after {took}; run the same command again to pick it up"),
            _ => String::new(),
        }
    }

    /// Why nobody agreed.
    fn declined(&self, look: &Look) -> &'static str {
        match (look.interactive, self.report.findings.is_empty()) {
            (_, false) => "not allowed, see above",
            (true, true) => "declined",
            (false, true) => "not approved: there is no terminal to ask on, and `--yes` was not given",
        }
    }
}

/// Whether a run that ended so has something to tell of what it did before.
fn breaks_off(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Failed | Outcome::Unknown | Outcome::OutOfSight | Outcome::Declined | Outcome::Interrupted
    )
}
