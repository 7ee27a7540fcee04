//! Creating and updating one resource.
//!
//! Three transactions at most: begin (the intention and its event), make (the world changes and its event), complete.
//! Without a delay between them they are one. Whatever is found after a crash is taken up where it stopped.

use rusqlite::Transaction;
use serde_json::{Map, Value, json};

use super::run::{Run, undoable};
use crate::cloudformation::model::{Done, OperationStep, Physical, StackResource};
use crate::cloudformation::status::{OperationType, Status};
use crate::cloudformation::{policy, properties, tables};
use crate::ground::ApiError;
use crate::resources::{self, Failure, Made};
use bedplate_cfn::{Schemas, diff};

const REPLACING: &str = "Requested update requires the creation of a new physical resource; hence creating one.";

/// What beginning a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// There is nothing to do, or it is done.
    Over,
    /// It failed, and that is recorded.
    Failed,
    /// The intention is recorded; now make it.
    Go,
    /// It was made before; only its end is missing.
    Made,
}

impl Begun {
    /// What an earlier run of the phase with this key recorded for a resource; none when it did not come to it.
    pub fn recorded(row: &StackResource, key: &str) -> Option<Self> {
        let (at, step) = row.step.as_ref()?;
        (*at == key).then_some(match step {
            OperationStep::Finished => Begun::Over,
            OperationStep::Failed => Begun::Failed,
            OperationStep::Started => Begun::Go,
        })
    }
}

