//! Nested stacks: a resource whose work is an operation of another stack.

use std::sync::Arc;

use rusqlite::Transaction;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::begin::OperationRequest;
use super::deploy::{self, Begun};
use super::run::Run;
use super::schedule::Ended;
use super::steps::begin_checked;
use super::{Engine, remove, revert};
use crate::cloudformation::model::{Done, OnFailure, Phase, Stack, StackResource, StackTarget, Tag};
use crate::cloudformation::prepare::{self, StackRequest};
use crate::cloudformation::status::Status;
use crate::cloudformation::{limits, source, stacks, tables};
use crate::ground::ApiError;
use crate::ground::scalar::scalar;
use crate::resources::{Failure, Made};

/// A step that concerns a nested stack.
pub(super) async fn step(
    engine: Arc<Engine>,
    run: Arc<Run>,
    name: String,
    cancel: CancellationToken,
) -> Result<Ended, ApiError> {
    let store = engine.host.store.clone();
    let deploying = run.operation.phase == Phase::Deploy;
    let (shared, id) = (Arc::clone(&run), name.clone());
    let begun = store.write(move |tx| begin_checked(&shared, tx, &id)).await?;
    match begun {
        Begun::Over => return Ok(Ended::Finished),
        Begun::Failed => return Ok(Ended::Failed),
        Begun::Go | Begun::Made => {}
    }
    if begun == Begun::Go {
        let text = if deploying { Some(read_template(&engine, &run, &name).await?) } else { None };
        let (shared, id) = (Arc::clone(&run), name.clone());
        let going = store
            .write(move |tx| match text {
                Some(text) => begin_deploy(&shared, tx, &id, text),
                None => begin_other(&shared, tx, &id),
            })
            .await?;
        if !going {
            return Ok(Ended::Failed);
        }
    }
    let _ = cancel;
    wait(&engine, &run, &name).await?;
    if engine.stop.is_cancelled() {
        return Ok(Ended::Failed);
    }
    store.write(move |tx| settle(&run, tx, &name)).await
}

/// The template of a nested stack.
enum ChildTemplate {
    Text(String),
    /// It can't be read, for this reason.
    Unreadable(String),
}

/// Reads the child's template.
async fn read_template(engine: &Engine, run: &Arc<Run>, name: &str) -> Result<ChildTemplate, ApiError> {
    let (shared, id) = (Arc::clone(run), name.to_owned());
    let url = engine
        .host
        .store
        .write(move |tx| {
            let resolved = shared.resolved(tx, &id).map(|(properties, _)| properties);
            Ok::<_, ApiError>(resolved.map(|properties| properties.get("TemplateURL").and_then(scalar)))
        })
        .await?;
    Ok(match url {
        Err(problem) => ChildTemplate::Unreadable(problem.message),
        Ok(None) => ChildTemplate::Unreadable("TemplateURL must be given".to_owned()),
        Ok(Some(url)) => match source::from_url(&engine.host, &url).await {
            Ok(text) => ChildTemplate::Text(text),
            Err(error) => ChildTemplate::Unreadable(error.message),
        },
    })
}

fn child_of(tx: &Transaction<'_>, row: &StackResource) -> Result<Option<Stack>, ApiError> {
    match &row.physical {
        Some(thing) => Ok(tables::stack_by_id(tx, &thing.id)?),
        None => Ok(None),
    }
}

/// What the child is to be, from the resource's properties.
fn target(
    run: &Run,
    tx: &Transaction<'_>,
    child_name: &str,
    properties: &Value,
    text: String,
    previous: Option<&StackTarget>,
) -> Result<StackTarget, ApiError> {
    let parameters = properties
        .get("Parameters")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            let value = match value {
                Value::Array(items) => items.iter().filter_map(scalar).collect::<Vec<_>>().join(","),
                other => scalar(other).unwrap_or_default(),
            };
            (key.clone(), Some(value))
        })
        .collect();
    let tags = properties
        .get("Tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|tag| {
            Some(Tag { key: tag.get("Key").and_then(scalar)?, value: tag.get("Value").and_then(scalar)? })
        })
        .collect();
    let given = StackRequest {
        stack_name: child_name.to_owned(),
        template: text,
        parameters,
        tags,
        capabilities: run.stack.target.capabilities.clone(),
        ..StackRequest::default()
    };
    prepare::target(tx, given, previous, &run.stack.region, prepare::Way::Directly)
}

