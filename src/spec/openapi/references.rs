//! Local references: `$ref: "#/components/schemas/Account"`.

use crate::finding::code;
use serde_json::{Map, Value};

use super::{DEEPEST, Reader, Room};
use crate::spec::words::escape;

impl<'a> Reader<'a> {
    /// The value that stands at a place, or that its `$ref` leads to, with the place of that. Nothing when it leads
    /// nowhere: filling the references in tells why.
    pub(super) fn follow(&self, value: &'a Value, pointer: &str) -> Option<(&'a Value, String)> {
        let (mut value, mut pointer) = (value, pointer.to_owned());
        // No description needs more steps; a circle would take any number.
        for _ in 0..16 {
            let Some(reference) = reference_of(value) else { return Some((value, pointer)) };
            let target = reference.strip_prefix('#')?.to_owned();
            value = self.root().pointer(&target)?;
            pointer = target;
        }
        None
    }

    /// The description as JSON on one line, without what only its references needed.
    pub(super) fn payload(&mut self) -> String {
        let Some(root) = self.root().as_object() else { return String::new() };
        let mut room = Room::default();
        let mut whole = Map::new();
        for (key, value) in root {
            if key != "components" {
                let mut open = Vec::new();
                whole.insert(key.clone(), self.filled(value, &format!("/{}", escape(key)), &mut open, 0, &mut room));
            }
        }
        if !room.is_left() {
            self.too_large();
        }
        Value::Object(whole).to_string()
    }

    /// A value with every reference in it filled in; `open` are those it stands inside of.
    fn filled(
        &mut self,
        value: &'a Value,
        pointer: &str,
        open: &mut Vec<&'a str>,
        depth: usize,
        room: &mut Room,
    ) -> Value {
        if !room.take(value) {
            return Value::Null;
        }
        if depth > DEEPEST {
            let message = format!("it nests deeper than {DEEPEST} levels once its references are filled in");
            self.error(code::S194, pointer, message, "describe it more flatly");
            return Value::Null;
        }
        if let Some(reference) = reference_of(value) {
            let at = format!("{pointer}/$ref");
            let Some(target) = reference.strip_prefix('#') else {
                let message = format!("`{reference}` leads out of the file, where an agent cannot follow");
                self.error(code::S193, &at, message, "copy what it names into `components` and refer to it there");
                return Value::Null;
            };
            if open.contains(&reference) {
                let message = format!("`{reference}` holds itself");
                self.error(code::S193, &at, message, "describe it to the depth that is needed, without a circle");
                return Value::Null;
            }
            let Some(found) = self.root().pointer(target) else {
                let message = format!("`{reference}` leads to nothing in this file");
                self.error(code::S195, &at, message, "correct it, or describe what it names under `components`");
                return Value::Null;
            };
            open.push(reference);
            let filled = self.filled(found, target, open, depth + 1, room);
            open.pop();
            return filled;
        }
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.filled(item, &format!("{pointer}/{index}"), open, depth + 1, room))
                .collect(),
            Value::Object(members) => members
                .iter()
                .map(|(key, member)| {
                    (key.clone(), self.filled(member, &format!("{pointer}/{}", escape(key)), open, depth + 1, room))
                })
                .collect(),
            other => other.clone(),
        }
    }
}

/// What a value refers to. A property that is called `$ref` holds a schema, not text.
pub(super) fn reference_of(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}
