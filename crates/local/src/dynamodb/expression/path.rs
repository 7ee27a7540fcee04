//! Document paths.

use std::collections::BTreeMap;
use std::fmt;

use super::super::attribute::{Attribute, Item};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep {
    /// Into a map, or to an attribute of the item.
    Name(String),
    /// Into a list.
    Index(usize),
}

/// A path: a name first, then any steps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<PathStep>);

impl fmt::Display for Path {
    /// As DynamoDB's messages show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self
            .0
            .iter()
            .map(|step| match step {
                PathStep::Name(name) => name.clone(),
                PathStep::Index(index) => format!("[{index}]"),
            })
            .collect();
        write!(f, "[{}]", steps.join(", "))
    }
}

impl Path {
    /// The attribute of the item it begins with.
    pub fn attribute(&self) -> &str {
        match self.0.first() {
            Some(PathStep::Name(name)) => name,
            _ => "",
        }
    }

    /// What is there in an item.
    pub fn find<'i>(&self, item: &'i Item) -> Option<&'i Attribute> {
        let mut steps = self.0.iter();
        let Some(PathStep::Name(first)) = steps.next() else { return None };
        steps.try_fold(item.get(first)?, |value, step| match (value, step) {
            (Attribute::M(entries), PathStep::Name(name)) => entries.get(name),
            (Attribute::L(entries), PathStep::Index(index)) => entries.get(*index),
            _ => None,
        })
    }
}

/// That no path is another, or leads into what another one names, or takes a list for a map.
///
/// # Errors
///
/// In DynamoDB's words.
pub(super) fn apart(paths: &[Path]) -> Result<(), String> {
    for (number, one) in paths.iter().enumerate() {
        for two in paths.iter().skip(number + 1) {
            let differ = one.0.iter().zip(&two.0).find(|(a, b)| a != b);
            let words = match differ {
                None => "overlap",
                Some((PathStep::Name(_), PathStep::Index(_)) | (PathStep::Index(_), PathStep::Name(_))) => "conflict",
                Some(_) => continue,
            };
            return Err(format!(
                "Two document paths {words} with each other; must remove or rewrite one of these paths; path one: \
                 {one}, path two: {two}"
            ));
        }
    }
    Ok(())
}

/// The parts of an item that paths name; what is not there is left out, and lists close up.
pub fn project(item: &Item, paths: &[Path]) -> Item {
    let steps: Vec<&[PathStep]> = paths.iter().map(|path| path.0.as_slice()).collect();
    names(item, &steps)
}

fn names(entries: &Item, paths: &[&[PathStep]]) -> Item {
    let mut below: BTreeMap<&str, Vec<&[PathStep]>> = BTreeMap::new();
    for path in paths {
        if let Some((PathStep::Name(name), rest)) = path.split_first() {
            below.entry(name).or_default().push(rest);
        }
    }
    below.into_iter().filter_map(|(name, rest)| Some((name.to_owned(), part(entries.get(name)?, &rest)?))).collect()
}

fn part(value: &Attribute, paths: &[&[PathStep]]) -> Option<Attribute> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    match value {
        Attribute::M(entries) => {
            let found = names(entries, paths);
            (!found.is_empty()).then_some(Attribute::M(found))
        }
        Attribute::L(entries) => {
            let mut below: BTreeMap<usize, Vec<&[PathStep]>> = BTreeMap::new();
            for path in paths {
                if let Some((PathStep::Index(index), rest)) = path.split_first() {
                    below.entry(*index).or_default().push(rest);
                }
            }
            let found: Vec<Attribute> =
                below.into_iter().filter_map(|(index, rest)| part(entries.get(index)?, &rest)).collect();
            (!found.is_empty()).then_some(Attribute::L(found))
        }
        _ => None,
    }
}
