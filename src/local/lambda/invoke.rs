//! One call: who may, which process, what is logged.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::code::{self, Source};
use super::function::{Function, Name, invalid};
use super::permissions;
use super::pool::Ready;
use super::worker::{Event, LARGEST_ANSWER, Outcome, Output, Start, Worker};
use crate::local::Host;
use crate::local::errors::ApiError;
use crate::local::identity::{self, Credentials, Need, Session, authorize::Place};
use crate::local::logs;

/// Bytes of a payload. Source: Lambda quotas, "Invocation payload".
const LARGEST_PAYLOAD: usize = 6 << 20;

/// How long importing a handler may take at least. Source: Lambda developer guide, "Init phase".
const INIT: Duration = Duration::from_secs(10);

/// How long a process's credentials last; it is replaced well before.
const CREDENTIALS: SignedDuration = SignedDuration::from_hours(12);

/// Bytes of the log that a caller is given. Source: Lambda API reference, `Invoke`, `LogResult`.
const TAIL: usize = 4096;

/// The principal of functions' own roles.
const SERVICE: &str = "lambda.amazonaws.com";

/// Why a function was not called; an error of the function itself is an [`Answer`].
pub(in crate::local) type Refusal = ApiError;

/// Who calls.
#[derive(Debug, Clone)]
pub(in crate::local) enum Caller {
    /// Someone whose right was looked at before, or who may do everything.
    Decided,
    /// A session of a role, for example the one API Gateway calls an integration with.
    #[allow(dead_code, reason = "API Gateway's integrations with credentials of a role call with it")]
    Role(Arc<Session>),
    /// A service, whose right is in the function's own policy.
    #[allow(dead_code, reason = "API Gateway and CloudFormation call with it")]
    Service {
        /// For example `apigateway.amazonaws.com`.
        principal: String,
        /// The ARN of what it calls for.
        source_arn: Option<String>,
        /// The account of what it calls for.
        source_account: Option<String>,
    },
}

/// A call of a function.
#[derive(Debug, Clone)]
pub(in crate::local) struct Call {
    /// A name, or a partial or whole ARN, perhaps with a qualifier.
    pub function: String,
    /// A version or an alias.
    pub qualifier: Option<String>,
    /// The region it is called in.
    pub region: String,
    /// The event: JSON; an empty one stands for `{}`.
    pub payload: Bytes,
    /// JSON, as the context object shows it.
    pub client_context: Option<Value>,
    /// Who calls.
    pub caller: Caller,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::local) struct Answer {
    /// JSON: what the handler returned, or the error.
    pub payload: Bytes,
    /// `Unhandled` when the payload is an error.
    pub function_error: Option<&'static str>,
    /// `$LATEST` or a number.
    pub executed_version: String,
    /// The end of what the call logged.
    pub log_tail: String,
}

/// Calls a function and waits for its answer.
///
/// # Errors
///
/// When there is no such function, the caller may not call it, or it can't be run here. Errors of the function itself
/// (exceptions, time-outs, a handler that can't be imported) are answers.
pub(in crate::local) async fn invoke(host: &Arc<Host>, call: &Call) -> Result<Answer, Refusal> {
    let function = check(host, call).await?;
    run(host, call, function).await
}

/// Whether a call would be taken: the function is there, the caller may call it, the payload is an event.
pub(super) async fn check(host: &Arc<Host>, call: &Call) -> Result<Function, Refusal> {
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
    let (caller, now) = (call.caller.clone(), host.clock.now());
    let function = host.store.write(move |tx| -> Result<Result<Function, Refusal>, ApiError> {
        let function = match Function::find(tx, &name) {
            Ok(function) => function,
            Err(error) => return Ok(Err(error)),
        };
        let denied = |code: &str, message: String| {
            Ok(Err(ApiError::sender(code, message).with_status(StatusCode::FORBIDDEN)))
        };
        match caller {
            Caller::Decided => {}
            Caller::Role(session) => {
                let need = Need::new("lambda:InvokeFunction", name.arn());
                let place = Place { region: name.region.clone(), now };
                if let Err(denial) = identity::authorize(tx, &session, &[need], &place)? {
                    return denied("AccessDeniedException", denial.message());
                }
            }
            Caller::Service { principal, source_arn, source_account } => {
                let qualified = match &name.qualifier {
                    Some(qualifier) => format!("{}:{qualifier}", name.name),
                    None => name.name.clone(),
                };
                let policy = permissions::policy(tx, &name.region, &qualified)?;
                let mut context = Vec::new();
                context.extend(source_arn.as_deref().map(|arn| ("aws:SourceArn", arn)));
                context.extend(source_account.as_deref().map(|account| ("aws:SourceAccount", account)));
                let may = identity::authorize::service_may(
                    &policy,
                    &principal,
                    "lambda:InvokeFunction",
                    &name.arn(),
                    &context,
                    now,
                );
                if !may {
                    let message = format!(
                        "User: {principal} is not authorized to perform: lambda:InvokeFunction on resource: {} because no \
                         resource-based policy allows the lambda:InvokeFunction action",
                        name.arn()
                    );
                    return denied("AccessDeniedException", message);
                }
            }
        }
        Ok(Ok(function))
    });
    let function = function.await??;
    if function.text("/ReservedConcurrentExecutions").as_deref() == Some("0") {
        return Err(
            ApiError::sender("TooManyRequestsException", "Rate Exceeded.").with_status(StatusCode::TOO_MANY_REQUESTS)
        );
    }
    Ok(function)
}

