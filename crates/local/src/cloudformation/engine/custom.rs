//! Custom resources: steps whose work a Lambda function does.
//!
//! Begin and ask are a transaction each; then the function is called and its answer waited for; the answer and what
//! follows from it are one transaction. A process that takes a step up finds what was asked: an answer that came counts,
//! and without one the same request is sent again, for the function died with the process that ran it.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::Transaction;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::deploy::{self, Begun};
use super::run::Run;
use super::schedule::Ended;
use super::steps::begin_checked;
use super::{Engine, LONGEST, PATIENCE, remove, revert};
use crate::cloudformation::custom::{self, BadAnswer, CustomRequest, Heard, Question};
use crate::cloudformation::model::{Done, Phase, Physical, StackResource};
use crate::cloudformation::tables;
use crate::ground::ApiError;
use crate::ground::scalar::text;
use crate::lambda::call::{Invocation, Invoker};
use crate::lambda::invoke::invoke;
use crate::resources::{Failure, Made};
use crate::secretsmanager::reveal::refers;
use bedplate_cfn::diff;

/// What a step comes to before anybody is asked.
enum Asking {
    /// It is over.
    Over(Ended),
    /// The function is to answer this.
    Ask(Box<CustomRequest>),
}

/// What came of a request.
enum CustomOutcome {
    /// An answer.
    Answered(String),
    /// None, and none will come.
    Silent(String),
    /// The function could not even be called.
    Uncalled(String),
    /// Another resource failed, and nobody waits any more.
    Cancelled,
    /// The engine stops; whoever takes the step up goes on.
    Stopped,
}

/// A step that concerns a custom resource.
pub(super) async fn step(
    engine: Arc<Engine>,
    run: Arc<Run>,
    name: String,
    cancel: CancellationToken,
) -> Result<Ended, ApiError> {
    let store = engine.host.store.clone();
    let (shared, id) = (Arc::clone(&run), name.clone());
    let asking = store
        .write(move |tx| match begin_checked(&shared, tx, &id)? {
            Begun::Over => Ok(Asking::Over(Ended::Finished)),
            Begun::Failed => Ok(Asking::Over(Ended::Failed)),
            Begun::Go | Begun::Made => ask(&shared, tx, &id),
        })
        .await?;
    let request = match asking {
        Asking::Over(ended) => return Ok(ended),
        Asking::Ask(request) => request,
    };
    let outcome = wait(&engine, &run, &request, &cancel).await?;
    if matches!(outcome, CustomOutcome::Stopped) {
        return Ok(Ended::Failed);
    }
    store.write(move |tx| settle(&run, tx, &name, &request, outcome)).await
}

/// The request of a step: the one that was made before, or a new one.
fn ask(run: &Run, tx: &Transaction<'_>, name: &str) -> Result<Asking, ApiError> {
    let step = run.step_key();
    if let Some(request) = custom::find(tx, &run.stack.id, name, &step)? {
        return Ok(Asking::Ask(Box::new(request)));
    }
    let Some(row) = tables::resource(tx, &run.stack.id, name)? else { return Ok(Asking::Over(Ended::Finished)) };
    match run.operation.phase {
        Phase::Deploy => ask_to_deploy(run, tx, row),
        Phase::Revert => ask_to_revert(run, tx, row),
        phase => {
            let thing = match remove::doomed(phase, &row) {
                remove::Doomed::Nothing => None,
                remove::Doomed::Whole => row.physical.clone(),
                remove::Doomed::Other(thing) => Some(thing),
            };
            let Some(thing) = thing else { return Ok(Asking::Over(Ended::Finished)) };
            if let Some(failure) = run.injected(&row, "Delete") {
                remove::end(run, tx, row, &thing, Err(failure))?;
                return Ok(Asking::Over(Ended::Failed));
            }
            question(run, tx, &row, "Delete", Some(&thing.id), &thing.properties, None)
        }
    }
}

