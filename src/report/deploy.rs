//! How a deployment ended.

use super::conclusion::{Concluded, Words, passed};
use super::outputs;
use super::reporter::Look;
use crate::engine::{DeployResults, Outcome};

impl Concluded for DeployResults {
    fn line(&self, outcome: Outcome, words: &Words<'_>) -> Option<String> {
        let Words { stack, took, .. } = words;
        Some(match outcome {
            Outcome::Deployed if !self.smoke.is_empty() => {
                format!("{} {stack} in {took}; {}", words.good("deployed"), passed(&self.smoke))
            }
            Outcome::Deployed => format!("{} {stack} in {took}", words.good("deployed")),
            Outcome::Unfinished => format!("{} {stack} in {took}", words.warn("deployed, not finished")),
            Outcome::Untested => words.untested(),
            Outcome::SmokeFailed => words.not_passed(&self.smoke),
            Outcome::NoChange => words.up_to_date(),
            Outcome::RolledBack => format!("{} {stack}: rolled back after {took}", words.bad("failed")),
            Outcome::FailedState => words.left_in(self.status.as_deref()),
            _ => return None,
        })
    }

    /// The outputs of a stack that stands.
    fn result(&self, outcome: Outcome, look: &Look) -> String {
        match outcome {
            Outcome::Deployed | Outcome::NoChange | Outcome::Unfinished | Outcome::SmokeFailed | Outcome::Untested => {
                outputs::text(&self.outputs, &look.styles)
            }
            _ => String::new(),
        }
    }
}
