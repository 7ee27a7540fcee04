//! What comes of a call, as its caller and its log are told.

use std::fmt::Write as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::call::InvocationError;
use super::function::Function;
use super::pool::Ready;
use super::worker::{InvocationOutcome, LARGEST_ANSWER, ProcessOutput};
use crate::ground::{ApiError, Host};
use crate::identity::{Principal, RequiredPermission, authorize};
use crate::logs;

/// Bytes of the log that a caller is given. Source: Lambda API reference, `Invoke`, `LogResult`.
const TAIL: usize = 4096;

/// What came of a call, as its caller and its log are told.
pub(super) struct InvocationReport {
    pub payload: Vec<u8>,
    pub failed: bool,
    error: Value,
    /// What the platform itself adds to the log.
    pub line: Option<String>,
    /// MB.
    pub memory: u64,
    /// Whether the process can take another event.
    pub usable: bool,
}

impl InvocationReport {
    pub fn of(host: &Arc<Host>, outcome: InvocationOutcome, request_id: &str, seconds: u64) -> Self {
        let failure = |error: Value, line: Option<String>, memory, usable| Self {
            payload: error.to_string().into_bytes(),
            failed: true,
            error,
            line,
            memory,
            usable,
        };
        match outcome {
            InvocationOutcome::Answer { payload, .. } if payload.len() > LARGEST_ANSWER => {
                let message =
                    format!("Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes).");
                let error = json!({ "errorMessage": message, "errorType": "Function.ResponseSizeTooLarge" });
                failure(error, None, 0, true)
            }
            InvocationOutcome::Answer { payload, memory } => {
                Self { payload, failed: false, error: Value::Null, line: None, memory, usable: true }
            }
            InvocationOutcome::Error { error, memory } => {
                let line = error_line(&error);
                // A handler that could not be imported has no request of its own yet.
                let usable = error.get("requestId").is_some();
                let mut error = error;
                if let Some(error) = error.as_object_mut()
                    && !usable
                {
                    error.insert("requestId".to_owned(), json!(request_id));
                }
                failure(error, Some(line), memory, usable)
            }
            InvocationOutcome::TimedOut => {
                let at = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S.%3fZ", host.clock.now()).unwrap_or_default();
                let line = format!("{at} {request_id} Task timed out after {seconds}.00 seconds");
                failure(json!({ "errorMessage": line }), Some(line.clone()), 0, false)
            }
            InvocationOutcome::Exited(status) => {
                let how = match status.map(how_it_ended) {
                    Some(Some(how)) => format!("Runtime exited with error: {how}"),
                    _ => "Runtime exited without providing a reason".to_owned(),
                };
                let message = format!("RequestId: {request_id} Error: {how}");
                let error = json!({ "errorType": "Runtime.ExitError", "errorMessage": message });
                let line = format!("{message}\nRuntime.ExitError");
                failure(error, Some(line), 0, false)
            }
        }
    }
}

fn how_it_ended(status: ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, Some(9)) => Some("signal: killed".to_owned()),
        (None, Some(11)) => Some("signal: segmentation fault".to_owned()),
        (None, Some(signal)) => Some(format!("signal: {signal}")),
        (None, None) => None,
    }
}

/// An error as the runtime logs it: one event.
fn error_line(error: &Value) -> String {
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut line = format!("[ERROR] {}: {}", text("errorType"), text("errorMessage"));
    let stack = error.get("stackTrace").and_then(Value::as_array);
    let stack: Vec<&str> = stack.into_iter().flatten().filter_map(Value::as_str).collect();
    if !stack.is_empty() {
        line.push_str("\nTraceback (most recent call last):\n");
        line.push_str(stack.concat().trim_end());
    }
    line
}

/// AWS's Python brings the SDK; this machine's may not.
pub(super) fn missing_sdk(told: &InvocationReport) -> Option<String> {
    let message = told.error.get("errorMessage").and_then(Value::as_str)?;
    let sdk = ["boto3", "botocore"].into_iter().find(|sdk| message.ends_with(&format!("No module named '{sdk}'")))?;
    Some(format!(
        "The Python of AWS brings {sdk} and the one of this machine has none: install it (`pip install boto3`), or give \
         the function a layer with it"
    ))
}

pub(super) fn report(
    request_id: &str,
    function: &Function,
    took: Duration,
    init: Option<Duration>,
    memory: u64,
) -> String {
    let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let billed = millis(took + init.unwrap_or_default()).ceil();
    let mut line = format!(
        "REPORT RequestId: {request_id}\tDuration: {:.2} ms\tBilled Duration: {billed:.0} ms\tMemory Size: {} MB\tMax Memory \
         Used: {memory} MB",
        millis(took),
        function.memory(),
    );
    if let Some(init) = init {
        // Writing to a string cannot fail.
        let _ = write!(line, "\tInit Duration: {:.2} ms", millis(init));
    }
    line.push('\t');
    line
}

pub(super) fn tail(output: &ProcessOutput) -> String {
    let mut text = String::new();
    for (_, line) in &output.lines {
        text.push_str(line);
        text.push('\n');
    }
    let mut from = text.len().saturating_sub(TAIL);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    STANDARD.encode(text.get(from..).unwrap_or_default())
}

/// Logs a call, with the rights of the function's role: without them nothing is logged, as on AWS.
pub(super) async fn write_log(
    host: &Arc<Host>,
    function: &Function,
    ready: &Ready,
    output: ProcessOutput,
) -> Result<(), InvocationError> {
    let (region, group, stream) = (function.name.region.clone(), function.log_group(), ready.stream.clone());
    let (principal, context) = (Principal::Role(Arc::new(ready.session.clone())), host.request_context(&region));
    host.store
        .write(move |tx| {
            let prefix = logs::store::group_arn(&region, &group);
            let may = |action: &str, stream: &str| -> Result<bool, ApiError> {
                let need = RequiredPermission::new(format!("logs:{action}"), format!("{prefix}:log-stream:{stream}"));
                Ok(authorize(tx, &principal, &[need], &context)?.is_allowed())
            };
            let at = context.now.as_millisecond();
            if !logs::store::has_group(tx, &region, &group)? {
                if !may("CreateLogGroup", "")? {
                    return Ok(());
                }
                logs::store::create_group(tx, &region, &group, None, at)?;
            }
            if logs::store::stream(tx, &region, &group, &stream)?.is_none() {
                if !may("CreateLogStream", &stream)? {
                    return Ok(());
                }
                logs::store::create_stream(tx, &region, &group, &stream, at)?;
            }
            if may("PutLogEvents", &stream)? {
                logs::store::put(tx, &region, &group, &stream, &output.lines, at)?;
            }
            Ok(())
        })
        .await
}
