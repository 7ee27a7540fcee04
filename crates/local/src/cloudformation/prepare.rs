//! From what a caller sent to a target: the template read and checked, transforms expanded, parameters valued,
//! capabilities acknowledged.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::Value;

use super::error::{CloudFormationResult, capabilities, not_simulated};
use super::model::{StackParameter, StackTarget, Tag};
use crate::ground::ApiError;
use crate::ground::scalar::scalar;
use crate::resources::{self, provider};
use crate::ssm::store::{Named, ParameterLookup, is_public};
use bedplate_cfn::{ResourceGraph, Template};

use super::expand;
use super::references::{check_left_out, public_parameter, public_reference};

/// What a caller gave for a deployment.
#[derive(Debug, Clone, Default)]
pub struct StackRequest {
    /// The stack's name.
    pub stack_name: String,
    /// The template's text.
    pub template: String,
    /// Parameter values; none means the previous one.
    pub parameters: Vec<(String, Option<String>)>,
    /// The stack's tags.
    pub tags: Vec<Tag>,
    /// Capabilities acknowledged.
    pub capabilities: Vec<String>,
    /// Shown, never called.
    pub notification_arns: Vec<String>,
    /// Shown, never assumed.
    pub role_arn: Option<String>,
    /// Resource types allowed; empty means all.
    pub resource_types: Vec<String>,
    /// Whether what the operation makes is deleted on rollback whatever its policy.
    pub retain_except_on_create: bool,
}

/// Whether a change set stands between a transform and what it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through a change set, which shows the processed template.
    ByChangeSet,
    /// At once: transforms have to be acknowledged.
    Directly,
}

/// The longest value of a parameter, in bytes. Source: CloudFormation user guide, "Understand CloudFormation quotas".
const LONGEST_VALUE: usize = 4_096;

const EXPAND: &str = "CAPABILITY_AUTO_EXPAND";

/// Reads a template's text.
///
/// # Errors
///
/// `ValidationError`, as CloudFormation words it where that is known.
pub fn read(text: &str) -> CloudFormationResult<Template> {
    if text.trim().is_empty() {
        return Err(ApiError::validation("Template format error: the template is empty"));
    }
    Template::parse(text).map_err(|findings| {
        ApiError::validation(
            findings.first().map_or_else(|| "Template format error".to_owned(), |finding| finding.message.clone()),
        )
    })
}

/// The template with its transforms expanded.
///
/// # Errors
///
/// A transform that is not simulated, or that can't be expanded.
pub fn process(
    template: &Template,
    values: &BTreeMap<String, String>,
    region: &str,
    stack_name: &str,
) -> CloudFormationResult<Template> {
    for transform in template.transforms() {
        if transform != bedplate_cfn::template::LANGUAGE_EXTENSIONS {
            return Err(not_simulated(&format!("the transform `{transform}`")));
        }
    }
    if contains_key(template.value(), "Fn::Transform") {
        return Err(not_simulated("`Fn::Transform` (macros and `AWS::Include`)"));
    }
    if contains_key(template.value(), "Fn::GetStackOutput") {
        return Err(not_simulated("`Fn::GetStackOutput`"));
    }
    expand::expanded(template, values, region, stack_name)
}

fn contains_key(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| contains_key(item, wanted)),
        Value::Object(map) => map.iter().any(|(key, item)| key == wanted || contains_key(item, wanted)),
        _ => false,
    }
}

