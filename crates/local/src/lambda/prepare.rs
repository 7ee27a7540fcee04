//! What a process is started with, and what it is sent: packages, credentials, environment, event.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::json;

use super::call::{Invocation, InvocationError};
use super::code::{self, CodePackage};
use super::function::{Function, invalid};
use super::worker::InvocationEvent;
use crate::ground::{ApiError, Host};
use crate::identity::{self, Credentials};

/// How long a process's credentials last; it is replaced well before.
const CREDENTIALS: SignedDuration = SignedDuration::from_hours(12);

/// The principal of functions' own roles.
const SERVICE: &str = "lambda.amazonaws.com";

/// The folders a function is run from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packages {
    pub code: PathBuf,
    pub layers: Vec<PathBuf>,
}

pub(super) async fn packages(host: &Arc<Host>, function: &Function) -> Result<Packages, InvocationError> {
    let Some(source) = &function.source else {
        return Err(invalid(format!(
            "The code of {} is not in the local target: its stack was made before functions ran here. Update or remake it",
            function.name.arn()
        )));
    };
    let code = code::unpacked(host, source).await?;
    let mut layers = Vec::new();
    for arn in function.layers() {
        let owner = arn.clone();
        let blob = host.store.read(move |tx| Ok::<_, ApiError>(code::kept(tx, &owner)?)).await?;
        let blob = blob.ok_or_else(|| invalid(format!("The layer version {arn} is not in the local target")))?;
        layers.push(code::unpacked(host, &CodePackage::from(blob)).await?);
    }
    Ok(Packages { code, layers })
}

pub(super) async fn credentials(host: &Arc<Host>, function: &Function) -> Result<Credentials, InvocationError> {
    let (role, name, now) = (function.role(), function.name.name.clone(), host.clock.now());
    let minted = host
        .store
        .write(move |tx| identity::assume_as_service(tx, &role, SERVICE, &name, &[], CREDENTIALS, now))
        .await?;
    minted.ok_or_else(|| invalid("The role defined for the function cannot be assumed by Lambda."))
}

/// The name of a new process's log stream.
pub(super) fn stream(host: &Arc<Host>, function: &Function) -> String {
    let day = jiff::fmt::strtime::format("%Y/%m/%d", host.clock.now()).unwrap_or_default();
    format!("{day}/[{}]{}", function.version, host.ids.uuid().simple())
}

pub(super) fn environment(
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

pub(super) fn event(
    host: &Arc<Host>,
    call: &Invocation,
    function: &Function,
    request_id: &str,
    timeout: Duration,
) -> InvocationEvent {
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
    InvocationEvent { header, payload }
}
