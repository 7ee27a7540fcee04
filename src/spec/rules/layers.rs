//! Layers: what they are made of, and whether they fit the functions that take them.

use super::context::Rules;
use crate::finding::code;
use crate::spec::requirement::{requirement_problem, requirements_problem};
use crate::spec::types::{Architecture, Function};
use crate::spec::words::{cut, escape, suggest};

/// The most layers a function can have, by Lambda's quotas.
const MOST_LAYERS: usize = 5;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, layer) in &spec.layers {
        let base = format!("/layers/{}", escape(name));
        if layer.requirements.is_empty() {
            let message = format!("the layer `{name}` has no requirements");
            rules.error(code::S029, &format!("{base}/requirements"), message, "name a package, such as `boto3>=1.35`");
        }
        for (index, requirement) in layer.requirements.iter().enumerate() {
            if let Some((message, help)) = requirement_problem(requirement) {
                rules.error(code::S029, &format!("{base}/requirements/{index}"), message, help);
            }
        }
        if let Some((message, help)) = requirements_problem(&layer.requirements) {
            rules.error(code::S029, &format!("{base}/requirements"), message, help);
        }
        if layer.runtimes.is_empty() {
            let message = format!("the layer `{name}` names no runtime");
            rules.error(code::S028, &format!("{base}/runtimes"), message, "name one, such as `python3.13`");
        }
        for (index, runtime) in layer.runtimes.iter().enumerate() {
            if python_version(runtime).is_none() {
                let message = format!("`{}` is not a Python runtime", cut(runtime));
                let help = "layers are made of Python requirements; write a runtime such as `python3.13`";
                rules.error(code::S028, &format!("{base}/runtimes/{index}"), message, help);
            }
        }
    }
    for (name, function) in &spec.functions {
        of_function(rules, name, function);
    }
}

fn of_function(rules: &mut Rules<'_>, name: &str, function: &Function) {
    let base = format!("/functions/{}/layers", escape(name));
    if function.layers.len() > MOST_LAYERS {
        let message = format!("`functions.{name}` has {} layers and Lambda takes {MOST_LAYERS}", function.layers.len());
        rules.error(code::S028, &base, message, "put the requirements of several into one layer");
    }
    let spec = rules.spec;
    for (index, layer_name) in function.layers.iter().take(4 * MOST_LAYERS).enumerate() {
        let pointer = format!("{base}/{index}");
        let first = function.layers.iter().position(|other| other == layer_name);
        if first != Some(index) {
            let message = format!("the layer `{}` is listed twice", cut(layer_name));
            rules.error(code::S028, &pointer, message, "name it once");
            continue;
        }
        if !rules.has("layers", layer_name) {
            let help = rules.suggest_name("layers", layer_name);
            rules.error(code::S028, &pointer, format!("there is no layer `{}`", cut(layer_name)), help);
            continue;
        }
        // One that did not decode has its own finding.
        let Some(layer) = spec.layers.get(layer_name) else { continue };
        if !layer.runtimes.contains(&function.runtime) {
            let message = format!("the layer `{layer_name}` is not built for `{}`", cut(&function.runtime));
            let help = suggest(&function.runtime, layer.runtimes.iter().map(String::as_str), "its runtimes are");
            rules.error(code::S028, &pointer, message, help);
        }
        if layer.architecture != function.architecture {
            let message = format!(
                "the layer `{layer_name}` is built for {} and the function runs on {}",
                word(layer.architecture),
                word(function.architecture)
            );
            rules.error(code::S028, &pointer, message, "give both the same `architecture`");
        }
    }
}

fn word(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "`x86_64`",
        Architecture::Arm64 => "`arm64`",
    }
}

/// The `3.13` of `python3.13`.
fn python_version(runtime: &str) -> Option<&str> {
    let version = runtime.strip_prefix("python")?;
    let minor = version.strip_prefix("3.")?;
    (!minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit())).then_some(version)
}
