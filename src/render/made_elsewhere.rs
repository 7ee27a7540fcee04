//! The template made elsewhere that a spec names, by the AWS CDK for example, as it stands in its file.

use serde_json::Value;

use super::packaged::{PackagedTemplate, package};
use crate::finding::{Finding, code};
use crate::spec::{ElsewhereTemplate, LoadedSpec};

/// Where the template is named in the spec.
pub(super) const POINTER: &str = "/template";

/// The template as it stands in its file; none when the spec names none.
///
/// # Errors
/// `R143` when it has not been read, is neither JSON nor YAML, or is no template.
pub(super) fn template(loaded: &LoadedSpec) -> Result<Option<&ElsewhereTemplate>, Finding> {
    if loaded.spec.template.is_none() {
        return Ok(None);
    }
    let Some(template) = &loaded.elsewhere else {
        let finding = Finding::error(code::R143, "the template that the spec names has not been read");
        return Err(finding.at(loaded.place(POINTER)).help("render the spec from its file"));
    };
    let document = template.document.as_ref().map_err(Clone::clone)?;
    if document.value.get("Resources").and_then(Value::as_object).is_none() {
        let help = "a template has `Resources` with a mapping of logical ids below";
        let message = format!("`{}` is not a CloudFormation template", template.file);
        return Err(Finding::error(code::R143, message).at(loaded.place(POINTER)).help(help));
    }
    Ok(Some(template))
}

/// The template as it is deployed, with what it names locally; empty when the spec names none.
///
/// # Errors
/// As [`template`].
pub(super) fn packaged(loaded: &LoadedSpec) -> Result<PackagedTemplate, Finding> {
    let template = template(loaded)?;
    let value = template.and_then(|template| template.document.as_ref().ok()).map(|document| document.value.clone());
    Ok(template.zip(value).map(|(template, value)| package(template, value)).unwrap_or_default())
}

/// The logical ids in a section of the template made elsewhere that a spec names.
pub(super) fn names(loaded: &LoadedSpec, section: &str) -> Vec<String> {
    let template = template(loaded).ok().flatten();
    let document = template.and_then(|template| template.document.as_ref().ok());
    let names = document.and_then(|document| document.value.get(section)?.as_object());
    names.map(|names| names.keys().cloned().collect()).unwrap_or_default()
}
