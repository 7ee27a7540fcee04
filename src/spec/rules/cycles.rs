//! Components that need one another in a circle: CloudFormation cannot create any of them first.

use std::collections::{BTreeMap, BTreeSet};

use super::Rules;
use super::texts::sites;
use crate::spec::text::{Piece, Reference};
use crate::spec::types::{Grant, UseCase};
use crate::spec::words::escape;

/// `section.name`.
type Node = String;

/// What needs what, and the pointer that says so.
#[derive(Default)]
struct Needs(BTreeMap<Node, BTreeMap<Node, String>>);

impl Needs {
    fn add(&mut self, from: (&str, &str), to: (&str, &str), pointer: String) {
        let edges = self.0.entry(format!("{}.{}", from.0, from.1)).or_default();
        edges.entry(format!("{}.{}", to.0, to.1)).or_insert(pointer);
    }

    fn of(spec: &UseCase) -> Self {
        let mut needs = Self::default();
        for site in sites(spec) {
            let Some(owner) = site.owner else { continue };
            for piece in site.text.pieces().unwrap_or_default() {
                if let Piece::Reference(Reference::Component { section, name, .. }) = piece {
                    needs.add(owner, (&section, &name), site.pointer.clone());
                }
            }
        }
        for (name, function) in &spec.functions {
            for (index, grant) in function.uses.iter().enumerate() {
                // The grants on buckets cannot close a circle: a bucket needs nothing but what its name says.
                let Grant::Invoke(target) = grant else { continue };
                if let Some(target) = target.split_once('.') {
                    let pointer = format!("/functions/{}/uses/{index}/invoke", escape(name));
                    needs.add(("functions", name), target, pointer);
                }
            }
        }
        for (name, api) in &spec.apis {
            for (index, route) in api.routes.iter().enumerate() {
                for (key, body) in &route.0 {
                    let pointer = format!("/apis/{}/routes/{index}/{}/function", escape(name), escape(key));
                    needs.add(("apis", name), ("functions", &body.function), pointer);
                }
            }
        }
        needs
    }
}

pub(super) fn check(rules: &mut Rules<'_>) {
    let needs = Needs::of(rules.spec);
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
    rules.error("S027", pointer, message, help);
}
