//! Functions, each with a role and a log group of its own.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::layer::architecture;
use super::{Ask, Kind};
use crate::finding::Finding;
use crate::iam::{Policy, Principal, Statement};
use crate::render::assemble::Assembly;
use crate::render::expression::Expression;
use crate::render::names::pascal;
use crate::render::references::{References, function_id, layer_id};
use crate::render::{ArtifactComponent, ArtifactParameter, did_you_mean, escape, grants};
use crate::spec::{Function, Text, UseCase};

/// Timeout in seconds of a function that says none and no API waits for: Lambda's own 3 seconds end before most models
/// have answered.
pub const ALONE_TIMEOUT: u32 = 60;

/// Timeout in seconds of a function that says none and answers an API: API Gateway waits no longer.
pub const BEHIND_API_TIMEOUT: u32 = 29;

/// Memory in MiB of a function that says none: at Lambda's own 128, a Python SDK alone takes seconds to start.
pub const DEFAULT_MEMORY: u32 = 512;

/// Days for which the log of a function that does not say is kept.
pub const DEFAULT_LOG_RETENTION: u32 = 14;

/// Functions.
pub(super) const KIND: Kind = Kind {
    section: "functions",
    add: |assembly, references| {
        for (name, function) in &references.spec().functions {
            add(assembly, references, name, function);
        }
    },
    attribute: |_, name, attribute| {
        let id = function_id(name);
        Some(match attribute {
            "" | "name" => Expression::reference(id),
            "arn" => Expression::attribute(id, "Arn"),
            _ => return None,
        })
    },
    grant,
};

fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    if ask.verb != "invoke" {
        return Err(references.cannot(ask));
    }
    let arn = Expression::attribute(function_id(ask.name), "Arn");
    Ok(vec![Statement::allow(["lambda:InvokeFunction"], [arn.value()])])
}

/// What is packaged for the functions of a spec.
pub(super) fn artifacts(spec: &UseCase) -> impl Iterator<Item = ArtifactParameter> {
    spec.functions.iter().filter(|(_, function)| function.code.is_some()).map(|(name, _)| artifact(name))
}

/// The parameter that says where the function's zip is.
fn artifact(name: &str) -> ArtifactParameter {
    ArtifactParameter { parameter: pascal(name) + "CodeKey", component: ArtifactComponent::Function(name.to_owned()) }
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, function: &Function) {
    let pointer = format!("/functions/{}", escape(name));
    let own_name = match &function.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))).map(|it| it.value()),
        None => Some(Value::Null),
    };
    let layers = layers(assembly, references, function, &pointer);
    let environment = environment(assembly, references, &function.environment, &pointer);
    let policy = policy(assembly, references, name, function, &pointer);
    let (Some(own_name), Some(layers), Some(environment), Some(policy)) = (own_name, layers, environment, policy)
    else {
        return;
    };
    let id = function_id(name);
    let timeout = function.timeout.map_or_else(|| default_timeout(references.spec(), name), |timeout| timeout.0);
    let data = json!({
        "role_id": role_id(name),
        "logs_id": logs_id(name),
        "name": own_name,
        "description": function.description,
        "handler": function.handler,
        "runtime": function.runtime,
        "architecture": architecture(function.architecture),
        "timeout": timeout,
        "memory": function.memory.unwrap_or(DEFAULT_MEMORY),
        "key_parameter": artifact(name).parameter,
        "layers": layers,
        "environment": environment,
        "retention_days": function.log_retention.map_or(DEFAULT_LOG_RETENTION, |days| days.0),
        "role_description": role_description(references.spec(), name),
        "trust": trust().to_value(),
        "policy": policy.to_value(),
        "policy_name": "uses",
        "output_id": format!("{id}Name"),
        "id": id,
    });
    assembly.add("function", &data, &pointer);
}

fn role_id(name: &str) -> String {
    function_id(name) + "Role"
}

fn logs_id(name: &str) -> String {
    function_id(name) + "Logs"
}

/// IAM takes few characters in a description, and names have only those.
fn role_description(spec: &UseCase, name: &str) -> String {
    let plain: String = format!("What the function {name} of {} may do", spec.name)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .collect();
    plain
}

fn default_timeout(spec: &UseCase, name: &str) -> u32 {
    let behind_api = spec.apis.values().any(|api| {
        let mut routes = api.routes.iter().flat_map(|route| route.0.values());
        routes.any(|body| body.function.as_deref() == Some(name))
            || api.authorizers.values().any(|authorizer| authorizer.function.as_deref() == Some(name))
    });
    if behind_api { BEHIND_API_TIMEOUT } else { ALONE_TIMEOUT }
}

/// Only Lambda may take the role. There is no condition on the source, for the reason and by the sources that
/// `schemas/iam-exceptions.json` gives.
fn trust() -> Policy {
    Policy::of([Statement::allow(["sts:AssumeRole"], []).to(Principal::service("lambda.amazonaws.com"))])
}

fn policy(
    assembly: &mut Assembly<'_>,
    references: &References<'_>,
    name: &str,
    function: &Function,
    pointer: &str,
) -> Option<Policy> {
    // The ARN of a log group ends in `:*`, which is its streams. No `logs:CreateLogGroup`: a late write after a destroy
    // would bring the group back.
    let log = Expression::attribute(logs_id(name), "Arn").value();
    let mut statements = vec![Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log])];
    let mut whole = true;
    for (index, grant) in function.uses.iter().enumerate() {
        match assembly.keep(grants::statements(references, grant, &format!("{pointer}/uses/{index}"))) {
            Some(more) => statements.extend(more),
            None => whole = false,
        }
    }
    whole.then(|| Policy::of(statements))
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
                Finding::error("R020", format!("there is no `{layer}` under `layers`"))
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