/// Records the intention to create or update a resource.
pub fn begin(run: &Run, db: &Transaction<'_>, logical_id: &str) -> Result<Begun, ApiError> {
    let key = run.step_key();
    let journal = run.journal(db);
    let Some(declared) = run.template.resource(logical_id) else { return Ok(Begun::Over) };
    let existing = tables::resource(db, &run.stack.id, logical_id)?;
    if let Some(row) = &existing
        && let Some(begun) = Begun::recorded(row, &key)
    {
        let made = row.physical.is_some() && made_already(row);
        return Ok(if made && matches!(begun, Begun::Go) { Begun::Made } else { begun });
    }
    let declaration = Value::Object(declared.body().clone());
    let depends: Vec<String> = run.graph.get(logical_id).into_iter().flatten().cloned().collect();
    let creating = run.operation.kind == OperationType::CreateStack;
    let mut row = existing.clone().unwrap_or_else(|| StackResource {
        stack_id: run.stack.id.clone(),
        logical_id: logical_id.to_owned(),
        resource_type: declared.type_.to_owned(),
        status: Status::CreateInProgress,
        reason: None,
        updated: journal.now(),
        physical: None,
        declaration: declaration.clone(),
        depends: depends.clone(),
        previous: None,
        previous_declaration: None,
        done: None,
        step: None,
    });
    if existing.is_some() {
        row.previous_declaration = Some((row.declaration.clone(), row.depends.clone()));
    }
    row.previous = None;
    row.resource_type = declared.type_.to_owned();
    row.declaration = declaration;
    row.depends = depends;
    let new = row.physical.is_none();
    row.done = Some(if new { Done::Created } else { Done::Updated });
    let failed = if new { Status::CreateFailed } else { Status::UpdateFailed };
    row.step = Some((key.clone(), OperationStep::Failed));
    let (properties, metadata) = match run.resolved(db, logical_id) {
        Ok(resolved) => resolved,
        Err(problem) => {
            journal.resource(&run.stack, &run.operation, &mut row, failed, Some(problem.message))?;
            return Ok(Begun::Failed);
        }
    };
    if !metadata.is_null()
        && let Some(declaration) = row.declaration.as_object_mut()
    {
        declaration.insert("Metadata".to_owned(), metadata);
    }
    // Compared as the change set was, so that what it announced is what is done.
    let schema = Schemas::embedded().get(declared.type_);
    let differences =
        row.physical.as_ref().map(|thing| diff::compare(schema.as_deref(), &thing.properties, &properties));
    if let Some(differences) = &differences {
        let before = row.previous_declaration.as_ref().and_then(|(old, _)| old.get("Metadata"));
        if differences.is_empty() && before == row.declaration.get("Metadata") {
            row.step = Some((key, OperationStep::Finished));
            row.done = None;
            tables::save_resource(db, &row)?;
            return Ok(Begun::Over);
        }
    }
    // Whether a custom resource is replaced is for its function to say.
    let custom = resources::is_custom(declared.type_);
    let replaced = !custom
        && row.physical.as_ref().is_some_and(|thing| {
            let needs_another = |change: &diff::PropertyChange| change.recreation == diff::Recreation::Always;
            thing.resource_type != declared.type_ || differences.iter().flatten().any(needs_another)
        });
    if !new && !creating {
        let action = if replaced { "Update:Replace" } else { "Update:Modify" };
        if let Some(reason) = policy::denied(&run.stack, &run.operation, &row, action) {
            journal.resource(&run.stack, &run.operation, &mut row, failed, Some(reason))?;
            return Ok(Begun::Failed);
        }
    }
    row.step = Some((key.clone(), OperationStep::Started));
    let (status, reason) = match (new, replaced) {
        (true, _) => (Status::CreateInProgress, None),
        (false, true) => (Status::UpdateInProgress, Some(REPLACING.to_owned())),
        (false, false) => (Status::UpdateInProgress, None),
    };
    if replaced {
        row.done = Some(Done::Replaced);
    }
    let shown = row.physical.as_ref().map(|thing| thing.id.clone()).unwrap_or_default();
    row.status = status;
    row.reason.clone_from(&reason);
    row.updated = journal.now();
    tables::save_resource(db, &row)?;
    journal.event_of(&run.stack, &run.operation, &row, &shown, Some(&properties), status, reason)?;
    let invalid = properties::errors(db, &run.stack.region, declared.type_, &properties)?;
    let custom_name_kept = replaced && {
        let site = run.site(logical_id, declared.type_);
        let planned = resources::planned_id(&site, &properties);
        let old = row.physical.as_ref().and_then(|thing| resources::planned_id(&site, &thing.properties));
        planned.is_some() && planned == old
    };
    let refusal = if !invalid.is_empty() {
        Some(format!("Properties validation failed for resource {logical_id} with message:\n{}", invalid.join("\n")))
    } else if custom_name_kept {
        let name = resources::custom_name(declared.type_, &properties).unwrap_or_default();
        Some(format!(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {name} and \
             update the stack again."
        ))
    } else {
        None
    };
    if let Some(reason) = refusal {
        row.step = Some((key, OperationStep::Failed));
        if replaced {
            row.done = Some(Done::Updated);
        }
        journal.resource(&run.stack, &run.operation, &mut row, failed, Some(reason))?;
        return Ok(Begun::Failed);
    }
    Ok(Begun::Go)
}

/// Whether the world was changed by a step that is recorded as begun.
fn made_already(row: &StackResource) -> bool {
    match row.done {
        Some(Done::Created) => true,
        _ => row.previous.is_some(),
    }
}

