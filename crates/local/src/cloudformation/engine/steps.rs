//! The beginnings of steps.

use rusqlite::Transaction;

use super::deploy::{self, Begun};
use super::run::Run;
use super::{remove, revert};
use crate::cloudformation::model::Phase;
use crate::cloudformation::tables;
use crate::ground::ApiError;

/// Begins a step of whichever phase the operation is in.
pub(super) fn begin_checked(run: &Run, tx: &Transaction<'_>, name: &str) -> Result<Begun, ApiError> {
    if run.operation.phase == Phase::Deploy { deploy_checked(run, tx, name) } else { begin(run, tx, name) }
}

/// Begins a step of deploying, unless the update was cancelled or its time is over.
pub(super) fn deploy_checked(run: &Run, tx: &Transaction<'_>, name: &str) -> Result<Begun, ApiError> {
    let cancelled = tables::operation(tx, &run.operation.id)?.is_some_and(|operation| operation.cancelled);
    if cancelled {
        return Ok(Begun::Failed);
    }
    deploy::begin(run, tx, name)
}

/// Begins a step of any other phase.
pub(super) fn begin(run: &Run, tx: &Transaction<'_>, name: &str) -> Result<Begun, ApiError> {
    if run.operation.phase == Phase::Revert { revert::begin(run, tx, name) } else { remove::begin(run, tx, name) }
}
