//! Parameters: what a template declares, and whether a value given for one fits.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Context, finding, is_full};
use crate::Parameter;
use crate::finding::{Finding, code};
use crate::intrinsics::{Problem, plain};
use crate::schema::Pattern;
use bedplate_text::suggestion::nearest;

const ATTRIBUTES: [&str; 11] = [
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
];

/// Types of parameters that hold the id or name of something that exists (CloudFormation reference, as of 2026).
const AWS_TYPES: [&str; 11] = [
    "AWS::EC2::AvailabilityZone::Name",
    "AWS::EC2::Image::Id",
    "AWS::EC2::Instance::Id",
    "AWS::EC2::KeyPair::KeyName",
    "AWS::EC2::SecurityGroup::GroupName",
    "AWS::EC2::SecurityGroup::Id",
    "AWS::EC2::Subnet::Id",
    "AWS::EC2::VPC::Id",
    "AWS::EC2::Volume::Id",
    "AWS::Route53::HostedZone::Id",
    "AWS::SSM::Parameter::Name",
];

/// The longest value of a parameter, in bytes (CloudFormation quotas, as of 2026).
const VALUE_LIMIT: usize = 4096;

pub(super) fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for parameter in context.parameters.values() {
        let path = format!("Parameters/{}", parameter.name);
        for name in parameter.body().keys().filter(|name| !ATTRIBUTES.contains(&name.as_str())) {
            if is_full(findings) {
                return;
            }
            let meant = nearest(name, ATTRIBUTES);
            findings.push(finding(
                code::T020,
                format!("Invalid template parameter property '{name}'"),
                &format!("{path}/{name}"),
                meant,
            ));
        }
        match parameter.attribute("Type") {
            Some(Value::String(type_)) if is_type(type_) => {}
            Some(Value::String(type_)) => {
                let known = ["String", "Number", "CommaDelimitedList", "List<Number>"].into_iter().chain(AWS_TYPES);
                let meant = nearest(type_, known);
                findings.push(finding(
                    code::T020,
                    format!("Template format error: Unrecognized parameter type: {type_}"),
                    &format!("{path}/Type"),
                    meant,
                ));
            }
            _ => findings.push(finding(
                code::T020,
                format!(
                    "Template format error: Every Parameters object must contain a Type member, and {} does not",
                    parameter.name
                ),
                &path,
                None,
            )),
        }
        constraints(*parameter, &path, findings);
        if let Some(Err(problem)) = parameter.default().and_then(plain).map(|text| check_value(*parameter, &text)) {
            findings.push(finding(
                problem.code,
                format!("The default does not fit: {}", problem.message),
                &format!("{path}/Default"),
                None,
            ));
        }
    }
}

/// The longest description of a parameter, in characters (CloudFormation user guide; cfn-lint 1.58.0, rule E2001).
const DESCRIPTION_LIMIT: usize = 4000;

/// What is wrong with the attributes of a parameter by themselves. Which of them belong to which type is cfn-lint's rule
/// E2001; that a default is text is CloudFormation's own message.
fn constraints(parameter: Parameter<'_>, path: &str, findings: &mut Vec<Finding>) {
    let name = parameter.name;
    let mut wrong = |attribute: &str, message: String, help: &'static str| {
        findings.push(finding(code::T020, message, &format!("{path}/{attribute}"), None).help(help));
    };
    for attribute in ["Default", "AllowedPattern", "ConstraintDescription", "Description"] {
        let Some(value) = parameter.attribute(attribute) else { continue };
        let fits = match attribute {
            "Default" => plain(value).is_some(),
            _ => value.is_string(),
        };
        if !fits && !value.is_null() {
            let help = match (attribute, value) {
                ("Default", Value::Array(_)) => "Write a list as one text with commas, such as `a,b`",
                ("Default", _) => "Write it as text: no function works here",
                _ => "Write it as text",
            };
            wrong(attribute, format!("Template format error: Every {attribute} member must be a string."), help);
        }
    }
    match parameter.attribute("AllowedValues") {
        Some(Value::Array(allowed)) if allowed.iter().all(|value| plain(value).is_some()) => {}
        None | Some(Value::Null) => {}
        Some(_) => wrong(
            "AllowedValues",
            format!("Template format error: AllowedValues of parameter {name} must be a list of texts or numbers"),
            "Write a list, such as `[a, b]`",
        ),
    }
    if parameter.description().is_some_and(|text| text.chars().count() > DESCRIPTION_LIMIT) {
        wrong(
            "Description",
            format!("the description of parameter `{name}` has more than {DESCRIPTION_LIMIT} characters"),
            "Shorten it",
        );
    }
    for attribute in ["MinLength", "MaxLength", "MinValue", "MaxValue"] {
        let Some(value) = parameter.attribute(attribute) else { continue };
        let number = plain(value).and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
        let counts = attribute.ends_with("Length");
        if !number.is_some_and(|number| !counts || number.fract() == 0.0 && number >= 0.0) {
            wrong(
                attribute,
                format!("Template format error: {attribute} of parameter {name} is not a number"),
                "Write a number",
            );
        }
        let for_numbers = parameter.type_() == "Number";
        if counts == for_numbers || !counts && !for_numbers && parameter.type_() != "List<Number>" {
            wrong(
                attribute,
                format!("`{attribute}` does not go with a parameter of type `{}`", parameter.type_()),
                if counts {
                    "Use `MinValue` and `MaxValue`"
                } else {
                    "Use `MinLength` and `MaxLength`, or the type `Number`"
                },
            );
        }
    }
    if parameter.type_() == "Number" && parameter.attribute("AllowedPattern").is_some() {
        wrong(
            "AllowedPattern",
            "`AllowedPattern` does not go with a parameter of type `Number`".to_owned(),
            "Use `MinValue`, `MaxValue` or `AllowedValues`",
        );
    }
    if let Some(hidden) = parameter.attribute("NoEcho") {
        let fits =
            plain(hidden).is_some_and(|text| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"));
        if !fits {
            wrong(
                "NoEcho",
                format!("Template format error: NoEcho of parameter {name} is not true or false"),
                "Write `true` or `false`",
            );
        }
    }
    if let Some(pattern) = parameter.attribute("AllowedPattern").and_then(Value::as_str)
        && Pattern::is_malformed(pattern)
    {
        wrong(
            "AllowedPattern",
            format!("the pattern of parameter `{name}` is not a regular expression"),
            "Close what is open, and write `\\[` for a bracket itself",
        );
    }
}

