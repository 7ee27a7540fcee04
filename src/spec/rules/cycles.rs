//! Components that need one another in a circle: CloudFormation cannot create any of them first.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Rules;
use crate::dependency_order::DependencyOrder;
use crate::finding::code;
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
    let names: Vec<&Node> = needs.0.keys().collect();
    let place = |name: &Node| names.binary_search(&name).ok();
    let edges: Vec<BTreeSet<usize>> = needs.0.values().map(|edges| edges.keys().filter_map(place).collect()).collect();
    for cycle in DependencyOrder::new(&edges).cycles {
        let cycle: Vec<Node> = cycle.iter().filter_map(|node| names.get(*node)).map(|name| (*name).clone()).collect();
        report(rules, &needs, &cycle);
    }
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
