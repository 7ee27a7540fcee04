//! The shape of a document against its JSON Schema: every unknown key, missing key and wrong type in one walk, in an
//! author's words. The schema is generated from the types, so what passes here decodes.

use serde_json::Value;

use super::lazy_schema::LazySchema;
use super::words::{cut, escape, found, nearest, path, suggest};
use crate::finding::{Code, Finding, Place};
use crate::yaml::Positions;

/// The codes of a kind of document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes {
    /// An unknown key.
    pub unknown: Code,
    /// A missing key.
    pub missing: Code,
    /// A value of the wrong kind.
    pub kind: Code,
    /// A value that is none of those allowed.
    pub choice: Code,
}

/// How many findings about one document are worth telling.
pub(super) const MOST_FINDINGS: usize = 100;

/// Findings about the shape of a document, and where it is broken.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub findings: Vec<Finding>,
    /// Pointers of values that will not decode.
    pub broken: Vec<String>,
}

/// Compares a document with a schema.
pub(super) fn compare(document: &Value, schema: &LazySchema, positions: &Positions, file: &str, codes: Codes) -> Shape {
    let mut walk = ShapeWalk { root: schema, positions, file, codes, shape: Shape::default() };
    walk.value(document, schema.root(), "");
    walk.shape
}

struct ShapeWalk<'a> {
    root: &'a LazySchema,
    positions: &'a Positions,
    file: &'a str,
    codes: Codes,
    shape: Shape,
}

impl<'a> ShapeWalk<'a> {
    fn place(&self, at: Option<(usize, usize)>) -> Option<Place> {
        at.map(|(line, column)| Place { file: self.file.to_owned(), line, column })
    }

    fn is_full(&self) -> bool {
        self.shape.findings.len() >= MOST_FINDINGS
    }

    fn report(&mut self, code: Code, pointer: &str, at_key: bool, message: String, help: String) {
        if self.is_full() {
            return;
        }
        let at = if at_key { self.positions.key_at(pointer) } else { self.positions.at(pointer) };
        let finding = Finding::error(code, message).at(self.place(at));
        self.shape.findings.push(if help.is_empty() { finding } else { finding.help(help) });
        self.shape.broken.push(pointer.to_owned());
    }

