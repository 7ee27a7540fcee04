//! Functions, each with a role and a log group of its own.
//!
//! | file | its subject |
//! | --- | --- |
//! | `role` | who may take the role, and what it allows |
//! | `live` | the version that is live, and its alias |
//! | `url` | a URL of its own, and who may call it |

mod ids;
mod live;
mod role;
mod url;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::ids::{artifact, dead_letter_id, logs_id};
use super::layer::architecture;
use crate::finding::{Finding, code};
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::{NETWORK_SECURITY_GROUP, function_id, layer_id, network_subnet_ids};
use crate::render::references::{Ask, Kind, References, function_target};
use crate::render::rendered::ArtifactParameter;
use crate::render::words::did_you_mean;
use crate::spec::{Function, Text, UseCase, escape};

/// Timeout in seconds of a function that says none and no API waits for: Lambda's own 3 seconds end before most models
/// have answered.
pub const ALONE_TIMEOUT: u32 = 60;

/// Timeout in seconds of a function that says none and answers an API: API Gateway waits no longer.
pub const BEHIND_API_TIMEOUT: u32 = 29;

/// Memory in MiB of a function that says none: at Lambda's own 128, a Python SDK alone takes seconds to start.
pub const DEFAULT_MEMORY: u32 = 512;

/// Days for which the log of a function that does not say is kept.
pub const DEFAULT_LOG_RETENTION: u32 = 14;

/// The most bytes of code that a template may hold: CloudFormation's limit of `ZipFile`.
const INLINE_BYTES: usize = 4096;

/// How long SQS keeps a message at most, in seconds: failed events wait that long to be looked at.
const DEAD_LETTER_RETENTION: u32 = 14 * 24 * 60 * 60;

/// Functions.
pub(super) const KIND: Kind = Kind {
    section: "functions",
    add: |assembly, references| {
        for (name, function) in &references.spec().functions {
            add(assembly, references, name, function);
        }
    },
    attribute,
    grant,
};

/// A function with an alias is called by the alias, so its ARN is what programs are given.
fn attribute(references: &References<'_>, name: &str, attribute: &str) -> Option<Expression> {
    let function = references.spec().functions.get(name)?;
    Some(match attribute {
        "" if function.alias.is_some() => function_target(references, name),
        "" | "name" => Expression::reference(function_id(name)),
        "arn" => function_target(references, name),
        "url" if function.url.is_some() => Expression::attribute(url::url_id(name), "FunctionUrl"),
        _ => return None,
    })
}

fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    if ask.verb != "invoke" {
        return Err(references.cannot(ask));
    }
    let arn = function_target(references, ask.name).value();
    let mut statements = vec![Statement::allow(["lambda:InvokeFunction"], [arn.clone()])];
    // A call of the URL is checked as an action of its own beside the call of the function.
    if references.spec().functions.get(ask.name).is_some_and(|function| function.url.is_some()) {
        statements.push(Statement::allow(["lambda:InvokeFunctionUrl"], [arn]));
    }
    Ok(statements)
}

/// What is packaged for the functions of a spec.
pub(super) fn artifacts(spec: &UseCase) -> impl Iterator<Item = ArtifactParameter> {
    spec.functions.iter().filter(|(_, function)| function.code.is_some()).map(|(name, _)| artifact(name))
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, function: &Function) {
    let pointer = format!("/functions/{}", escape(name));
    let own_name = match &function.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))).map(|it| it.value()),
        None => Some(Value::Null),
    };
    let inline = assembly.keep(inline(references, function, &pointer));
    let layers = layers(assembly, references, function, &pointer);
    let environment = environment(assembly, references, &function.environment, &pointer);
    let policy = role::policy(assembly, references, name, function, &pointer);
    let (Some(own_name), Some(inline), Some(layers), Some(environment), Some(policy)) =
        (own_name, inline, layers, environment, policy)
    else {
        return;
    };
    let id = function_id(name);
    let timeout = function.timeout.map_or_else(|| default_timeout(references.spec(), name), |timeout| timeout.0);
    let network = references.spec().network.as_ref().filter(|_| function.in_network);
    let data = PartialData::new(&pointer)
        .made("role_id", role::role_id(name))
        .made("logs_id", logs_id(name))
        .said("name", "name", own_name)
        .said("description", "description", &function.description)
        .said("handler", "handler", &function.handler)
        .said("runtime", "runtime", &function.runtime)
        .said("architecture", "architecture", architecture(function.architecture))
        .said("timeout", "timeout", timeout)
        .said("memory", "memory", function.memory.unwrap_or(DEFAULT_MEMORY))
        .said("key_parameter", "code", artifact(name).parameter)
        .said("inline", "inline", inline)
        .said("layers", "layers", layers)
        .said("environment", "environment", environment)
        .said("in_network", "in-network", network.is_some())
        .said("security_group", "in-network", NETWORK_SECURITY_GROUP)
        .said("subnets", "in-network", network.map(network_subnet_ids).unwrap_or_default())
        .said("has_concurrency", "concurrency", function.concurrency.is_some())
        .said("concurrency", "concurrency", function.concurrency)
        .said("dead_letter_id", "dead-letter", function.dead_letter.then(|| dead_letter_id(name)))
        .said("retention_days", "log-retention", function.log_retention.map_or(DEFAULT_LOG_RETENTION, |days| days.0))
        .made("role_description", role::description(references.spec(), name))
        .made("trust", role::trust().to_value())
        .policy("policy", "uses", &policy)
        .made("policy_name", "uses")
        .made("output_id", format!("{id}Name"))
        .made("id", &id);
    let made = assembly.add_known("function", data);
    if function.dead_letter {
        add_dead_letter(assembly, name, &pointer);
    }
    if network.is_some() {
        role::add_guard(assembly, name, &pointer);
    }
    live::add(assembly, name, function, made.get(&id), &pointer);
    url::add(assembly, references, name, function, &pointer);
}