/// Runs a call that was checked.
pub(super) async fn run(host: &Arc<Host>, call: &Call, function: Function) -> Result<Answer, Refusal> {
    let request_id = host.ids.uuid().to_string();
    let arn = format!("{}:{}", function.name.plain_arn(), function.version);
    let _turn = host.lambda.turn(&arn).await;
    let runtime = function.runtime();
    if function.text("/PackageType").as_deref() == Some("Image") {
        return Err(invalid("The local target does not run functions from container images; deploy to AWS for it"));
    }
    let python = host.lambda.pythons.of(&runtime).await.map_err(invalid)?;
    let packages = packages(host, &function).await?;
    let fingerprint = format!("{packages:?} {:?}", (&function.properties, &python));

    let mut output = Output::new(host.clock.clone());
    output.say(format!("START RequestId: {request_id} Version: {}", function.version));
    if let Some(told) = python.difference(&runtime)
        && host.lambda.first_told(&format!("{arn} {runtime}"))
    {
        output.say(told);
    }
    let timeout = Duration::from_secs(function.timeout());
    let mut init = None;
    let (mut ready, started) = match host.lambda.take(&arn, &fingerprint, host.clock.now()) {
        Some(ready) => (ready, Outcome::Answer { payload: Vec::new(), memory: 0 }),
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
            let (worker, outcome) = Worker::start(&start, INIT.max(timeout), &mut output)
                .await
                .map_err(|error| ApiError::internal(format!("{} could not be started: {error}", python.executable)))?;
            init = Some(worker.since.elapsed());
            let session = credentials.session;
            (Ready { arn: arn.clone(), fingerprint, worker, stream, session }, outcome)
        }
    };
    let began = Instant::now();
    let outcome = match started {
        Outcome::Answer { .. } => {
            let event = event(host, call, &function, &request_id, timeout);
            ready.worker.call(&event, timeout, &mut output).await
        }
        failed => failed,
    };
    let told = Told::of(host, outcome, &request_id, function.timeout());
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
        host.lambda.give_back(ready);
    }
    Ok(Answer {
        payload: Bytes::from(told.payload),
        function_error: told.failed.then_some("Unhandled"),
        executed_version: function.version,
        log_tail: tail,
    })
}

/// The folders a function is run from.
#[derive(Debug, Clone, PartialEq)]
struct Packages {
    code: std::path::PathBuf,
    layers: Vec<std::path::PathBuf>,
}

async fn packages(host: &Arc<Host>, function: &Function) -> Result<Packages, Refusal> {
    let Some(source) = &function.source else {
        return Err(invalid(format!(
            "The code of {} is not in the local target: its stack was made before functions ran here. Update or remake it",
            function.name.arn()
        )));
    };
    let code = code::unpacked(&host.store, source).await?;
    let mut layers = Vec::new();
    for arn in function.layers() {
        let owner = arn.clone();
        let blob = host.store.read(move |tx| Ok::<_, ApiError>(code::kept(tx, &owner)?)).await?;
        let blob = blob.ok_or_else(|| invalid(format!("The layer version {arn} is not in the local target")))?;
        layers.push(code::unpacked(&host.store, &Source::from(blob)).await?);
    }
    Ok(Packages { code, layers })
}

async fn credentials(host: &Arc<Host>, function: &Function) -> Result<Credentials, Refusal> {
    let (role, name, now) = (function.role(), function.name.name.clone(), host.clock.now());
    let minted = host
        .store
        .write(move |tx| identity::assume_as_service(tx, &role, SERVICE, &name, &[], CREDENTIALS, now))
        .await?;
    minted.ok_or_else(|| invalid("The role defined for the function cannot be assumed by Lambda."))
}

/// The name of a new process's log stream.
fn stream(host: &Arc<Host>, function: &Function) -> String {
    let day = jiff::fmt::strtime::format("%Y/%m/%d", host.clock.now()).unwrap_or_default();
    format!("{day}/[{}]{}", function.version, host.ids.uuid().simple())
}