/// Refuses what CloudFormation refuses before it makes anything.
///
/// # Errors
///
/// `ValidationError`.
pub fn check(template: &Template, region: &str) -> CloudFormationResult<()> {
    let mut unknown: Vec<&str> = template
        .resources()
        .map(|resource| resource.type_)
        .filter(|name| !provider::known(name) && resources::refused(name).is_none() && *name != "AWS::CDK::Metadata")
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    if !unknown.is_empty() {
        return Err(ApiError::validation(format!(
            "Template format error: Unrecognized resource types: [{}]",
            unknown.join(", ")
        )));
    }
    if let Some(what) = template.resources().find_map(|resource| resources::refused(resource.type_)) {
        return Err(not_simulated(what));
    }
    if let Some(name) = public_reference(template.value()) {
        return Err(public_parameter(name));
    }
    let behind_topic = |resource: &bedplate_cfn::Resource<'_>| {
        let token = resource.properties().and_then(|properties| properties.get("ServiceToken")).and_then(Value::as_str);
        resources::is_custom(resource.type_) && token.is_some_and(|token| token.contains(":sns:"))
    };
    if template.resources().any(|resource| behind_topic(&resource)) {
        return Err(not_simulated("custom resources behind an SNS topic"));
    }
    if let Some(finding) =
        template.structure().into_iter().find(|finding| finding.severity == bedplate_cfn::finding::Severity::Error)
    {
        return Err(ApiError::validation(finding.message));
    }
    let graph = ResourceGraph::from_template(template);
    let names: Vec<&str> = template.parameters().map(|parameter| parameter.name).collect();
    let mut unresolved: Vec<String> = graph
        .unresolved()
        .iter()
        .map(|edge| edge.to.clone())
        .filter(|name| !names.contains(&name.as_str()) && !name.starts_with("AWS::"))
        .collect();
    unresolved.sort();
    unresolved.dedup();
    if !unresolved.is_empty() {
        return Err(ApiError::validation(format!(
            "Template format error: Unresolved resource dependencies [{}] in the Resources block of the template",
            unresolved.join(", ")
        )));
    }
    if let Some(problem) = graph.circular() {
        return Err(ApiError::validation(problem.message));
    }
    expand::template_errors(template, region)
}

/// What a template needs acknowledged, and the types that need it.
pub fn needed_capabilities(template: &Template) -> (Option<&'static str>, Vec<String>) {
    const IAM: &[(&str, Option<&str>)] = &[
        ("AWS::IAM::AccessKey", None),
        ("AWS::IAM::Group", Some("GroupName")),
        ("AWS::IAM::GroupPolicy", None),
        ("AWS::IAM::InstanceProfile", Some("InstanceProfileName")),
        ("AWS::IAM::ManagedPolicy", Some("ManagedPolicyName")),
        ("AWS::IAM::Policy", None),
        ("AWS::IAM::Role", Some("RoleName")),
        ("AWS::IAM::RolePolicy", None),
        ("AWS::IAM::User", Some("UserName")),
        ("AWS::IAM::UserPolicy", None),
        ("AWS::IAM::UserToGroupAddition", None),
    ];
    let mut named = false;
    let mut types = Vec::new();
    for resource in template.resources() {
        let Some((_, name)) = IAM.iter().find(|(own, _)| *own == resource.type_) else { continue };
        let properties = resource.properties();
        named |= name.is_some_and(|name| properties.is_some_and(|all| all.contains_key(name)));
        if !types.iter().any(|own| own == resource.type_) {
            types.push(resource.type_.to_owned());
        }
    }
    types.sort();
    let capability = match (types.is_empty(), named) {
        (true, _) => None,
        (false, true) => Some("CAPABILITY_NAMED_IAM"),
        (false, false) => Some("CAPABILITY_IAM"),
    };
    (capability, types)
}

/// Makes a target of what a caller gave; `previous` is what is deployed.
///
/// # Errors
///
/// `ValidationError`, `InsufficientCapabilitiesException`, or a refusal of what is not simulated.
pub fn target(
    db: &Connection,
    given: StackRequest,
    previous: Option<&StackTarget>,
    region: &str,
    way: Way,
) -> CloudFormationResult<StackTarget> {
    let template = read(&given.template)?;
    let parameters = parameters(db, region, &template, &given.parameters, previous)?;
    let values = parameters.iter().map(|parameter| (parameter.key.clone(), parameter.given().to_owned())).collect();
    let processed = process(&template, &values, region, &given.stack_name)?;
    check(&processed, region)?;
    check_left_out(&processed, &values, region, &given.stack_name)?;
    check_tags(&given.tags)?;
    for capability in &given.capabilities {
        if !["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", EXPAND].contains(&capability.as_str()) {
            return Err(ApiError::validation(format!(
                "1 validation error detected: Value '[{}]' at 'capabilities' failed to satisfy constraint: Member must \
                 satisfy constraint: [Member must satisfy enum value set: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, \
                 CAPABILITY_AUTO_EXPAND]]",
                given.capabilities.join(", ")
            )));
        }
    }
    let has = |capability: &str| given.capabilities.iter().any(|own| own == capability);
    match needed_capabilities(&processed).0 {
        Some("CAPABILITY_NAMED_IAM") if !has("CAPABILITY_NAMED_IAM") => {
            return Err(capabilities("CAPABILITY_NAMED_IAM"));
        }
        Some("CAPABILITY_IAM") if !has("CAPABILITY_IAM") && !has("CAPABILITY_NAMED_IAM") => {
            return Err(capabilities("CAPABILITY_IAM"));
        }
        _ => {}
    }
    if way == Way::Directly && !template.transforms().is_empty() && !has(EXPAND) {
        return Err(capabilities(EXPAND));
    }
    check_resource_types(&processed, &given.resource_types)?;
    if let Some(previous) = previous {
        same_types(&processed, previous)?;
    }
    Ok(StackTarget {
        template: given.template,
        processed: processed.into_value(),
        parameters,
        tags: given.tags,
        capabilities: given.capabilities,
        notification_arns: given.notification_arns,
        role_arn: given.role_arn,
        retain_except_on_create: given.retain_except_on_create,
    })
}

