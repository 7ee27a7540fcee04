//! Follows an operation on a stack to its end: its own events and no others, those of nested stacks too, in the order
//! in which they happened.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::abort::Abort;
use super::causes::is_cause;
use super::events::{EventEmitter, EventKind};
use super::operation_end::OperationEnd;
use super::run::Run;
use crate::aws::{CallError, StackEvent, StackState, StackSummary};

/// Failed requests in a row before following is given up; the stack goes on without us, so patience costs nothing.
const MAX_FAILED_REQUESTS: usize = 6;
/// Requests without news after which the stack itself is asked: an endpoint may not write the last event.
const QUIET: usize = 10;

/// An operation to follow.
#[derive(Debug)]
pub(super) struct StackFollower {
    stack: String,
    token: Option<String>,
    last_seen: Option<String>,
    nested: BTreeMap<String, NestedStack>,
    since: Option<Timestamp>,
    steps: HashMap<(String, String), Timestamp>,
    failures: Vec<StackEvent>,
}

/// A nested stack under way.
#[derive(Debug, Default)]
struct NestedStack {
    last_seen: Option<String>,
    over: bool,
}

impl StackFollower {
    /// The operation with this token, on a stack named by its ARN; events up to and including `last_seen` are older.
    pub(super) fn operation(stack: String, token: String, last_seen: Option<String>) -> Self {
        Self { token: Some(token), ..Self::any_operation(stack, last_seen) }
    }

    /// Whatever runs on the stack, whoever started it.
    pub(super) fn any_operation(stack: String, last_seen: Option<String>) -> Self {
        Self {
            stack,
            token: None,
            last_seen,
            nested: BTreeMap::new(),
            since: None,
            steps: HashMap::new(),
            failures: Vec::new(),
        }
    }