    fn value(&mut self, value: &Value, schema: &'a Value, pointer: &str) {
        if self.is_full() {
            return;
        }
        let said = schema.get("description").and_then(Value::as_str);
        let schema = self.root.resolve(schema);
        let kind = schema.get("type").and_then(Value::as_str);
        match (kind, schema.get("oneOf").and_then(Value::as_array)) {
            (None, Some(options)) if options.iter().all(|option| option.get("const").is_some()) => {
                self.choice(value, options, pointer);
            }
            (None, Some(options)) => self.one_key(value, options, pointer),
            (Some("object"), _) => self.object(value, schema, pointer),
            (Some("array"), _) => match value.as_array() {
                Some(items) => {
                    let Some(schema) = schema.get("items") else { return };
                    for (index, item) in items.iter().enumerate() {
                        self.value(item, schema, &format!("{pointer}/{index}"));
                    }
                }
                None => self.wrong(value, "a list", said, pointer),
            },
            (Some("string"), _) => self.text(value, schema, said, pointer),
            (Some("integer"), _) => {
                let most = match schema.get("format").and_then(Value::as_str) {
                    Some("uint16") => u64::from(u16::MAX),
                    _ => u64::from(u32::MAX),
                };
                if value.as_u64().is_none_or(|number| number > most) {
                    self.wrong(value, "a whole number", said, pointer);
                }
            }
            (Some("number"), _) if !value.is_number() => self.wrong(value, "a number", said, pointer),
            (Some("boolean"), _) if !value.is_boolean() => self.wrong(value, "`true` or `false`", said, pointer),
            (None, None) => {
                if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
                    self.any_of(value, options, said, pointer);
                }
            }
            _ => {}
        }
    }

    /// A value of one of several kinds, such as a text or a list of texts.
    fn any_of(&mut self, value: &Value, options: &'a [Value], said: Option<&str>, pointer: &str) {
        let options: Vec<(&str, &'a Value)> = options
            .iter()
            .map(|option| self.root.resolve(option))
            .filter_map(|option| Some((option.get("type")?.as_str()?, option)))
            .collect();
        let of = |kind: &str| match kind {
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            _ => value.is_null(),
        };
        if let Some((_, schema)) = options.iter().find(|(kind, _)| of(kind)) {
            return self.value(value, schema, pointer);
        }
        let words: Vec<&str> = options
            .iter()
            .filter_map(|(kind, _)| match *kind {
                "string" => Some("text"),
                "array" => Some("a list"),
                "object" => Some("a mapping"),
                "number" => Some("a number"),
                "boolean" => Some("`true` or `false`"),
                _ => None,
            })
            .collect();
        let wanted = match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => return,
        };
        self.wrong(value, &wanted, said, pointer);
    }

    fn text(&mut self, value: &Value, schema: &Value, said: Option<&str>, pointer: &str) {
        let example = schema.get("examples").and_then(|list| list.get(0)).and_then(Value::as_str);
        let unit = schema.get("x-unit").and_then(Value::as_str);
        match (value.as_str(), unit, example) {
            (None, Some(unit), Some(example)) => {
                // A bare number most likely lacks the unit the example ends in.
                let said = value
                    .as_u64()
                    .map(|number| format!("write `{number}{}`", example.get(1..).map_or("", last_letter)));
                self.wrong(value, &format!("{unit} such as `{example}`"), said.as_deref(), pointer);
            }
            (None, ..) => self.wrong(value, "text", said, pointer),
            (Some(text), Some(unit), Some(example)) if !super::values::has_unit(text, schema) => {
                let message =
                    format!("`{}` takes {unit} such as `{example}`, and this is `{}`", path(pointer), cut(text));
                self.report(self.codes.kind, pointer, false, message, String::new());
            }
            _ => {}
        }
    }

    fn wrong(&mut self, value: &Value, wanted: &str, said: Option<&str>, pointer: &str) {
        if value.is_null() {
            let message = format!("`{}` has no value; it takes {wanted}", path(pointer));
            let empty = match wanted {
                "a mapping" => "; `{}` is an empty one",
                "a list" => "; `[]` is an empty one",
                _ => "",
            };
            let help = format!("give it a value or remove the key{empty}");
            return self.report(self.codes.kind, pointer, true, message, help);
        }
        let named = if pointer.is_empty() { "the document".to_owned() } else { format!("`{}`", path(pointer)) };
        let message = format!("{named} takes {wanted}, and this is {}", found(value));
        let help = match (wanted, value) {
            ("text", Value::Number(_) | Value::Bool(_)) => format!("put it in quotes: `\"{value}\"`"),
            ("a list", Value::String(text)) => format!("write it as a list: `[{}]`", cut(text)),
            ("a list", Value::Object(_)) => "put a `-` before each of its entries".to_owned(),
            ("a mapping", Value::Array(_)) => "write `name: …` entries without a `-` before them".to_owned(),
            _ => match said {
                Some(said) if said.starts_with("write ") => said.to_owned(),
                Some(said) => format!("it is: {}", lower(said)),
                None => String::new(),
            },
        };
        self.report(self.codes.kind, pointer, false, message, help);
    }

    /// One of a few words.
    fn choice(&mut self, value: &Value, options: &[Value], pointer: &str) {
        let names: Vec<&str> = options.iter().filter_map(|option| option.get("const")?.as_str()).collect();
        let help = |word: &str| suggest(word, names.iter().copied(), "it is one of");
        match value.as_str() {
            Some(text) if names.contains(&text) => {}
            Some(text) => {
                let message = format!("`{}` cannot be `{}`", path(pointer), cut(text));
                self.report(self.codes.choice, pointer, false, message, help(text));
            }
            None => {
                let message = format!("`{}` takes a word, and this is {}", path(pointer), found(value));
                self.report(self.codes.kind, pointer, value.is_null(), message, help(""));
            }
        }
    }

    /// A mapping with one key of a few, such as a grant.
    fn one_key(&mut self, value: &Value, options: &'a [Value], pointer: &str) {
        let schemas: Vec<(&str, &'a Value)> = options
            .iter()
            .filter_map(|option| option.get("properties")?.as_object()?.iter().next())
            .map(|(key, schema)| (key.as_str(), schema))
            .collect();
        let names = || schemas.iter().map(|(key, _)| *key);
        let Some(map) = value.as_object() else {
            let message = format!("`{}` takes one `key: value`, and this is {}", path(pointer), found(value));
            return self.report(self.codes.kind, pointer, false, message, suggest("", names(), "the key is one of"));
        };
        for (key, item) in map {
            let inner = format!("{pointer}/{}", escape(key));
            match schemas.iter().find(|(name, _)| name == key) {
                Some((_, schema)) => self.value(item, schema, &inner),
                None => self.unknown(key, names().collect(), pointer),
            }
        }
        if map.len() != 1 {
            let message = format!("`{}` takes exactly one key, and this has {}", path(pointer), map.len());
            self.report(self.codes.kind, pointer, false, message, "start each entry with its own `-`".to_owned());
        }
    }

    fn unknown(&mut self, key: &str, known: Vec<&str>, pointer: &str) {
        if self.is_full() {
            return;
        }
        let owner = if pointer.is_empty() { "a spec".to_owned() } else { format!("`{}`", path(pointer)) };
        let owner = if pointer.is_empty() && self.codes.unknown.as_str().starts_with('P') {
            "a project file".to_owned()
        } else {
            owner
        };
        let message = format!("`{}` is not a key of {owner}", cut(key));
        let help = match nearest(key, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => suggest(key, known, "its keys are"),
        };
        self.report(self.codes.unknown, &format!("{pointer}/{}", escape(key)), true, message, help);
    }

    fn object(&mut self, value: &Value, schema: &'a Value, pointer: &str) {
        let Some(map) = value.as_object() else { return self.wrong(value, "a mapping", None, pointer) };
        let properties = schema.get("properties").and_then(Value::as_object);
        let rest = schema.get("additionalProperties").filter(|rest| rest.is_object());
        // A tree of another language, such as a JSON Schema: every key may stand there.
        let free = schema.get("additionalProperties") == Some(&Value::Bool(true));
        // What follows a route or another one-key entry belongs under it: the commonest slip of indentation.
        if schema.get("maxProperties") == Some(&Value::from(1)) && map.len() > 1 {
            let first = map.iter().next().filter(|(_, item)| item.is_null()).map(|(key, _)| cut(key));
            let message = format!("`{}` takes exactly one key, and this has {}", path(pointer), map.len());
            let help = match first {
                Some(key) => format!("indent what belongs under `{key}` by two more spaces"),
                None => "start each entry with its own `-`".to_owned(),
            };
            return self.report(self.codes.kind, pointer, false, message, help);
        }
        for (key, item) in map {
            let inner = format!("{pointer}/{}", escape(key));
            match properties.and_then(|all| all.get(key)).or(rest) {
                Some(schema) => self.value(item, schema, &inner),
                None if free => {}
                None => {
                    let known = properties.map(|all| all.keys().map(String::as_str).collect()).unwrap_or_default();
                    self.unknown(key, known, pointer);
                }
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for key in required.into_iter().flatten().filter_map(Value::as_str).filter(|key| !map.contains_key(*key)) {
            let said = properties.and_then(|all| all.get(key)?.get("description")?.as_str()).unwrap_or_default();
            let owner = if pointer.is_empty() { "the document".to_owned() } else { format!("`{}`", path(pointer)) };
            let message = format!("{owner} has no `{key}`");
            let only = properties.and_then(|all| all.get(key)?.get("const"));
            let help = match only {
                Some(only) => format!("add `{key}: {only}`"),
                None => format!("add `{key}`: {}", lower(said)),
            };
            self.report(self.codes.missing, pointer, true, message, help);
        }
    }
}

/// A description as the tail of a sentence.
fn lower(said: &str) -> String {
    let said = said.trim_end_matches('.');
    let mut words = said.chars();
    match (words.next(), words.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(said.chars().skip(1)).collect()
        }
        _ => said.to_owned(),
    }
}

/// The unit a value such as `60s` ends in.
fn last_letter(text: &str) -> &str {
    text.char_indices().next_back().and_then(|(at, _)| text.get(at..)).unwrap_or_default()
}
