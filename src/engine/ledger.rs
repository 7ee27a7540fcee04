//! The ledger of a run: what it has changed so far, and what it may have changed.
//!
//! A request that changes something is put down before it is sent, and again when its answer is seen. What was sent and
//! not answered stays open: it may have been done. At the end the report says what was done and what is not known, each with
//! the command that settles it. Only here is it said that nothing was changed, and only when the ledger is empty.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::abort::Abort;
use super::effect::{Effect, counted, set_count};
use super::effect_words::{describe_stack, done, remedy, unknown};
use crate::aws::{Attempts, CallError};
use crate::finding::{Code, Finding, code};
use crate::spec::USUAL_STAGE;

/// What is known of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Its request was sent and no answer was seen yet.
    Sent,
    /// The answer was seen.
    Done,
    /// There will be no answer.
    Unknown,
    /// It never came about, or was taken back.
    Nothing,
}

#[derive(Debug)]
struct Entry {
    effect: Effect,
    known: Known,
    /// For an operation of CloudFormation: the status it ended in.
    ended: Option<String>,
}

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

/// A call that did not come to a good end.
#[derive(Debug)]
pub(super) struct EffectError {
    /// What came back of its last try.
    pub(super) error: CallError,
    /// It, or an earlier try of it, may have been carried out nevertheless.
    pub(super) lost: bool,
}

impl EffectError {
    /// Carries out a call that changes something and puts nothing down.
    pub(super) async fn watch<T>(call: impl Future<Output = Result<T, CallError>> + Unpin) -> Result<T, Self> {
        let attempts = Arc::<Attempts>::default();
        let answer = attempts.watch(call).await;
        answer.map_err(|error| Self { error, lost: attempts.may_have_happened() })
    }
}

impl From<EffectError> for Abort {
    fn from(failed: EffectError) -> Self {
        failed.error.into()
    }
}

/// What a run has changed so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: Arc<Mutex<Vec<Entry>>>,
    /// The use case as the command line names it, and its stage, for the commands that are recorded.
    about: Arc<Mutex<Option<String>>>,
}

/// An entry whose request is under way; what becomes of it is put down when it goes out of scope at the latest.
struct Pending<'a> {
    ledger: &'a Ledger,
    index: usize,
    attempts: Arc<Attempts>,
    over: bool,
}

impl Pending<'_> {
    fn set_known(&mut self, known: Known) {
        self.over = true;
        if let Some(entry) = self.ledger.lock().get_mut(self.index) {
            entry.known = known;
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.over {
            let known = if self.attempts.may_have_happened() { Known::Unknown } else { Known::Nothing };
            self.set_known(known);
        }
    }
}

impl Ledger {
    /// Carries out a call that changes something: its effect is put down before it is sent and when its answer is seen.
    /// When the call is given up on the way, whatever was sent by then counts as not known.
    pub(super) fn carry_out<T>(
        &self,
        effect: Effect,
        call: impl Future<Output = Result<T, CallError>> + Send,
    ) -> impl Future<Output = Result<T, EffectError>> + Send {
        let all = counted(&effect).unwrap_or_default();
        self.carry_out_counted(effect, call, move |_| all)
    }

    /// The same for an effect that is counted and of which the answer tells how much came about.
    pub(super) fn carry_out_counted<T>(
        &self,
        effect: Effect,
        call: impl Future<Output = Result<T, CallError>> + Send,
        count: impl FnOnce(&T) -> u64 + Send,
    ) -> impl Future<Output = Result<T, EffectError>> + Send {
        self.watched(effect, Box::pin(call), count)
    }

    async fn watched<T>(
        &self,
        effect: Effect,
        call: impl Future<Output = Result<T, CallError>> + Send + Unpin,
        count: impl FnOnce(&T) -> u64 + Send,
    ) -> Result<T, EffectError> {
        let index = {
            let mut entries = self.lock();
            entries.push(Entry { effect, known: Known::Sent, ended: None });
            entries.len() - 1
        };
        let mut pending = Pending { ledger: self, index, attempts: Arc::default(), over: false };
        let attempts = Arc::clone(&pending.attempts);
        match attempts.watch(call).await {
            Ok(value) => {
                pending.set_known(Known::Done);
                let recorded = count(&value);
                let mut entries = self.lock();
                let rest = entries.get_mut(index).and_then(|entry| {
                    let asked = counted(&entry.effect)?;
                    set_count(&mut entry.effect, recorded);
                    let mut rest = entry.effect.clone();
                    set_count(&mut rest, asked.saturating_sub(recorded));
                    // An earlier try whose answer was lost may be why this one had less to do.
                    (recorded < asked && attempts.may_have_happened()).then_some(rest)
                });
                entries.extend(rest.map(|effect| Entry { effect, known: Known::Unknown, ended: None }));
                drop(entries);
                Ok(value)
            }
            Err(error) => {
                let lost = attempts.may_have_happened();
                pending.set_known(if lost { Known::Unknown } else { Known::Nothing });
                Err(EffectError { error, lost })
            }
        }
    }