/// Changes the world for a step that was begun.
pub fn make(run: &Run, db: &Transaction<'_>, logical_id: &str) -> Result<bool, ApiError> {
    let Some(mut row) = tables::resource(db, &run.stack.id, logical_id)? else { return Ok(false) };
    let resource_type = row.resource_type.clone();
    let made = match run.resolved(db, logical_id) {
        Err(problem) => Err(Failure::plain(problem.message)),
        Ok((properties, _)) => {
            // Only the thing itself gets the values of secrets; all records keep the references.
            let real = run.revealed(db, &properties);
            let site = run.site(logical_id, &resource_type);
            let result = undoable(db, || {
                let work = run.work(db, &site);
                let real = real?;
                let properties_of_thing = real.as_ref().unwrap_or(&properties);
                match (&row.physical, row.done) {
                    (Some(thing), Some(Done::Updated)) => {
                        if let Some(failure) = run.injected(&row, "Update") {
                            return Err(failure);
                        }
                        if diff::compare(None, &thing.properties, &properties).is_empty() {
                            return Ok(Made { id: thing.id.clone(), attributes: thing.attributes.clone() });
                        }
                        resources::refuse_by_rules(&work, properties_of_thing)?;
                        run.handler(&resource_type).update(&work, &thing.id, &thing.properties, properties_of_thing)
                    }
                    (thing, _) => {
                        let doing = if thing.is_some() { "Update" } else { "Create" };
                        match run.injected(&row, doing) {
                            Some(failure) => Err(failure),
                            None => {
                                resources::refuse_by_rules(&work, properties_of_thing)?;
                                run.handler(&resource_type).create(&work, properties_of_thing)
                            }
                        }
                    }
                }
            })?;
            result.map(|made| (made, properties))
        }
    };
    let (made, properties) = match made {
        Ok(made) => made,
        Err(failure) => {
            fail(run, db, &mut row, failure.reason(&run.host.ids))?;
            return Ok(false);
        }
    };
    record(run, db, &mut row, made, properties)?;
    Ok(true)
}

/// Records what was made, with the event that shows its id.
pub fn record(
    run: &Run,
    db: &Transaction<'_>,
    row: &mut StackResource,
    made: Made,
    properties: Value,
) -> Result<(), ApiError> {
    let thing =
        Physical { id: made.id, resource_type: row.resource_type.clone(), properties, attributes: made.attributes };
    row.previous = row.physical.take();
    run.set_known(&row.logical_id, &thing);
    row.physical = Some(thing);
    let status = match row.done {
        Some(Done::Created) | None => Some(Status::CreateInProgress),
        Some(Done::Replaced) => Some(Status::UpdateInProgress),
        _ => None,
    };
    match status {
        Some(status) => run.journal(db).resource(
            &run.stack,
            &run.operation,
            row,
            status,
            Some("Resource creation Initiated".to_owned()),
        )?,
        None => tables::save_resource(db, row)?,
    }
    Ok(())
}

/// Ends a step well.
pub fn complete(run: &Run, db: &Transaction<'_>, logical_id: &str) -> Result<(), ApiError> {
    let Some(mut row) = tables::resource(db, &run.stack.id, logical_id)? else { return Ok(()) };
    row.step = Some((run.step_key(), OperationStep::Finished));
    let status = if row.done == Some(Done::Created) { Status::CreateComplete } else { Status::UpdateComplete };
    Ok(run.journal(db).resource(&run.stack, &run.operation, &mut row, status, None)?)
}

/// Ends a step badly.
pub fn fail(run: &Run, db: &Transaction<'_>, row: &mut StackResource, reason: String) -> Result<(), ApiError> {
    row.step = Some((run.step_key(), OperationStep::Failed));
    let status = if row.done == Some(Done::Created) { Status::CreateFailed } else { Status::UpdateFailed };
    if row.done == Some(Done::Replaced) && row.previous.is_none() {
        row.done = Some(Done::Updated);
    }
    Ok(run.journal(db).resource(&run.stack, &run.operation, row, status, Some(reason))?)
}

/// Ends a step that was under way when another failed.
pub fn cancel(run: &Run, db: &Transaction<'_>, logical_id: &str) -> Result<(), ApiError> {
    let Some(mut row) = tables::resource(db, &run.stack.id, logical_id)? else { return Ok(()) };
    let what = if row.done == Some(Done::Created) { "creation" } else { "update" };
    fail(run, db, &mut row, format!("Resource {what} cancelled"))
}

/// The attributes a nested stack has: its outputs.
pub fn outputs_as_attributes(outputs: &[crate::cloudformation::model::StackOutput]) -> Map<String, Value> {
    outputs.iter().map(|output| (format!("Outputs.{}", output.key), json!(output.value))).collect()
}
