//! The rooms of `cfn` that expand and validate templates, as this API needs them.

use std::collections::BTreeMap;

use crate::cloudformation::error::CloudFormationResult;
use crate::ground::{ACCOUNT_ID, ApiError};
use bedplate_cfn::finding::Severity;
use bedplate_cfn::intrinsics::{Environment, expand, settle_policies};
use bedplate_cfn::{Template, validate};

/// The template with the loops of `AWS::LanguageExtensions` written out and the policies of its resources decided; it keeps the transform's name, as its other
/// functions are evaluated with the rest.
///
/// # Errors
///
/// `ValidationError` for what can't be expanded.
pub fn expanded(
    template: &Template,
    values: &BTreeMap<String, String>,
    region: &str,
    stack_name: &str,
) -> CloudFormationResult<Template> {
    let environment = Environment::new(ACCOUNT_ID, region, stack_name);
    let expanded = expand(template, values, &environment);
    let settled = expanded.and_then(|template| settle_policies(&template, values, &environment));
    settled.map_err(|problem| ApiError::validation(problem.message))
}

/// Refuses a template for what is wrong with it as a whole; wrong properties are found per resource.
///
/// # Errors
///
/// `ValidationError`.
pub fn template_errors(template: &Template, region: &str) -> CloudFormationResult<()> {
    // Findings of the grammar and of functions begin with T0 and T1, those of properties with T2.
    let whole = |code: &str| code.starts_with("T0") || code.starts_with("T1");
    let first = validate(template, Some(region))
        .into_iter()
        .find(|finding| finding.severity == Severity::Error && whole(finding.code.as_str()));
    match first {
        Some(finding) => Err(ApiError::validation(finding.message)),
        None => Ok(()),
    }
}
