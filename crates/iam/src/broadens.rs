//! What one policy document grants beyond another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::pattern::covers_within;
use super::policy::{Effect, Policy, Principal, Statement};

/// Something the new document grants and the old one did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broadening {
    /// Actions on resources: those of one statement that are alike in what is new about them, together.
    Grant {
        /// The actions as [`listed`], perhaps with wildcards; `everything but …` for a `NotAction`.
        action: String,
        /// The resources as [`listed`], intrinsic functions as `${…}`.
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
    /// So many more than are named.
    More(usize),
}

impl fmt::Display for Broadening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broadening::Grant { action, resource } => write!(f, "`{action}` on `{resource}`"),
            Broadening::Principal(principal) => write!(f, "use by `{principal}`"),
            Broadening::DenyGone { actions, resources } => {
                write!(f, "`{actions}` on `{resources}` is no longer denied")
            }
            Broadening::More(count) => write!(f, "{count} more"),
        }
    }
}

/// What `new` grants beyond `old`, in the order of the new document. Errs towards saying too much: what is named here a
/// person should look at, what is not named here is granted by one statement of the old document already.
///
/// Actions and resources are never multiplied out: those of a statement fall into classes by the old statements that speak
/// about them, and classes are compared.
pub fn broadens(old: &Policy, new: &Policy) -> Vec<Broadening> {
    let mut found = Found::default();
    let mut steps = MOST_STEPS;
    let (granted, grants_now) = (scoped(old, Effect::Allow), scoped(new, Effect::Allow));
    let written: BTreeSet<String> = granted.iter().map(|it| text_of(it.statement)).collect();
    for now in grants_now.iter().filter(|now| !written.contains(&text_of(now.statement))) {
        if steps == 0 {
            found.add(|| Broadening::Grant { action: all_of(&now.actions), resource: all_of(&now.resources) });
            continue;
        }
        let speakers: Vec<&Scoped<'_>> =
            granted.iter().filter(|old| old.is_as_free(now.statement, &mut steps)).collect();
        let principals = &now.statement.principals;
        let mut strangers: BTreeSet<&Principal> = BTreeSet::new();
        let missing = compare(now, &speakers, &mut steps, &mut |by, steps| {
            // Who is granted it already: the principals of every old statement that speaks about all of it.
            spend(steps, principals.len().saturating_mul(by.len()));
            let known = |principal: &&Principal| {
                by.iter().any(|old| {
                    let principals = &old.statement.principals;
                    principals.contains(*principal) || principals.contains(&Principal::Any)
                })
            };
            strangers.extend(principals.iter().filter(|principal| !known(principal)));
        });
        for (actions, resources) in missing {
            found.add(|| Broadening::Grant { action: named(&actions), resource: named(&resources) });
        }
        for stranger in strangers {
            found.add(|| Broadening::Principal(name(stranger)));
        }
    }
    let denied = scoped(new, Effect::Deny);
    let written: BTreeSet<String> = denied.iter().map(|it| text_of(it.statement)).collect();
    for was in scoped(old, Effect::Deny).iter().filter(|was| !written.contains(&text_of(was.statement))) {
        let is_kept = |steps: &mut usize| {
            let of_as_many = |new: &&Scoped<'_>| {
                let principals = &new.statement.principals;
                principals.contains(&Principal::Any) || principals.is_superset(&was.statement.principals)
            };
            let speakers: Vec<&Scoped<'_>> =
                denied.iter().filter(|new| new.is_as_free(was.statement, steps)).filter(of_as_many).collect();
            compare(was, &speakers, steps, &mut |_, _| {}).is_empty()
        };
        if steps == 0 || !is_kept(&mut steps) {
            found.add(|| Broadening::DenyGone { actions: all_of(&was.actions), resources: all_of(&was.resources) });
        }
    }
    found.all()
}

/// The most characters compared for two documents. What is not compared any more is named as granted: a person should look at
/// a document of that size.
const MOST_STEPS: usize = 4_000_000;
/// The most that is named of two documents; the others are counted.
const MOST_NAMED: usize = 200;
/// The most characters of a list that are shown. The whole is in the template.
const LONGEST_LIST: usize = 600;

