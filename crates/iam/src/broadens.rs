//! What one policy document grants beyond another.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::pattern::covers_within;
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
    let mut found = Found::default();
    let mut steps = MOST_STEPS;
    let (granted, grants_now) = (scoped(old, Effect::Allow), scoped(new, Effect::Allow));
    for now in &grants_now {
        for action in &now.actions {
            for resource in &now.resources {
                // Who is granted it already: the principals of every old statement that speaks about all of it.
                let by: Vec<&Scoped<'_>> =
                    granted.iter().filter(|old| old.speaks_of(action, resource, now.statement, &mut steps)).collect();
                if by.is_empty() {
                    found.add(Broadening::Grant { action: action.text(), resource: resource.text() });
                    continue;
                }
                let known = |principal: &&Principal| {
                    by.iter().any(|old| {
                        let principals = &old.statement.principals;
                        principals.contains(*principal) || principals.contains(&Principal::Any)
                    })
                };
                for stranger in now.statement.principals.iter().filter(|principal| !known(principal)) {
                    found.add(Broadening::Principal(name(stranger)));
                }
            }
        }
    }
    let denied = scoped(new, Effect::Deny);
    for was in &scoped(old, Effect::Deny) {
        let kept = was.actions.iter().all(|action| {
            was.resources.iter().all(|resource| {
                denied.iter().any(|new| {
                    let principals = &new.statement.principals;
                    (principals.contains(&Principal::Any) || principals.is_superset(&was.statement.principals))
                        && new.speaks_of(action, resource, was.statement, &mut steps)
                })
            })
        });
        if !kept {
            let join = |scopes: &[Scope]| scopes.iter().map(Scope::text).collect::<Vec<_>>().join(", ");
            found.add(Broadening::DenyGone { actions: join(&was.actions), resources: join(&was.resources) });
        }
    }
    found.once
}

/// The most characters compared for two documents. What is not compared any more is named as granted: a person should look at
/// a document of that size.
const MOST_STEPS: usize = 20_000_000;

/// What was found, each once, in order.
#[derive(Default)]
struct Found {
    once: Vec<Broadening>,
    said: BTreeSet<String>,
}

impl Found {
    fn add(&mut self, broadening: Broadening) {
        if self.said.insert(broadening.to_string()) {
            self.once.push(broadening);
        }
    }
}

/// A statement with what it is about, ready to be compared.
struct Scoped<'a> {
    statement: &'a Statement,
    actions: Vec<Scope>,
    resources: Vec<Scope>,
}

/// The statements of a document that allow, or those that deny.
fn scoped(policy: &Policy, effect: Effect) -> Vec<Scoped<'_>> {
    policy.statements.iter().filter(|it| it.effect == effect).map(Scoped::new).collect()
}

impl<'a> Scoped<'a> {
    fn new(statement: &'a Statement) -> Self {
        Self { statement, actions: actions(statement), resources: resources(statement) }
    }

    /// Whether it speaks about all of an action and a resource, under no more conditions than another statement has.
    fn speaks_of(&self, action: &Scope, resource: &Scope, as_in: &Statement, steps: &mut usize) -> bool {
        if *steps == 0 {
            return false;
        }
        let conditions = self.statement.conditions.iter().all(|(operator, keys)| {
            keys.iter().all(|(key, values)| as_in.conditions.get(operator).and_then(|it| it.get(key)) == Some(values))
        });
        conditions
            && self.actions.iter().any(|outer| scope_covers(outer, action, steps))
            && self.resources.iter().any(|outer| scope_covers(outer, resource, steps))
    }
}

/// An action or resource pattern, or everything but a list of them.
enum Scope {
    These {
        /// As it is written.
        text: String,
        /// As it is compared: actions in lower case.
        compared: String,
    },
    AllBut(Vec<String>),
}

impl Scope {
    fn text(&self) -> String {
        match self {
            Scope::These { text, .. } => text.clone(),
            Scope::AllBut(patterns) => format!("everything but {}", patterns.join(", ")),
        }
    }
}

fn actions(statement: &Statement) -> Vec<Scope> {
    if statement.not_actions.is_empty() {
        let these = |text: &String| Scope::These { text: text.clone(), compared: text.to_ascii_lowercase() };
        statement.actions.iter().map(these).collect()
    } else {
        vec![Scope::AllBut(statement.not_actions.iter().cloned().collect())]
    }
}

fn resources(statement: &Statement) -> Vec<Scope> {
    let these = |text: String| Scope::These { compared: text.clone(), text };
    if !statement.not_resources.is_empty() {
        vec![Scope::AllBut(statement.not_resources.iter().map(resource_text).collect())]
    } else if statement.resources.is_empty() {
        vec![these("this role".to_owned())]
    } else {
        statement.resources.iter().map(|resource| these(resource_text(resource))).collect()
    }
}

fn scope_covers(outer: &Scope, inner: &Scope, steps: &mut usize) -> bool {
    *steps = steps.saturating_sub(1);
    match (outer, inner) {
        (Scope::These { compared: outer, .. }, Scope::These { compared: inner, .. }) => {
            outer == inner || covers_within(outer, inner, steps)
        }
        (Scope::These { compared: outer, .. }, Scope::AllBut(_)) => outer == "*",
        (Scope::AllBut(outer), Scope::AllBut(inner)) => outer.iter().all(|not| inner.contains(not)),
        // Whether a pattern reaches into what is left out is not worked out here.
        (Scope::AllBut(_), Scope::These { .. }) => false,
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
