//! The stack's tags on the stack's resources.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::ResourceSchema;
use crate::schema::Types;

/// The top-level property that holds a type's tags, and whether it is a mapping rather than a list of keys and values.
fn tag_property(schema: &ResourceSchema) -> Option<(&str, bool)> {
    let [name] = schema.tags()?.parts() else { return None };
    let shape = schema.property(name)?;
    Some((name, !shape.types.is_any() && shape.types.has(Types::OBJECT)))
}

/// Properties with the stack's tags added where the type takes tags; a resource's own tag wins.
pub fn with_stack_tags(
    schema: Option<&ResourceSchema>,
    mut properties: Value,
    tags: &BTreeMap<String, String>,
) -> Value {
    let property = schema.filter(|_| !tags.is_empty()).and_then(tag_property);
    let (Some((name, mapping)), Some(all)) = (property, properties.as_object_mut()) else { return properties };
    if mapping {
        let own = all.entry(name).or_insert_with(|| Value::Object(Map::new()));
        if let Some(own) = own.as_object_mut() {
            for (key, value) in tags {
                own.entry(key.clone()).or_insert_with(|| json!(value));
            }
        }
    } else {
        let own = all.entry(name).or_insert_with(|| json!([]));
        if let Some(own) = own.as_array_mut() {
            for (key, value) in tags {
                if !own.iter().any(|other| other.get("Key").and_then(Value::as_str) == Some(key.as_str())) {
                    own.push(json!({"Key": key, "Value": value}));
                }
            }
        }
    }
    properties
}
