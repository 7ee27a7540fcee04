//! How many of everything a stack can have: past these counts nothing else about a spec is worth saying.

use super::Rules;
use serde_json::Value;

/// Sections and the most entries of each, by CloudFormation's quotas: 500 resources, 200 parameters, 200 outputs.
const MOST: [(&str, usize); 9] = [
    ("models", 500),
    ("buckets", 500),
    ("layers", 500),
    ("functions", 500),
    ("apis", 500),
    ("parameters", 200),
    ("outputs", 200),
    ("tags", 500),
    ("smoke", 500),
];

/// The most routes of one API: each is a resource or more of the stack.
const MOST_ROUTES: usize = 500;

/// Whether a spec is of a size to look at.
pub(super) fn check(rules: &mut Rules<'_>) -> bool {
    let before = rules.findings.len();
    for (section, most) in MOST {
        let count = match rules.document.get(section) {
            Some(Value::Object(map)) => map.len(),
            Some(Value::Array(items)) => items.len(),
            _ => 0,
        };
        if count > most {
            let message = format!("`{section}` has {count} entries and one stack takes at most {most}");
            rules.error_at_key("S032", &format!("/{section}"), message, "make several use cases of it");
        }
    }
    let spec = rules.spec;
    for (name, api) in spec.apis.iter().filter(|(_, api)| api.routes.len() > MOST_ROUTES) {
        let message =
            format!("`apis.{name}` has {} routes and one stack takes at most {MOST_ROUTES}", api.routes.len());
        rules.error_at_key("S032", &format!("/apis/{name}/routes"), message, "make several use cases of it");
    }
    rules.findings.len() == before
}
