//! The phases of an operation, and what follows from how each of them ends.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use rusqlite::Transaction;
use tokio_util::sync::CancellationToken;

use super::deploy::{self, Begun};
use super::run::Run;
use super::schedule::{self, Ended, OnFailed};
use super::steps::{begin, deploy_checked};
use super::{Engine, custom, nested, outputs, remove, revert};
use crate::cloudformation::journal::STACK_TYPE;
use crate::cloudformation::model::{Done, OnFailure, OperationStep, Phase, Stack, StackOperation, StackResource};
use crate::cloudformation::status::{ExecutionStatus, OperationType, Status};
use crate::cloudformation::{custom as requests, retention, tables};
use crate::ground::ApiError;
use crate::resources;

type StepFuture = Pin<Box<dyn Future<Output = Result<Ended, ApiError>> + Send>>;

impl Engine {
    /// Carries one phase out and records what follows.
    pub(super) async fn phase(self: &Arc<Self>, operation: StackOperation) -> Result<(), ApiError> {
        let (host, handlers) = (Arc::clone(&self.host), self.handlers);
        let loaded = operation.clone();
        let (run, rows, missing_export) = self
            .host
            .store
            .read(move |tx| {
                let rows = tables::resources(tx, &loaded.stack_id)?;
                let run = Run::load(tx, host, handlers, loaded)?;
                let missing = if run.operation.phase == Phase::Deploy { run.missing_export(tx)? } else { None };
                Ok::<_, ApiError>((Arc::new(run), rows, missing))
            })
            .await?;
        let (mut names, needs, on_failed) = plan(&run, &rows);
        if missing_export.is_some() {
            names.clear();
        }
        let engine = Arc::clone(self);
        let shared = Arc::clone(&run);
        let good = schedule::run(&names, &needs, on_failed, &self.stop, move |name, cancel| {
            engine.clone().step(Arc::clone(&shared), name, cancel)
        })
        .await?
            && missing_export.is_none();
        if self.stop.is_cancelled() {
            return Ok(());
        }
        let deleted = !matches!(run.operation.phase, Phase::Deploy | Phase::Revert);
        self.host
            .store
            .write(move |tx| {
                let stack = tables::stack_by_id(tx, &run.stack.id)?;
                let Some(stack) = stack else { return Ok(()) };
                let operation = tables::operation(tx, &run.operation.id)?.unwrap_or_else(|| run.operation.clone());
                let missing_export = missing_export.as_deref();
                Ending { run: &run, tx, stack, operation, missing_export }.end(good)
            })
            .await?;
        if deleted {
            self.wipe();
        }
        Ok(())
    }

    /// One step: the part of a phase that concerns one resource.
    fn step(self: Arc<Self>, run: Arc<Run>, name: String, cancel: CancellationToken) -> StepFuture {
        Box::pin(async move {
            let phase = run.operation.phase;
            let nested = run.known_type(&name).is_some_and(|resource_type| resource_type == STACK_TYPE);
            if nested {
                return nested::step(self, run, name, cancel).await;
            }
            if run.known_type(&name).is_some_and(resources::is_custom) {
                return custom::step(self, run, name, cancel).await;
            }
            if phase != Phase::Deploy {
                return self
                    .host
                    .store
                    .write(move |tx| match begin(&run, tx, &name)? {
                        Begun::Over => Ok(Ended::Finished),
                        Begun::Failed => Ok(Ended::Failed),
                        Begun::Go | Begun::Made => {
                            let good = if phase == Phase::Revert {
                                revert::finish(&run, tx, &name)?
                            } else {
                                remove::finish(&run, tx, &name)?
                            };
                            Ok::<_, ApiError>(if good { Ended::Finished } else { Ended::Failed })
                        }
                    })
                    .await;
            }
            if self.host.delay.is_zero() {
                return self
                    .host
                    .store
                    .write(move |tx| match deploy_checked(&run, tx, &name)? {
                        Begun::Over => Ok(Ended::Finished),
                        Begun::Failed => Ok(Ended::Failed),
                        Begun::Go if !deploy::make(&run, tx, &name)? => Ok(Ended::Failed),
                        Begun::Go | Begun::Made => {
                            deploy::complete(&run, tx, &name)?;
                            Ok::<_, ApiError>(Ended::Finished)
                        }
                    })
                    .await;
            }
            self.slow_step(run, name, cancel).await
        })
    }

