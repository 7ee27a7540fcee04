//! The events the engine emits while it works. It prints nothing: whoever runs it decides what a person or a program sees.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::destroy_plan::{DestroyPlan, Leftover};
use super::ledger::Account;
use super::outcome::Outcome;
use super::seconds::seconds;
use super::smoke::SmokeResult;
use crate::aws::Output;
use crate::finding::Finding;
use crate::plan::{Plan, Secrets};

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// When, by the clock of this machine.
    pub at: Timestamp,
    /// Seconds since the verb began.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
    /// What.
    #[serde(flatten)]
    pub what: EventKind,
}

/// What the engine does: the verb that its events are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineVerb {
    /// A use case is deployed.
    Deploy,
    /// What a deployment would do is looked at.
    Plan,
    /// What is deployed is tried.
    Smoke,
    /// A stack is taken away, with what belongs to it.
    Destroy,
    /// The artifact bucket is made, or taken away.
    Bootstrap,
}

/// What happened. The `kind` in JSON is the variant's name in kebab case and stable.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EventKind {
    /// The first event: where this goes.
    Started {
        /// What is done.
        verb: EngineVerb,
        /// `aws` or `local`.
        target: String,
        /// The endpoint, when it is not AWS's own.
        #[serde(skip_serializing_if = "Option::is_none")]
        endpoint: Option<String>,
        /// The account.
        account: String,
        /// The region.
        region: String,
        /// The stack.
        stack: String,
    },
    /// Something slow began while an artifact is built.
    Building {
        /// Such as `layers.boto3`.
        component: String,
        /// What, in a few words.
        doing: String,
    },
    /// An artifact is there, built or from the cache.
    ArtifactBuilt {
        /// Such as `functions.design`.
        component: String,
        /// Its size in bytes.
        size: u64,
        /// SHA-256 of what it holds, in hexadecimal.
        sha256: String,
    },
    /// A file is on its way into a bucket, for long enough to say how far it is.
    Uploading {
        /// Such as `functions.design`.
        component: String,
        /// Its key in the bucket.
        key: String,
        /// Bytes that are there or on their way.
        done: u64,
        /// Its size in bytes.
        total: u64,
    },
    /// An artifact was uploaded.
    ArtifactUploaded {
        /// Such as `functions.design`.
        component: String,
        /// Its key in the artifact bucket.
        key: String,
        /// Its size in bytes.
        size: u64,
    },
    /// An artifact was in the bucket already.
    ArtifactPresent {
        /// Such as `functions.design`.
        component: String,
        /// Its key in the artifact bucket.
        key: String,
    },
    /// The artifact bucket is not there yet and is made, by a stack of its own.
    ArtifactBucketMade {
        /// The bucket's name.
        bucket: String,
        /// The stack that holds it.
        stack: String,
    },
    /// CloudFormation has worked out what would change.
    ChangeSetCreated {
        /// The change set's name.
        name: String,
    },
    /// The plan, before anybody is asked.
    PlanReady {
        /// What would be done.
        plan: Box<Plan>,
    },
    /// A change set was removed without having run.
    ChangeSetRemoved {
        /// The change set's name.
        name: String,
    },
    /// Execution began.
    Executing {
        /// The change set's name.
        name: String,
        /// The operation's token: every event of it carries it in CloudFormation's log.
        token: String,
    },
    /// Something happened to a resource.
    Resource {
        /// The stack it is in: the one deployed, or one nested in it.
        stack: String,
        /// The logical id.
        logical_id: String,
        /// The type.
        #[serde(rename = "type")]
        resource_type: String,
        /// Such as `CREATE_IN_PROGRESS`.
        status: String,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Seconds since this resource's current step began, by the service's clock.
        #[serde(serialize_with = "seconds")]
        took: Duration,
    },
    /// Something happened to the stack as a whole.
    Stack {
        /// The stack's name.
        stack: String,
        /// Such as `UPDATE_COMPLETE`.
        status: String,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Nothing can be done until something else has happened.
    Waiting {
        /// What for, in words.
        r#for: String,
    },
    /// A step that concerns the verb as a whole, such as cleaning up after an earlier failure.
    Note {
        /// What, in a sentence.
        message: String,
    },
    /// What would go and what would stay, before anybody is asked.
    DestroyPlanReady {
        /// What destroying does.
        destroy_plan: Box<DestroyPlan>,
    },
    /// A bucket is being emptied.
    Emptying {
        /// The bucket.
        bucket: String,
        /// Versions and delete markers deleted so far.
        deleted: u64,
    },
    /// A bucket is empty.
    Emptied {
        /// The bucket.
        bucket: String,
        /// Versions and delete markers deleted.
        deleted: u64,
    },
    /// A document was put into a bucket.
    DocumentUploaded {
        /// Such as `buckets.handbook`.
        component: String,
        /// The object's key.
        key: String,
        /// Its size in bytes.
        size: u64,
    },
    /// A document that the folder no longer has was deleted.
    DocumentRemoved {
        /// Such as `buckets.handbook`.
        component: String,
        /// The object's key.
        key: String,
    },
    /// A bucket holds its documents.
    DocumentsReady {
        /// Such as `buckets.handbook`.
        component: String,
        /// How many were uploaded.
        uploaded: usize,
        /// How many were deleted.
        removed: usize,
        /// How many were there already.
        unchanged: usize,
    },
    /// The documents of a bucket are being read into a knowledge base.
    ReadingDocuments {
        /// Such as `knowledge-bases.bank.sources.documents`.
        component: String,
        /// Bedrock's id of the ingestion job.
        job: String,
    },
    /// A knowledge base has the documents of a bucket.
    DocumentsRead {
        /// Such as `knowledge-bases.bank.sources.documents`.
        component: String,
        /// How many were new or changed.
        indexed: u64,
        /// How many are gone.
        deleted: u64,
        /// How many could not be read.
        failed: u64,
    },
    /// A table has its rows.
    RowsReady {
        /// Such as `tables.accounts`.
        component: String,
        /// How many were written.
        written: usize,
        /// How many had an item of their key already.
        present: usize,
    },
    /// A smoke test came to its end.
    SmokeTested {
        /// How.
        #[serde(flatten)]
        result: SmokeResult,
    },
    /// The stack's outputs.
    OutputsReady {
        /// In order of their names.
        outputs: Vec<Output>,
    },
    /// Something to know that does not stop the verb.
    Warning {
        /// What.
        finding: Finding,
    },
    /// The last event of a stack; the command line's own last line is `finished`, once for the whole run.
    #[serde(rename = "stack-finished")]
    Finished {
        /// The stack.
        stack: String,
        /// How it ended.
        outcome: Outcome,
        /// The exit code that stands for it.
        exit_code: u8,
        /// What went wrong, the cause first, and warnings.
        findings: Vec<Finding>,
        /// What was changed by the end (`done`), and what may have been (`unknown`).
        #[serde(flatten)]
        changes: Account,
        /// What is still there after a destroy.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        left: Vec<Leftover>,
    },
}

