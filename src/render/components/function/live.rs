//! The version of a function that is live, and the alias its callers know it by.

use serde_json::{Value, json};

use super::ids::artifact;
use crate::render::assemble::{Assembly, digest};
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::{alias_id, function_id, layer_id};
use crate::spec::Function;

/// Properties that are no part of a version: a change of one makes no new version.
const NOT_IN_A_VERSION: [&str; 3] = ["FunctionName", "ReservedConcurrentExecutions", "Tags"];

/// Lambda makes a version of what the function is at that moment, and a version never changes. So a new one must be made
/// whenever the function changes: its logical id holds a digest of the configuration, and its description, which cannot
/// change without a new version, holds what is known only at a deploy, the code's key and the versions of the layers.
pub(super) fn add(assembly: &mut Assembly<'_>, name: &str, function: &Function, made: Option<&Value>, pointer: &str) {
    let (Some(alias), Some(made)) = (&function.alias, made) else { return };
    let mut content = made.get("Properties").and_then(Value::as_object).cloned().unwrap_or_default();
    content.retain(|key, _| !NOT_IN_A_VERSION.contains(&key.as_str()));
    let id = function_id(name);
    let mut description = match function.inline {
        Some(_) => Expression::literal("code in the template"),
        None => Expression::reference(artifact(name).parameter),
    }
    .value();
    if !function.layers.is_empty() {
        // The version is the eighth part of a layer version's ARN.
        let version = |layer: &String| json!({ "Fn::Select": [7, { "Fn::Split": [":", { "Ref": layer_id(layer) }] }] });
        let parts: Vec<Value> = std::iter::once(description).chain(function.layers.iter().map(version)).collect();
        description = json!({ "Fn::Join": [" ", parts] });
    }
    let data = PartialData::new(format!("{pointer}/alias"))
        .made("function_id", &id)
        .made("version_id", format!("{id}Version{}", digest(&content)))
        .made("description", description)
        .made("alias_id", alias_id(name))
        .said("alias", "", alias)
        .made("output_id", alias_id(name) + "Arn");
    assembly.add("function-alias", data);
}