    /// A step of deploying whose parts are transactions of their own, with the delay asked for between them.
    async fn slow_step(
        self: Arc<Self>,
        run: Arc<Run>,
        name: String,
        cancel: CancellationToken,
    ) -> Result<Ended, ApiError> {
        let store = &self.host.store;
        let (shared, id) = (Arc::clone(&run), name.clone());
        match store.write(move |tx| deploy_checked(&shared, tx, &id)).await? {
            Begun::Over => return Ok(Ended::Finished),
            Begun::Failed => return Ok(Ended::Failed),
            Begun::Made => {}
            Begun::Go => {
                let (shared, id) = (Arc::clone(&run), name.clone());
                if !store.write(move |tx| deploy::make(&shared, tx, &id)).await? {
                    return Ok(Ended::Failed);
                }
            }
        }
        let cancelled = tokio::select! {
            () = cancel.cancelled() => true,
            () = tokio::time::sleep(self.host.delay) => false,
        };
        if self.stop.is_cancelled() {
            return Ok(Ended::Failed);
        }
        store
            .write(move |tx| {
                if cancelled {
                    deploy::cancel(&run, tx, &name)?;
                    return Ok(Ended::Failed);
                }
                deploy::complete(&run, tx, &name)?;
                Ok::<_, ApiError>(Ended::Finished)
            })
            .await
    }
}

/// The steps of a phase and their order.
fn plan(run: &Run, rows: &[StackResource]) -> (Vec<String>, BTreeMap<String, BTreeSet<String>>, OnFailed) {
    let of_rows = |previous: bool| -> BTreeMap<String, BTreeSet<String>> {
        rows.iter()
            .map(|row| {
                let depends = match &row.previous_declaration {
                    Some((_, depends)) if previous => depends,
                    _ => &row.depends,
                };
                (row.logical_id.clone(), depends.iter().cloned().collect())
            })
            .collect()
    };
    match run.operation.phase {
        Phase::Deploy => (run.order.clone(), run.graph.clone(), OnFailed::Stop),
        Phase::Revert => {
            let names = rows.iter().filter(|row| revert::concerns(row)).map(|row| row.logical_id.clone()).collect();
            (names, of_rows(true), OnFailed::GoOn)
        }
        phase => {
            let names = rows
                .iter()
                .rev()
                .filter(|row| remove::doomed(phase, row) != remove::Doomed::Nothing)
                .filter(|row| row.status != Status::DeleteComplete)
                .map(|row| row.logical_id.clone())
                .collect();
            (names, schedule::reversed(&of_rows(false)), OnFailed::GoOn)
        }
    }
}

/// The end of a phase, in the transaction that records it.
struct Ending<'a> {
    run: &'a Run,
    tx: &'a Transaction<'a>,
    stack: Stack,
    operation: StackOperation,
    /// An import that kept the phase from beginning anything.
    missing_export: Option<&'a str>,
}

