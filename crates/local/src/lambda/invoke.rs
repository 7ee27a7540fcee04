//! One call: who may, which process, what is logged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;

use super::call::{Invocation, InvocationAnswer, InvocationError, Invoker};
use super::function::{Function, Name, invalid};
use super::outcome::{InvocationReport, missing_sdk, report, tail, write_log};
use super::permissions;
use super::pool::{Pool, Ready};
use super::prepare::{credentials, environment, event, packages, stream};
use super::worker::{FunctionProcess, InvocationOutcome, ProcessOutput, Start};
use crate::ground::{ApiError, Authorization, Host};
use crate::identity::authorize::authorize_service;
use crate::identity::{Principal, RequiredPermission, authorize};

/// Bytes of a payload. Source: Lambda quotas, "Invocation payload".
const LARGEST_PAYLOAD: usize = 6 << 20;

/// How long importing a handler may take at least. Source: Lambda developer guide, "Init phase".
const INIT: Duration = Duration::from_secs(10);

/// Calls a function and waits for its answer.
///
/// # Errors
///
/// When there is no such function, the caller may not call it, or it can't be run here. Errors of the function itself
/// (exceptions, time-outs, a handler that can't be imported) are answers.
pub(crate) async fn invoke(host: &Arc<Host>, call: &Invocation) -> Result<InvocationAnswer, InvocationError> {
    let function = check(host, call).await?;
    run(host, call, function).await
}

/// Whether a call would be taken: the function is there, the caller may call it, the payload is an event.
pub(super) async fn check(host: &Arc<Host>, call: &Invocation) -> Result<Function, InvocationError> {
    if call.payload.len() > LARGEST_PAYLOAD {
        return Err(ApiError::sender(
            "RequestTooLargeException",
            format!("Request must be smaller than {LARGEST_PAYLOAD} bytes for the InvokeFunction operation"),
        )
        .with_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&call.payload)
        && !call.payload.is_empty()
    {
        return Err(ApiError::sender(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        ));
    }
    let name = Name::of(&call.function, call.qualifier.as_deref(), &call.region)?;
    let (caller, context) = (call.caller.clone(), host.request_context(&name.region));
    let checked = host.store.write(move |tx| -> Result<(Function, Authorization), ApiError> {
        let function = Function::find(tx, &name)?;
        let required = RequiredPermission::new("lambda:InvokeFunction", name.arn());
        let authorization = match caller {
            Invoker::Decided => Authorization::Allowed,
            Invoker::Role(session) => authorize(tx, &Principal::Role(session), &[required], &context)?,
            Invoker::Service { principal, source_arn, source_account } => {
                let qualified = match &name.qualifier {
                    Some(qualifier) => format!("{}:{qualifier}", name.name),
                    None => name.name.clone(),
                };
                let policy = permissions::policy(tx, &name.region, &qualified)?;
                let mut keys = Vec::new();
                keys.extend(source_arn.as_deref().map(|arn| ("aws:SourceArn", arn)));
                keys.extend(source_account.as_deref().map(|account| ("aws:SourceAccount", account)));
                authorize_service(&policy, &principal, required, &keys, context.now)
            }
        };
        Ok((function, authorization))
    });
    let (function, authorization) = checked.await?;
    authorization.or_refuse(|denial| denial.refusal("AccessDeniedException", StatusCode::FORBIDDEN))?;
    if function.text("/ReservedConcurrentExecutions").as_deref() == Some("0") {
        return Err(
            ApiError::sender("TooManyRequestsException", "Rate Exceeded.").with_status(StatusCode::TOO_MANY_REQUESTS)
        );
    }
    Ok(function)
}

/// Runs a call that was checked.
pub(super) async fn run(
    host: &Arc<Host>,
    call: &Invocation,
    function: Function,
) -> Result<InvocationAnswer, InvocationError> {
    let request_id = host.ids.uuid().to_string();
    let arn = format!("{}:{}", function.name.plain_arn(), function.version);
    let pool = Pool::of(host);
    let _turn = pool.turn(&arn).await;
    let runtime = function.runtime();
    if function.text("/PackageType").as_deref() == Some("Image") {
        return Err(invalid("The local target does not run functions from container images; deploy to AWS for it"));
    }
    let python = pool.pythons.of(&runtime).await.map_err(invalid)?;
    let packages = packages(host, &function).await?;
    let fingerprint = format!("{packages:?} {:?}", (&function.properties, &python));

    let mut output = ProcessOutput::new(host.clock.clone());
    output.say(format!("START RequestId: {request_id} Version: {}", function.version));
    if (python.passed.is_some() || python.difference(&runtime).is_some())
        && pool.first_told(&format!("{arn} {runtime}"))
    {
        python.passed.iter().cloned().chain(python.difference(&runtime)).for_each(|told| output.say(told));
    }
    let timeout = Duration::from_secs(function.timeout());
    let mut init = None;
    let mut waiting = pool.take(&arn, &fingerprint, host.clock.now());
    let mut may_start = None;
    if waiting.is_none() {
        may_start = pool.start().await;
        // While this call stood in line another one may have ended.
        waiting = pool.take(&arn, &fingerprint, host.clock.now());
    }
    let (mut ready, started) = match waiting {
        Some(ready) => (ready, InvocationOutcome::Answer { payload: Vec::new(), memory: 0 }),
        None => {
            let credentials = credentials(host, &function).await?;
            let stream = stream(host, &function);
            let environment = environment(host, &function, &packages, &credentials, &stream);
            let start = Start {
                executable: python.executable.clone(),
                code: packages.code.clone(),
                layers: packages.layers.clone(),
                handler: function.handler(),
                environment,
            };
            let (worker, outcome) =
                FunctionProcess::start(&start, INIT.max(timeout), &mut output).await.map_err(|error| {
                    ApiError::internal(format!("{} could not be started: {error}", python.executable.display()))
                })?;
            init = Some(worker.since.elapsed());
            let session = credentials.session;
            (Ready { arn: arn.clone(), fingerprint, worker, stream, session }, outcome)
        }
    };
    drop(may_start);
    let began = Instant::now();
    let outcome = match started {
        InvocationOutcome::Answer { .. } => {
            let event = event(host, call, &function, &request_id, timeout);
            ready.worker.call(&event, timeout, &mut output).await
        }
        failed => failed,
    };
    let told = InvocationReport::of(host, outcome, &request_id, function.timeout());
    if let Some(line) = &told.line {
        output.say(line.clone());
    }
    if let Some(hint) = missing_sdk(&told) {
        output.say(hint);
    }
    output.say(format!("END RequestId: {request_id}"));
    output.say(report(&request_id, &function, began.elapsed(), init, told.memory));
    let tail = tail(&output);
    write_log(host, &function, &ready, output).await?;
    if told.usable {
        pool.give_back(ready);
    }
    Ok(InvocationAnswer {
        payload: Bytes::from(told.payload),
        function_error: told.failed.then_some("Unhandled"),
        executed_version: function.version,
        log_tail: tail,
    })
}
