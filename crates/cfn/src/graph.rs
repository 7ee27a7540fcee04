//! Which resource waits for which: edges from `Ref`, `Fn::GetAtt`, `Fn::Sub` and `DependsOn`.

use std::collections::{BTreeMap, BTreeSet};

use super::Template;
use super::dependency_order::DependencyOrder;
use super::intrinsics::{Problem, Reference, ReferenceKind, references_if};
use crate::finding::code;

/// Why one resource waits for another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// `DependsOn`.
    DependsOn,
    /// `Ref`, also inside `Fn::Sub`.
    Ref,
    /// `Fn::GetAtt`, also inside `Fn::Sub`, with the attribute.
    Attribute(String),
}

/// One resource waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The resource that waits.
    pub from: String,
    /// The resource it waits for.
    pub to: String,
    /// Why.
    pub kind: EdgeKind,
    /// Where the template says so.
    pub path: String,
}

/// The resources of a template and which waits for which. Iteration is always in the order of the template.
#[derive(Debug, Clone, Default)]
pub struct ResourceGraph {
    names: Vec<String>,
    index: BTreeMap<String, usize>,
    edges: Vec<Edge>,
    /// For each resource, those it waits for, without itself and without doubles.
    needs: Vec<BTreeSet<usize>>,
    /// The same, the other way round.
    needed_by: Vec<BTreeSet<usize>>,
    unresolved: Vec<Edge>,
    order: DependencyOrder,
}

impl ResourceGraph {
    /// The graph of all resources, whatever their conditions.
    pub fn from_template(template: &Template) -> Self {
        Self::with(template, &|_| None)
    }

    /// The graph of the resources that exist when `decide` tells which conditions hold: a resource under a false
    /// condition is not in it, and of an `Fn::If` only the branch taken counts.
    pub fn with(template: &Template, decide: &dyn Fn(&str) -> Option<bool>) -> Self {
        let mut graph = Self::default();
        for resource in template.resources() {
            if resource.condition().and_then(decide) == Some(false) {
                continue;
            }
            graph.index.insert(resource.logical_id.to_owned(), graph.names.len());
            graph.names.push(resource.logical_id.to_owned());
        }
        graph.needs = vec![BTreeSet::new(); graph.names.len()];
        graph.needed_by = vec![BTreeSet::new(); graph.names.len()];
        for resource in template.resources() {
            let Some(&from) = graph.index.get(resource.logical_id) else { continue };
            let path = format!("Resources/{}", resource.logical_id);
            for to in resource.depends_on() {
                // A target that exists in the template but not under these conditions is simply not waited for.
                if graph.index.contains_key(to) || template.resource(to).is_none() {
                    graph.add(from, to, EdgeKind::DependsOn, format!("{path}/DependsOn"));
                }
            }
            for attribute in ["Properties", "Metadata", "CreationPolicy", "UpdatePolicy"] {
                let Some(value) = resource.attribute(attribute) else { continue };
                for Reference { name, kind, path, .. } in references_if(value, &format!("{path}/{attribute}"), decide) {
                    if name.contains("::") || template.parameter(&name).is_some() {
                        continue;
                    }
                    let kind = match kind {
                        ReferenceKind::Ref => EdgeKind::Ref,
                        ReferenceKind::Attribute(attribute) => EdgeKind::Attribute(attribute),
                    };
                    graph.add(from, &name, kind, path);
                }
            }
        }
        graph.order = DependencyOrder::new(&graph.needs);
        graph
    }

    fn add(&mut self, from: usize, to: &str, kind: EdgeKind, path: String) {
        let Some(name) = self.names.get(from) else { return };
        let edge = Edge { from: name.clone(), to: to.to_owned(), kind, path };
        let Some(&to) = self.index.get(to) else {
            self.unresolved.push(edge);
            return;
        };
        self.edges.push(edge);
        if let Some(needs) = self.needs.get_mut(from) {
            needs.insert(to);
        }
        if let Some(needed_by) = self.needed_by.get_mut(to) {
            needed_by.insert(from);
        }
    }

    /// The logical ids in it.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether it has this resource.
    pub fn contains(&self, logical_id: &str) -> bool {
        self.index.contains_key(logical_id)
    }

    /// Every edge, also several between the same two.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// What a resource waits for, each once.
    pub fn dependencies(&self, logical_id: &str) -> impl Iterator<Item = &str> {
        self.neighbours(&self.needs, logical_id)
    }

    /// What waits for a resource, each once.
    pub fn dependents(&self, logical_id: &str) -> impl Iterator<Item = &str> {
        self.neighbours(&self.needed_by, logical_id)
    }

    fn neighbours<'a>(&'a self, of: &'a [BTreeSet<usize>], logical_id: &str) -> impl Iterator<Item = &'a str> {
        let set = self.index.get(logical_id).and_then(|node| of.get(*node));
        set.into_iter().flatten().filter_map(|node| self.name(*node))
    }

    fn name(&self, node: usize) -> Option<&str> {
        self.names.get(node).map(String::as_str)
    }

    /// References and `DependsOn` entries whose target is no resource of this graph.
    pub fn unresolved(&self) -> &[Edge] {
        &self.unresolved
    }

    /// Circles, each as the resources along it: each waits for the next one, the last for the first.
    pub fn cycles(&self) -> Vec<Vec<&str>> {
        self.order.cycles.iter().map(|cycle| cycle.iter().filter_map(|node| self.name(*node)).collect()).collect()
    }

    /// The resources in layers: each waits only for those in earlier layers. Deletion goes through them backwards.
    ///
    /// # Errors
    ///
    /// Some wait in a circle, as CloudFormation words it.
    pub fn layers(&self) -> Result<Vec<Vec<&str>>, Problem> {
        if let Some(problem) = self.circular() {
            return Err(problem);
        }
        Ok(self.order.layers.iter().map(|layer| layer.iter().filter_map(|node| self.name(*node)).collect()).collect())
    }

    /// The resources in an order in which each comes after those it waits for.
    ///
    /// # Errors
    ///
    /// Some wait in a circle.
    pub fn order(&self) -> Result<Vec<&str>, Problem> {
        Ok(self.layers()?.into_iter().flatten().collect())
    }

    /// The problem to report when some wait in a circle.
    pub fn circular(&self) -> Option<Problem> {
        let cycles = self.cycles();
        let first = cycles.first()?;
        let names: BTreeSet<&str> = cycles.iter().flatten().copied().collect();
        let names: Vec<&str> = names.into_iter().collect();
        Some(
            Problem::new(code::T150, format!("Circular dependency between resources: [{}]", names.join(", ")))
                .at(&first.first().map(|name| format!("Resources/{name}")).unwrap_or_default()),
        )
    }
}
