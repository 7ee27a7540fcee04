//! How many of everything a stack can have: past these counts nothing else about a spec is worth saying.

use super::Rules;
use crate::spec::sections::SECTIONS;
use serde_json::Value;

/// CloudFormation's quotas: 500 resources, 200 parameters, 200 outputs.
const MOST_RESOURCES: usize = 500;
const MOST_VALUES: usize = 200;

/// The most routes of one API: each is a resource or more of the stack.
const MOST_ROUTES: usize = 500;

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
