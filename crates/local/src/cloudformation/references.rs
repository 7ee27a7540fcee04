//! What a template refers to and can't have: resources that a condition leaves out, parameters that only AWS has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::error::{CloudFormationResult, not_simulated};
use crate::ground::{ACCOUNT_ID, ApiError};
use crate::ssm::store::is_public;
use bedplate_cfn::intrinsics::{Environment, NothingYet, Scope, references_if};
use bedplate_cfn::{ResourceGraph, Template};

/// The refusal of a parameter that AWS keeps for everybody.
pub(super) fn public_parameter(name: &str) -> ApiError {
    not_simulated(&format!("the public parameters of AWS (`{name}`)"))
}

/// The first dynamic reference to a public parameter in a value.
pub(super) fn public_reference(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => {
            let mut keys =
                ["{{resolve:ssm:", "{{resolve:ssm-secure:"].into_iter().flat_map(|start| text.split(start).skip(1));
            keys.find_map(|rest| rest.split_once("}}").map(|(key, _)| key).filter(|key| is_public(key)))
        }
        Value::Array(items) => items.iter().find_map(public_reference),
        Value::Object(map) => map.values().find_map(public_reference),
        _ => None,
    }
}

/// Refuses references to resources that a condition leaves out. The words are those of answers of AWS that
/// localstack/localstack recorded (2026-03, `test_dependent_ref`).
pub(super) fn check_left_out(
    template: &Template,
    values: &BTreeMap<String, String>,
    region: &str,
    stack_name: &str,
) -> CloudFormationResult<()> {
    let environment = Environment::new(ACCOUNT_ID, region, stack_name);
    // Conditions that can't be evaluated are refused where the changes are worked out.
    let Ok(scope) = Scope::new(template, values, &environment, &NothingYet) else { return Ok(()) };
    let decide = |name: &str| scope.conditions().get(name).copied();
    let graph = ResourceGraph::with(template, &decide);
    let left_out = |name: &str| template.resource(name).is_some_and(|resource| !scope.exists(resource.condition()));
    let of_resources = graph.unresolved().iter().map(|edge| edge.to.clone());
    let outputs = template.outputs().filter(|output| scope.exists(output.condition()));
    let of_outputs =
        outputs.flat_map(|output| references_if(output.value(), "", &decide)).map(|reference| reference.name);
    let among =
        |names: &mut dyn Iterator<Item = String>| -> BTreeSet<String> { names.filter(|name| left_out(name)).collect() };
    let refusal = |format: &str, names: BTreeSet<String>, block: &str| {
        let names: Vec<String> = names.into_iter().collect();
        ApiError::validation(format!(
            "{format}Unresolved resource dependencies [{}] in the {block} block of the template",
            names.join(", ")
        ))
    };
    match (among(&mut of_resources.into_iter()), among(&mut of_outputs.into_iter())) {
        (names, _) if !names.is_empty() => Err(refusal("Template format error: ", names, "Resources")),
        (_, names) if !names.is_empty() => Err(refusal("", names, "Outputs")),
        _ => Ok(()),
    }
}
