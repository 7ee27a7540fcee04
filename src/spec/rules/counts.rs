//! How many of everything a stack can have: past these counts nothing else about a spec is worth saying.

use super::context::Rules;
use crate::finding::code;
use crate::spec::sections::SECTIONS;
use crate::spec::words::{cut, escape, path};
use serde_json::Value;

/// CloudFormation's quotas: 500 resources, 200 parameters, 200 outputs.
const MOST_RESOURCES: usize = 500;
const MOST_VALUES: usize = 200;

/// The most routes of one API: each is a resource or more of the stack.
const MOST_ROUTES: usize = 500;

/// The most grants of one component: a role's policy has room for a fraction of them.
const MOST_GRANTS: usize = 500;

/// The most entries of any other list or mapping; what AWS takes of most things is far less.
const MOST_ENTRIES: usize = 10_000;

/// The most endpoints of a network; there are fewer services to reach.
const MOST_ENDPOINTS: usize = 200;

/// Whether a spec is of a size to look at.
pub(super) fn check(rules: &mut Rules<'_>) -> bool {
    let before = rules.findings.len();
    let components = SECTIONS.iter().map(|section| section.key).chain(["tags", "smoke", "needs", "resources"]);
    let values = ["parameters", "outputs"].map(|section| (section, MOST_VALUES));
    for (section, most) in components.map(|section| (section, MOST_RESOURCES)).chain(values) {
        let count = match rules.document.get(section) {
            Some(Value::Object(map)) => map.len(),
            Some(Value::Array(items)) => items.len(),
            _ => 0,
        };
        if count > most {
            let message = format!("`{section}` has {count} entries and one stack takes at most {most}");
            rules.error_at_key(code::S032, &format!("/{section}"), message, "make several use cases of it");
        }
    }
    let spec = rules.spec;
    for (name, api) in spec.apis.iter().filter(|(_, api)| api.routes.len() > MOST_ROUTES) {
        let message =
            format!("`apis.{name}` has {} routes and one stack takes at most {MOST_ROUTES}", api.routes.len());
        rules.error_at_key(code::S032, &format!("/apis/{name}/routes"), message, "make several use cases of it");
    }
    let lists = [("functions", "uses"), ("roles", "uses")];
    for (section, key) in lists {
        for (name, component) in rules.document.get(section).and_then(Value::as_object).into_iter().flatten() {
            let count = component.get(key).and_then(Value::as_array).map_or(0, Vec::len);
            if count > MOST_GRANTS {
                let message = format!("`{section}.{}` has {count} grants and takes at most {MOST_GRANTS}", cut(name));
                let help = "grant more at once: a whole bucket, or a prefix of it";
                rules.error_at_key(code::S234, &format!("/{section}/{}/{key}", escape(name)), message, help);
            }
        }
    }
    let endpoints = rules.document.pointer("/network/endpoints").and_then(Value::as_object);
    if let Some(count) = endpoints.map(serde_json::Map::len).filter(|count| *count > MOST_ENDPOINTS) {
        let message = format!("the network has {count} endpoints and takes at most {MOST_ENDPOINTS}");
        rules.error_at_key(code::S234, "/network/endpoints", message, "name the services that are reached from inside");
    }
    if let Some((pointer, count)) = largest(rules.document) {
        let message = format!("`{}` has {count} entries, and {MOST_ENTRIES} are read at most", path(&pointer));
        rules.error_at_key(code::S234, &pointer, message, "keep data in files beside the spec");
    }
    rules.findings.len() == before
}

/// The first list or mapping with too many entries: its pointer within a value, and how many.
fn largest(value: &Value) -> Option<(String, usize)> {
    let count = match value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    if count > MOST_ENTRIES {
        return Some((String::new(), count));
    }
    match value {
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| Some(within(&index.to_string(), largest(item)?)))
        }
        Value::Object(members) => members.iter().find_map(|(key, member)| Some(within(&escape(key), largest(member)?))),
        _ => None,
    }
}

fn within(segment: &str, (pointer, count): (String, usize)) -> (String, usize) {
    (format!("/{segment}{pointer}"), count)
}