fn question(
    run: &Run,
    tx: &Transaction<'_>,
    row: &StackResource,
    kind: &'static str,
    physical_id: Option<&str>,
    properties: &Value,
    old: Option<&Value>,
) -> Result<Asking, ApiError> {
    let question = Question {
        kind,
        stack_id: &run.stack.id,
        logical_id: &row.logical_id,
        resource_type: &row.resource_type,
        physical_id,
        properties,
        old,
    };
    Ok(Asking::Ask(Box::new(custom::ask(tx, &run.host, &run.step_key(), &question)?)))
}

fn ask_to_deploy(run: &Run, tx: &Transaction<'_>, mut row: StackResource) -> Result<Asking, ApiError> {
    let fail = |row: &mut StackResource, reason: String| {
        deploy::fail(run, tx, row, reason)?;
        Ok(Asking::Over(Ended::Failed))
    };
    let doing = if row.physical.is_some() { "Update" } else { "Create" };
    if let Some(failure) = run.injected(&row, doing) {
        let reason = failure.reason(&run.host.ids);
        return fail(&mut row, reason);
    }
    let properties = match run.resolved(tx, &row.logical_id) {
        Ok((properties, _)) => properties,
        Err(problem) => return fail(&mut row, problem.message),
    };
    if refers(&properties) {
        let reason = "Dynamic references to secure values are not supported in custom resources";
        return fail(&mut row, reason.to_owned());
    }
    let token = text(&properties, "ServiceToken").unwrap_or_default();
    if !token.contains(":lambda:") {
        let reason = format!(
            "The local target does not simulate custom resources behind anything but a Lambda function (ServiceToken \
             {token}); deploy to AWS for it"
        );
        return fail(&mut row, reason);
    }
    let Some(thing) = row.physical.clone() else {
        return question(run, tx, &row, "Create", None, &properties, None);
    };
    if text(&thing.properties, "ServiceToken").as_ref() != Some(&token) {
        return fail(&mut row, "Modifying service token is not allowed.".to_owned());
    }
    if diff::compare(None, &thing.properties, &properties).is_empty() {
        // Only its metadata changed, which its function is not told of.
        let made = Made { id: thing.id, attributes: thing.attributes };
        deploy::record(run, tx, &mut row, made, properties)?;
        deploy::complete(run, tx, &row.logical_id)?;
        return Ok(Asking::Over(Ended::Finished));
    }
    question(run, tx, &row, "Update", Some(&thing.id), &properties, Some(&thing.properties))
}

/// Puts an update back by another one, also an update that failed: the function may have done a part of it.
fn ask_to_revert(run: &Run, tx: &Transaction<'_>, mut row: StackResource) -> Result<Asking, ApiError> {
    if let Some(failure) = run.injected(&row, "Rollback") {
        let reason = failure.reason(&run.host.ids);
        revert::failed(run, tx, &mut row, reason)?;
        return Ok(Asking::Over(Ended::Failed));
    }
    let now = row.physical.clone();
    let (Some(Done::Updated), Some(now)) = (row.done, now) else { return plainly(run, tx, &row) };
    let attempted = match &row.previous {
        Some(_) => Some(now.properties.clone()),
        None => {
            let asked = custom::last_deployed(tx, &run.stack.id, &row.logical_id)?;
            asked.and_then(|asked| asked.event.get("ResourceProperties").cloned())
        }
    };
    let before = row.previous.clone().unwrap_or_else(|| now.clone());
    match attempted {
        Some(attempted) if custom::as_texts(&before.properties) != custom::as_texts(&attempted) => {
            question(run, tx, &row, "Update", Some(&now.id), &before.properties, Some(&attempted))
        }
        _ => plainly(run, tx, &row),
    }
}

/// Puts a resource back that nobody has to be asked about.
fn plainly(run: &Run, tx: &Transaction<'_>, row: &StackResource) -> Result<Asking, ApiError> {
    let good = revert::finish(run, tx, &row.logical_id)?;
    Ok(Asking::Over(if good { Ended::Finished } else { Ended::Failed }))
}