fn is_type(type_: &str) -> bool {
    let simple = |name: &str| name == "String" || name == "Number" || AWS_TYPES.contains(&name);
    let listed = |name: &str| {
        name.strip_prefix("List<").and_then(|rest| rest.strip_suffix('>')).is_some_and(simple)
            || name == "CommaDelimitedList"
    };
    let stored = type_.strip_prefix("AWS::SSM::Parameter::Value<").and_then(|rest| rest.strip_suffix('>'));
    simple(type_) || listed(type_) || stored.is_some_and(|inner| simple(inner) || listed(inner))
}

/// Whether a value fits a parameter, as CloudFormation decides when a stack is created. A list's entries are checked
/// one by one.
///
/// # Errors
///
/// The first constraint it breaks, in CloudFormation's words.
pub fn check_value(parameter: Parameter<'_>, text: &str) -> Result<(), Problem> {
    let name = parameter.name;
    let at = format!("Parameters/{name}");
    let broken = |words: String| {
        let described = parameter.attribute("ConstraintDescription").and_then(Value::as_str);
        let message = match described {
            Some(described) => format!("Parameter {name} failed to satisfy constraint: {described}"),
            None => words,
        };
        Err(Problem::new(code::T021, message).at(&at))
    };
    if text.len() > VALUE_LIMIT {
        return Err(Problem::new(code::L010, format!("Parameter '{name}' has more than {VALUE_LIMIT} bytes")).at(&at));
    }
    // The value of these is the name of a stored parameter, whatever the constraints say of what is stored there.
    if parameter.type_().starts_with("AWS::SSM::") {
        return Ok(());
    }
    let parts: Vec<&str> = if parameter.is_list() { text.split(',').map(str::trim).collect() } else { vec![text] };
    let limit =
        |attribute: &str| parameter.attribute(attribute).and_then(plain).and_then(|text| text.parse::<f64>().ok());
    let numeric = matches!(parameter.type_(), "Number" | "List<Number>");
    let allowed: Option<BTreeSet<String>> = match parameter.attribute("AllowedValues") {
        Some(Value::Array(allowed)) => Some(allowed.iter().filter_map(plain).collect()),
        _ => None,
    };
    let pattern = parameter.attribute("AllowedPattern").and_then(Value::as_str);
    let pattern = pattern.and_then(|pattern| Some((pattern, Pattern::whole(pattern, text.is_ascii())?)));
    for part in parts {
        if allowed.as_ref().is_some_and(|allowed| !allowed.contains(part)) {
            return broken(format!("Parameter '{name}' must be one of AllowedValues"));
        }
        if numeric {
            let Some(number) = part.parse::<f64>().ok().filter(|number| number.is_finite()) else {
                return broken(format!("Parameter '{name}' must be a number."));
            };
            if limit("MinValue").is_some_and(|least| number < least) {
                return broken(format!(
                    "Parameter '{name}' must be a number not less than {}",
                    limit("MinValue").unwrap_or_default()
                ));
            }
            if limit("MaxValue").is_some_and(|most| number > most) {
                return broken(format!(
                    "Parameter '{name}' must be a number not greater than {}",
                    limit("MaxValue").unwrap_or_default()
                ));
            }
            continue;
        }
        let length = part.chars().count() as f64;
        if limit("MinLength").is_some_and(|least| length < least) {
            return broken(format!(
                "Parameter '{name}' must contain at least {} characters",
                limit("MinLength").unwrap_or_default()
            ));
        }
        if limit("MaxLength").is_some_and(|most| length > most) {
            return broken(format!(
                "Parameter '{name}' must contain at most {} characters",
                limit("MaxLength").unwrap_or_default()
            ));
        }
        if let Some((pattern, compiled)) = &pattern
            && !compiled.is_match(part)
        {
            return broken(format!("Parameter '{name}' must match pattern {pattern}"));
        }
    }
    Ok(())
}
