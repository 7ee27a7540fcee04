//! A JSON Schema to walk a document along.

use std::sync::OnceLock;

use serde_json::Value;

/// The schema of a spec without its definitions, and each of those by name, sorted; made by `build.rs` from
/// `schemas/usecase.schema.json`.
static LANGUAGE: (&str, &[(&str, &str)]) = include!(concat!(env!("OUT_DIR"), "/language.rs"));

/// A schema whose definitions are read when a document first needs them: a spec uses few of them, and to read all would be a
/// sixth of the time of a check.
#[derive(Debug)]
pub(super) struct LazySchema {
    root: Value,
    definitions: Vec<OnceLock<Value>>,
}

impl LazySchema {
    /// The committed schema of a spec.
    pub(super) fn language() -> &'static LazySchema {
        static LANGUAGE_READ: OnceLock<LazySchema> = OnceLock::new();
        LANGUAGE_READ.get_or_init(|| {
            let (root, definitions) = LANGUAGE;
            LazySchema { root: read(root), definitions: definitions.iter().map(|_| OnceLock::new()).collect() }
        })
    }

    /// A schema that has been read.
    pub(super) fn of(root: Value) -> LazySchema {
        LazySchema { root, definitions: Vec::new() }
    }

    /// The schema of the whole document.
    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// What a schema refers to, or itself.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return schema };
        self.definition(reference).unwrap_or(schema)
    }

    fn definition(&self, reference: &str) -> Option<&Value> {
        if self.definitions.is_empty() {
            return self.root.pointer(reference.strip_prefix('#')?);
        }
        let (_, texts) = LANGUAGE;
        let name = reference.strip_prefix("#/$defs/")?;
        let at = texts.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
        let (_, text) = texts.get(at)?;
        Some(self.definitions.get(at)?.get_or_init(|| read(text)))
    }
}

/// The texts are in the binary and a test reads them all, so the fallback is never seen.
fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn the_parts_are_the_committed_schema() {
        let mut whole: Value =
            serde_json::from_str(include_str!("../../schemas/usecase.schema.json")).expect("the schema is JSON");
        let language = LazySchema::language();
        let definition = |(name, _): &(&str, &str)| {
            let value = language.definition(&format!("#/$defs/{name}")).expect("a definition");
            ((*name).to_owned(), value.clone())
        };
        let definitions: Map<String, Value> = LANGUAGE.1.iter().map(definition).collect();
        assert_eq!(whole["$defs"].take(), Value::Object(definitions));
        whole.as_object_mut().expect("an object").shift_remove("$defs");
        assert_eq!(&whole, language.root());
    }
}
