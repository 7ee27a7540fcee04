//! What a value refers to, without evaluating it.

use serde_json::Value;

use super::sub::{Piece, pieces};

/// How a value refers to something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceKind {
    /// `Ref`, or `${Name}` in `Fn::Sub`.
    Ref,
    /// `Fn::GetAtt`, or `${Name.Attribute}` in `Fn::Sub`, with the attribute; empty when the attribute is computed.
    Attribute(String),
}

/// One reference to a parameter, a resource or a pseudo parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The name it refers to.
    pub name: String,
    /// How.
    pub kind: ReferenceKind,
    /// Where it stands in the template.
    pub path: String,
    /// Whether it stands in the text of an `Fn::Sub`.
    pub in_sub: bool,
}

/// All references in a value, in order; `path` is where the value stands in the template.
pub fn references(value: &Value, path: &str) -> Vec<Reference> {
    references_if(value, path, &|_| None)
}

/// The references in a value that count when conditions are known: of an `Fn::If` whose condition `decide` knows, only
/// the branch taken.
pub fn references_if(value: &Value, path: &str, decide: &dyn Fn(&str) -> Option<bool>) -> Vec<Reference> {
    let mut walk = ReferenceWalk { found: Vec::new(), decide, path: path.to_owned() };
    walk.value(value);
    walk.found
}

struct ReferenceWalk<'a> {
    found: Vec<Reference>,
    decide: &'a dyn Fn(&str) -> Option<bool>,
    path: String,
}

impl ReferenceWalk<'_> {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(&index.to_string(), |walk| walk.value(item));
                }
            }
            Value::Object(map) => {
                let mut entries = map.iter();
                if let (Some((key, argument)), None) = (entries.next(), entries.next()) {
                    self.below(key, |walk| walk.single(key, argument));
                } else {
                    for (key, item) in map {
                        self.below(key, |walk| walk.value(item));
                    }
                }
            }
            _ => {}
        }
    }

    /// An object with one key, which may be an intrinsic function.
    fn single(&mut self, key: &str, argument: &Value) {
        match (key, argument) {
            ("Ref", Value::String(name)) => self.push(name, ReferenceKind::Ref, false),
            ("Fn::GetAtt", Value::String(text)) => {
                if let Some((name, attribute)) = text.split_once('.') {
                    self.push(name, ReferenceKind::Attribute(attribute.to_owned()), false);
                }
            }
            ("Fn::GetAtt", Value::Array(parts)) => {
                if let Some(Value::String(name)) = parts.first() {
                    let attribute = parts.get(1).and_then(Value::as_str).unwrap_or_default();
                    self.push(name, ReferenceKind::Attribute(attribute.to_owned()), false);
                }
                for (index, part) in parts.iter().enumerate().skip(1) {
                    self.below(&index.to_string(), |walk| walk.value(part));
                }
            }
            ("Fn::Sub", Value::String(text)) => self.sub(text, None),
            ("Fn::Sub", Value::Array(parts)) => {
                let variables = parts.get(1).and_then(Value::as_object);
                if let Some(Value::String(text)) = parts.first() {
                    self.sub(text, variables);
                }
                for (name, item) in variables.into_iter().flatten() {
                    self.below("1", |walk| walk.below(name, |walk| walk.value(item)));
                }
            }
            ("Fn::If", Value::Array(parts)) => {
                let taken = parts.first().and_then(Value::as_str).and_then(|name| (self.decide)(name));
                for (index, part) in parts.iter().enumerate().skip(1) {
                    let counts = match taken {
                        Some(true) => index == 1,
                        Some(false) => index == 2,
                        None => true,
                    };
                    if counts {
                        self.below(&index.to_string(), |walk| walk.value(part));
                    }
                }
            }
            _ => self.value(argument),
        }
    }

    fn sub(&mut self, text: &str, variables: Option<&serde_json::Map<String, Value>>) {
        for piece in pieces(text).unwrap_or_default() {
            let Piece::Variable(name) = piece else { continue };
            if variables.is_some_and(|variables| variables.contains_key(name)) {
                continue;
            }
            match name.split_once('.') {
                Some((name, attribute)) => self.push(name, ReferenceKind::Attribute(attribute.to_owned()), true),
                None => self.push(name, ReferenceKind::Ref, true),
            }
        }
    }

    fn push(&mut self, name: &str, kind: ReferenceKind, in_sub: bool) {
        self.found.push(Reference { name: name.to_owned(), kind, path: self.path.clone(), in_sub });
    }

    fn below(&mut self, key: &str, go: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(key);
        go(self);
        self.path.truncate(length);
    }
}