/// Makes the child or begins its update, and records that.
fn begin_deploy(run: &Run, tx: &Transaction<'_>, name: &str, template: ChildTemplate) -> Result<bool, ApiError> {
    let Some(mut row) = tables::resource(tx, &run.stack.id, name)? else { return Ok(false) };
    let journal = run.journal(tx);
    let doing = if row.done == Some(Done::Created) { "Create" } else { "Update" };
    if let Some(failure) = run.injected(&row, doing) {
        let reason = failure.reason(&run.host.ids);
        deploy::fail(run, tx, &mut row, reason)?;
        return Ok(false);
    }
    let child_name = child_name(&run.stack.name, name, &journal.uuid());
    let resolved = run.resolved(tx, name).map_err(|problem| problem.message);
    let prepared = resolved.and_then(|(properties, _)| {
        let child = child_of(tx, &row).ok().flatten();
        let named = child.as_ref().map_or(child_name.as_str(), |child| child.name.as_str());
        let before = child.as_ref().map(|child| &child.target);
        let text = match template {
            ChildTemplate::Text(text) => text,
            ChildTemplate::Unreadable(reason) => return Err(reason),
        };
        let target = target(run, tx, named, &properties, text, before).map_err(|error| error.message)?;
        let existing = child.as_ref().map(|child| child.id.as_str());
        match limits::nested(tx, &run.stack, &target, existing).map_err(|error| error.to_string())? {
            Some(reason) => Err(reason),
            None => Ok((properties, target)),
        }
    });
    let (properties, target) = match prepared {
        Ok(prepared) => prepared,
        Err(reason) => {
            deploy::fail(run, tx, &mut row, reason)?;
            return Ok(false);
        }
    };
    let request = OperationRequest { token: run.operation.token.clone(), ..OperationRequest::default() };
    if let Some(mut child) = child_of(tx, &row)? {
        if target != child.target {
            journal.begin_update(&mut child, target, request)?;
        }
        let attributes = row.physical.as_ref().map(|thing| thing.attributes.clone()).unwrap_or_default();
        deploy::record(run, tx, &mut row, Made { id: child.id, attributes }, properties)?;
        return Ok(true);
    }
    let mut child = stacks::fresh(&journal, &child_name, &run.stack.region);
    child.parent = Some(run.stack.id.clone());
    child.root = Some(run.stack.root.clone().unwrap_or_else(|| run.stack.id.clone()));
    // The parent takes it away when it fails.
    let request = OperationRequest { on_failure: OnFailure::DoNothing, ..request };
    journal.begin_create(&mut child, target, request)?;
    let made = Made { id: child.id, attributes: serde_json::Map::new() };
    deploy::record(run, tx, &mut row, made, properties)?;
    Ok(true)
}

/// The longest name of a stack. Source: the API model's `StackName`, and the user guide's words on stack names.
const LONGEST_NAME: usize = 128;

/// The name of a nested stack: its parent's, its logical id and twelve characters, cut to what a stack's name may have.
fn child_name(parent: &str, logical_id: &str, uuid: &str) -> String {
    let short: String = uuid.chars().filter(|c| *c != '-').take(12).collect::<String>().to_ascii_uppercase();
    // Both are ASCII: the API takes no other stack names, and templates no other logical ids.
    let cut = |text: &str, most: usize| text.get(..most.min(text.len())).unwrap_or_default().to_owned();
    let room = LONGEST_NAME - short.len() - 2;
    let logical_id = cut(logical_id, room - parent.len().min(room / 2));
    let parent = cut(parent, room - logical_id.len());
    format!("{}-{logical_id}-{short}", parent.trim_end_matches('-'))
}

