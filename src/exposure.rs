//! Whom a statement of a policy lets in: anyone, or only some. What the check and the plan say about it is the same.

use serde_json::Value;

use crate::facts;
use crate::iam::{covers, resource_text};

/// A block of addresses this wide is no longer anybody's.
const WIDE: u8 = 7;

/// What a dynamic reference begins with, whose value only the service knows.
pub(crate) const DYNAMIC: &str = "{{resolve:";

/// Whether a value is one that only the service knows, or has one somewhere in it.
pub(crate) fn is_unknown(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(DYNAMIC),
        Value::Array(items) => items.iter().any(is_unknown),
        Value::Object(map) => map.values().any(is_unknown),
        _ => false,
    }
}

/// Whether a statement of a document lets anyone in: it allows, names everyone, no condition leaves only some, and no
/// other statement of the document keeps the others out.
pub(crate) fn lets_anyone_in(statement: &Value, document: &[Value]) -> bool {
    let any = statement.get("Principal").is_some_and(is_anyone) || statement.get("NotPrincipal").is_some();
    statement.get("Effect").and_then(Value::as_str) == Some("Allow")
        && any
        && !statement.get("Condition").is_some_and(narrows)
        && !document.iter().any(|other| keeps_out(other, statement))
}

/// The statements of a document, one that stands alone as well.
pub(crate) fn statements_of(document: &Value) -> Vec<Value> {
    match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => Vec::new(),
    }
}

/// Whether a principal is everyone.
pub(crate) fn is_anyone(principal: &Value) -> bool {
    match principal {
        Value::String(text) => text == "*",
        Value::Array(items) => items.iter().any(is_anyone),
        Value::Object(kinds) => kinds.get("AWS").is_some_and(is_anyone) || kinds.contains_key("*"),
        _ => false,
    }
}

/// Whether a denial leaves only some of those whom a statement lets in.
///
/// An explicit denial overrides what is allowed (IAM user guide, "Policy evaluation logic"). A condition with a negated
/// operator holds as well where its key is absent ("IAM JSON policy elements: Condition operators", read 2026-11), so that a
/// denial under it strikes all but those whom its values name. One of several keys or operators that is of another kind may
/// let the others through.
fn keeps_out(denial: &Value, allowed: &Value) -> bool {
    if denial.get("Effect").and_then(Value::as_str) != Some("Deny") {
        return false;
    }
    if !["Action", "Resource"].iter().all(|key| is_within(allowed.get(*key), denial.get(*key))) {
        return false;
    }
    let names_others = denial.get("NotPrincipal").is_some_and(|but| !is_anyone(but) && !is_unknown(but));
    let everyone = denial.get("Principal").is_some_and(is_anyone);
    match denial.get("Condition").and_then(Value::as_object) {
        None => everyone || names_others,
        Some(operators) => {
            everyone && !operators.is_empty() && operators.iter().all(|(it, keys)| spares_some(it, keys))
        }
    }
}

/// Whether a condition of a denial holds for all but some.
fn spares_some(operator: &str, keys: &Value) -> bool {
    let operator = operator.strip_prefix("ForAllValues:").unwrap_or(operator);
    let operator = operator.strip_suffix("IfExists").unwrap_or(operator);
    let negated =
        ["StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "ArnNotEquals", "ArnNotLike", "NotIpAddress"];
    let Some(keys) = keys.as_object().filter(|keys| !keys.is_empty()) else { return false };
    negated.contains(&operator)
        && keys.iter().all(|(key, values)| {
            let key = key.to_ascii_lowercase();
            facts::exposures().narrows(&key) && list(values).iter().all(|value| names_some(&key, value))
        })
}

/// Whether all that one list of actions or resources names is in another.
fn is_within(inner: Option<&Value>, outer: Option<&Value>) -> bool {
    let (Some(inner), Some(outer)) = (inner, outer) else { return inner.is_none() && outer.is_none() };
    let outer: Vec<String> = list(outer).iter().map(resource_text).collect();
    list(inner).iter().map(resource_text).all(|it| outer.iter().any(|outer| covers(outer, &it)))
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    }
}

/// Whether a condition leaves only some of all the world. One that holds as well where its key is absent does not, and
/// one whose values fit anybody's does not either.
pub(crate) fn narrows(condition: &Value) -> bool {
    let Some(operators) = condition.as_object() else { return false };
    // Of a key that must be there, all values are some.
    let is_there = |key: &str| {
        let keys =
            operators.iter().filter(|(operator, _)| *operator == "Null").filter_map(|(_, keys)| keys.as_object());
        keys.flatten().any(|(name, absent)| {
            let said = absent.as_array().and_then(|said| said.first()).unwrap_or(absent);
            name.eq_ignore_ascii_case(key) && (said == false || said == "false")
        })
    };
    operators.iter().any(|(operator, keys)| {
        let positive = !operator.contains("Not") && !operator.ends_with("IfExists") && operator != "Null";
        positive
            && keys.as_object().into_iter().flatten().any(|(key, values)| {
                let values = list(values);
                let key = key.to_ascii_lowercase();
                facts::exposures().narrows(&key)
                    && (!operator.starts_with("ForAllValues:") || is_there(&key))
                    && values.iter().all(|value| names_some(&key, value))
            })
    })
}

