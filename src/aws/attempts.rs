//! Whether a request that changes something may have been carried out although no answer says so.
//!
//! The SDK tries a call several times and reports its last try. When the answer to an earlier one was lost, the last one's
//! refusal says nothing of what the first one did: an execution that "is not in a state to be executed" may be running
//! because of this very call. So every try is watched. Whoever sends something that changes something wraps the call in
//! [`Attempts::watch`]; what is sent unwatched is put down by its name, so that it counts too.

use std::collections::BTreeSet;
use std::error::Error;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

tokio::task_local! {
    /// The attempts of the call under way in this task.
    static WATCHED: Arc<Attempts>;
}

/// What the names of operations that only read begin with.
/// Source: the operations this program calls, by botocore's models of 2026-11: none of these has an effect.
const READING: &[&str] = &["BatchGet", "Describe", "Filter", "Get", "Head", "List"];

/// The tries of one call that changes something.
#[derive(Debug, Default)]
pub struct Attempts {
    /// Tries that were sent and of which it is not known that they came to nothing.
    open: AtomicUsize,
}

impl Attempts {
    /// Carries a call out and watches its tries.
    pub async fn watch<T>(self: &Arc<Self>, call: impl Future<Output = T>) -> T {
        WATCHED.scope(Arc::clone(self), call).await
    }

    /// Whether a try may have been carried out that no answer told of.
    pub fn may_have_happened(&self) -> bool {
        self.open.load(Ordering::SeqCst) > 0
    }
}

/// Names of operations that changed something and that nobody watched.
#[derive(Debug, Clone, Default)]
pub(super) struct Unwatched(Arc<Mutex<Vec<String>>>);

impl Unwatched {
    fn put_down(&self, operation: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation.to_owned());
    }

    /// How many there were so far.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Those after the first `from`, each once.
    pub(super) fn since(&self, from: usize) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names: BTreeSet<&String> = all.iter().skip(from).collect();
        names.into_iter().cloned().collect()
    }
}

/// Listens to every try of every call of a client.
#[derive(Debug, Clone)]
pub(super) struct AttemptObserver {
    unwatched: Unwatched,
}

impl AttemptObserver {
    pub(super) fn new(unwatched: &Unwatched) -> Self {
        Self { unwatched: unwatched.clone() }
    }
}

#[dyn_dispatch_hint]
impl Intercept for AttemptObserver {
    fn name(&self) -> &'static str {
        "AttemptObserver"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(operation) = changing(cfg) {
            let watched = WATCHED.try_with(|attempts| attempts.open.fetch_add(1, Ordering::SeqCst));
            if watched.is_err() {
                self.unwatched.put_down(operation);
            }
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if changing(cfg).is_none() {
            return Ok(());
        }
        let status = context.response().map(|response| response.status().as_u16());
        let answered = match (context.output_or_error(), status) {
            (Some(Ok(_)), _) => true,
            // The service has read the request and says no.
            (_, Some(400..=499)) => true,
            // It failed on the way, or what came back can't be read.
            (_, Some(_)) => false,
            (Some(Err(error)), None) => {
                error.as_connector_error().is_some_and(|error| is_connecting(error) || error.is_user())
            }
            (None, None) => false,
        };
        if answered {
            // Never below zero: it was counted when it was sent.
            let _ = WATCHED.try_with(|attempts| {
                attempts.open.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |open| open.checked_sub(1))
            });
        }
        Ok(())
    }
}

/// The operation under way, when it may change something.
fn changing(cfg: &ConfigBag) -> Option<&str> {
    let operation = cfg.load::<Metadata>()?.name();
    (!READING.iter().any(|word| operation.starts_with(word))).then_some(operation)
}

/// Whether a failure came about before anything could be sent: no address, no connection, no handshake.
pub(super) fn is_connecting(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect()) {
            return true;
        }
        cause = error.source();
    }
    false
}
