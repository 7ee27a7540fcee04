//! Deleting one thing: a resource no longer wanted, the old thing after a replacement, or everything of a stack.

use rusqlite::Transaction;
use serde_json::Value;

use super::deploy::Begun;
use super::run::{Run, undoable};
use crate::cloudformation::model::{Done, OperationStep, Phase, Physical, StackResource};
use crate::cloudformation::status::Status;
use crate::cloudformation::{policy, tables};
use crate::ground::ApiError;
use crate::resources::Failure;

/// What is to be deleted of a resource in a phase.
#[derive(Debug, Clone, PartialEq)]
pub enum Doomed {
    /// Nothing.
    Nothing,
    /// The thing it stands for, and the resource with it.
    Whole,
    /// The thing it stood for before, or would have stood for.
    Other(Physical),
}

/// What this phase deletes of a resource.
pub fn doomed(phase: Phase, row: &StackResource) -> Doomed {
    match (phase, row.done) {
        (Phase::Undo | Phase::Delete, _) => Doomed::Whole,
        (Phase::Cleanup, Some(Done::Removed)) | (Phase::RevertCleanup, Some(Done::Created)) => Doomed::Whole,
        (Phase::Cleanup | Phase::RevertCleanup, Some(Done::Replaced)) => {
            row.previous.clone().map_or(Doomed::Nothing, Doomed::Other)
        }
        _ => Doomed::Nothing,
    }
}

/// Whether a policy keeps the thing.
fn kept(run: &Run, row: &StackResource, doomed: &Doomed) -> bool {
    let policy = |name: &str| row.declaration.get(name).and_then(Value::as_str).unwrap_or("Delete");
    if run.operation.skip.contains(&row.logical_id) {
        return true;
    }
    let undoing = matches!(run.operation.phase, Phase::Undo | Phase::RevertCleanup);
    match doomed {
        Doomed::Nothing => true,
        Doomed::Other(_) if undoing => false,
        Doomed::Other(_) => policy("UpdateReplacePolicy") == "Retain",
        Doomed::Whole => match policy("DeletionPolicy") {
            "Retain" => !(undoing && run.stack.target.retain_except_on_create),
            "RetainExceptOnCreate" => !undoing,
            _ => false,
        },
    }
}

/// Records the intention to delete.
pub fn begin(run: &Run, db: &Transaction<'_>, logical_id: &str) -> Result<Begun, ApiError> {
    let Some(mut row) = tables::resource(db, &run.stack.id, logical_id)? else { return Ok(Begun::Over) };
    let key = run.step_key();
    if let Some(begun) = Begun::recorded(&row, &key) {
        return Ok(begun);
    }
    let doomed = doomed(run.operation.phase, &row);
    let journal = run.journal(db);
    let thing = match &doomed {
        Doomed::Nothing => return Ok(Begun::Over),
        Doomed::Whole => row.physical.clone(),
        Doomed::Other(thing) => Some(thing.clone()),
    };
    let Some(thing) = thing else {
        // Its creation failed before there was anything: it only leaves the stack.
        row.step = Some((key, OperationStep::Finished));
        journal.resource(&run.stack, &run.operation, &mut row, Status::DeleteComplete, None)?;
        forget(run, db, &row)?;
        return Ok(Begun::Over);
    };
    if kept(run, &row, &doomed) {
        row.step = Some((key, OperationStep::Finished));
        if doomed == Doomed::Whole {
            journal.resource(&run.stack, &run.operation, &mut row, Status::DeleteSkipped, None)?;
            forget(run, db, &row)?;
        } else {
            tables::save_resource(db, &row)?;
            journal.event_of(
                &run.stack,
                &run.operation,
                &row,
                &thing.id,
                Some(&thing.properties),
                Status::DeleteSkipped,
                None,
            )?;
        }
        return Ok(Begun::Over);
    }
    if run.operation.phase == Phase::Cleanup
        && doomed == Doomed::Whole
        && let Some(reason) = policy::denied(&run.stack, &run.operation, &row, "Update:Delete")
    {
        row.step = Some((key, OperationStep::Failed));
        journal.resource(&run.stack, &run.operation, &mut row, Status::DeleteFailed, Some(reason))?;
        return Ok(Begun::Failed);
    }
    row.step = Some((key, OperationStep::Started));
    if doomed == Doomed::Whole {
        journal.resource(&run.stack, &run.operation, &mut row, Status::DeleteInProgress, None)?;
    } else {
        tables::save_resource(db, &row)?;
        let properties = Some(&thing.properties);
        journal.event_of(&run.stack, &run.operation, &row, &thing.id, properties, Status::DeleteInProgress, None)?;
    }
    Ok(Begun::Go)
}

/// Deletes what was begun; says whether it went well.
pub fn finish(run: &Run, db: &Transaction<'_>, logical_id: &str) -> Result<bool, ApiError> {
    let Some(row) = tables::resource(db, &run.stack.id, logical_id)? else { return Ok(true) };
    let thing = match doomed(run.operation.phase, &row) {
        Doomed::Nothing => return Ok(true),
        Doomed::Whole => row.physical.clone(),
        Doomed::Other(thing) => Some(thing),
    };
    let Some(thing) = thing else { return Ok(true) };
    let site = run.site(logical_id, &thing.resource_type);
    let result = undoable(db, || match run.injected(&row, "Delete") {
        Some(failure) => Err(failure),
        None => run.handler(&thing.resource_type).delete(&run.work(db, &site), &thing.id, &thing.properties),
    })?;
    end(run, db, row, &thing, result)
}

/// Records how a deletion ended.
pub fn end(
    run: &Run,
    db: &Transaction<'_>,
    mut row: StackResource,
    thing: &Physical,
    result: Result<(), Failure>,
) -> Result<bool, ApiError> {
    let journal = run.journal(db);
    let whole = doomed(run.operation.phase, &row) == Doomed::Whole;
    let key = run.step_key();
    let (step, status, reason) = match result {
        Ok(()) => (OperationStep::Finished, Status::DeleteComplete, None),
        Err(failure) if run.stack.force_delete => {
            let reason = failure.reason(&run.host.ids);
            (OperationStep::Finished, Status::DeleteSkipped, Some(format!("The deletion was forced: {reason}")))
        }
        Err(failure) => (OperationStep::Failed, Status::DeleteFailed, Some(failure.reason(&run.host.ids))),
    };
    row.step = Some((key, step));
    if whole {
        journal.resource(&run.stack, &run.operation, &mut row, status, reason)?;
        if step == OperationStep::Finished {
            forget(run, db, &row)?;
        }
    } else {
        if step == OperationStep::Finished {
            // Gone: nothing is left to delete when this is taken up again.
            row.previous = None;
        }
        tables::save_resource(db, &row)?;
        journal.event_of(&run.stack, &run.operation, &row, &thing.id, Some(&thing.properties), status, reason)?;
    }
    Ok(step == OperationStep::Finished)
}

/// Takes a resource out of its stack, unless the whole stack goes: then it is still shown.
fn forget(run: &Run, db: &Transaction<'_>, row: &StackResource) -> Result<(), ApiError> {
    if matches!(run.operation.phase, Phase::Cleanup | Phase::RevertCleanup) {
        tables::remove_resource(db, &run.stack.id, &row.logical_id)?;
    }
    Ok(())
}