/// Texts as one, none of it longer than a person reads: of a long list those that reach furthest are named, which have
/// wildcards and are short, and the others counted.
pub fn listed(mut texts: Vec<String>) -> String {
    let length: usize = texts.iter().map(|text| text.len().saturating_add(2)).sum();
    if length <= LONGEST_LIST {
        return texts.join(", ");
    }
    texts.sort_by_cached_key(|text| (!text.contains(['*', '?']), text.len()));
    let count = texts.len();
    let mut shown = String::new();
    let mut named = 0;
    for text in texts {
        if named > 0 && shown.len().saturating_add(text.len()) > LONGEST_LIST {
            break;
        }
        if named > 0 {
            shown.push_str(", ");
        }
        match text.char_indices().nth(LONGEST_LIST) {
            Some((end, _)) => {
                shown.push_str(text.get(..end).unwrap_or_default());
                shown.push('…');
            }
            None => shown.push_str(&text),
        }
        named += 1;
    }
    match count - named {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn named(scopes: &[&Scope]) -> String {
    listed(scopes.iter().map(|scope| scope.text()).collect())
}

/// All that a statement is about on one side.
fn all_of(scopes: &[Scope]) -> String {
    named(&scopes.iter().collect::<Vec<_>>())
}

fn spend(steps: &mut usize, some: usize) {
    *steps = steps.saturating_sub(some);
}

/// What was found, each once, in order.
#[derive(Default)]
struct Found {
    once: Vec<Broadening>,
    said: BTreeSet<String>,
    more: usize,
}

impl Found {
    fn add(&mut self, broadening: impl FnOnce() -> Broadening) {
        if self.once.len() >= MOST_NAMED {
            self.more += 1;
            return;
        }
        let broadening = broadening();
        if self.said.insert(broadening.to_string()) {
            self.once.push(broadening);
        }
    }

    fn all(mut self) -> Vec<Broadening> {
        self.once.extend((self.more > 0).then_some(Broadening::More(self.more)));
        self.once
    }
}

/// A statement with what it is about, ready to be compared.
struct Scoped<'a> {
    statement: &'a Statement,
    actions: Vec<Scope>,
    resources: Vec<Scope>,
    /// The actions and the resources again, ready to be looked up.
    found_actions: Lookup,
    found_resources: Lookup,
}

/// The statements of a document that allow, or those that deny.
fn scoped(policy: &Policy, effect: Effect) -> Vec<Scoped<'_>> {
    policy.statements.iter().filter(|it| it.effect == effect).map(Scoped::new).collect()
}

/// A statement as canonical text, whatever it is called.
fn text_of(statement: &Statement) -> String {
    Statement { sid: None, ..statement.clone() }.to_value().to_string()
}

impl<'a> Scoped<'a> {
    fn new(statement: &'a Statement) -> Self {
        let (actions, resources) = (actions(statement), resources(statement));
        let (found_actions, found_resources) = (Lookup::new(&actions), Lookup::new(&resources));
        Self { statement, actions, resources, found_actions, found_resources }
    }

    /// Whether it speaks under no more conditions than another statement has.
    fn is_as_free(&self, other: &Statement, steps: &mut usize) -> bool {
        spend(steps, 1);
        *steps > 0
            && self.statement.conditions.iter().all(|(operator, keys)| {
                keys.iter()
                    .all(|(key, values)| other.conditions.get(operator).and_then(|it| it.get(key)) == Some(values))
            })
    }
}

/// Patterns by what they are compared with.
#[derive(Default)]
struct Lookup {
    /// All of them as they are: a pattern covers itself.
    written: BTreeSet<String>,
    /// Those with wildcards.
    wild: Vec<String>,
    /// The lists of those that leave something out.
    all_but: Vec<BTreeSet<String>>,
}

impl Lookup {
    fn new(scopes: &[Scope]) -> Self {
        let mut lookup = Self::default();
        for scope in scopes {
            match scope {
                Scope::These { compared, .. } => {
                    if compared.contains(['*', '?']) {
                        lookup.wild.push(compared.clone());
                    }
                    lookup.written.insert(compared.clone());
                }
                Scope::AllBut(patterns) => lookup.all_but.push(patterns.clone()),
            }
        }
        lookup
    }

    /// Whether one of the patterns covers all of a scope.
    fn covers(&self, inner: &Scope, steps: &mut usize) -> bool {
        match inner {
            Scope::These { compared, .. } => {
                spend(steps, compared.len());
                self.written.contains(compared)
                    // Whether a pattern reaches into what is left out is not worked out here.
                    || self.wild.iter().any(|outer| *steps > 0 && covers_within(outer, compared, steps))
            }
            Scope::AllBut(inner) => {
                let listed: usize = self.all_but.iter().map(BTreeSet::len).sum();
                spend(steps, listed.saturating_add(1));
                self.written.contains("*") || self.all_but.iter().any(|outer| outer.is_subset(inner))
            }
        }
    }
}

/// Scopes that the same speakers cover, told by their places.
type Classes<'s> = Vec<(Vec<usize>, Vec<&'s Scope>)>;

