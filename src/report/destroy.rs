//! How a destruction ended.

use super::conclusion::{Concluded, Words};
use crate::engine::{DestroyResults, Outcome};

impl Concluded for DestroyResults {
    fn line(&self, outcome: Outcome, words: &Words<'_>) -> Option<String> {
        let Words { stack, took, .. } = words;
        Some(match outcome {
            Outcome::Destroyed => {
                // What stays was said in the plan and is listed above; the last line must not deny it.
                let left = match self.left.len() {
                    0 => "nothing of it remains".to_owned(),
                    1 => "all but the one above, which was meant to stay".to_owned(),
                    several => format!("all but the {several} above, which were meant to stay"),
                };
                format!("{} {stack} in {took}; {left}", words.good("destroyed"))
            }
            Outcome::Absent => {
                format!("{stack} does not exist: nothing to do in account {}, {}", words.account, words.region)
            }
            Outcome::Leftovers => {
                format!("{} {stack} in {took}; what is still there is listed above", words.warn("destroyed"))
            }
            Outcome::FailedState => words.left_in(self.status.as_deref()),
            _ => return None,
        })
    }
}