    /// What was not known is known now: it was done.
    pub(super) fn confirm(&self, effect: &Effect) {
        self.record_answer(effect, Known::Done);
    }

    /// What was not known is known now: it was not done; or it was, and was taken back since.
    pub(super) fn retract(&self, effect: &Effect) {
        self.record_answer(effect, Known::Nothing);
    }

    /// It is being taken back, and it is not known with what success. Gives what was known before.
    pub(super) fn doubt(&self, effect: &Effect) -> Option<Known> {
        self.record_answer(effect, Known::Unknown)
    }

    /// Taking it back came to nothing: what was known before is known again.
    pub(super) fn restore(&self, effect: &Effect, known: Known) {
        self.record_answer(effect, known);
    }

    /// It was asked for a second time and refused; the first time may still come to something.
    pub(super) fn reopen(&self, effect: &Effect) {
        self.lock().push(Entry { effect: effect.clone(), known: Known::Unknown, ended: None });
    }

    /// An effect that another one brought about.
    pub(super) fn add(&self, effect: Effect) {
        self.lock().push(Entry { effect, known: Known::Done, ended: None });
    }

    /// The operation under way on a stack ended in a status.
    pub(super) fn operation_ended(&self, stack: &str, status: &str) {
        let operation = |entry: &&mut Entry| {
            entry.known == Known::Done
                && matches!(&entry.effect,
                    Effect::Execution { stack: of, .. } | Effect::StackDeletion { stack: of, .. }
                    | Effect::ArtifactBucket { stack: of, .. } if of == stack)
        };
        if let Some(entry) = self.lock().iter_mut().rev().find(operation) {
            entry.ended = Some(status.to_owned());
        }
    }