/// A resource can't become one of another type.
fn same_types(template: &Template, previous: &StackTarget) -> CloudFormationResult<()> {
    let changed: Vec<&str> = template
        .resources()
        .filter(|resource| {
            let before = previous.processed.pointer(&format!("/Resources/{}/Type", resource.logical_id));
            before.is_some_and(|before| before.as_str() != Some(resource.type_))
        })
        .map(|resource| resource.logical_id)
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "Update of resource type is not permitted. The new template modifies resource type of the following resources: [{}]",
        changed.join(", ")
    )))
}

fn check_resource_types(template: &Template, allowed: &[String]) -> CloudFormationResult<()> {
    let fits = |name: &str| {
        allowed.iter().any(|own| match own.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => own == name,
        })
    };
    let missing: Vec<&str> =
        template.resources().map(|resource| resource.type_).filter(|name| !allowed.is_empty() && !fits(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "Resource type {} is not allowed by parameter ResourceTypes [{}]",
        missing.join(", "),
        allowed.join(", ")
    )))
}

fn check_tags(tags: &[Tag]) -> CloudFormationResult<()> {
    if tags.len() > 50 {
        return Err(ApiError::validation(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
        ));
    }
    for (index, tag) in tags.iter().enumerate() {
        if tag.key.is_empty() || tag.key.chars().count() > 128 {
            return Err(ApiError::validation("Tag keys must have a length between 1 and 128"));
        }
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(ApiError::validation("aws: prefixed tag key names are not allowed for external use."));
        }
        if tags.iter().take(index).any(|other| other.key == tag.key) {
            return Err(ApiError::validation("Duplicate tag keys found. Please ensure Tag keys are unique."));
        }
    }
    Ok(())
}

/// Values all parameters of a template.
///
/// # Errors
///
/// `ValidationError` for missing, unknown or unfit ones.
pub fn parameters(
    db: &Connection,
    region: &str,
    template: &Template,
    given: &[(String, Option<String>)],
    previous: Option<&StackTarget>,
) -> CloudFormationResult<Vec<StackParameter>> {
    let unknown: Vec<&str> =
        given.iter().map(|(key, _)| key.as_str()).filter(|key| template.parameter(key).is_none()).collect();
    if !unknown.is_empty() {
        return Err(ApiError::validation(format!("Parameters: [{}] do not exist in the template", unknown.join(", "))));
    }
    let (mut missing, mut absent) = (Vec::new(), Vec::new());
    let mut valued = Vec::new();
    for parameter in template.parameters() {
        let before = || {
            let all = previous.map(|previous| previous.parameters.as_slice()).unwrap_or_default();
            all.iter().find(|own| own.key == parameter.name).map(|own| own.value.clone())
        };
        let value = match given.iter().find(|(key, _)| key == parameter.name) {
            Some((_, Some(value))) => Some(value.clone()),
            Some((_, None)) => Some(before().ok_or_else(|| {
                ApiError::validation(format!(
                    "Invalid input for parameter key {}. Cannot specify usePreviousValue as true for a parameter key not in the previous template",
                    parameter.name
                ))
            })?),
            None => parameter.default().map(|default| match default {
                Value::Array(items) => items.iter().filter_map(scalar).collect::<Vec<_>>().join(","),
                other => scalar(other).unwrap_or_default(),
            }),
        };
        let Some(value) = value else {
            missing.push(parameter.name);
            continue;
        };
        if value.len() > LONGEST_VALUE {
            return Err(ApiError::validation(format!(
                "Parameter '{}' must contain at most {LONGEST_VALUE} bytes.",
                parameter.name
            )));
        }
        fits(&parameter, &value)?;
        let resolved = stored(db, region, &parameter, &value, &mut absent)?;
        valued.push(StackParameter {
            key: parameter.name.to_owned(),
            value,
            no_echo: parameter.no_echo(),
            list: parameter.is_list(),
            resolved,
        });
    }
    if !missing.is_empty() {
        return Err(ApiError::validation(format!("Parameters: [{}] must have values", missing.join(", "))));
    }
    if !absent.is_empty() {
        return Err(ApiError::validation(format!(
            "Unable to fetch parameters [{}] from parameter store for this account.",
            absent.join(",")
        )));
    }
    Ok(valued)
}

