//! Parameters: their default and allowed values fit what they say of themselves.

use crate::finding::code;
use regex::{Regex, RegexBuilder};

use super::context::Rules;
use crate::spec::types::{Parameter, ParameterType};
use crate::spec::words::{cut, escape, suggest};

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, parameter) in &spec.parameters {
        of_parameter(rules, &format!("/parameters/{}", escape(name)), parameter);
    }
}

fn of_parameter(rules: &mut Rules<'_>, base: &str, parameter: &Parameter) {
    let default_at = format!("{base}/default");
    if parameter.secret && parameter.default.is_some() {
        let message = "a secret cannot have a default: it would be readable in the template".to_owned();
        rules.error(code::S043, &default_at, message, "remove the default and give the value when deploying");
        return;
    }
    if let Some(default) = &parameter.default
        && !parameter.allowed.is_empty()
        && !parameter.allowed.contains(default)
    {
        let message = format!("the default `{}` is not among the allowed values", cut(default));
        let help = suggest(default, parameter.allowed.iter().map(String::as_str), "they are");
        rules.error(code::S043, &default_at, message, help);
    }
    let pattern = parameter.pattern.as_ref().and_then(|pattern| compile(rules, &format!("{base}/pattern"), pattern));
    let allowed = parameter.allowed.iter().enumerate().map(|(i, value)| (format!("{base}/allowed/{i}"), value));
    let values: Vec<(String, &String)> =
        parameter.default.iter().map(|value| (default_at.clone(), value)).chain(allowed).collect();
    for (pointer, value) in values {
        if parameter.r#type == ParameterType::Number && value.parse::<f64>().is_err() {
            let message = format!("`{}` is not a number", cut(value));
            rules.error(code::S043, &pointer, message, "write a number, or remove `type: number`");
        }
        if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(value)) {
            let message = format!("`{}` does not match the parameter's own pattern", cut(value));
            let own = parameter.pattern.as_deref().unwrap_or_default();
            rules.error(code::S043, &pointer, message, format!("the pattern is `{}`", cut(own)));
        }
    }
}

/// CloudFormation matches the whole value.
fn compile(rules: &mut Rules<'_>, pointer: &str, pattern: &str) -> Option<Regex> {
    match regular_expression(pattern) {
        Ok(_) => compiled(&format!("^(?:{pattern})$")).ok(),
        Err((message, help)) => {
            rules.error(code::S037, pointer, message, help);
            None
        }
    }
}

/// The largest compiled regular expression, in bytes: counts within counts multiply.
const REGEX_LIMIT: usize = 1 << 20;

fn compiled(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(REGEX_LIMIT).dfa_size_limit(REGEX_LIMIT).build()
}

/// A regular expression, or what is wrong with it and what to do.
pub(super) fn regular_expression(pattern: &str) -> Result<Regex, (String, String)> {
    compiled(pattern).map_err(|error| {
        let text = error.to_string();
        let why = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        let message = format!("`{}` is not a regular expression: {}", cut(pattern), cut(why));
        let help = match why {
            _ if why.contains("look-around") || why.contains("backreference") => {
                "write it without look-around and back-references"
            }
            _ if why.contains("size limit") => "count less in it: counts within counts multiply",
            _ => "escape what is meant literally with `\\`",
        };
        (message, help.to_owned())
    })
}
