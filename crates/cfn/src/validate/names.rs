//! Two resources of one template with the same name or identity.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kinds::{Presence, presence};
use super::{Context, finding, is_full};
use crate::Resource;
use crate::finding::{Finding, code};
use crate::intrinsics::plain;
use crate::template::canonical_text;
use crate::unique_names::unique_name;

pub(super) fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut known: BTreeMap<(&str, Vec<String>), Vec<Resource<'_>>> = BTreeMap::new();
    for resource in context.template.resources() {
        let Some((names, values)) = identity(context, resource) else { continue };
        let others = known.entry((resource.type_, values)).or_default();
        let other = others.iter().find(|other| {
            let wanted: Vec<(&str, bool)> =
                [resource.condition(), other.condition()].into_iter().flatten().map(|name| (name, true)).collect();
            wanted.is_empty() || context.is_possible(&wanted)
        });
        if let (Some(other), Some(name)) = (other, names.last()) {
            if is_full(findings) {
                return;
            }
            let shown = resource.properties().and_then(|all| all.get(name)).and_then(plain);
            let shown = shown.map_or_else(String::new, |name| format!(", `{name}`"));
            findings.push(
                finding(
                    code::T215,
                    format!("`{}` has the same `{name}` as `{}`{shown}", resource.logical_id, other.logical_id),
                    &format!("Resources/{}/Properties/{name}", resource.logical_id),
                    None,
                )
                .help(format!("No two resources of `{}` can share it: rename one", resource.type_)),
            );
        }
        others.push(resource);
    }
}

/// The properties that identify a resource, and their values as written; none where the service decides one of them, or
/// where a value is not text.
fn identity(context: &Context<'_>, resource: Resource<'_>) -> Option<(Vec<String>, Vec<String>)> {
    let properties = resource.properties()?;
    let names: Vec<String> = match unique_name(resource.type_) {
        Some(unique) => unique.properties.clone(),
        None => {
            let schema = context.schema(resource.logical_id)?;
            // A custom resource is identified by what its function answers.
            if schema.name() == "AWS::CloudFormation::CustomResource" {
                return None;
            }
            let pointers = schema.primary_identifier();
            let given = |name: &str| !schema.read_only().iter().any(|pointer| pointer.is_at(&[name]));
            if !pointers.iter().all(|pointer| pointer.is_top() && given(pointer.top())) {
                return None;
            }
            pointers.iter().map(|pointer| pointer.top().to_owned()).collect()
        }
    };
    let values: Vec<String> = names
        .iter()
        .map(|name| {
            let value = properties.get(name).filter(|value| presence(value) == Presence::Yes)?;
            match value {
                Value::Object(_) => Some(canonical_text(value)),
                value => plain(value),
            }
        })
        .collect::<Option<_>>()?;
    (!values.is_empty()).then_some((names, values))
}
