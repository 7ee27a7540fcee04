//! The processes that wait for their next event, and how many a function may have at once.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::python::Pythons;
use super::queue;
use super::worker::FunctionProcess;
use crate::ground::{Host, Session};

/// Calls of one function at a time; more wait for their turn.
const AT_ONCE: usize = 16;

/// Events that nobody waits for and that are not over yet, of all functions together. Our own: AWS queues them for hours, and
/// takes a function that calls itself out after sixteen rounds.
const EVENTS: usize = 1_000;

/// How long a process waits for others that start.
const START: Duration = Duration::from_secs(20);

/// Processes that wait, of all functions together; beyond it the one that waits longest ends.
const IDLE: usize = 32;

/// A process between two calls.
#[derive(Debug)]
pub(super) struct Ready {
    /// The version of the function it is for.
    pub arn: String,
    /// What it was started with; another one does for the function as it is now only when this is the same.
    pub fingerprint: String,
    pub worker: FunctionProcess,
    /// Where its calls are logged.
    pub stream: String,
    /// Whose credentials it has.
    pub session: Session,
}

/// What the endpoint's functions share. Dropping it ends their processes.
#[derive(Debug)]
pub struct Pool {
    pub(super) pythons: Pythons,
    idle: Mutex<Vec<Ready>>,
    turns: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// Processes that start at once: more than there are processors only make all of them late.
    starting: Semaphore,
    told: Mutex<HashSet<String>>,
    /// What of a package's unpacked form was held against it before; held by whoever does so.
    verified: Mutex<HashMap<String, Arc<AsyncMutex<bool>>>>,
    events: AtomicUsize,
    closed: AtomicBool,
}

/// The room of one event.
#[derive(Debug)]
pub(super) struct Queued(Arc<Pool>);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.events.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves nothing half done behind these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// The processes of an endpoint.
    pub(crate) fn of(host: &Host) -> Arc<Self> {
        host.kept.of(|| Self::for_state(host.store.dir()))
    }

    /// The processes of an endpoint over a state folder.
    fn for_state(dir: &Path) -> Self {
        Self {
            pythons: Pythons::for_state(dir),
            idle: Mutex::default(),
            turns: Mutex::default(),
            starting: Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from).max(2)),
            told: Mutex::default(),
            verified: Mutex::default(),
            events: AtomicUsize::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Takes room for an event that nobody waits for; none where there are too many. It is given back when it is dropped.
    pub(super) fn event(self: &Arc<Self>) -> Option<Queued> {
        let more = |count: usize| (count < EVENTS).then_some(count + 1);
        let taken = self.events.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.ok().map(|_| Queued(Arc::clone(self)))
    }

    /// Waits until a function may have one more call under way.
    pub(super) async fn turn(&self, arn: &str) -> Option<OwnedSemaphorePermit> {
        let turns = {
            let mut all = lock(&self.turns);
            Arc::clone(all.entry(arn.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
        };
        queue::stand(turns.acquire_owned()).await.ok()
    }

    /// Waits until one more process may start; not for ever: what starts may itself wait for a call of another function.
    pub(super) async fn start(&self) -> Option<SemaphorePermit<'_>> {
        queue::stand(tokio::time::timeout(START, self.starting.acquire())).await.ok()?.ok()
    }

    /// A process that waits, if one fits; those of the same function that don't fit any more end.
    pub(super) fn take(&self, arn: &str, fingerprint: &str, now: jiff::Timestamp) -> Option<Ready> {
        let mut idle = lock(&self.idle);
        // Credentials are to last for any call.
        let lasts = |ready: &Ready| ready.session.expires.duration_since(now).as_hours() >= 1;
        idle.retain(|ready| ready.arn != arn || (ready.fingerprint == fingerprint && lasts(ready)));
        let at = idle.iter().rposition(|ready| ready.arn == arn)?;
        Some(idle.remove(at))
    }

    /// Keeps a process for the next call.
    pub(super) fn give_back(&self, ready: Ready) {
        let mut idle = lock(&self.idle);
        // Within the lock: after it was closed none is kept.
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        idle.push(ready);
        if idle.len() > IDLE {
            idle.remove(0);
        }
    }

    /// Whether something is told for the first time.
    pub(super) fn first_told(&self, what: &str) -> bool {
        lock(&self.told).insert(what.to_owned())
    }

    /// Whether a package's unpacked form was held against it before, by this endpoint. Whoever holds the answer may do it:
    /// the others wait for that.
    pub(super) async fn verified(&self, digest: &str) -> OwnedMutexGuard<bool> {
        let verified = Arc::clone(lock(&self.verified).entry(digest.to_owned()).or_default());
        queue::stand(verified.lock_owned()).await
    }

    /// Ends the processes that wait, and every other one when its call is over; waits for those that waited.
    pub(crate) async fn close(&self) {
        let idle = {
            let mut idle = lock(&self.idle);
            self.closed.store(true, Ordering::Relaxed);
            std::mem::take(&mut *idle)
        };
        futures::future::join_all(idle.into_iter().map(|ready| ready.worker.end())).await;
    }
}
