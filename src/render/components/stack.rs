//! The stack's own part: description, parameters, the outputs a spec asks for.

use serde_json::{Value, json};

use crate::render::assemble::Assembly;
use crate::render::names::pascal;
use crate::render::references::References;
use crate::render::rendered::{ArtifactComponent, ArtifactParameter};
use crate::spec::{Parameter, ParameterType, escape};

pub(super) fn add(assembly: &mut Assembly<'_>, references: &References<'_>, artifacts: &[ArtifactParameter]) {
    let spec = references.spec();
    let artifact_data: Vec<Value> = artifacts
        .iter()
        .map(|artifact| {
            let what = match &artifact.component {
                ArtifactComponent::Function(name) => format!("code of the function {name}"),
                ArtifactComponent::Layer(name) => format!("packages of the layer {name}"),
            };
            json!({ "parameter": artifact.parameter, "description": format!("Key of the {what} in the artifact bucket") })
        })
        .collect();
    let head = json!({
        "description": spec.description.clone().unwrap_or_else(|| format!("The use case {}", spec.name)),
        "artifacts": artifact_data,
        "parameters": [],
        "outputs": [],
    });
    assembly.add("stack", &head, "");
    // One at a time, so that a clash of names is told at its own line.
    for (name, parameter) in &spec.parameters {
        let data = json!({
            "description": head["description"], "artifacts": [], "outputs": [],
            "parameters": [parameter_data(name, parameter)],
        });
        assembly.add("stack", &data, &format!("/parameters/{}", escape(name)));
    }
    for (name, text) in &spec.outputs {
        let pointer = format!("/outputs/{}", escape(name));
        let Some(value) = assembly.keep(references.text(text, &pointer)) else { continue };
        let data = json!({
            "description": head["description"], "artifacts": [], "parameters": [],
            "outputs": [{ "id": pascal(name), "value": value.value() }],
        });
        assembly.add("stack", &data, &pointer);
    }
}

fn parameter_data(name: &str, parameter: &Parameter) -> Value {
    json!({
        "id": pascal(name),
        "type": match parameter.r#type {
            ParameterType::String => "String",
            ParameterType::Number => "Number",
            ParameterType::List => "CommaDelimitedList",
        },
        "description": parameter.description,
        // An empty default is a default, so its presence is a value of its own.
        "has_default": parameter.default.is_some(),
        "default": parameter.default,
        "allowed": parameter.allowed,
        "pattern": parameter.pattern,
        "no_echo": parameter.secret,
    })
}
