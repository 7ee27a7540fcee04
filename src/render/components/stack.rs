//! The stack's own part: description, parameters, the outputs a spec asks for.

use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::names::pascal;
use crate::render::references::References;
use crate::render::rendered::{ArtifactComponent, ArtifactParameter, DEPLOYER};
use crate::spec::{Parameter, ParameterType, Store, UseCase, escape};

pub(super) fn add(assembly: &mut Assembly<'_>, references: &References<'_>, artifacts: &[ArtifactParameter]) {
    let spec = references.spec();
    let artifact_data = artifacts.iter().map(|artifact| {
        let (what, pointer) = match &artifact.component {
            ArtifactComponent::Function(name) => {
                (format!("code of the function {name}"), format!("/functions/{}/code", escape(name)))
            }
            // A place of its own: who gives values to the template's parameters gives none to these.
            ArtifactComponent::Packaged(file) => (file.shown.clone(), "/template/packaged".to_owned()),
            ArtifactComponent::Layer(name) => {
                (format!("packages of the layer {name}"), format!("/layers/{}/requirements", escape(name)))
            }
        };
        PartialData::new(pointer)
            .made("parameter", &artifact.parameter)
            .made("description", format!("Key of the {what} in the artifact bucket"))
    });
    let head = |pointer: &str| head(spec, pointer);
    assembly.add("stack", head("").parts("artifacts", "", artifact_data));
    // One at a time, so that a clash of names is told at its own line.
    for (name, parameter) in &spec.parameters {
        let pointer = format!("/parameters/{}", escape(name));
        let data = parameter_data(&pointer, name, parameter);
        assembly.add("stack", head(&pointer).parts("parameters", "", [data]));
    }
    for (name, text) in &spec.outputs {
        let pointer = format!("/outputs/{}", escape(name));
        let Some(value) = assembly.keep(references.text(text, &pointer)) else { continue };
        let output = PartialData::new(&pointer).made("id", pascal(name)).made("value", value.value());
        assembly.add("stack", head(&pointer).parts("outputs", "", [output]));
    }
}

/// What every part of the stack's own begins with.
fn head(spec: &UseCase, pointer: &str) -> PartialData {
    let described = spec.description.clone().unwrap_or_else(|| format!("The use case {}", spec.name));
    PartialData::new(pointer)
        .said("description", "/description", described)
        .made("deployer", false)
        .parts("artifacts", "", [])
        .parts("parameters", "", [])
        .parts("outputs", "", [])
}

/// Declares the parameter of who deploys, when something of the template names it.
pub(super) fn add_deployer(assembly: &mut Assembly<'_>, references: &References<'_>) {
    if assembly.mentions(DEPLOYER) {
        let bases = references.spec().knowledge_bases.iter();
        let base = bases.filter(|(_, base)| base.store == Store::OpensearchServerless).map(|(name, _)| name).next();
        let pointer = base.map_or_else(String::new, |name| format!("/knowledge-bases/{}/store", escape(name)));
        assembly.add("stack", head(references.spec(), &pointer).made("deployer", true));
    }
}

fn parameter_data(pointer: &str, name: &str, parameter: &Parameter) -> PartialData {
    let type_ = match parameter.r#type {
        ParameterType::String => "String",
        ParameterType::Number => "Number",
        ParameterType::List => "CommaDelimitedList",
    };
    PartialData::new(pointer)
        .made("id", pascal(name))
        .said("type", "type", type_)
        .said("description", "description", &parameter.description)
        // An empty default is a default, so its presence is a value of its own.
        .said("has_default", "default", parameter.default.is_some())
        .said("default", "default", &parameter.default)
        .said("allowed", "allowed", &parameter.allowed)
        .said("pattern", "pattern", &parameter.pattern)
        .said("no_echo", "secret", parameter.secret)
}
