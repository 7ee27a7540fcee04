//! Components that need one another in a circle: CloudFormation cannot create any of them first.

use crate::finding::code;
use std::collections::{BTreeMap, BTreeSet};

use super::context::Rules;
use crate::spec::text::{Piece, Reference};

/// `section.name`.
type Node = String;

/// What needs what, and the pointer that says so.
#[derive(Default)]
struct Needs(BTreeMap<Node, BTreeMap<Node, String>>);

impl Needs {
    fn add(&mut self, from: (&str, &str), to: (&str, &str), pointer: String) {
        // An API's routes and authorizers hang on the API, and nothing that refers to the API needs them: a function may
        // answer an API and know its URL.
        if from.0 == "apis" && ["routes", "authorizers"].contains(&pointer.split('/').nth(3).unwrap_or_default()) {
            return;
        }
        let edges = self.0.entry(format!("{}.{}", from.0, from.1)).or_default();
        edges.entry(format!("{}.{}", to.0, to.1)).or_insert(pointer);
    }

    fn of(rules: &Rules<'_>) -> Self {
        let mut needs = Self::default();
        for mark in &rules.marks.texts {
            let Some((section, name)) = &mark.owner else { continue };
            for piece in mark.value.pieces().unwrap_or_default() {
                if let Piece::Reference(Reference::Component { section: to, name: other, .. }) = piece {
                    needs.add((section, name), (&to, &other), mark.pointer.clone());
                }
            }
        }
        for mark in &rules.marks.names {
            let (Some((section, name)), (to, other)) = (&mark.owner, &mark.value) else { continue };
            needs.add((section, name), (to, other), mark.pointer.clone());
        }
        for given in rules.spec.grants() {
            let Some((section, name)) = given.grant.target().and_then(|target| target.split_once('.')) else {
                continue;
            };
            // The grants on stores cannot close a circle: a store needs nothing but what its name says.
            if ["buckets", "tables", "secrets"].contains(&section) {
                continue;
            }
            let pointer = format!("{}/{}", given.pointer, given.grant.verb().unwrap_or_default());
            needs.add(given.owner, (section, name), pointer);
        }
        needs
    }
}

pub(super) fn check(rules: &mut Rules<'_>) {
    let needs = Needs::of(rules);
    let mut done = BTreeSet::new();
    for start in needs.0.keys() {
        if let Some(cycle) = find(&needs, start, &mut done) {
            report(rules, &needs, &cycle);
        }
    }
}

/// Walks from a node, depth first, without recursion: a spec may be long. Gives the first circle it closes.
fn find(needs: &Needs, start: &Node, done: &mut BTreeSet<Node>) -> Option<Vec<Node>> {
    if done.contains(start) {
        return None;
    }
    let mut trail: Vec<(Node, Vec<Node>)> = vec![(start.clone(), next(needs, start))];
    let mut found = None;
    while let Some((node, rest)) = trail.last_mut() {
        let Some(to) = rest.pop() else {
            done.insert(node.clone());
            trail.pop();
            continue;
        };
        if let Some(at) = trail.iter().position(|(node, _)| *node == to) {
            let circle = trail.iter().skip(at).map(|(node, _)| node.clone()).collect();
            found.get_or_insert(circle);
        } else if !done.contains(&to) {
            let after = next(needs, &to);
            trail.push((to, after));
        }
    }
    found
}

/// What a node needs, last name first, so that they are walked in order.
fn next(needs: &Needs, node: &Node) -> Vec<Node> {
    needs.0.get(node).map(|edges| edges.keys().rev().cloned().collect()).unwrap_or_default()
}

fn report(rules: &mut Rules<'_>, needs: &Needs, cycle: &[Node]) {
    let Some(first) = cycle.first() else { return };
    let circle = cycle.iter().chain([first]).map(|node| format!("`{node}`")).collect::<Vec<_>>().join(" → ");
    let second = cycle.get(1).unwrap_or(first);
    let Some(pointer) = needs.0.get(first).and_then(|edges| edges.get(second)) else { return };
    let message = format!("components need one another in a circle: {circle}");
    let help = "break it: take the value from the request or from the call at run time instead of the environment, \
                or put one of them into a use case of its own";
    rules.error(code::S027, pointer, message, help);
}
