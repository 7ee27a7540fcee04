//! What the schema says of a document's values beyond their shape: which texts hold references, which name a component,
//! which name a file. One walk over document and schema finds them all, whatever components the language has.

use serde_json::Value;

use super::lazy_schema::LazySchema;
use super::sections::Section;
use super::text::Text;
use super::words::escape;

/// Everything marked in a document.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Texts that may hold references.
    pub texts: Vec<Marked<Text>>,
    /// Names of components, each with the section it names one of.
    pub names: Vec<Marked<(String, String)>>,
    /// Paths beside the spec.
    pub files: Vec<Marked<FileMark>>,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Marked<T> {
    /// JSON pointer.
    pub pointer: String,
    /// Section and name of the component it belongs to; none at the top of the spec.
    pub owner: Option<(String, String)>,
    /// What stands there.
    pub value: T,
}

/// A path, and what it must be.
#[derive(Debug, Clone)]
pub(super) struct FileMark {
    /// The path as it is written.
    pub path: String,
    /// Whether it must be a folder; else it is a text that is read.
    pub folder: bool,
}

/// Finds what the schema marks in a document.
pub(super) fn marks(document: &Value, schema: &LazySchema) -> Marks {
    let mut walk = MarkWalk { root: schema, marks: Marks::default(), owner: None };
    walk.value(document, schema.root(), "", 0);
    walk.marks
}

struct MarkWalk<'a> {
    root: &'a LazySchema,
    marks: Marks,
    owner: Option<(String, String)>,
}

impl<'a> MarkWalk<'a> {
    fn mark<T>(&self, pointer: &str, value: T) -> Marked<T> {
        Marked { pointer: pointer.to_owned(), owner: self.owner.clone(), value }
    }

    fn value(&mut self, value: &Value, schema: &'a Value, pointer: &str, depth: usize) {
        if let Some(section) = schema.get("x-names").and_then(Value::as_str) {
            self.names(value, section, pointer);
        }
        if let (Some(kind), Some(path)) = (schema.get("x-file").and_then(Value::as_str), value.as_str()) {
            let mark = self.mark(pointer, FileMark { path: path.to_owned(), folder: kind == "folder" });
            self.marks.files.push(mark);
        }
        if schema.get("x-deep-text").is_some() {
            return self.deep(value, pointer);
        }
        let schema = self.root.resolve(schema);
        match value {
            Value::String(text) if schema.get("x-text").is_some() => {
                let mark = self.mark(pointer, Text::new(text));
                self.marks.texts.push(mark);
            }
            Value::Array(items) => {
                let Some(schema) = schema.get("items") else { return };
                for (index, item) in items.iter().enumerate() {
                    self.value(item, schema, &format!("{pointer}/{index}"), depth + 1);
                }
            }
            Value::Object(map) => {
                let one_key = schema.get("oneOf").and_then(Value::as_array);
                for (key, item) in map {
                    let property = |schema: &'a Value| schema.get("properties")?.get(key);
                    let found = property(schema)
                        .or_else(|| one_key.into_iter().flatten().find_map(property))
                        .or_else(|| schema.get("additionalProperties"));
                    let Some(schema) = found else { continue };
                    let section = pointer.trim_start_matches('/');
                    if depth == 0 {
                        self.owner = (key == "network").then(|| (key.clone(), String::new()));
                    } else if depth == 1 && section != "network" {
                        let owns = Section::of(section).is_some() || section == "resources";
                        self.owner = owns.then(|| (section.to_owned(), key.clone()));
                    }
                    self.value(item, schema, &format!("{pointer}/{}", escape(key)), depth + 1);
                }
            }
            _ => {}
        }
    }

    fn names(&mut self, value: &Value, section: &str, pointer: &str) {
        let mut name = |name: &str, pointer: &str| {
            let mark = self.mark(pointer, (section.to_owned(), name.to_owned()));
            self.marks.names.push(mark);
        };
        match value {
            Value::String(text) => name(text, pointer),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(text) = item.as_str() {
                        name(text, &format!("{pointer}/{index}"));
                    }
                }
            }
            Value::Object(map) => {
                for key in map.keys() {
                    name(key, &format!("{pointer}/{}", escape(key)));
                }
            }
            _ => {}
        }
    }

    fn deep(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::String(text) => {
                let mark = self.mark(pointer, Text::new(text));
                self.marks.texts.push(mark);
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.deep(item, &format!("{pointer}/{index}"));
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    self.deep(item, &format!("{pointer}/{}", escape(key)));
                }
            }
            _ => {}
        }
    }
}