/// The place of the account in an ARN, and that of the name in it.
const ACCOUNT: usize = 4;
const NAME: usize = 5;

/// Whether a value of a condition fits some only, and not somebody in every account.
/// Source: "The meaning of public" in the S3 user guide, which asks for fixed values; the parts of an ARN as in "Identify AWS
/// resources with ARNs" in the IAM user guide. Common knowledge of both in 2026-11, not held against them.
fn names_some(key: &str, value: &Value) -> bool {
    if is_unknown(value) {
        return false;
    }
    let text = without_references(&resource_text(value));
    let is_wild = |text: &str| text.contains(['*', '?']);
    let parts: Vec<&str> = text.split(':').collect();
    let part = |at: usize| parts.get(at).copied();
    match key {
        "aws:sourceip" => !is_wide(&text) && !is_wild(&text),
        _ if !is_wild(&text) => true,
        "aws:principalarn" | "aws:sourcearn" => match (part(ACCOUNT), part(NAME)) {
            // A bucket's ARN has no account, and its name is one of all the world.
            (Some(""), Some(name)) => !is_wild(name.split('/').next().unwrap_or_default()),
            (Some(account), Some(_)) => !is_wild(account),
            _ => false,
        },
        // What comes before the colon is one role's; before the first slash, one organisation's.
        "aws:userid" => parts.len() > 1 && part(0).is_some_and(|role| !is_wild(role)),
        "aws:principalorgpaths" | "aws:sourceorgpaths" => {
            text.split_once('/').is_some_and(|(organisation, _)| !is_wild(organisation))
        }
        _ => false,
    }
}

/// The text with a letter in place of each `${…}`: what a reference comes out as has neither wildcards nor colons that count.
fn without_references(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, (_, after))) =
        rest.split_once("${").and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        out.push_str(before);
        out.push('x');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether a block of addresses is, near enough, all of them.
pub(crate) fn is_wide(cidr: &str) -> bool {
    cidr.split_once('/').is_some_and(|(address, length)| {
        address.parse::<std::net::IpAddr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= WIDE)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Whether the last of these lets anyone in.
    fn open(statements: &[Value]) -> bool {
        statements.last().is_some_and(|last| lets_anyone_in(last, statements))
    }

    #[test]
    fn a_denial_to_all_but_some_takes_the_public_away() {
        let allow = json!({ "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*" });
        let deny = |condition: Value| json!({ "Effect": "Deny", "Principal": "*", "Action": "execute-api:*", "Resource": "*", "Condition": condition });
        assert!(open(std::slice::from_ref(&allow)));
        for spared in [
            json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } }),
            json!({ "StringNotEqualsIfExists": { "aws:SourceVpc": ["vpc-1", { "Ref": "Vpc" }] } }),
            json!({ "StringNotEquals": { "aws:PrincipalOrgID": "o-1", "AWS:PrincipalAccount": "111111111111" } }),
            json!({ "NotIpAddress": { "aws:SourceIp": ["203.0.113.0/24"] }, "StringNotEquals": { "aws:SourceVpce": "v" } }),
            json!({ "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/*" } }),
        ] {
            assert!(!open(&[deny(spared.clone()), allow.clone()]), "{spared}");
        }
        for lets_through in [
            json!({ "Bool": { "aws:SecureTransport": "false" } }),
            json!({ "StringEquals": { "aws:SourceVpce": "vpce-1" } }),
            json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" }, "Bool": { "aws:SecureTransport": "false" } }),
            json!({ "NotIpAddress": { "aws:SourceIp": "0.0.0.0/0" } }),
            json!({ "ForAnyValue:StringNotEquals": { "aws:PrincipalOrgPaths": "o-1/*" } }),
            json!({ "StringNotLike": { "aws:SourceVpce": "*" } }),
            json!({ "StringNotEquals": { "aws:UserAgent": "mine" } }),
            json!({ "Null": { "aws:SourceVpce": "true" } }),
            json!({}),
        ] {
            assert!(open(&[deny(lets_through.clone()), allow.clone()]), "{lets_through}");
        }
        // It must be of all that is allowed, and of everyone.
        let unless = json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } });
        for (key, value) in [
            ("Action", json!("execute-api:Manage")),
            ("Resource", json!("execute-api:/a/*")),
            ("Principal", json!({ "AWS": "1" })),
        ] {
            let mut less = deny(unless.clone());
            less[key] = value;
            assert!(open(&[less, allow.clone()]), "{key}");
        }
        let all = json!({ "Effect": "Deny", "NotPrincipal": { "AWS": "arn:aws:iam::111111111111:root" }, "Action": "*", "Resource": "*" });
        assert!(!open(&[all, allow]));
    }
}
