//! A component's `uses:` → the statements of its role.

use super::references::{Ask, References, component_names};
use super::words::did_you_mean;
use crate::finding::{Finding, code};
use crate::iam::{Policy, Statement};
use crate::spec::Grant;

/// Statements of one policy, each with the place of the spec that asks for it.
#[derive(Debug, Default)]
pub(super) struct Asked(Vec<(Statement, String)>);

impl Asked {
    /// Adds statements that a place asks for.
    pub(super) fn add(&mut self, pointer: impl Into<String>, statements: impl IntoIterator<Item = Statement>) {
        let pointer = pointer.into();
        self.0.extend(statements.into_iter().map(|statement| (statement, pointer.clone())));
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The policy, its statements merged.
    pub(super) fn policy(&self) -> Policy {
        Policy::of(self.0.iter().map(|(statement, _)| statement.clone()))
    }

    /// The place of each statement of the policy, of its actions and of its resources, by JSON pointers into the document:
    /// what all places have in common that ask for a part of it.
    pub(super) fn places(&self, policy: &Policy) -> Vec<(String, String)> {
        let mut places = Vec::new();
        for (index, whole) in policy.statements.iter().enumerate() {
            let parts: Vec<&(Statement, String)> = self.0.iter().filter(|(part, _)| is_part(part, whole)).collect();
            let mut add = |within: String, asks: &dyn Fn(&Statement) -> bool| {
                let asking = parts.iter().filter(|(part, _)| asks(part)).map(|(_, pointer)| pointer.clone());
                let place = asking.reduce(|one, other| common(&one, &other));
                places.extend(place.map(|place| (format!("/Statement/{index}{within}"), place)));
            };
            add(String::new(), &|_| true);
            // A list of one is written as one, and stands where its statement does.
            if whole.actions.len() > 1 {
                for (at, action) in whole.actions.iter().enumerate() {
                    add(format!("/Action/{at}"), &|part| part.actions.contains(action));
                }
            }
            if whole.resources.len() > 1 {
                for (at, resource) in whole.resources.iter().enumerate() {
                    add(format!("/Resource/{at}"), &|part| part.resources.contains(resource));
                }
            }
        }
        places
    }
}

/// Whether merging may have made a statement a part of another one.
fn is_part(part: &Statement, whole: &Statement) -> bool {
    part.effect == whole.effect
        && part.conditions == whole.conditions
        && part.principals == whole.principals
        && part.actions.is_subset(&whole.actions)
        && part.resources.iter().all(|resource| whole.resources.contains(resource))
}

/// What two JSON pointers have in common.
fn common(one: &str, other: &str) -> String {
    let same = one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other);
    same.map(|(segment, _)| segment).collect::<Vec<_>>().join("/")
}

/// The statements of one grant; `pointer` is the grant's place.
///
/// # Errors
/// `R022` for a grant on what is not there or cannot be used that way.
pub(super) fn statements(references: &References<'_>, grant: &Grant, pointer: &str) -> Result<Vec<Statement>, Finding> {
    if let Grant::Statement(raw) = grant {
        let resources = raw.resources.iter().enumerate().map(|(index, resource)| {
            let pointer = format!("{pointer}/statement/resources/{index}");
            references.text(resource, &pointer).map(|resource| resource.value())
        });
        let resources: Result<Vec<_>, Finding> = resources.collect();
        return Ok(vec![Statement::allow(raw.actions.iter().map(String::as_str), resources?)]);
    }
    let (verb, target) = (grant.verb().unwrap_or_default(), grant.target().unwrap_or_default());
    let pointer = format!("{pointer}/{verb}");
    let (section, rest) = target.split_once('.').unwrap_or((target, ""));
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let ask = Ask { verb, name, rest, pointer: &pointer };
    let Some(kind) = references.kind(section) else { return Err(references.cannot(&ask)) };
    let names = component_names(references, section).unwrap_or_default();
    if !names.iter().any(|known| known == name) {
        return Err(Finding::error(code::R022, format!("there is no `{name}` under `{section}`"))
            .at(references.loaded.place(&pointer))
            .help(did_you_mean(name, names.iter())));
    }
    (kind.grant)(references, &ask)
}
