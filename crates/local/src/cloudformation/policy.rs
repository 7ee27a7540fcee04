//! Stack policies: which updates of which resources are allowed.

use serde_json::Value;

use super::model::{Stack, StackOperation, StackResource};

/// Why the stack's policy (or the operation's own) denies an action on a resource, if it does.
pub fn denied(stack: &Stack, operation: &StackOperation, resource: &StackResource, action: &str) -> Option<String> {
    let text = operation.policy.as_ref().or(stack.policy.as_ref())?;
    let policy: Value = serde_json::from_str(text).ok()?;
    let statements = match policy.get("Statement") {
        Some(Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let mut allowed = false;
    for (index, statement) in statements.iter().enumerate() {
        if !applies(statement, resource, action) {
            continue;
        }
        if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
            return Some(format!(
                "Action denied by stack policy: Statement [#{}] does not allow [{action}] for resource [LogicalResourceId/{}]",
                index + 1,
                resource.logical_id
            ));
        }
        allowed = true;
    }
    // Once there is a policy, what it does not allow is denied.
    if allowed {
        None
    } else {
        Some(format!(
            "Action not allowed by stack policy: no statement allows [{action}] for resource [LogicalResourceId/{}]",
            resource.logical_id
        ))
    }
}

fn applies(statement: &Value, resource: &StackResource, action: &str) -> bool {
    let id = format!("LogicalResourceId/{}", resource.logical_id);
    let acts = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => any(actions, action),
        (None, Some(others)) => !any(others, action),
        (None, None) => false,
    };
    let concerns = match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(resources), _) => any(resources, &id),
        (None, Some(others)) => !any(others, &id),
        (None, None) => false,
    };
    let by_type = statement.get("Condition").is_none_or(|condition| {
        ["StringEquals", "StringLike"].iter().any(|operator| {
            condition
                .get(operator)
                .and_then(|pairs| pairs.get("ResourceType"))
                .is_some_and(|types| any(types, &resource.resource_type))
        })
    });
    acts && concerns && by_type
}

/// Whether one of the patterns matches.
fn any(patterns: &Value, text: &str) -> bool {
    match patterns {
        Value::String(pattern) => matches(pattern, text),
        Value::Array(many) => many.iter().filter_map(Value::as_str).any(|pattern| matches(pattern, text)),
        _ => false,
    }
}

/// A pattern in which `*` stands for any characters; case does not count.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut open = false;
    for part in parts {
        open = true;
        if part.is_empty() {
            continue;
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.is_empty() || (open && pattern.ends_with('*'))
}

/// Whether a text is a stack policy at all.
pub fn well_formed(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|policy| {
        policy.get("Statement").is_some_and(|statements| match statements {
            Value::Array(items) => !items.is_empty() && items.iter().all(good_statement),
            one => good_statement(one),
        })
    })
}

fn good_statement(statement: &Value) -> bool {
    matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny"))
        && (statement.get("Action").is_some() || statement.get("NotAction").is_some())
        && (statement.get("Resource").is_some() || statement.get("NotResource").is_some())
        && statement.get("Principal").and_then(Value::as_str) == Some("*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_stars_anywhere() {
        for (pattern, text, expected) in [
            ("Update:*", "Update:Replace", true),
            ("*", "x", true),
            ("LogicalResourceId/*Bucket", "LogicalResourceId/PostersBucket", true),
            ("LogicalResourceId/A", "LogicalResourceId/AB", false),
            ("Update:Modify", "Update:Delete", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_policy_needs_statements_with_all_their_parts() {
        assert!(well_formed(
            r#"{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}"#
        ));
        for bad in ["", "{}", r#"{"Statement":[]}"#, r#"{"Statement":[{"Effect":"Allow"}]}"#] {
            assert!(!well_formed(bad), "{bad}");
        }
    }
}