    /// Names the use case, for the commands that are recorded: `bedplate status` and its kin take names and no stacks.
    pub(super) fn set_use_case(&self, stack: &str, use_case: Option<&str>) {
        let Some(name) = use_case else { return };
        let stage = stack.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        let words = match stage {
            None | Some(USUAL_STAGE) => format!(" {name}"),
            Some(stage) => format!(" {name} --stage {stage}"),
        };
        *self.about.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// A command of this program about the use case, such as `bedplate status movie-poster`.
    pub(super) fn command(&self, verb: &str) -> String {
        let about = self.about.lock().unwrap_or_else(PoisonError::into_inner);
        format!("bedplate {verb}{}", about.as_deref().unwrap_or_default())
    }

    /// What was done by now and what may have been.
    pub fn account(&self, region: &str) -> Account {
        let mut account = Account::default();
        for entry in merged(&self.lock()) {
            let known = entry.known == Known::Done;
            let settle = if known { remedy(&entry.effect, region) } else { Some(self.settles(&entry.effect, region)) };
            let text = if known { done(&entry.effect, entry.ended.as_deref()) } else { unknown(&entry.effect) };
            let recorded = RecordedEffect { text, settle, ended: entry.ended, effect: entry.effect };
            if known { account.done.push(recorded) } else { account.unknown.push(recorded) }
        }
        account
    }

    fn record_answer(&self, effect: &Effect, known: Known) -> Option<Known> {
        let mut entries = self.lock();
        let entry = entries.iter_mut().rev().find(|entry| entry.effect == *effect)?;
        Some(std::mem::replace(&mut entry.known, known))
    }

    /// The command that tells what is not known of an effect.
    fn settles(&self, effect: &Effect, region: &str) -> String {
        match effect {
            Effect::Execution { .. } => self.command("status"),
            Effect::StackDeletion { .. }
            | Effect::ObjectsDeleted { .. }
            | Effect::UploadsAborted { .. }
            | Effect::BucketDeletion { .. } => self.command("destroy"),
            Effect::ArtifactBucket { stack, .. }
            | Effect::StackShell { stack }
            | Effect::LeftoverRemoval { stack, change_set: None } => describe_stack(stack, region),
            Effect::ChangeSet { stack, .. } | Effect::LeftoverRemoval { stack, .. } => {
                format!("aws cloudformation list-change-sets --stack-name {stack} --region {region}")
            }
            Effect::ObjectsUploaded { .. } | Effect::RowsWritten { .. } | Effect::Ingestion { .. } => {
                self.command("deploy")
            }
            Effect::Request { .. } => self.command("status"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        self.done.iter().rev().find(|recorded| {
            recorded.ended.is_none()
                && matches!(
                    recorded.effect,
                    Effect::Execution { .. } | Effect::StackDeletion { .. } | Effect::ArtifactBucket { .. }
                )
        })
    }

    /// Whether it is not known that the stack itself is as it was.
    pub(super) fn stack_state_is_unknown(&self) -> bool {
        self.unknown.iter().any(|recorded| {
            matches!(
                recorded.effect,
                Effect::Execution { .. } | Effect::StackDeletion { .. } | Effect::ArtifactBucket { .. }
            )
        })
    }

    /// The note of a run that was interrupted.
    pub fn interrupted(&self, stack: &str) -> Finding {
        if self.is_empty() {
            return Finding::note(code::D001, format!("interrupted before `{stack}` was changed"));
        }
        if let Some(running) = self.running() {
            return Finding::note(code::D016, format!("interrupted: {}", running.text)).help(
                "watch it with `bedplate status`; the same command again waits for it to end and goes on from there",
            );
        }
        Finding::note(code::D091, format!("interrupted: {}", self.aftermath()))
            .help("the same command again goes on from there")
    }

    /// What is to be said of what is not known, and of what was left behind.
    pub fn findings(&self) -> Vec<Finding> {
        let unknown = self.unknown.iter().map(|recorded| (code::D090, recorded));
        let behind = |recorded: &&RecordedEffect| {
            matches!(recorded.effect, Effect::ChangeSet { .. } | Effect::StackShell { .. })
        };
        let behind = self.done.iter().filter(behind).map(|recorded| (code::D092, recorded));
        let finding = |(code, recorded): (Code, &RecordedEffect)| {
            let finding = Finding::warning(code, recorded.text.clone());
            match (&recorded.settle, code) {
                (Some(command), code::D090) => finding.help(format!("settle it with `{command}`")),
                (Some(command), _) => {
                    finding.help(format!("delete it with `{command}`, or leave it to the next deploy"))
                }
                (None, _) => finding,
            }
        };
        unknown.chain(behind).map(finding).collect()
    }
}

/// Entries that stand, those that are counted added up.
fn merged(entries: &[Entry]) -> Vec<Entry> {
    let mut sums: BTreeMap<(Effect, bool), usize> = BTreeMap::new();
    let mut out: Vec<Entry> = Vec::new();
    for entry in entries {
        let known = match entry.known {
            Known::Nothing => continue,
            Known::Done => Known::Done,
            Known::Sent | Known::Unknown => Known::Unknown,
        };
        let (mut key, count) = (entry.effect.clone(), counted(&entry.effect));
        if let Some(count) = count {
            set_count(&mut key, 0);
            if let Some(sum) = sums.get(&(key.clone(), known == Known::Done)).and_then(|index| out.get_mut(*index)) {
                let total = counted(&sum.effect).unwrap_or(0) + count;
                set_count(&mut sum.effect, total);
                continue;
            }
            if count == 0 {
                continue;
            }
            sums.insert((key, known == Known::Done), out.len());
        }
        out.push(Entry { effect: entry.effect.clone(), known, ended: entry.ended.clone() });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::CallErrorKind;

    fn files(count: u64) -> Effect {
        Effect::ObjectsUploaded { bucket: "b".into(), count }
    }

    #[tokio::test]
    async fn only_an_empty_ledger_says_that_nothing_was_changed() {
        let ledger = Ledger::default();
        let said = |ledger: &Ledger| ledger.account("us-west-2").aftermath();
        assert_eq!(said(&ledger), "nothing was changed");
        ledger.carry_out(files(1), async { Ok(()) }).await.expect("done");
        ledger.carry_out(files(2), async { Ok(()) }).await.expect("done");
        assert_ne!(said(&ledger), "nothing was changed");
        let account = ledger.account("us-west-2");
        assert_eq!(account.done.len(), 1, "what is counted is added up: {account:?}");
        assert_eq!(account.done[0].text, "3 files uploaded to `b`");
        let made = Effect::ChangeSet { stack: "s".into(), name: "n".into() };
        let ledger = Ledger::default();
        ledger.add(made.clone());
        assert_eq!(ledger.account("us-west-2").findings()[0].code, "D092");
        ledger.retract(&made);
        assert_eq!(said(&ledger), "nothing was changed");
    }

    #[tokio::test]
    async fn what_was_refused_before_anything_was_sent_leaves_no_entry() {
        let ledger = Ledger::default();
        let refused = CallError {
            kind: CallErrorKind::Refused,
            action: "s3:PutObject",
            code: None,
            message: "no".into(),
            request_id: None,
            endpoint: None,
            profile: None,
        };
        let failed = ledger.carry_out(files(1), async { Err::<(), _>(refused) }).await.expect_err("refused");
        assert!(!failed.lost);
        assert!(ledger.account("us-west-2").is_empty());
    }
}
