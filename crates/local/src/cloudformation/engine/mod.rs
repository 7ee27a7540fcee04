//! Carrying operations out: phases, steps, and taking up what another process left.
//!
//! An operation is a row that says what phase it is in; whoever holds the stack's lease carries it on from there. Every
//! transition is one transaction, so a process may die at any moment and another goes on.

mod begin;
mod custom;
mod deploy;
mod nested;
mod outputs;
mod phases;
mod remove;
mod revert;
mod run;
mod schedule;
mod steps;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::model::{Phase, StackOperation};
use super::tables;
use crate::ground::store::Lease;
use crate::ground::{ApiError, Host};
use crate::lambda::code;
use crate::resources::Handlers;

pub use begin::OperationRequest;
pub use run::template_of;

/// How long to wait for a lease that another process holds before looking again; its death frees the lease.
const PATIENCE: Duration = Duration::from_millis(10);
/// The longest such wait.
const LONGEST: Duration = Duration::from_millis(250);
/// How long a caller waits to hear whether an operation that had stopped goes on now.
const RETRY: Duration = Duration::from_secs(3);

/// The engine of one serving process.
#[derive(Debug)]
pub struct Engine {
    /// Store, clock, identities, injections.
    pub host: Arc<Host>,
    /// The behaviour of resource types.
    handlers: Handlers,
    driven: Mutex<HashSet<String>>,
    /// Why operations stopped that are not over, by their id: the state could not be read or written.
    stopped: Mutex<HashMap<String, ApiError>>,
    /// Told whenever an operation ends or stops, for those who wait for it.
    ended: Notify,
    stop: CancellationToken,
}

impl Engine {
    /// An engine; operations left by others are taken up with [`Engine::resume_all`].
    pub fn new(host: Arc<Host>, handlers: Handlers, stop: CancellationToken) -> Arc<Self> {
        let (driven, stopped) = (Mutex::default(), Mutex::default());
        Arc::new(Self { host, handlers, driven, stopped, ended: Notify::new(), stop })
    }

    fn driven(&self) -> MutexGuard<'_, HashSet<String>> {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> MutexGuard<'_, HashMap<String, ApiError>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves nothing of what an operation deleted on the disk, in the background.
    fn wipe(&self) {
        let store = self.host.store.clone();
        tokio::task::spawn_blocking(move || {
            // What can't be removed now is removed in a moment or at the next start.
            let _ = store.sweep_unused().and_then(|_| code::sweep(&store)).and_then(|()| store.wipe_deleted());
        });
    }

    /// Carries an operation out in the background, unless this process does so already.
    pub fn start(self: &Arc<Self>, operation_id: &str) {
        if self.stop.is_cancelled() || !self.driven().insert(operation_id.to_owned()) {
            return;
        }
        let engine = Arc::clone(self);
        let id = operation_id.to_owned();
        tokio::spawn(async move {
            // What went wrong is the state's own trouble: the operation stays on record, and the next who touches the
            // stack tries again and is told.
            let driven = engine.drive(&id).await;
            match driven {
                Ok(()) => engine.stopped().remove(&id),
                Err(error) => engine.stopped().insert(id.clone(), error),
            };
            engine.driven().remove(&id);
            engine.ended.notify_waiters();
        });
    }

    /// Takes up every operation that is not over.
    ///
    /// # Errors
    ///
    /// When the state can't be read.
    pub async fn resume_all(self: &Arc<Self>) -> Result<(), ApiError> {
        let operations = self.host.store.read(|tx| Ok::<_, ApiError>(tables::running_operations(tx)?)).await?;
        for id in operations {
            self.start(&id);
        }
        Ok(())
    }

    /// Takes up the operation of a stack, if it has one under way. One that had stopped is tried again.
    ///
    /// # Errors
    ///
    /// When the state can't be read, and why the operation can't go on.
    pub async fn resume(self: &Arc<Self>, stack_id: &str) -> Result<(), ApiError> {
        let id = stack_id.to_owned();
        let operation = self.host.store.read(move |tx| Ok::<_, ApiError>(tables::running_operation(tx, &id)?)).await?;
        match operation {
            Some(operation) => self.retry(&operation.id).await,
            None => Ok(()),
        }
    }

    /// Carries an operation on. When it had stopped before, waits for a moment to hear whether it stops again.
    async fn retry(self: &Arc<Self>, operation_id: &str) -> Result<(), ApiError> {
        let before = self.stopped().remove(operation_id);
        self.start(operation_id);
        if before.is_none() {
            return Ok(());
        }
        let heard = async {
            loop {
                let ended = self.ended.notified();
                if let Some(error) = self.stopped().get(operation_id).cloned() {
                    return Err(error);
                }
                if !self.driven().contains(operation_id) {
                    return Ok(());
                }
                ended.await;
            }
        };
        // Still at work after that moment: it goes on.
        tokio::time::timeout(RETRY, heard).await.unwrap_or(Ok(()))
    }

    async fn load(&self, operation_id: &str) -> Result<Option<StackOperation>, ApiError> {
        let id = operation_id.to_owned();
        self.host.store.read(move |tx| Ok::<_, ApiError>(tables::operation(tx, &id)?)).await
    }

    /// Carries an operation out to its end, or until the engine stops. Waits for the lease while another has it.
    ///
    /// # Errors
    ///
    /// When the state can't be read or written.
    pub async fn drive(self: &Arc<Self>, operation_id: &str) -> Result<(), ApiError> {
        let mut patience = PATIENCE;
        let _lease = loop {
            let Some(operation) = self.load(operation_id).await? else { return Ok(()) };
            if operation.phase == Phase::Over {
                return Ok(());
            }
            let store = self.host.store.clone();
            let name = format!("cloudformation/{}", operation.stack_id);
            let lease =
                self.host.store.blocking(move || Lease::try_acquire(&store, &name).map_err(ApiError::from)).await?;
            if let Some(lease) = lease {
                break lease;
            }
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = self.ended.notified() => {}
                () = tokio::time::sleep(patience) => patience = (patience * 2).min(LONGEST),
            }
        };
        while !self.stop.is_cancelled() {
            let Some(operation) = self.load(operation_id).await? else { return Ok(()) };
            if operation.phase == Phase::Over {
                return Ok(());
            }
            self.phase(operation).await?;
        }
        Ok(())
    }
}
