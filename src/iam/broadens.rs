//! What one policy document grants beyond another.

use std::fmt;

use serde_json::Value;

use super::pattern::covers;
use super::policy::{Effect, Policy, Principal, Statement};

/// Something the new document grants and the old one did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broadening {
    /// An action on a resource.
    Grant {
        /// The action, perhaps with wildcards; `every action but …` for a `NotAction`.
        action: String,
        /// The resource as text, an intrinsic function as `${…}`.
        resource: String,
    },
    /// Someone who may use it and could not.
    Principal(String),
    /// A refusal of the old document that the new one has no more.
    DenyGone {
        /// The actions that were refused.
        actions: String,
        /// The resources they were refused on.
        resources: String,
    },
}

impl fmt::Display for Broadening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broadening::Grant { action, resource } => write!(f, "`{action}` on `{resource}`"),
            Broadening::Principal(principal) => write!(f, "use by `{principal}`"),
            Broadening::DenyGone { actions, resources } => {
                write!(f, "`{actions}` on `{resources}` is no longer denied")
            }
        }
    }
}

/// What `new` grants beyond `old`, in the order of the new document. Errs towards saying too much: what is named here a
/// person should look at, what is not named here is granted by one statement of the old document already.
pub fn broadens(old: &Policy, new: &Policy) -> Vec<Broadening> {
    let mut found = Vec::new();
    let granted: Vec<&Statement> = old.statements.iter().filter(|it| it.effect == Effect::Allow).collect();
    for statement in new.statements.iter().filter(|it| it.effect == Effect::Allow) {
        for action in actions(statement) {
            for resource in resources(statement) {
                let covered = |principal: Option<&Principal>| {
                    granted.iter().any(|old| {
                        grants(old, &action, &resource, statement)
                            && principal.is_none_or(|principal| {
                                old.principals.contains(principal) || old.principals.contains(&Principal::Any)
                            })
                    })
                };
                if !covered(None) {
                    found.push(Broadening::Grant { action: action.text(), resource: resource.text() });
                } else {
                    let strangers = statement.principals.iter().filter(|principal| !covered(Some(principal)));
                    found.extend(strangers.map(|principal| Broadening::Principal(name(principal))));
                }
            }
        }
    }
    let denied: Vec<&Statement> = new.statements.iter().filter(|it| it.effect == Effect::Deny).collect();
    for statement in old.statements.iter().filter(|it| it.effect == Effect::Deny) {
        let kept = actions(statement).iter().all(|action| {
            resources(statement).iter().all(|resource| {
                denied.iter().any(|new| {
                    grants(new, action, resource, statement)
                        && (new.principals.contains(&Principal::Any)
                            || new.principals.is_superset(&statement.principals))
                })
            })
        });
        if !kept {
            let join = |scopes: Vec<Scope>| scopes.iter().map(Scope::text).collect::<Vec<_>>().join(", ");
            found.push(Broadening::DenyGone {
                actions: join(actions(statement)),
                resources: join(resources(statement)),
            });
        }
    }
    let mut once = Vec::new();
    for broadening in found {
        if !once.contains(&broadening) {
            once.push(broadening);
        }
    }
    once
}

/// An action or resource pattern, or everything but a list of them.
enum Scope {
    These(String),
    AllBut(Vec<String>),
}

impl Scope {
    fn text(&self) -> String {
        match self {
            Scope::These(pattern) => pattern.clone(),
            Scope::AllBut(patterns) => format!("everything but {}", patterns.join(", ")),
        }
    }
}

fn actions(statement: &Statement) -> Vec<Scope> {
    if statement.not_actions.is_empty() {
        statement.actions.iter().cloned().map(Scope::These).collect()
    } else {
        vec![Scope::AllBut(statement.not_actions.iter().cloned().collect())]
    }
}

fn resources(statement: &Statement) -> Vec<Scope> {
    if !statement.not_resources.is_empty() {
        vec![Scope::AllBut(statement.not_resources.iter().map(resource_text).collect())]
    } else if statement.resources.is_empty() {
        vec![Scope::These("this role".to_owned())]
    } else {
        statement.resources.iter().map(|resource| Scope::These(resource_text(resource))).collect()
    }
}

/// Whether a statement speaks about all of an action and a resource, under no more conditions than `as_in` has.
fn grants(statement: &Statement, action: &Scope, resource: &Scope, as_in: &Statement) -> bool {
    let conditions = statement.conditions.iter().all(|(operator, keys)| {
        keys.iter().all(|(key, values)| as_in.conditions.get(operator).and_then(|it| it.get(key)) == Some(values))
    });
    conditions
        && actions(statement).iter().any(|outer| scope_covers(outer, action, true))
        && resources(statement).iter().any(|outer| scope_covers(outer, resource, false))
}

