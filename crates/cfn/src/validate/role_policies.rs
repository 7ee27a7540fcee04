//! How long the policies within a role are: IAM counts all of them together.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kinds::{function, is_no_value};
use super::{Context, finding, is_full};
use crate::finding::{Finding, code};
use crate::intrinsics::{Piece, pieces};
use crate::service_rules::INLINE_POLICY_BYTES;

/// What an ARN has at least: `arn:aws:s3:::abc`.
const SHORTEST_ARN: usize = 16;

pub(super) fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut lengths: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in context.template.resources().filter(|it| it.condition().is_none()) {
        let Some(properties) = resource.properties() else { continue };
        let document = || properties.get("PolicyDocument").map_or(0, least);
        match resource.type_ {
            "AWS::IAM::Role" => {
                let policies = properties.get("Policies").and_then(Value::as_array).into_iter().flatten();
                let own: usize = policies.filter_map(|policy| policy.get("PolicyDocument")).map(least).sum();
                *lengths.entry(resource.logical_id).or_default() += own;
            }
            "AWS::IAM::Policy" => {
                let roles = properties.get("Roles").and_then(Value::as_array).into_iter().flatten();
                for role in roles.filter_map(named) {
                    *lengths.entry(role).or_default() += document();
                }
            }
            "AWS::IAM::RolePolicy" => {
                if let Some(role) = properties.get("RoleName").and_then(named) {
                    *lengths.entry(role).or_default() += document();
                }
            }
            _ => {}
        }
    }
    for (role, length) in lengths.into_iter().filter(|(_, length)| *length > INLINE_POLICY_BYTES) {
        if is_full(findings) || context.template.resource(role).is_none_or(|it| it.type_ != "AWS::IAM::Role") {
            continue;
        }
        let message = format!(
            "the policies within `{role}` have at least {length} characters, and IAM takes {INLINE_POLICY_BYTES} in a role"
        );
        let help = "Grant less to this role: divide what it is for, or name many resources by one pattern";
        findings.push(finding(code::T240, message, &format!("Resources/{role}"), None).help(help));
    }
}

/// The resource that a value is a `Ref` to.
fn named(value: &Value) -> Option<&str> {
    match function(value)? {
        ("Ref", Value::String(name)) => Some(name),
        _ => None,
    }
}

/// The characters that a value has at least once it is resolved and written as JSON, white space left out, which IAM does not
/// count.
fn least(value: &Value) -> usize {
    match function(value) {
        Some(("Fn::Sub", argument)) => {
            let text = argument.as_str().or_else(|| argument.get(0).and_then(Value::as_str)).unwrap_or_default();
            return 2 + pieces(text).unwrap_or_default().iter().map(of_piece).sum::<usize>();
        }
        Some(("Fn::GetAtt", _)) => return 2,
        Some(("Ref", Value::String(name))) => return 2 + of_pseudo(name),
        Some(("Fn::Join", Value::Array(parts))) => {
            let items = parts.get(1).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            return 2 + items.iter().map(|item| least(item).saturating_sub(2)).sum::<usize>();
        }
        Some(("Fn::If", Value::Array(parts))) => {
            let branches = parts.iter().skip(1).map(|branch| if is_no_value(branch) { 0 } else { least(branch) });
            return branches.min().unwrap_or_default();
        }
        Some(_) => return 0,
        None => {}
    }
    match value {
        Value::Null => 0,
        Value::Bool(_) => 4,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => 2 + visible(text),
        Value::Array(items) => {
            let known: Vec<usize> = items.iter().filter(|item| !is_no_value(item)).map(least).collect();
            1 + known.iter().sum::<usize>() + known.len().max(1)
        }
        Value::Object(members) => {
            let known: Vec<usize> = members
                .iter()
                .filter(|(_, member)| !is_no_value(member))
                .map(|(key, member)| visible(key) + 3 + least(member))
                .collect();
            1 + known.iter().sum::<usize>() + known.len().max(1)
        }
    }
}

fn visible(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

fn of_piece(piece: &Piece<'_>) -> usize {
    match piece {
        Piece::Text(text) => visible(text),
        Piece::Literal(name) => name.len() + 3,
        Piece::Variable(name) if name.ends_with(".Arn") => SHORTEST_ARN,
        Piece::Variable(name) => of_pseudo(name),
    }
}

fn of_pseudo(name: &str) -> usize {
    match name {
        "AWS::AccountId" => 12,
        "AWS::Region" => 9,
        "AWS::Partition" => 3,
        _ => 0,
    }
}
