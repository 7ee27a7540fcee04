//! Whether IAM would take a policy document: the checks that make it answer `MalformedPolicyDocument`.

use serde_json::{Map, Value};

use crate::resources::Failure;

/// What a document is for decides what its statements may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyUse {
    /// Attached to a role, user or group.
    Identity,
    /// Says who may assume a role.
    Trust,
    /// Attached to a resource.
    Resource,
}

/// A document as an object; JSON text is read.
pub(super) fn document(value: &Value) -> Result<Map<String, Value>, Failure> {
    let parsed = match value {
        Value::Object(map) => Some(map.clone()),
        Value::String(text) => serde_json::from_str::<Map<String, Value>>(text).ok(),
        _ => None,
    };
    parsed.ok_or_else(|| malformed("Syntax errors in policy."))
}

/// Its length as IAM counts it: without white space.
pub(super) fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().filter(|c| !c.is_whitespace()).count(),
        other => other.to_string().chars().filter(|c| !c.is_whitespace()).count(),
    }
}

fn malformed(message: &str) -> Failure {
    Failure::handler(
        "InvalidRequest",
        format!("{message} (Service: Iam, Status Code: 400, Error Code: MalformedPolicyDocument)"),
    )
}

/// Checks a document.
pub(super) fn check(value: &Value, used: PolicyUse) -> Result<(), Failure> {
    let document = document(value)?;
    for key in document.keys() {
        if !["Version", "Id", "Statement"].contains(&key.as_str()) {
            return Err(malformed("Syntax errors in policy."));
        }
    }
    match document.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => {}
        Some(_) => return Err(malformed("Syntax errors in policy.")),
    }
    let statements: Vec<&Value> = match document.get("Statement") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Err(malformed("Syntax errors in policy.")),
    };
    if statements.is_empty() {
        return Err(malformed("Syntax errors in policy."));
    }
    for statement in statements {
        check_statement(statement, used)?;
    }
    Ok(())
}

fn check_statement(statement: &Value, used: PolicyUse) -> Result<(), Failure> {
    let Some(statement) = statement.as_object() else { return Err(malformed("Syntax errors in policy.")) };
    const KEYS: [&str; 9] =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    if statement.keys().any(|key| !KEYS.contains(&key.as_str())) {
        return Err(malformed("Syntax errors in policy."));
    }
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err(malformed("Syntax errors in policy."));
    }
    let has = |one: &str, other: &str| statement.contains_key(one) || statement.contains_key(other);
    if !has("Action", "NotAction") {
        return Err(malformed("Policy statement must contain actions."));
    }
    match used {
        PolicyUse::Identity => {
            if has("Principal", "NotPrincipal") {
                return Err(malformed("Policy document should not specify a principal."));
            }
            if !has("Resource", "NotResource") {
                return Err(malformed("Policy statement must contain resources."));
            }
        }
        PolicyUse::Trust => {
            if has("Resource", "NotResource") {
                return Err(malformed("Has prohibited field Resource"));
            }
            if !has("Principal", "NotPrincipal") {
                return Err(malformed("Missing required field Principal"));
            }
        }
        PolicyUse::Resource => {
            if !has("Principal", "NotPrincipal") {
                return Err(malformed("Missing required field Principal"));
            }
        }
    }
    for action in texts(statement.get("Action").or_else(|| statement.get("NotAction")))? {
        if action != "*" && !action.contains(':') {
            return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
        }
    }
    if used != PolicyUse::Trust {
        for resource in texts(statement.get("Resource").or_else(|| statement.get("NotResource")))? {
            if resource != "*" && !resource.starts_with("arn:") {
                return Err(malformed(&format!("Resource {resource} must be in ARN format or \"*\".")));
            }
        }
    }
    Ok(())
}

/// One text or a list of texts.
fn texts(value: Option<&Value>) -> Result<Vec<&str>, Failure> {
    let refuse = || malformed("Syntax errors in policy.");
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(many)) => many.iter().map(|item| item.as_str().ok_or_else(refuse)).collect(),
        Some(_) => Err(refuse()),
    }
}

/// Whether a trust document lets a service assume its role.
pub(super) fn trusts(value: &Value, service: &str) -> bool {
    let Ok(document) = document(value) else { return false };
    let statements = match document.get("Statement") {
        Some(Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    statements.iter().any(|statement| {
        let principal = statement.get("Principal");
        let services = principal.and_then(|principal| principal.get("Service"));
        statement.get("Effect").and_then(Value::as_str) == Some("Allow")
            && (texts(services).unwrap_or_default().contains(&service)
                || principal.and_then(Value::as_str) == Some("*"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn statement(value: Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": [value]})
    }

    #[test]
    fn good_documents_pass() {
        let identity = statement(json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}));
        assert_eq!(check(&identity, PolicyUse::Identity), Ok(()));
        let trust = statement(
            json!({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}),
        );
        assert_eq!(check(&trust, PolicyUse::Trust), Ok(()));
        assert!(trusts(&trust, "lambda.amazonaws.com"));
        assert!(!trusts(&trust, "bedrock.amazonaws.com"));
        assert_eq!(check(&Value::String(identity.to_string()), PolicyUse::Identity), Ok(()));
    }

    #[test]
    fn what_iam_refuses_is_refused_with_its_reason() {
        let cases = [
            (
                statement(json!({"Effect": "Maybe", "Action": "s3:*", "Resource": "*"})),
                PolicyUse::Identity,
                "Syntax errors",
            ),
            (statement(json!({"Effect": "Allow", "Action": "*"})), PolicyUse::Identity, "must contain resources"),
            (statement(json!({"Effect": "Allow", "Resource": "*"})), PolicyUse::Identity, "must contain actions"),
            (
                statement(json!({"Effect": "Allow", "Action": "GetObject", "Resource": "*"})),
                PolicyUse::Identity,
                "vendor",
            ),
            (
                statement(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "posters"})),
                PolicyUse::Identity,
                "ARN format",
            ),
            (statement(json!({"Effect": "Allow", "Action": "sts:AssumeRole"})), PolicyUse::Trust, "Principal"),
            (
                statement(json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"})),
                PolicyUse::Trust,
                "prohibited field Resource",
            ),
            (json!({"Version": "2020-01-01", "Statement": []}), PolicyUse::Identity, "Syntax errors"),
            (json!("{"), PolicyUse::Identity, "Syntax errors"),
        ];
        for (document, used, expected) in cases {
            let failure = check(&document, used).expect_err("refused");
            assert!(failure.message.contains(expected), "{document}: {}", failure.message);
            assert!(failure.message.contains("MalformedPolicyDocument"));
        }
    }
}
