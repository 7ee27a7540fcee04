//! The template made elsewhere that a spec names, by the AWS CDK for example, as it stands in its file.

use serde_json::Value;

use crate::finding::{Finding, Place, code};
use crate::spec::LoadedSpec;
use crate::yaml::{self, Document};

/// Where the template is named in the spec.
pub(super) const POINTER: &str = "/template";

/// The template as it stands in its file; none when the spec names none.
///
/// # Errors
/// `R143` when it has not been read, is neither JSON nor YAML, or is no template.
pub(super) fn document(loaded: &LoadedSpec) -> Result<Option<Document>, Finding> {
    let Some(path) = &loaded.spec.template else { return Ok(None) };
    let refuse = |message: String, place: Option<Place>, help: &str| {
        Finding::error(code::R143, message).at(place.or_else(|| loaded.place(POINTER))).help(help)
    };
    let Some(text) = loaded.files.get(POINTER) else {
        return Err(refuse(format!("the template `{path}` has not been read"), None, "render the spec from its file"));
    };
    let document = yaml::parse_cloudformation(text).map_err(|error| {
        let place = Place { file: loaded.beside(path), line: error.line, column: error.column };
        refuse(format!("it is neither JSON nor YAML: {}", error.message), Some(place), "correct it at that line")
    })?;
    if document.value.get("Resources").and_then(Value::as_object).is_none() {
        let help = "a template has `Resources` with a mapping of logical ids below";
        return Err(refuse(format!("`{path}` is not a CloudFormation template"), None, help));
    }
    Ok(Some(document))
}

/// The logical ids in a section of the template made elsewhere that a spec names.
pub(super) fn names(loaded: &LoadedSpec, section: &str) -> Vec<String> {
    let document = document(loaded).ok().flatten();
    let names = document.as_ref().and_then(|document| document.value.get(section)?.as_object());
    names.map(|names| names.keys().cloned().collect()).unwrap_or_default()
}