    /// Tells every event until the stack comes to rest.
    pub(super) async fn until_terminal(
        mut self,
        run: &Run<'_>,
        emitter: &EventEmitter<'_>,
    ) -> Result<OperationEnd, Abort> {
        let mut failed = 0;
        let mut quiet = 0;
        let mut stopped = None;
        loop {
            let read = run.unless_cancelled(self.read(run)).await?;
            let events = match read {
                Ok(events) => events,
                Err(error) if is_gone(&error) => return Ok(self.end("DELETE_COMPLETE".to_owned(), None)),
                Err(error) if error.is_transient() && failed < MAX_FAILED_REQUESTS => {
                    failed += 1;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            failed = 0;
            quiet = if events.is_empty() { quiet + 1 } else { 0 };
            for event in events {
                if let Some(end) = self.handle_event(event, emitter) {
                    return Ok(end);
                }
            }
            if let Some((status, reason)) = stopped.take() {
                return Ok(self.end(status, reason));
            }
            if quiet >= QUIET {
                quiet = 0;
                // What was written between the last read and this answer is read once more: it may name the cause.
                stopped = self.poll_status(run).await?;
            }
        }
    }

    /// The stack's and its nested stacks' new events, in order of time; of two at the same time the stack's own last, so
    /// that the end comes after everything else.
    async fn read(&mut self, run: &Run<'_>) -> Result<Vec<StackEvent>, CallError> {
        let own = run.clients.stack_events(&self.stack, self.last_seen.as_deref()).await?;
        let mut events: Vec<StackEvent> = Vec::new();
        for (stack, nested) in &mut self.nested {
            if nested.over {
                continue;
            }
            // A nested stack may be gone by the time it is asked; its parent's events say the rest.
            let Ok(read) = run.clients.stack_events(stack, nested.last_seen.as_deref()).await else { continue };
            if let Some(last) = read.last() {
                nested.last_seen = Some(last.id.clone());
                nested.over = last.is_stack() && is_terminal(&last.status);
            }
            let since = self.since;
            events.extend(read.into_iter().filter(|event| since.is_none() || event.at >= since));
        }
        if let Some(last) = own.last() {
            self.last_seen = Some(last.id.clone());
        }
        for event in own {
            if self.is_ours(&event) {
                self.since = self.since.or(event.at);
                self.track_nested(&event);
                events.push(event);
            }
        }
        // Stable: what came in order stays in order.
        events.sort_by_key(|event| (event.at, event.stack_id == self.stack));
        Ok(events)
    }

    /// An endpoint that writes no tokens is believed.
    fn is_ours(&self, event: &StackEvent) -> bool {
        match (&self.token, &event.token) {
            (Some(token), Some(of_event)) => token == of_event,
            _ => true,
        }
    }

    fn track_nested(&mut self, event: &StackEvent) {
        let nested = event.resource_type == "AWS::CloudFormation::Stack" && !event.is_stack();
        if nested && event.physical_id.starts_with("arn:") {
            let entry = self.nested.entry(event.physical_id.clone()).or_default();
            // An update that rolls back starts the nested stack's events again.
            entry.over &= !event.status.ends_with("_IN_PROGRESS");
        }
    }

    /// Tells one event; gives the end when it is the last.
    fn handle_event(&mut self, event: StackEvent, emitter: &EventEmitter<'_>) -> Option<OperationEnd> {
        let own = event.stack_id == self.stack;
        if event.is_stack() {
            let (status, reason) = (event.status.clone(), event.reason.clone());
            if own {
                emitter.emit(EventKind::Stack {
                    stack: event.stack_name,
                    status: status.clone(),
                    reason: reason.clone(),
                });
            }
            return (own && is_terminal(&status)).then(|| self.end(status, reason));
        }
        let took = self.step(&event);
        if is_cause(&event) {
            self.failures.push(event.clone());
        }
        emitter.emit(EventKind::Resource {
            stack: event.stack_name,
            logical_id: event.logical_id,
            resource_type: event.resource_type,
            status: event.status,
            reason: event.reason,
            took,
        });
        None
    }

    /// How long a resource's current step has taken, by the service's clock.
    fn step(&mut self, event: &StackEvent) -> Duration {
        let Some(at) = event.at else { return Duration::ZERO };
        let key = (event.stack_id.clone(), event.logical_id.clone());
        let begun = if event.status.ends_with("_IN_PROGRESS") {
            *self.steps.entry(key).or_insert(at)
        } else {
            self.steps.remove(&key).unwrap_or(at)
        };
        Duration::try_from(at.duration_since(begun)).unwrap_or(Duration::ZERO)
    }

    /// The status and its reason of a stack that has come to rest, asked of the stack itself in case no event will come.
    async fn poll_status(&self, run: &Run<'_>) -> Result<Option<(String, Option<String>)>, Abort> {
        run.clients.pace().turn().await;
        match run.unless_cancelled(run.clients.stack(&self.stack)).await? {
            Ok(Some(stack)) if is_terminal(&stack.status) => Ok(Some((stack.status, stack.reason))),
            Ok(None) => Ok(Some(("DELETE_COMPLETE".to_owned(), None))),
            Ok(Some(_)) => Ok(None),
            Err(error) if error.is_transient() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn end(&mut self, status: String, reason: Option<String>) -> OperationEnd {
        OperationEnd { status, reason, failures: std::mem::take(&mut self.failures), seen: Instant::now() }
    }
}

/// Follows an operation somebody else, or an earlier run, began.
pub(super) async fn wait_for(run: &Run<'_>, emitter: &EventEmitter<'_>, stack: &StackSummary) -> Result<(), Abort> {
    emitter.emit(EventKind::Waiting {
        r#for: format!("`{}` is in `{}`: waiting for that to end", stack.name, stack.status),
    });
    let newest = run.attempt(run.clients.newest_event(&stack.id)).await?;
    StackFollower::any_operation(stack.id.clone(), newest).until_terminal(run, emitter).await?;
    Ok(())
}

/// Whether a stack in this status stays in it until somebody does something.
fn is_terminal(status: &str) -> bool {
    !matches!(StackState::from_status(status), StackState::InProgress | StackState::Review)
}

fn is_gone(error: &CallError) -> bool {
    error.says("does not exist")
}