/// Calls the function and waits for its answer, which may also come from elsewhere, later.
async fn wait(
    engine: &Arc<Engine>,
    run: &Arc<Run>,
    request: &CustomRequest,
    cancel: &CancellationToken,
) -> Result<CustomOutcome, ApiError> {
    if let Some(answer) = &request.answer {
        return Ok(CustomOutcome::Answered(answer.clone()));
    }
    let host = &engine.host;
    let deploying = run.operation.phase == Phase::Deploy;
    let function = request.text("ServiceToken").to_owned();
    let region = function.split(':').nth(3).map_or_else(|| run.stack.region.clone(), str::to_owned);
    let call = Invocation {
        function,
        qualifier: None,
        region,
        payload: Bytes::from(custom::addressed(request, host).to_string()),
        client_context: None,
        // CloudFormation calls with the rights of whoever deploys.
        caller: Invoker::Decided,
    };
    let owner = Arc::clone(host);
    let mut calling = tokio::spawn(async move { invoke(&owner, &call).await });
    let (mut called, mut over) = (false, None);
    let mut patience = PATIENCE;
    loop {
        let token = request.token.clone();
        let known = host.store.read(move |tx| Ok::<_, ApiError>(custom::by_token(tx, &token)?)).await?;
        if let Some(answer) = known.and_then(|known| known.answer) {
            return Ok(CustomOutcome::Answered(answer));
        }
        if let Some(outcome) = over {
            return Ok(outcome);
        }
        if host.clock.now() >= Timestamp::from_millisecond(request.due).unwrap_or(Timestamp::MAX) {
            return Ok(CustomOutcome::Silent(unanswered(request)));
        }
        tokio::select! {
            () = engine.stop.cancelled() => return Ok(CustomOutcome::Stopped),
            () = cancel.cancelled(), if deploying => {
                return Ok(if engine.stop.is_cancelled() { CustomOutcome::Stopped } else { CustomOutcome::Cancelled });
            }
            ended = &mut calling, if !called => {
                called = true;
                over = match ended {
                    Ok(Ok(answer)) if answer.function_error.is_some() => {
                        Some(CustomOutcome::Silent(failed(request, &answer.payload)))
                    }
                    // It has handed the work on, or forgotten it: who knows.
                    Ok(Ok(_)) => None,
                    Ok(Err(refusal)) => Some(CustomOutcome::Uncalled(refusal.message)),
                    Err(error) => Some(CustomOutcome::Silent(format!("The call of the function broke off: {error}"))),
                };
            }
            () = tokio::time::sleep(patience) => patience = (patience * 2).min(LONGEST),
        }
    }
}

fn unanswered(request: &CustomRequest) -> String {
    format!(
        "CloudFormation did not receive a response from your custom resource. Please check your logs for requestId [{}]. \
         If you are using the Python cfn-response module, you may need to update your Lambda function code so that \
         CloudFormation can attach the updated version.",
        request.text("RequestId")
    )
}

/// A function that failed and answered nothing: AWS tries twice more and waits until the time is over, to no other end.
fn failed(request: &CustomRequest, payload: &[u8]) -> String {
    let error: Value = serde_json::from_slice(payload).unwrap_or_default();
    let told = |name: &str| text(&error, name).unwrap_or_default();
    let why = [told("errorType"), told("errorMessage")].into_iter().filter(|part| !part.is_empty());
    format!(
        "{} (The function failed before it answered, and the local target does not wait: {})",
        unanswered(request),
        why.collect::<Vec<_>>().join(": ")
    )
}

/// An id for what its function gave none: as CloudFormation makes it.
fn generated(run: &Run, name: &str) -> String {
    let random: String = run.host.ids.uuid().simple().to_string().chars().take(12).collect();
    format!("{}-{name}-{}", run.stack.name, random.to_ascii_uppercase())
}

