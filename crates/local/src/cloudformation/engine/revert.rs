//! Putting one updated resource back to what it was.

use rusqlite::Transaction;

use super::deploy::Begun;
use super::run::{Run, undoable};
use crate::cloudformation::model::{Done, OperationStep, Physical, StackResource};
use crate::cloudformation::status::Status;
use crate::cloudformation::tables;
use crate::ground::ApiError;

/// Whether a resource has anything to be put back.
pub fn concerns(row: &StackResource) -> bool {
    matches!(row.done, Some(Done::Updated | Done::Replaced))
}

/// Records the intention to put a resource back.
pub fn begin(run: &Run, db: &Transaction<'_>, logical_id: &str) -> Result<Begun, ApiError> {
    let Some(mut row) = tables::resource(db, &run.stack.id, logical_id)? else { return Ok(Begun::Over) };
    let key = run.step_key();
    if let Some(begun) = Begun::recorded(&row, &key) {
        return Ok(begun);
    }
    if let Some((declaration, depends)) = row.previous_declaration.take() {
        row.declaration = declaration;
        row.depends = depends;
    }
    let journal = run.journal(db);
    if run.operation.skip.contains(&row.logical_id) {
        row.step = Some((key, OperationStep::Finished));
        journal.resource(&run.stack, &run.operation, &mut row, Status::UpdateComplete, None)?;
        return Ok(Begun::Over);
    }
    row.step = Some((key, OperationStep::Started));
    journal.resource(&run.stack, &run.operation, &mut row, Status::UpdateInProgress, None)?;
    Ok(Begun::Go)
}

/// Puts a resource back; says whether it went well.
pub fn finish(run: &Run, db: &Transaction<'_>, logical_id: &str) -> Result<bool, ApiError> {
    let Some(mut row) = tables::resource(db, &run.stack.id, logical_id)? else { return Ok(true) };
    let site = run.site(logical_id, &row.resource_type);
    let result = undoable(db, || {
        if let Some(failure) = run.injected(&row, "Rollback") {
            return Err(failure);
        }
        match (row.done, &row.previous, &row.physical) {
            (Some(Done::Updated), Some(before), Some(now)) if before.properties != now.properties => {
                let work = run.work(db, &site);
                let real = run.revealed(db, &before.properties)?;
                let properties = real.as_ref().unwrap_or(&before.properties);
                run.handler(&row.resource_type).update(&work, &now.id, &now.properties, properties).map(Some)
            }
            _ => Ok(None),
        }
    })?;
    match result {
        Err(failure) => {
            let reason = failure.reason(&run.host.ids);
            failed(run, db, &mut row, reason)?;
            Ok(false)
        }
        Ok(made) => {
            match (row.done, row.previous.take(), row.physical.take()) {
                (Some(Done::Replaced), Some(before), now) => {
                    // The new thing is deleted in the cleanup that follows.
                    row.physical = Some(before);
                    row.previous = now;
                }
                (_, Some(before), now) => {
                    row.physical = Some(match made {
                        Some(made) => Physical { id: made.id, attributes: made.attributes, ..before },
                        None => before,
                    });
                    drop(now);
                }
                (_, None, now) => row.physical = now,
            }
            if let Some(thing) = &row.physical {
                run.set_known(logical_id, thing);
            }
            done(run, db, &mut row)?;
            Ok(true)
        }
    }
}

/// Records that a resource is what it was.
pub fn done(run: &Run, db: &Transaction<'_>, row: &mut StackResource) -> Result<(), ApiError> {
    row.step = Some((run.step_key(), OperationStep::Finished));
    Ok(run.journal(db).resource(&run.stack, &run.operation, row, Status::UpdateComplete, None)?)
}

/// Records that a resource could not be put back.
pub fn failed(run: &Run, db: &Transaction<'_>, row: &mut StackResource, reason: String) -> Result<(), ApiError> {
    row.step = Some((run.step_key(), OperationStep::Failed));
    Ok(run.journal(db).resource(&run.stack, &run.operation, row, Status::UpdateFailed, Some(reason))?)
}
