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

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::model::{Operation, Phase};
use super::tables;
use crate::local::Host;
use crate::local::errors::ApiError;
use crate::local::store::Lease;

pub use begin::Request;
pub use run::template_of;

/// How long to wait for a lease that another process holds before looking again; its death frees the lease.
const PATIENCE: Duration = Duration::from_millis(10);
/// The longest such wait.
const LONGEST: Duration = Duration::from_millis(250);

/// The engine of one serving process.
#[derive(Debug)]
pub struct Engine {
    /// Store, clock, identities, injections.
    pub host: Arc<Host>,
    driven: Mutex<HashSet<String>>,
    stop: CancellationToken,
}

impl Engine {
    /// An engine; operations left by others are taken up with [`Engine::resume_all`].
    pub fn new(host: Arc<Host>, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self { host, driven: Mutex::default(), stop })
    }

    fn driven(&self) -> MutexGuard<'_, HashSet<String>> {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner)
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
            let _ = engine.drive(&id).await;
            engine.driven().remove(&id);
        });
    }

    /// Takes up every operation that is not over.
    ///
    /// # Errors
    ///
    /// When the state can't be read.
    pub async fn resume_all(self: &Arc<Self>) -> Result<(), ApiError> {
        let operations = self.host.store.read(|tx| Ok::<_, ApiError>(tables::running_operations(tx)?)).await?;
        for operation in operations {
            self.start(&operation.id);
        }
        Ok(())
    }

    /// Takes up the operation of a stack, if it has one under way.
    ///
    /// # Errors
    ///
    /// When the state can't be read.
    pub async fn resume(self: &Arc<Self>, stack_id: &str) -> Result<(), ApiError> {
        let id = stack_id.to_owned();
        let operation = self.host.store.read(move |tx| Ok::<_, ApiError>(tables::running_operation(tx, &id)?)).await?;
        if let Some(operation) = operation {
            self.start(&operation.id);
        }
        Ok(())
    }

    async fn load(&self, operation_id: &str) -> Result<Option<Operation>, ApiError> {
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