fn scope_covers(outer: &Scope, inner: &Scope, ignore_case: bool) -> bool {
    let fold = |text: &str| if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
    match (outer, inner) {
        (Scope::These(outer), Scope::These(inner)) => covers(&fold(outer), &fold(inner)),
        (Scope::These(outer), Scope::AllBut(_)) => outer == "*",
        (Scope::AllBut(outer), Scope::AllBut(inner)) => outer.iter().all(|not| inner.contains(not)),
        // Whether a pattern reaches into what is left out is not worked out here.
        (Scope::AllBut(_), Scope::These(_)) => false,
    }
}

/// A resource as text in which intrinsic functions compare: `Fn::Sub`'s form for `Ref`, `Fn::GetAtt` and joins of them.
pub fn resource_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(function) if function.len() == 1 => match function.iter().next() {
            Some((name, Value::String(id))) if name == "Ref" => format!("${{{id}}}"),
            Some((name, Value::String(text))) if name == "Fn::Sub" => text.clone(),
            Some((name, Value::Array(path))) if name == "Fn::GetAtt" => {
                format!("${{{}}}", path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("."))
            }
            Some((name, Value::Array(join))) if name == "Fn::Join" => match join.as_slice() {
                [Value::String(between), Value::Array(parts)] => {
                    parts.iter().map(resource_text).collect::<Vec<_>>().join(between)
                }
                _ => value.to_string(),
            },
            _ => value.to_string(),
        },
        _ => value.to_string(),
    }
}

fn name(principal: &Principal) -> String {
    match principal {
        Principal::Any => "*".to_owned(),
        Principal::Of(_, identity) => match serde_json::from_str::<Value>(identity) {
            Ok(value) => resource_text(&value),
            Err(_) => identity.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(old: Value, new: Value) -> Vec<String> {
        let read = |statements| Policy::from_value(&json!({ "Statement": statements })).expect("a policy");
        broadens(&read(old), &read(new)).iter().map(ToString::to_string).collect()
    }

    fn allow(action: Value, resource: Value) -> Value {
        json!({ "Effect": "Allow", "Action": action, "Resource": resource })
    }

    #[test]
    fn narrower_says_nothing() {
        let wide = allow(json!(["s3:*", "logs:Put*"]), json!("*"));
        let narrow = allow(json!(["s3:GetObject", "S3:Put*"]), json!("arn:aws:s3:::b/*"));
        assert!(said(json!([wide.clone()]), json!([narrow.clone()])).is_empty());
        assert_eq!(said(json!([narrow]), json!([wide])), ["`logs:Put*` on `*`", "`s3:*` on `*`"],);
    }

    #[test]
    fn intrinsic_functions_compare() {
        let sub = allow(json!("s3:GetObject"), json!({ "Fn::Sub": "${B.Arn}/*" }));
        let join =
            allow(json!("s3:GetObject"), json!({ "Fn::Join": ["", [{ "Fn::GetAtt": ["B", "Arn"] }, "/posters/*"]] }));
        assert!(said(json!([sub.clone()]), json!([join.clone()])).is_empty());
        assert_eq!(said(json!([join]), json!([sub])), ["`s3:GetObject` on `${B.Arn}/*`"]);
    }

    #[test]
    fn a_condition_dropped_is_a_grant_and_one_added_is_not() {
        let free = allow(json!("a:b"), json!("*"));
        let mut bound = free.clone();
        bound["Condition"] = json!({ "StringEquals": { "k": "v" } });
        assert!(said(json!([free.clone()]), json!([bound.clone()])).is_empty());
        assert_eq!(said(json!([bound]), json!([free])), ["`a:b` on `*`"]);
    }

    #[test]
    fn principals_and_lost_denies_are_told() {
        let by = |who: Value| json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": who });
        assert_eq!(
            said(
                json!([by(json!({ "Service": "lambda.amazonaws.com" }))]),
                json!([by(json!({ "Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"] }))])
            ),
            ["use by `ec2.amazonaws.com`"]
        );
        let deny = json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "*" });
        let allow = allow(json!("a:b"), json!("*"));
        assert_eq!(
            said(json!([deny.clone(), allow.clone()]), json!([allow.clone()])),
            ["`s3:*` on `*` is no longer denied"]
        );
        assert!(said(json!([deny.clone(), allow.clone()]), json!([deny, allow])).is_empty());
    }

    #[test]
    fn all_but_is_wide() {
        let not = json!({ "Effect": "Allow", "NotAction": "iam:*", "Resource": "*" });
        assert_eq!(
            said(json!([allow(json!("s3:*"), json!("*"))]), json!([not.clone()])),
            ["`everything but iam:*` on `*`"]
        );
        assert!(said(json!([allow(json!("*"), json!("*"))]), json!([not])).is_empty());
    }
}
