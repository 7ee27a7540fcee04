//! Trees of values whose texts hold references, such as the properties of a raw resource.

use serde_json::{Map, Value};

use super::references::References;
use crate::finding::Finding;
use crate::spec::{Text, escape};

/// A tree with every text turned into what CloudFormation makes of it; `pointer` is its place.
///
/// # Errors
/// The first text that refers to what is not there.
pub(super) fn value(references: &References<'_>, tree: &Value, pointer: &str) -> Result<Value, Finding> {
    Ok(match tree {
        Value::String(text) => references.text(&Text::new(text), pointer)?.value(),
        Value::Array(items) => {
            let items: Result<Vec<Value>, Finding> = items
                .iter()
                .enumerate()
                .map(|(index, item)| value(references, item, &format!("{pointer}/{index}")))
                .collect();
            Value::Array(items?)
        }
        Value::Object(members) => {
            let members: Result<Map<String, Value>, Finding> = members
                .iter()
                .map(|(key, member)| {
                    let value = value(references, member, &format!("{pointer}/{}", escape(key)))?;
                    Ok((key.clone(), value))
                })
                .collect();
            Value::Object(members?)
        }
        plain => plain.clone(),
    })
}
