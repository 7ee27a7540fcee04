//! Deciding a request, as IAM does within one account: an explicit deny wins, then an allow, else no.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pattern::matches;
use super::policy::{Effect, Policy, Principal, Statement};

/// A request to decide.
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    /// The kind and identity of who asks, such as `("Service", "lambda.amazonaws.com")`; only policies that name
    /// principals look at it.
    pub principal: Option<(&'a str, &'a str)>,
    /// For example `s3:PutObject`.
    pub action: &'a str,
    /// The ARN asked about.
    pub resource: &'a str,
    /// Condition keys and their values; keys are compared without regard to case.
    pub context: BTreeMap<String, Vec<String>>,
}

/// What comes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    Allow,
    /// Refused by a statement that says so.
    ExplicitDeny,
    /// Refused because no statement allows it.
    ImplicitDeny,
}

/// Decides a request under the policies that apply to it. Intrinsic functions must be resolved before: one that is left
/// matches nothing.
pub fn evaluate<'a>(policies: impl IntoIterator<Item = &'a Policy>, request: &Request<'_>) -> Decision {
    decide(policies, request).0
}

/// The same, with the statement that decides: the first that denies, else the first that allows; by the place of its
/// policy among `policies` and its own place in that policy.
pub fn decide<'a>(
    policies: impl IntoIterator<Item = &'a Policy>,
    request: &Request<'_>,
) -> (Decision, Option<(usize, usize)>) {
    let mut allowed = None;
    for (policy_index, policy) in policies.into_iter().enumerate() {
        for (index, statement) in policy.statements.iter().enumerate() {
            match statement.effect {
                // A condition that cannot be decided must not weaken a deny nor strengthen an allow.
                Effect::Deny if applies(statement, request, true) => {
                    return (Decision::ExplicitDeny, Some((policy_index, index)));
                }
                Effect::Allow if allowed.is_none() && applies(statement, request, false) => {
                    allowed = Some((policy_index, index));
                }
                _ => {}
            }
        }
    }
    (if allowed.is_some() { Decision::Allow } else { Decision::ImplicitDeny }, allowed)
}

fn applies(statement: &Statement, request: &Request<'_>, undecided: bool) -> bool {
    principal_fits(statement, request)
        && action_fits(statement, request.action)
        && resource_fits(statement, request.resource)
        && statement.conditions.iter().all(|(operator, keys)| {
            keys.iter().all(|(key, wanted)| condition_holds(operator, key, wanted, request).unwrap_or(undecided))
        })
}

fn principal_fits(statement: &Statement, request: &Request<'_>) -> bool {
    statement.principals.is_empty()
        || statement.principals.iter().any(|principal| match (principal, request.principal) {
            (Principal::Any, _) => true,
            (Principal::Of(kind, identity), Some((asked_kind, asked))) => {
                let Ok(Value::String(identity)) = serde_json::from_str(identity) else { return false };
                kind == asked_kind && (identity == asked || (kind == "AWS" && account_covers(&identity, asked)))
            }
            (Principal::Of(..), None) => false,
        })
}

/// An account's id or its `:root` ARN stands for everyone in the account.
fn account_covers(identity: &str, asked: &str) -> bool {
    let account = identity.strip_suffix(":root").and_then(|arn| arn.split(':').nth(4)).unwrap_or(identity);
    account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && asked.split(':').nth(4) == Some(account)
}

fn action_fits(statement: &Statement, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let any = |patterns: &std::collections::BTreeSet<String>| {
        patterns.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &action))
    };
    if statement.not_actions.is_empty() { any(&statement.actions) } else { !any(&statement.not_actions) }
}

fn resource_fits(statement: &Statement, resource: &str) -> bool {
    let any = |patterns: &[Value]| patterns.iter().filter_map(Value::as_str).any(|pattern| matches(pattern, resource));
    if !statement.not_resources.is_empty() {
        !any(&statement.not_resources)
    } else {
        // A trust policy names no resource: it speaks about the role it is on.
        statement.resources.is_empty() || any(&statement.resources)
    }
}

