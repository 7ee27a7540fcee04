//! How the making of an artifact bucket ended.

use super::conclusion::{Concluded, Words};
use crate::engine::{BootstrapResults, Outcome};

impl Concluded for BootstrapResults {
    fn line(&self, outcome: Outcome, words: &Words<'_>) -> Option<String> {
        match outcome {
            Outcome::Ready => Some(format!("{} is ready ({})", words.stack, words.took)),
            Outcome::NoChange => Some(words.up_to_date()),
            _ => None,
        }
    }
}