/// What Parameter Store has under a parameter's value, for the types that ask it; names it has not are added to `absent`.
fn stored(
    db: &Connection,
    region: &str,
    parameter: &bedplate_cfn::Parameter<'_>,
    value: &str,
    absent: &mut Vec<String>,
) -> CloudFormationResult<Option<String>> {
    let Some(kind) = parameter.type_().strip_prefix("AWS::SSM::Parameter::") else { return Ok(None) };
    if is_public(value) {
        return Err(public_parameter(value));
    }
    let found = match Named::of(value, region).find(db, region)? {
        ParameterLookup::Found(found) => found,
        ParameterLookup::NoParameter | ParameterLookup::NoVersion => {
            absent.push(value.to_owned());
            return Ok(None);
        }
    };
    if kind == "Name" {
        return Ok(None);
    }
    if found.kind == "SecureString" {
        return Err(ApiError::validation(format!(
            "Parameters [{value}] referenced by template have types not supported by CloudFormation."
        )));
    }
    Ok(Some(found.value))
}

/// Whether a value is one the parameter takes.
fn fits(parameter: &bedplate_cfn::Parameter<'_>, value: &str) -> CloudFormationResult<()> {
    let name = parameter.name;
    let number =
        |attribute: &str| parameter.attribute(attribute).and_then(scalar).and_then(|text| text.parse::<f64>().ok());
    let refuse = |message: String| {
        let described = parameter.attribute("ConstraintDescription").and_then(Value::as_str);
        Err(ApiError::validation(match described {
            Some(text) => format!("Parameter {name} failed to satisfy constraint: {text}"),
            None => message,
        }))
    };
    let numeric = matches!(parameter.type_(), "Number" | "List<Number>");
    let parts: Vec<&str> = if parameter.is_list() { value.split(',').map(str::trim).collect() } else { vec![value] };
    if let Some(allowed) = parameter.attribute("AllowedValues").and_then(Value::as_array) {
        let allowed: Vec<String> = allowed.iter().filter_map(scalar).collect();
        if let Some(part) = parts.iter().find(|part| !allowed.iter().any(|own| own == *part)) {
            let _ = part;
            return refuse(format!("Parameter '{name}' must be one of AllowedValues"));
        }
    }
    for part in parts {
        if numeric {
            let Ok(amount) = part.parse::<f64>() else {
                return refuse(format!("Parameter '{name}' must be a number."));
            };
            if let Some(least) = number("MinValue").filter(|least| amount < *least) {
                return refuse(format!("Parameter '{name}' must be a number not less than {least}."));
            }
            if let Some(most) = number("MaxValue").filter(|most| amount > *most) {
                return refuse(format!("Parameter '{name}' must be a number not greater than {most}."));
            }
            continue;
        }
        let length = part.chars().count() as f64;
        if let Some(least) = number("MinLength").filter(|least| length < *least) {
            return refuse(format!("Parameter '{name}' must contain at least {least} characters."));
        }
        if let Some(most) = number("MaxLength").filter(|most| length > *most) {
            return refuse(format!("Parameter '{name}' must contain at most {most} characters."));
        }
        if let Some(pattern) = parameter.attribute("AllowedPattern").and_then(Value::as_str)
            && bedplate_cfn::schema::matches(&format!("^(?:{pattern})$"), part) == bedplate_cfn::schema::Match::No
        {
            return refuse(format!("Parameter '{name}' must match pattern {pattern}"));
        }
    }
    Ok(())
}