/// Whether one condition holds; nothing for an operator that is not known here.
fn condition_holds(operator: &str, key: &str, wanted: &[Value], request: &Request<'_>) -> Option<bool> {
    let (set, operator) = match operator.split_once(':') {
        Some((set @ ("ForAnyValue" | "ForAllValues"), rest)) => (Some(set), rest),
        _ => (None, operator),
    };
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(rest) => (rest, true),
        None => (operator, false),
    };
    let values = request.context.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, values)| values);
    if operator == "Null" {
        let absent = values.is_none_or(Vec::is_empty);
        return Some(wanted.iter().any(|value| text(value).as_deref() == Some(if absent { "true" } else { "false" })));
    }
    let (positive, test) = operator_test(operator)?;
    let Some(values) = values.filter(|values| !values.is_empty()) else {
        return Some(if_exists || !positive || set == Some("ForAllValues"));
    };
    let one = |value: &String| {
        let hit = wanted.iter().filter_map(text).any(|wanted| test(&wanted, value));
        hit == positive
    };
    Some(if set == Some("ForAllValues") || !positive && set.is_none() {
        values.iter().all(one)
    } else {
        values.iter().any(one)
    })
}

type Test = fn(&str, &str) -> bool;

/// An operator's comparison, and whether a hit makes it hold.
fn operator_test(operator: &str) -> Option<(bool, Test)> {
    let equals: Test = |wanted, value| wanted == value;
    let ignoring_case: Test = |wanted, value| wanted.eq_ignore_ascii_case(value);
    Some(match operator {
        "StringEquals" => (true, equals),
        "StringNotEquals" => (false, equals),
        "StringEqualsIgnoreCase" | "Bool" => (true, ignoring_case),
        "StringNotEqualsIgnoreCase" => (false, ignoring_case),
        "StringLike" | "ArnLike" | "ArnEquals" => (true, matches as Test),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (false, matches as Test),
        "NumericEquals" => (true, |wanted, value| numbers(wanted, value).is_some_and(|(w, v)| v == w)),
        "NumericNotEquals" => (false, |wanted, value| numbers(wanted, value).is_some_and(|(w, v)| v == w)),
        "NumericLessThan" => (true, |wanted, value| numbers(wanted, value).is_some_and(|(w, v)| v < w)),
        "NumericLessThanEquals" => (true, |wanted, value| numbers(wanted, value).is_some_and(|(w, v)| v <= w)),
        "NumericGreaterThan" => (true, |wanted, value| numbers(wanted, value).is_some_and(|(w, v)| v > w)),
        "NumericGreaterThanEquals" => (true, |wanted, value| numbers(wanted, value).is_some_and(|(w, v)| v >= w)),
        _ => return None,
    })
}

