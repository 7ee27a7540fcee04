//! A component's `uses:` → the statements of its role.

use super::references::{Ask, References, component_names};
use super::words::did_you_mean;
use crate::finding::Finding;
use crate::iam::Statement;
use crate::spec::Grant;

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
        return Err(Finding::error("R022", format!("there is no `{name}` under `{section}`"))
            .at(references.loaded.place(&pointer))
            .help(did_you_mean(name, names.iter())));
    }
    (kind.grant)(references, &ask)
}
