//! The account of what a run has done and may have done, as the report gives it.

use serde::Serialize;

use super::effect::Effect;
use crate::finding::Finding;

/// An effect as the report tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedEffect {
    /// What it is.
    #[serde(flatten)]
    pub effect: Effect,
    /// For an operation of CloudFormation: the status it ended in, when that was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// The same in words.
    pub text: String,
    /// Of what is not known, or was left behind: the command that settles it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle: Option<String>,
}

/// What a run has done by a moment, and what it may have done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// What was done, in order.
    pub done: Vec<RecordedEffect>,
    /// What may have been done.
    pub unknown: Vec<RecordedEffect>,
}

impl Account {
    /// The same with what another run has changed.
    pub fn add(&mut self, other: Account) {
        self.done.extend(other.done);
        self.unknown.extend(other.unknown);
    }

    /// Whether the run has changed nothing, for all that is known.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty() && self.unknown.is_empty()
    }

    /// How much a run that did not get to its end has changed. The only place that may say that it is nothing.
    pub fn aftermath(&self) -> &'static str {
        match (self.done.is_empty(), self.unknown.is_empty()) {
            (true, true) => "nothing was changed",
            (false, true) => "what was done before that is listed above",
            (_, false) => "what was done before that, and what is not known of it, is listed above",
        }
    }

    /// An operation that CloudFormation goes on with.
    pub(super) fn running(&self) -> Option<&RecordedEffect> {
        self.done.iter().rev().find(|told| {
            told.ended.is_none()
                && matches!(
                    told.effect,
                    Effect::Execution { .. } | Effect::StackDeletion { .. } | Effect::ArtifactBucket { .. }
                )
        })
    }

    /// Whether it is not known that the stack itself is as it was.
    pub(super) fn doubts_the_stack(&self) -> bool {
        self.unknown.iter().any(|told| {
            matches!(
                told.effect,
                Effect::Execution { .. } | Effect::StackDeletion { .. } | Effect::ArtifactBucket { .. }
            )
        })
    }

    /// The note of a run that was interrupted.
    pub fn interrupted(&self, stack: &str) -> Finding {
        if self.is_empty() {
            return Finding::note("D001", format!("interrupted before `{stack}` was changed"));
        }
        if let Some(running) = self.running() {
            return Finding::note("D016", format!("interrupted: {}", running.text)).help(
                "watch it with `bedplate status`; the same command again waits for it to end and goes on from there",
            );
        }
        Finding::note("D091", format!("interrupted: {}", self.aftermath()))
            .help("the same command again goes on from there")
    }

    /// What is to be said of what is not known, and of what was left behind.
    pub fn findings(&self) -> Vec<Finding> {
        let unknown = self.unknown.iter().map(|told| ("D090", told));
        let behind =
            |told: &&RecordedEffect| matches!(told.effect, Effect::ChangeSet { .. } | Effect::StackShell { .. });
        let behind = self.done.iter().filter(behind).map(|told| ("D092", told));
        let finding = |(code, told): (&'static str, &RecordedEffect)| {
            let finding = Finding::warning(code, told.text.clone());
            match (&told.settle, code) {
                (Some(command), "D090") => finding.help(format!("settle it with `{command}`")),
                (Some(command), _) => {
                    finding.help(format!("take it away with `{command}`, or leave it to the next deploy"))
                }
                (None, _) => finding,
            }
        };
        unknown.chain(behind).map(finding).collect()
    }
}