/// Records how a request ended.
fn settle(
    run: &Run,
    tx: &Transaction<'_>,
    name: &str,
    request: &CustomRequest,
    outcome: CustomOutcome,
) -> Result<Ended, ApiError> {
    let Some(row) = tables::resource(tx, &run.stack.id, name)? else { return Ok(Ended::Finished) };
    let heard = match &outcome {
        CustomOutcome::Answered(answer) => custom::hear(request, answer),
        CustomOutcome::Silent(reason) | CustomOutcome::Uncalled(reason) => {
            Err(BadAnswer { id: None, reason: reason.clone() })
        }
        CustomOutcome::Cancelled | CustomOutcome::Stopped => Err(BadAnswer { id: None, reason: String::new() }),
    };
    if let Ok(heard) = &heard
        && request.text("RequestType") != "Delete"
    {
        custom::hide(tx, &run.stack.id, name, heard)?;
    }
    match run.operation.phase {
        Phase::Deploy => deployed(run, tx, row, heard, &outcome),
        Phase::Revert => reverted(run, tx, row, heard),
        phase => {
            let thing = match remove::doomed(phase, &row) {
                remove::Doomed::Other(thing) => Some(thing),
                _ => row.physical.clone(),
            };
            let Some(thing) = thing else { return Ok(Ended::Finished) };
            let result = heard.map(|_| ()).map_err(|refused| Failure::plain(refused.reason));
            let good = remove::end(run, tx, row, &thing, result)?;
            Ok(if good { Ended::Finished } else { Ended::Failed })
        }
    }
}

fn deployed(
    run: &Run,
    tx: &Transaction<'_>,
    mut row: StackResource,
    heard: Result<Heard, BadAnswer>,
    outcome: &CustomOutcome,
) -> Result<Ended, ApiError> {
    let properties = run.resolved(tx, &row.logical_id).map(|(properties, _)| properties);
    match (heard, properties) {
        (Ok(Heard { id: Some(id), data, .. }), Ok(properties)) => {
            if row.physical.as_ref().is_some_and(|thing| thing.id != id) {
                // The function made another thing; the old one is deleted once all else went well.
                row.done = Some(Done::Replaced);
            }
            deploy::record(run, tx, &mut row, Made { id, attributes: data }, properties)?;
            deploy::complete(run, tx, &row.logical_id)?;
            Ok(Ended::Finished)
        }
        (heard, properties) => {
            let refused = heard.err().unwrap_or(BadAnswer { id: None, reason: String::new() });
            if row.physical.is_none() && !matches!(outcome, CustomOutcome::Uncalled(_)) {
                // The function may have made something all the same: the rollback asks it to delete that.
                let id = refused.id.unwrap_or_else(|| generated(run, &row.logical_id));
                row.physical = Some(Physical {
                    id,
                    resource_type: row.resource_type.clone(),
                    properties: properties.unwrap_or_default(),
                    attributes: serde_json::Map::new(),
                });
                tables::save_resource(tx, &row)?;
            }
            if matches!(outcome, CustomOutcome::Cancelled) {
                deploy::cancel(run, tx, &row.logical_id)?;
            } else {
                deploy::fail(run, tx, &mut row, refused.reason)?;
            }
            Ok(Ended::Failed)
        }
    }
}

fn reverted(
    run: &Run,
    tx: &Transaction<'_>,
    mut row: StackResource,
    heard: Result<Heard, BadAnswer>,
) -> Result<Ended, ApiError> {
    let heard = match heard {
        Ok(heard) => heard,
        Err(refused) => {
            revert::failed(run, tx, &mut row, refused.reason)?;
            return Ok(Ended::Failed);
        }
    };
    let now = row.physical.take();
    if let Some(before) = row.previous.take().or_else(|| now.clone()) {
        let id = heard.id.unwrap_or_else(|| before.id.clone());
        if now.as_ref().is_some_and(|now| now.id != id) {
            row.previous = now;
            row.done = Some(Done::Replaced);
        }
        let thing = Physical { id, attributes: heard.data, ..before };
        run.set_known(&row.logical_id, &thing);
        row.physical = Some(thing);
    }
    revert::done(run, tx, &mut row)?;
    Ok(Ended::Finished)
}