fn classes<'s>(scopes: &'s [Scope], speakers: &[&Scoped<'_>], of: Side, steps: &mut usize) -> Classes<'s> {
    let mut places: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut classes: Classes<'s> = Vec::new();
    for scope in scopes {
        let mut by = Vec::new();
        for (place, speaker) in speakers.iter().enumerate() {
            if *steps == 0 {
                break;
            }
            let lookup = match of {
                Side::Actions => &speaker.found_actions,
                Side::Resources => &speaker.found_resources,
            };
            if lookup.covers(scope, steps) {
                by.push(place);
                // It is kept, which costs memory.
                spend(steps, 8);
            }
        }
        let place = *places.entry(by.clone()).or_insert(classes.len());
        match classes.get_mut(place) {
            Some((_, alike)) => alike.push(scope),
            None => classes.push((by, vec![scope])),
        }
    }
    classes
}

#[derive(Clone, Copy)]
enum Side {
    Actions,
    Resources,
}

/// The actions and resources of a statement that no speaker speaks about, together where they are alike; what some do is
/// told with those who do.
fn compare<'s>(
    subject: &'s Scoped<'_>,
    speakers: &[&Scoped<'_>],
    steps: &mut usize,
    known: &mut dyn FnMut(&[&Scoped<'_>], &mut usize),
) -> Vec<(Vec<&'s Scope>, Vec<&'s Scope>)> {
    let actions = classes(&subject.actions, speakers, Side::Actions, steps);
    let resources = classes(&subject.resources, speakers, Side::Resources, steps);
    let mut places: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut missing: Vec<(Vec<&Scope>, Vec<usize>)> = Vec::new();
    for (of_actions, alike) in actions {
        let mut without = Vec::new();
        for (place, (of_resources, _)) in resources.iter().enumerate() {
            spend(steps, of_actions.len().min(of_resources.len()).saturating_add(1));
            let by: Vec<&Scoped<'_>> = if *steps == 0 {
                Vec::new()
            } else {
                let (few, many) = if of_actions.len() < of_resources.len() {
                    (&of_actions, of_resources)
                } else {
                    (of_resources, &of_actions)
                };
                // Both are in order.
                let both = few.iter().filter(|place| many.binary_search(place).is_ok());
                both.filter_map(|place| speakers.get(*place).copied()).collect()
            };
            if by.is_empty() {
                without.push(place);
            } else {
                known(&by, steps);
            }
        }
        if without.is_empty() {
            continue;
        }
        let place = *places.entry(without.clone()).or_insert(missing.len());
        match missing.get_mut(place) {
            Some((actions, _)) => actions.extend(alike),
            None => missing.push((alike, without)),
        }
    }
    let of = |places: Vec<usize>| {
        places
            .into_iter()
            .filter_map(|place| resources.get(place))
            .flat_map(|(_, alike)| alike.iter().copied())
            .collect()
    };
    // What is not named is only counted.
    let named = |index: usize, places: Vec<usize>| if index < MOST_NAMED { of(places) } else { Vec::new() };
    missing.into_iter().enumerate().map(|(index, (actions, places))| (actions, named(index, places))).collect()
}

/// An action or resource pattern, or everything but a list of them.
enum Scope {
    These {
        /// As it is written.
        text: String,
        /// As it is compared: actions in lower case.
        compared: String,
    },
    AllBut(BTreeSet<String>),
}

impl Scope {
    fn text(&self) -> String {
        match self {
            Scope::These { text, .. } => text.clone(),
            Scope::AllBut(patterns) => format!("everything but {}", listed(patterns.iter().cloned().collect())),
        }
    }
}

fn actions(statement: &Statement) -> Vec<Scope> {
    if statement.not_actions.is_empty() {
        let these = |text: &String| Scope::These { text: text.clone(), compared: text.to_ascii_lowercase() };
        statement.actions.iter().map(these).collect()
    } else {
        vec![Scope::AllBut(statement.not_actions.clone())]
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
        assert_eq!(said(json!([narrow]), json!([wide])), ["`logs:Put*, s3:*` on `*`"],);
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
    fn thousands_of_actions_and_resources_are_one_line() {
        let many = |word: &str| -> Vec<String> { (0..9_000).map(|index| format!("s3:{word}{index}")).collect() };
        let wide = json!([allow(json!(many("Get")), json!(many("r")))]);
        let found = said(json!([]), wide.clone());
        assert_eq!(found.len(), 1);
        assert!(found[0].len() < 2_000 && found[0].contains(" more`"), "{found:?}");
        assert!(said(wide.clone(), wide.clone()).is_empty());
        let mut more = many("Get");
        more.extend(["s3:*".to_owned(), "s3:PutObject".to_owned()]);
        let found = said(wide, json!([allow(json!(more), json!(many("r")))]));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("`s3:*, s3:PutObject` on"), "{found:?}");
    }

    #[test]
    fn what_reaches_furthest_is_named_in_a_long_list() {
        let mut texts: Vec<String> = (0..500).map(|index| format!("service:Action{index}")).collect();
        texts.push("iam:*".to_owned());
        assert!(listed(texts).starts_with("iam:*, "));
        assert_eq!(listed(vec!["b".to_owned(), "a*".to_owned()]), "b, a*");
        assert_eq!(listed(vec!["é".repeat(5_000)]).chars().count(), LONGEST_LIST + 1);
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
