//! CloudFormation resources that the spec gives as they are.

use serde_json::{Map, Value, json};

use crate::finding::Finding;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::references::{Kind, References, no_grant};
use crate::render::tree;
use crate::spec::{RawResource, escape};

/// Raw resources.
pub(super) const KIND: Kind = Kind {
    section: "resources",
    add: |assembly, references| {
        for (id, resource) in &references.spec().resources {
            let pointer = format!("/resources/{}", escape(id));
            let Some(resource) = assembly.keep(value(references, resource, &pointer)) else { continue };
            // It stands in the spec as it does in the template.
            assembly.add("resource", PartialData::new(pointer).made("id", id).said("resource", "", resource));
        }
    },
    attribute: |_, id, attribute| {
        Some(match attribute {
            "" => Expression::reference(id),
            attribute => Expression::attribute(id, attribute),
        })
    },
    grant: no_grant,
};

fn value(references: &References<'_>, resource: &RawResource, pointer: &str) -> Result<Value, Finding> {
    let mut body = Map::new();
    body.insert("Type".to_owned(), json!(resource.type_));
    let policies = [
        ("Condition", &resource.condition),
        ("DeletionPolicy", &resource.deletion_policy),
        ("UpdateReplacePolicy", &resource.update_replace_policy),
    ];
    if !resource.depends_on.is_empty() {
        body.insert("DependsOn".to_owned(), json!(resource.depends_on));
    }
    for (key, text) in policies {
        if let Some(text) = text {
            body.insert(key.to_owned(), json!(text));
        }
    }
    let trees = [
        ("CreationPolicy", &resource.creation_policy),
        ("UpdatePolicy", &resource.update_policy),
        ("Metadata", &resource.metadata),
        ("Properties", &resource.properties),
    ];
    for (key, content) in trees {
        if let Some(content) = content {
            body.insert(key.to_owned(), tree::value(references, &content.0, &format!("{pointer}/{key}"))?);
        }
    }
    Ok(Value::Object(body))
}
