//! The rooms of `cfn` that expand and validate templates, as this API needs them.

use std::collections::BTreeMap;

use crate::cfn::{Template, validate};
use crate::finding::Severity;
use crate::local::cloudformation::error::{Outcome, not_simulated};
use crate::local::errors::ApiError;

/// The template without its transforms.
///
/// # Errors
///
/// What can't be expanded.
pub fn expanded(template: &Template, values: &BTreeMap<String, String>, region: &str) -> Outcome<Template> {
    let _ = (values, region);
    if template.has_language_extensions() {
        return Err(not_simulated("the transform `AWS::LanguageExtensions`"));
    }
    Ok(template.clone())
}

/// Refuses a template for what is wrong with it as a whole; wrong properties are found per resource.
///
/// # Errors
///
/// `ValidationError`.
pub fn template_errors(template: &Template, region: &str) -> Outcome<()> {
    // Findings of the grammar and of functions begin with T0 and T1, those of properties with T2.
    let whole = |code: &str| code.starts_with("T0") || code.starts_with("T1");
    let first = validate(template, Some(region))
        .into_iter()
        .find(|finding| finding.severity == Severity::Error && whole(finding.code));
    match first {
        Some(finding) => Err(ApiError::validation(finding.message)),
        None => Ok(()),
    }
}