fn numbers(wanted: &str, value: &str) -> Option<(f64, f64)> {
    Some((wanted.parse().ok()?, value.parse().ok()?))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decide(statements: Value, action: &str, resource: &str, context: &[(&str, &str)]) -> Decision {
        let policy = Policy::from_value(&json!({ "Statement": statements })).expect("a policy");
        let context = context.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect();
        let request = Request { principal: Some(("Service", "lambda.amazonaws.com")), action, resource, context };
        evaluate([&policy], &request)
    }

    #[test]
    fn a_deny_wins_over_an_allow_and_silence_is_a_no() {
        let statements = json!([
            { "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*" },
            { "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*" },
        ]);
        assert_eq!(decide(statements.clone(), "s3:getobject", "arn:aws:s3:::b/x", &[]), Decision::Allow);
        assert_eq!(decide(statements.clone(), "s3:DeleteObject", "arn:aws:s3:::b/x", &[]), Decision::ExplicitDeny);
        assert_eq!(decide(statements, "s3:GetObject", "arn:aws:s3:::c/x", &[]), Decision::ImplicitDeny);
    }

    #[test]
    fn the_statement_that_decides_is_named() {
        let read = |statements| Policy::from_value(&json!({ "Statement": statements })).expect("a policy");
        let reads = read(json!([
            { "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*" },
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" },
        ]));
        let all = read(json!([{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }]));
        let denies = read(json!([{ "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*" }]));
        let ask =
            |action| super::decide([&reads, &all, &denies], &Request { action, resource: "r", ..Request::default() });
        assert_eq!(ask("s3:GetObject"), (Decision::Allow, Some((0, 1))));
        assert_eq!(ask("s3:ListBucket"), (Decision::Allow, Some((1, 0))));
        assert_eq!(ask("s3:DeleteObject"), (Decision::ExplicitDeny, Some((2, 0))));
        assert_eq!(ask("logs:PutLogEvents"), (Decision::ImplicitDeny, None));
    }

    #[test]
    fn conditions_decide() {
        let deny_plain = json!([
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
              "Condition": { "Bool": { "aws:SecureTransport": "false" } } },
        ]);
        assert_eq!(
            decide(deny_plain.clone(), "s3:Get", "x", &[("aws:securetransport", "false")]),
            Decision::ExplicitDeny
        );
        assert_eq!(decide(deny_plain, "s3:Get", "x", &[("aws:SecureTransport", "true")]), Decision::Allow);
        let trust = json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": "123456789012" } } });
        assert_eq!(
            decide(trust.clone(), "sts:AssumeRole", "r", &[("aws:SourceAccount", "123456789012")]),
            Decision::Allow
        );
        assert_eq!(decide(trust.clone(), "sts:AssumeRole", "r", &[("aws:SourceAccount", "1")]), Decision::ImplicitDeny);
        assert_eq!(decide(trust, "sts:AssumeRole", "r", &[]), Decision::ImplicitDeny);
    }

    #[test]
    fn operators_compare_as_named() {
        for (operator, wanted, value, holds) in [
            ("StringNotEquals", json!("a"), "b", true),
            ("StringNotEquals", json!(["a", "b"]), "b", false),
            ("StringLike", json!("a*"), "abc", true),
            ("ArnNotLike", json!("a*"), "abc", false),
            ("NumericLessThan", json!(5), "4", true),
            ("NumericGreaterThanEquals", json!("5"), "4", false),
            ("Null", json!("false"), "x", true),
            ("StringEqualsIgnoreCase", json!("ABC"), "abc", true),
        ] {
            let statement = json!({ "Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": { operator: { "k": wanted } } });
            let expected = if holds { Decision::Allow } else { Decision::ImplicitDeny };
            assert_eq!(decide(statement, "a:b", "r", &[("k", value)]), expected, "{operator}");
        }
    }

    #[test]
    fn what_cannot_be_decided_never_helps_a_request() {
        let condition = json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } });
        let allow = json!({ "Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": condition });
        assert_eq!(decide(allow.clone(), "a:b", "r", &[]), Decision::ImplicitDeny);
        let deny = json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Action": "a:b", "Resource": "*", "Condition": condition }]);
        assert_eq!(decide(deny, "a:b", "r", &[]), Decision::ExplicitDeny);
    }

    #[test]
    fn an_account_stands_for_everyone_in_it() {
        let policy = Policy::from_value(&json!({ "Statement": { "Effect": "Allow", "Action": "a:b", "Resource": "*",
            "Principal": { "AWS": "arn:aws:iam::123456789012:root" } } }))
        .expect("a policy");
        let ask = |arn| {
            evaluate(
                [&policy],
                &Request { principal: Some(("AWS", arn)), action: "a:b", resource: "r", ..Request::default() },
            )
        };
        assert_eq!(ask("arn:aws:iam::123456789012:role/x"), Decision::Allow);
        assert_eq!(ask("arn:aws:iam::210987654321:role/x"), Decision::ImplicitDeny);
    }
}
