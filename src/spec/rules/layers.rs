//! Layers: what they are made of, and whether they fit the functions that take them.

use super::Rules;
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
            rules.error("S029", &format!("{base}/requirements"), message, "name a package, such as `boto3>=1.35`");
        }
        for (index, requirement) in layer.requirements.iter().enumerate() {
            if let Some((message, help)) = requirement_problem(requirement) {
                rules.error("S029", &format!("{base}/requirements/{index}"), message, help);
            }
        }
        if layer.runtimes.is_empty() {
            let message = format!("the layer `{name}` names no runtime");
            rules.error("S028", &format!("{base}/runtimes"), message, "name one, such as `python3.13`");
        }
        for (index, runtime) in layer.runtimes.iter().enumerate() {
            if python_version(runtime).is_none() {
                let message = format!("`{}` is not a Python runtime", cut(runtime));
                let help = "layers are made of Python requirements; write a runtime such as `python3.13`";
                rules.error("S028", &format!("{base}/runtimes/{index}"), message, help);
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
        rules.error("S028", &base, message, "put the requirements of several into one layer");
    }
    let spec = rules.spec;
    for (index, layer_name) in function.layers.iter().take(4 * MOST_LAYERS).enumerate() {
        let pointer = format!("{base}/{index}");
        let first = function.layers.iter().position(|other| other == layer_name);
        if first != Some(index) {
            let message = format!("the layer `{}` stands here twice", cut(layer_name));
            rules.error("S028", &pointer, message, "name it once");
            continue;
        }
        if !rules.has("layers", layer_name) {
            let help = rules.suggest_name("layers", layer_name);
            rules.error("S028", &pointer, format!("there is no layer `{}`", cut(layer_name)), help);
            continue;
        }
        // One that did not decode has its own finding.
        let Some(layer) = spec.layers.get(layer_name) else { continue };
        if !layer.runtimes.contains(&function.runtime) {
            let message = format!("the layer `{layer_name}` is not built for `{}`", cut(&function.runtime));
            let help = suggest(&function.runtime, layer.runtimes.iter().map(String::as_str), "its runtimes are");
            rules.error("S028", &pointer, message, help);
        }
        if layer.architecture != function.architecture {
            let message = format!(
                "the layer `{layer_name}` is built for {} and the function runs on {}",
                word(layer.architecture),
                word(function.architecture)
            );
            rules.error("S028", &pointer, message, "give both the same `architecture`");
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

/// Why a pip requirement is refused, and what to do: it may name packages, extras, versions and markers, and nothing
/// that makes pip read another place or take an option.
pub fn requirement_problem(requirement: &str) -> Option<(String, String)> {
    let text = requirement.trim();
    let shown = cut(&hide_credentials(text));
    let refused = |why: &str, help: &str| Some((format!("`{shown}` {why}"), help.to_owned()));
    if text.is_empty() {
        return Some(("a requirement is empty".to_owned(), "name a package, such as `boto3>=1.35`".to_owned()));
    }
    if text.starts_with('-') {
        return refused("is an option of pip, not a requirement", "name packages only, such as `boto3>=1.35`");
    }
    if text.chars().any(char::is_control) {
        return refused("holds a line break or another control character", "write each requirement as its own entry");
    }
    if text.contains("://") || text.contains(" @") || text.contains('@') {
        return refused("names an address", "name a package of the index; set PIP_INDEX_URL for an index of your own");
    }
    if text.starts_with(['.', '/', '~']) || text.contains(['/', '\\']) {
        return refused("names a path", "name a package of the index; put code of your own into the function's folder");
    }
    let (before_marker, _) = text.split_once(';').unwrap_or((text, ""));
    let name_end = before_marker
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
        .unwrap_or(before_marker.len());
    let (name, rest) = before_marker.split_at(name_end);
    let name_fits =
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    let version = match rest.trim_start().strip_prefix('[') {
        Some(inside) => inside.split_once(']').map(|(_, version)| version),
        None => Some(rest),
    };
    let rest_fits = version.is_some_and(|version| {
        let version = version.trim();
        let bare = version.strip_prefix('(').and_then(|inside| inside.strip_suffix(')')).unwrap_or(version);
        version.is_empty() || bare.split(',').all(|clause| is_version_clause(clause.trim()))
    });
    if name_fits && rest_fits {
        return None;
    }
    refused("is not a requirement", "write a package's name and version, such as `boto3>=1.35` or `requests==2.32.3`")
}

/// `>=1.35` and the like. An option hidden behind a space (`boto3 --pre`) is none.
fn is_version_clause(clause: &str) -> bool {
    let operators = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"];
    let version = operators.iter().find_map(|operator| clause.strip_prefix(operator)).map(str::trim);
    version.is_some_and(|version| {
        version.starts_with(|c: char| c.is_ascii_alphanumeric())
            && version.chars().all(|c| c.is_ascii_alphanumeric() || "._*+!-".contains(c))
    })
}

/// An address without the user and password before its host.
fn hide_credentials(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) if text.contains("://") => format!("{scheme}://…@{host}"),
        _ => text.to_owned(),
    }
}