/// The code that the template holds itself.
fn inline(references: &References<'_>, function: &Function, pointer: &str) -> Result<Value, Finding> {
    let Some(path) = &function.inline else { return Ok(Value::Null) };
    let pointer = format!("{pointer}/inline");
    let refuse = |message: String, help: &str| {
        Err(Finding::error(code::R140, message).at(references.loaded.place(&pointer)).help(help))
    };
    let Some(code) = references.loaded.files.get(&pointer) else {
        return refuse(format!("the code in `{path}` has not been read"), "render the spec from its file");
    };
    if code.trim().is_empty() {
        return refuse(format!("`{path}` holds no code"), "write the handler into it");
    }
    if code.len() > INLINE_BYTES {
        let message = format!("`{path}` has {} bytes, and a template takes {INLINE_BYTES} of code", code.len());
        return refuse(message, "write `code:` with the folder of the file instead, and the code is packaged");
    }
    Ok(json!(code))
}

/// The queue that keeps events which failed.
fn add_dead_letter(assembly: &mut Assembly<'_>, name: &str, pointer: &str) {
    let id = dead_letter_id(name);
    let data = PartialData::new(pointer)
        .made("policy_id", format!("{id}Policy"))
        .made("retention_seconds", DEAD_LETTER_RETENTION)
        .made("output_id", format!("{id}Url"))
        .made("id", id);
    assembly.add("function-dead-letter", data);
}

fn default_timeout(spec: &UseCase, name: &str) -> u32 {
    let behind_api = spec.apis.values().any(|api| {
        let mut routes = api.routes.iter().flat_map(|route| route.0.values());
        routes.any(|body| body.function.as_deref() == Some(name))
            || api.authorizers.values().any(|authorizer| authorizer.function.as_deref() == Some(name))
    });
    if behind_api { BEHIND_API_TIMEOUT } else { ALONE_TIMEOUT }
}

fn layers(
    assembly: &mut Assembly<'_>,
    references: &References<'_>,
    function: &Function,
    pointer: &str,
) -> Option<Vec<Value>> {
    let known = &references.spec().layers;
    let layers: Vec<Option<Value>> = function
        .layers
        .iter()
        .enumerate()
        .map(|(index, layer)| {
            if known.contains_key(layer) {
                return Some(Expression::reference(layer_id(layer)).value());
            }
            assembly.report(
                Finding::error(code::R020, format!("there is no `{layer}` under `layers`"))
                    .at(references.loaded.place(&format!("{pointer}/layers/{index}")))
                    .help(did_you_mean(layer, known.keys())),
            );
            None
        })
        .collect();
    layers.into_iter().collect()
}

fn environment(
    assembly: &mut Assembly<'_>,
    references: &References<'_>,
    variables: &BTreeMap<String, Text>,
    pointer: &str,
) -> Option<Map<String, Value>> {
    let values: Vec<Option<(String, Value)>> = variables
        .iter()
        .map(|(variable, text)| {
            let pointer = format!("{pointer}/environment/{}", escape(variable));
            assembly.keep(references.text(text, &pointer)).map(|value| (variable.clone(), value.value()))
        })
        .collect();
    values.into_iter().collect()
}
