//! Whether the properties of a resource are such as its provider takes.

use rusqlite::Connection;
use serde_json::Value;

use super::tables::{self, Sql};
use crate::resources::{invented_values, provider};

/// What is wrong with resolved properties, as the provider framework words it.
///
/// The ids and attributes of other resources are invented where no format of them is known, and AWS's own may well have
/// the length and the form that a property asks for: a text with such a value in it is not held to them.
pub fn errors(db: &Connection, region: &str, resource_type: &str, properties: &Value) -> Sql<Vec<String>> {
    let errors = provider::property_errors(resource_type, properties);
    if errors.is_empty() {
        return Ok(errors);
    }
    let mut invented = Vec::new();
    for thing in tables::resources_of_region(db, region)?.into_iter().filter_map(|row| row.physical) {
        invented.extend(invented_values(&thing.resource_type, &thing.id, &thing.properties, &thing.attributes));
    }
    let excused = |text: &str| invented.iter().any(|value| text.contains(value.as_str()));
    Ok(provider::property_errors_but(resource_type, properties, &excused))
}