/// Whoever listens.
pub trait EventSink: Send + Sync {
    /// Takes an event; must not block for long, the engine waits for it.
    fn emit(&self, event: Event);
}

impl EventSink for tokio::sync::mpsc::UnboundedSender<Event> {
    fn emit(&self, event: Event) {
        // Nobody listening any more is no reason to stop what is under way.
        let _ = self.send(event);
    }
}

/// Keeps every event, for whoever looks afterwards.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        self.0.lock().map(|events| events.clone()).unwrap_or_default()
    }
}

impl EventSink for Recorder {
    fn emit(&self, event: Event) {
        if let Ok(mut events) = self.0.lock() {
            events.push(event);
        }
    }
}

struct NullSink;

impl EventSink for NullSink {
    fn emit(&self, _: Event) {}
}

/// Puts the time on events, redacts secrets in them, and hands them to the sink.
pub(super) struct EventEmitter<'a> {
    sink: &'a dyn EventSink,
    start: Instant,
    secrets: Secrets,
}

impl<'a> EventEmitter<'a> {
    pub(super) fn new(sink: &'a dyn EventSink) -> Self {
        Self { sink, start: Instant::now(), secrets: Secrets::default() }
    }

    /// The same, with values that must not be told even when a service repeats them.
    pub(super) fn redacting(sink: &'a dyn EventSink, secrets: Secrets) -> Self {
        Self { sink, start: Instant::now(), secrets }
    }

    /// Tells nobody: for stacks that are made in passing.
    pub(super) fn silent() -> EventEmitter<'static> {
        EventEmitter::new(&NullSink)
    }

    pub(super) fn emit(&self, mut what: EventKind) {
        match &mut what {
            EventKind::Resource { reason: Some(text), .. }
            | EventKind::Stack { reason: Some(text), .. }
            | EventKind::Note { message: text }
            | EventKind::Waiting { r#for: text } => *text = self.secrets.redact(text),
            EventKind::Warning { finding } => self.redact(finding),
            _ => {}
        }
        self.sink.emit(Event { at: Timestamp::now(), elapsed: self.start.elapsed(), what });
    }

    /// A text without the secrets.
    pub(super) fn redacted(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// Takes the secrets out of a finding.
    pub(super) fn redact(&self, finding: &mut Finding) {
        finding.message = self.secrets.redact(&finding.message);
        finding.help = finding.help.take().map(|help| self.secrets.redact(&help));
    }

    pub(super) fn note(&self, message: impl Into<String>) {
        self.emit(EventKind::Note { message: message.into() });
    }
}