fn environment(
    host: &Arc<Host>,
    function: &Function,
    packages: &Packages,
    credentials: &Credentials,
    stream: &str,
) -> BTreeMap<String, String> {
    let own = std::env::var("PATH").unwrap_or_default();
    let below = |part: &str| -> Vec<String> {
        packages.layers.iter().rev().map(|layer| layer.join(part).display().to_string()).collect()
    };
    let mut path = below("bin");
    path.push(own);
    let mut libraries = vec![packages.code.display().to_string(), packages.code.join("lib").display().to_string()];
    libraries.extend(below("lib"));
    let mut all: BTreeMap<String, String> = function.variables();
    for (name, value) in [
        ("PATH", path.join(":")),
        ("LD_LIBRARY_PATH", libraries.join(":")),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("LAMBDA_TASK_ROOT", packages.code.display().to_string()),
        ("_HANDLER", function.handler()),
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", function.runtime())),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", function.version.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory().to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream.to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_REGION", function.name.region.clone()),
        ("AWS_DEFAULT_REGION", function.name.region.clone()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret.clone()),
        ("AWS_SESSION_TOKEN", credentials.token.clone()),
        ("AWS_ENDPOINT_URL", host.url.clone()),
        // Profiles of whoever serves are not the function's.
        ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ] {
        // A template may not set names that Lambda reserves; what it sets of the rest counts.
        let ours = name.starts_with("AWS_") || name.starts_with('_') || name.starts_with("LAMBDA");
        if ours {
            all.insert(name.to_owned(), value);
        } else {
            all.entry(name.to_owned()).or_insert(value);
        }
    }
    all
}

fn event(host: &Arc<Host>, call: &Call, function: &Function, request_id: &str, timeout: Duration) -> Event {
    let qualifier = function.name.qualifier.clone();
    let now = host.clock.now();
    let root: String = host.ids.uuid().simple().to_string().chars().take(24).collect();
    let parent: String = host.ids.uuid().simple().to_string().chars().take(16).collect();
    // The handler compares its deadline with the machine's clock, whatever clock the endpoint has.
    let machine = jiff::Timestamp::now().as_millisecond();
    let deadline = machine.saturating_add(i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX));
    let header = json!({
        "id": request_id,
        "arn": match qualifier {
            Some(_) => function.name.arn(),
            None => function.name.plain_arn(),
        },
        "deadline": deadline,
        "client_context": call.client_context,
        "trace": format!("Root=1-{:08x}-{root};Parent={parent};Sampled=0", now.as_second()),
    });
    let payload = if call.payload.is_empty() { Bytes::from_static(b"{}") } else { call.payload.clone() };
    Event { header, payload }
}

/// What came of a call, as its caller and its log are told.
struct Told {
    payload: Vec<u8>,
    failed: bool,
    error: Value,
    /// What the platform itself adds to the log.
    line: Option<String>,
    /// MB.
    memory: u64,
    /// Whether the process can take another event.
    usable: bool,
}

impl Told {
    fn of(host: &Arc<Host>, outcome: Outcome, request_id: &str, seconds: u64) -> Self {
        let failure = |error: Value, line: Option<String>, memory, usable| Self {
            payload: error.to_string().into_bytes(),
            failed: true,
            error,
            line,
            memory,
            usable,
        };
        match outcome {
            Outcome::Answer { payload, .. } if payload.len() > LARGEST_ANSWER => {
                let message =
                    format!("Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes).");
                let error = json!({ "errorMessage": message, "errorType": "Function.ResponseSizeTooLarge" });
                failure(error, None, 0, true)
            }
            Outcome::Answer { payload, memory } => {
                Self { payload, failed: false, error: Value::Null, line: None, memory, usable: true }
            }
            Outcome::Error { error, memory } => {
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
            Outcome::TimedOut => {
                let at = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S.%3fZ", host.clock.now()).unwrap_or_default();
                let line = format!("{at} {request_id} Task timed out after {seconds}.00 seconds");
                failure(json!({ "errorMessage": line }), Some(line.clone()), 0, false)
            }
            Outcome::Exited(status) => {
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
fn missing_sdk(told: &Told) -> Option<String> {
    let message = told.error.get("errorMessage").and_then(Value::as_str)?;
    let sdk = ["boto3", "botocore"].into_iter().find(|sdk| message.ends_with(&format!("No module named '{sdk}'")))?;
    Some(format!(
        "The Python of AWS brings {sdk} and the one of this machine has none: install it (`pip install boto3`), or give \
         the function a layer with it"
    ))
}

fn report(request_id: &str, function: &Function, took: Duration, init: Option<Duration>, memory: u64) -> String {
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

fn tail(output: &Output) -> String {
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
async fn write_log(host: &Arc<Host>, function: &Function, ready: &Ready, output: Output) -> Result<(), Refusal> {
    let (region, group, stream) = (function.name.region.clone(), function.log_group(), ready.stream.clone());
    let (session, now) = (ready.session.clone(), host.clock.now());
    host.store
        .write(move |tx| {
            let place = Place { region: region.clone(), now };
            let prefix = logs::store::group_arn(&region, &group);
            let may = |action: &str, stream: &str| -> Result<bool, ApiError> {
                let need = Need::new(format!("logs:{action}"), format!("{prefix}:log-stream:{stream}"));
                Ok(identity::authorize(tx, &session, &[need], &place)?.is_ok())
            };
            let at = now.as_millisecond();
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