impl Ending<'_> {
    fn end(mut self, good: bool) -> Result<(), ApiError> {
        match self.run.operation.phase {
            Phase::Deploy => self.deployed(good),
            Phase::Cleanup => self.over(Status::UpdateComplete, None),
            Phase::Revert if good => {
                self.go(Phase::RevertCleanup, Status::UpdateRollbackCompleteCleanupInProgress, None)
            }
            Phase::Revert => {
                let reason = self.failed("update")?;
                self.over(Status::UpdateRollbackFailed, Some(reason))
            }
            Phase::RevertCleanup => self.over(Status::UpdateRollbackComplete, None),
            Phase::Undo if good && self.operation.on_failure == OnFailure::Delete => self.deleted(),
            Phase::Undo if good => self.over(Status::RollbackComplete, None),
            Phase::Undo => {
                let reason = self.failed("delete")?;
                self.over(Status::RollbackFailed, Some(reason))
            }
            Phase::Delete if good => self.deleted(),
            Phase::Delete => {
                let reason = self.failed("delete")?;
                self.over(Status::DeleteFailed, Some(reason))
            }
            Phase::Over => Ok(()),
        }
    }

    fn rows(&self) -> Result<Vec<StackResource>, ApiError> {
        Ok(tables::resources(self.tx, &self.stack.id)?)
    }

    /// Which resources failed to do what.
    fn failed(&self, doing: &str) -> Result<String, ApiError> {
        let key = self.run.step_key();
        let failed = |row: &&StackResource| {
            row.step.as_ref().is_some_and(|(at, step)| *at == key && *step == OperationStep::Failed)
        };
        let names: Vec<String> = self.rows()?.iter().filter(failed).map(|row| row.logical_id.clone()).collect();
        Ok(format!("The following resource(s) failed to {doing}: [{}].", names.join(", ")))
    }

    fn deployed(&mut self, good: bool) -> Result<(), ApiError> {
        let cancelled = self.operation.cancelled;
        let trouble = if cancelled {
            Some("User Cancelled".to_owned())
        } else if good {
            outputs::settle(self.run, self.tx, &mut self.stack).err()
        } else {
            Some(self.what_failed()?)
        };
        let creating = self.operation.kind == OperationType::CreateStack;
        match (trouble, creating) {
            (None, true) => self.over(Status::CreateComplete, None),
            (None, false) => {
                self.mark_removed()?;
                self.go(Phase::Cleanup, Status::UpdateCompleteCleanupInProgress, None)
            }
            (Some(reason), true) => match self.operation.on_failure {
                OnFailure::DoNothing => self.over(Status::CreateFailed, Some(reason.trim_end().to_owned())),
                OnFailure::Rollback => {
                    let reason = format!("{} Rollback requested by user.", reason.trim_end()).trim_start().to_owned();
                    self.go(Phase::Undo, Status::RollbackInProgress, Some(reason))
                }
                OnFailure::Delete => {
                    let reason = format!("{} Delete requested by user.", reason.trim_end()).trim_start().to_owned();
                    self.go(Phase::Undo, Status::DeleteInProgress, Some(reason))
                }
            },
            (Some(reason), false) if self.operation.disable_rollback && !cancelled => {
                self.over(Status::UpdateFailed, Some(reason.trim_end().to_owned()))
            }
            (Some(reason), false) => {
                // Without the full stop, as AWS has it.
                let reason = match self.missing_export {
                    Some(name) => format!("No export named {name} found"),
                    None => reason,
                };
                if let Some(previous) = self.operation.previous.clone() {
                    self.stack.target = previous;
                }
                self.go(Phase::Revert, Status::UpdateRollbackInProgress, Some(reason.trim_end().to_owned()))
            }
        }
    }

    fn what_failed(&self) -> Result<String, ApiError> {
        if let Some(name) = self.missing_export {
            return Ok(format!("No export named {name} found."));
        }
        let rows = self.rows()?;
        let names = |status: Status| -> Vec<String> {
            let mut names: Vec<String> =
                rows.iter().filter(|row| row.status == status).map(|row| row.logical_id.clone()).collect();
            names.sort();
            names
        };
        let mut reason = String::new();
        for (status, doing) in [(Status::CreateFailed, "create"), (Status::UpdateFailed, "update")] {
            let names = names(status);
            if !names.is_empty() {
                reason.push_str(&format!("The following resource(s) failed to {doing}: [{}]. ", names.join(", ")));
            }
        }
        Ok(reason)
    }

    /// Marks what the target no longer has.
    fn mark_removed(&self) -> Result<(), ApiError> {
        for mut row in self.rows()? {
            if !self.run.graph.contains_key(&row.logical_id) {
                row.done = Some(Done::Removed);
                tables::save_resource(self.tx, &row)?;
            }
        }
        Ok(())
    }

    /// Goes on with another phase.
    fn go(&mut self, phase: Phase, status: Status, reason: Option<String>) -> Result<(), ApiError> {
        self.operation.phase = phase;
        tables::save_operation(self.tx, &self.operation)?;
        Ok(self.run.journal(self.tx).stack(&mut self.stack, &self.operation, status, reason)?)
    }

    /// Ends the operation.
    fn over(&mut self, status: Status, reason: Option<String>) -> Result<(), ApiError> {
        if !status.failed() {
            for mut row in self.rows()? {
                if status == Status::RollbackComplete {
                    continue;
                }
                row.previous = None;
                row.previous_declaration = None;
                row.done = None;
                tables::save_resource(self.tx, &row)?;
            }
        }
        if matches!(status, Status::UpdateRollbackComplete | Status::UpdateComplete) {
            outputs::keep_imports(self.run, self.tx, &self.stack)?;
        }
        self.close_change_set(status)?;
        if !status.failed() {
            requests::hide_only_parameters(self.tx, &self.stack.id, &self.stack.target)?;
        }
        self.go(Phase::Over, status, reason)
    }

    fn deleted(&mut self) -> Result<(), ApiError> {
        tables::set_exports(self.tx, &self.stack.region, &self.stack.id, &[])?;
        tables::keep_imports(self.tx, &self.stack.id, &[])?;
        retention::strip(self.tx, &mut self.stack)?;
        self.go(Phase::Over, Status::DeleteComplete, None)?;
        retention::forget_operations(self.tx, &self.stack.id)?;
        retention::prune(self.tx, self.run.host.clock.now())?;
        Ok(())
    }

    fn close_change_set(&self, status: Status) -> Result<(), ApiError> {
        let Some(id) = &self.operation.change_set_id else { return Ok(()) };
        let Some(mut set) = tables::change_set_by_id(self.tx, id)? else { return Ok(()) };
        set.execution = match status {
            Status::CreateComplete | Status::UpdateComplete => ExecutionStatus::ExecuteComplete,
            _ => ExecutionStatus::ExecuteFailed,
        };
        Ok(tables::save_change_set(self.tx, &set)?)
    }
}