/// Begins to delete the child, or to put it back.
fn begin_other(run: &Run, tx: &Transaction<'_>, name: &str) -> Result<bool, ApiError> {
    let Some(mut row) = tables::resource(tx, &run.stack.id, name)? else { return Ok(true) };
    let journal = run.journal(tx);
    let Some(mut child) = child_of(tx, &row)? else { return Ok(true) };
    let request = OperationRequest { token: run.operation.token.clone(), ..OperationRequest::default() };
    if run.operation.phase == Phase::Revert {
        if let Some(failure) = run.injected(&row, "Rollback") {
            let reason = failure.reason(&run.host.ids);
            revert::failed(run, tx, &mut row, reason)?;
            return Ok(false);
        }
        let changed = row.previous.is_some() && child.status == Status::UpdateComplete;
        if changed
            && let Some(before) = journal.last_previous(&child)?
            && before != child.target
        {
            journal.begin_update(&mut child, before, request)?;
        }
    } else if !child.status.in_progress() && child.status != Status::DeleteComplete {
        if let Some(export) = stacks::export_in_use(tx, &child)? {
            if let Some(thing) = row.physical.clone() {
                remove::end(run, tx, row, &thing, Err(Failure::plain(export)))?;
            }
            return Ok(false);
        }
        journal.begin_delete(&mut child, request)?;
    }
    Ok(true)
}

/// Carries the child's operation out.
async fn wait(engine: &Arc<Engine>, run: &Arc<Run>, name: &str) -> Result<(), ApiError> {
    let (shared, id) = (Arc::clone(run), name.to_owned());
    let operation = engine
        .host
        .store
        .read(move |tx| {
            let Some(row) = tables::resource(tx, &shared.stack.id, &id)? else { return Ok(None) };
            match &row.physical {
                Some(thing) => Ok::<_, ApiError>(tables::running_operation(tx, &thing.id)?),
                None => Ok(None),
            }
        })
        .await?;
    let Some(operation) = operation else { return Ok(()) };
    // A task of its own: however deep stacks nest, none is polled within another.
    let engine = Arc::clone(engine);
    match tokio::spawn(async move { engine.drive(&operation.id).await }).await {
        Ok(driven) => driven,
        Err(error) => Err(ApiError::internal(format!("A nested stack's operation ended before its time: {error}"))),
    }
}

/// Records how the child's operation ended.
fn settle(run: &Run, tx: &Transaction<'_>, name: &str) -> Result<Ended, ApiError> {
    let Some(mut row) = tables::resource(tx, &run.stack.id, name)? else { return Ok(Ended::Finished) };
    let child = child_of(tx, &row)?;
    let status = child.as_ref().map(|child| child.status);
    let id = row.physical.as_ref().map(|thing| thing.id.clone()).unwrap_or_default();
    let why = child.as_ref().and_then(|child| child.reason.clone()).unwrap_or_default();
    match run.operation.phase {
        Phase::Deploy => {
            if matches!(status, Some(Status::CreateComplete | Status::UpdateComplete | Status::UpdateRollbackComplete))
                && !(status == Some(Status::UpdateRollbackComplete) && row.done == Some(Done::Updated))
            {
                if let (Some(child), Some(thing)) = (&child, row.physical.as_mut()) {
                    thing.attributes = deploy::outputs_as_attributes(&child.outputs);
                    run.set_known(name, thing);
                }
                tables::save_resource(tx, &row)?;
                deploy::complete(run, tx, name)?;
                return Ok(Ended::Finished);
            }
            let doing = if row.done == Some(Done::Created) { "created" } else { "updated" };
            deploy::fail(run, tx, &mut row, format!("Embedded stack {id} was not successfully {doing}: {why}"))?;
            Ok(Ended::Failed)
        }
        Phase::Revert => {
            let back = matches!(
                status,
                Some(Status::UpdateComplete | Status::UpdateRollbackComplete | Status::CreateComplete)
            );
            if !back {
                let reason = format!("Embedded stack {id} was not successfully updated: {why}");
                revert::failed(run, tx, &mut row, reason)?;
                return Ok(Ended::Failed);
            }
            if let Some(before) = row.previous.take() {
                row.physical = Some(before);
            }
            if let Some(thing) = &row.physical {
                run.set_known(name, thing);
            }
            revert::done(run, tx, &mut row)?;
            Ok(Ended::Finished)
        }
        _ => {
            let Some(thing) = row.physical.clone() else { return Ok(Ended::Finished) };
            let result = if matches!(status, None | Some(Status::DeleteComplete)) {
                Ok(())
            } else {
                Err(Failure::plain(format!("Embedded stack {id} was not successfully deleted: {why}")))
            };
            let good = remove::end(run, tx, row, &thing, result)?;
            Ok(if good { Ended::Finished } else { Ended::Failed })
        }
    }
}
