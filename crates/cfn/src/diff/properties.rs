//! Two sets of properties compared, and which of the differences need a new resource.

use serde::Serialize;
use serde_json::Value;

use super::replacing;
use crate::ResourceSchema;
use crate::intrinsics::plain;
use crate::schema::Pointer;

/// Whether a change needs a new resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Recreation {
    /// It is made in place.
    Never,
    /// It depends on the values.
    Conditionally,
    /// It can't be made in place.
    Always,
}

/// One difference between two sets of properties.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyChange {
    /// Where: names and list indices.
    pub path: Vec<String>,
    /// The value before, when there was one.
    pub before: Option<Value>,
    /// The value after, when there is one.
    pub after: Option<Value>,
    /// Whether the change needs a new resource.
    pub recreation: Recreation,
}

impl PropertyChange {
    /// The top-level property it is in.
    pub fn top(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }
}

/// Every difference between two sets of resolved properties, as deep as both sides have the same shape. Texts and the
/// numbers and truth values they stand for are equal, as they are for CloudFormation.
pub fn compare(schema: Option<&ResourceSchema>, before: &Value, after: &Value) -> Vec<PropertyChange> {
    let mut found = Vec::new();
    walk(&mut Vec::new(), Some(before), Some(after), &mut found);
    if let Some(schema) = schema {
        for change in &mut found {
            change.recreation = recreation(schema, change, before, after);
        }
    }
    found
}

fn walk(path: &mut Vec<String>, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<PropertyChange>) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for (key, item) in old {
                path.push(key.clone());
                walk(path, Some(item), new.get(key), found);
                path.pop();
            }
            for (key, item) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                path.push(key.clone());
                walk(path, None, Some(item), found);
                path.pop();
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                path.push(index.to_string());
                walk(path, old.get(index), new.get(index), found);
                path.pop();
            }
        }
        (before, after) if !same(before, after) => found.push(PropertyChange {
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            recreation: Recreation::Never,
        }),
        _ => {}
    }
}

fn same(before: Option<&Value>, after: Option<&Value>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => {
            before == after || plain(before).is_some_and(|text| plain(after).is_some_and(|other| text == other))
        }
        (None, None) => true,
        _ => false,
    }
}

fn recreation(schema: &ResourceSchema, change: &PropertyChange, before: &Value, after: &Value) -> Recreation {
    let differs = |pointer: &Pointer| match meets(pointer, &change.path) {
        Meets::Not => false,
        Meets::Holds => true,
        // Within what was added or removed as a whole it counts when something is there on either side.
        Meets::Deeper => pointer.find(before) != pointer.find(after),
    };
    let tags = schema.tags().filter(|_| schema.tags_create_only());
    if schema.create_only().iter().chain(tags).any(differs)
        || replacing::replaces(schema.name(), change.top(), before, after)
    {
        Recreation::Always
    } else if schema.conditional_create_only().iter().any(differs) {
        Recreation::Conditionally
    } else {
        Recreation::Never
    }
}

/// How a pointer lies to the place of a change.
enum Meets {
    /// Elsewhere.
    Not,
    /// The change is there or within.
    Holds,
    /// It points to something within what changes.
    Deeper,
}

fn meets(pointer: &Pointer, path: &[String]) -> Meets {
    let mut path = path.iter();
    for own in pointer.parts() {
        loop {
            match path.next() {
                None => return Meets::Deeper,
                Some(part) if own == "*" || own == part => break,
                // Some schemas name the property of a list's entries without the `*`.
                Some(part) if part.bytes().all(|byte| byte.is_ascii_digit()) => {}
                Some(_) => return Meets::Not,
            }
        }
    }
    Meets::Holds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lies(pointer: &str, path: &str) -> &'static str {
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        match meets(&Pointer::new(pointer), &path) {
            Meets::Not => "not",
            Meets::Holds => "holds",
            Meets::Deeper => "deeper",
        }
    }

    #[test]
    fn a_pointer_meets_a_change_also_through_lists_it_does_not_mention() {
        assert_eq!(lies("Name", "Name"), "holds");
        assert_eq!(lies("Disks/*/Size", "Disks/1/Size"), "holds");
        assert_eq!(lies("Disks/Size", "Disks/1/Size"), "holds");
        assert_eq!(lies("Disks/Size", "Disks/1/Name"), "not");
        assert_eq!(lies("Disks/*/Size", "Disks/1"), "deeper");
        assert_eq!(lies("Disks/Size", "Disks/1"), "deeper");
        assert_eq!(lies("Disks", "Name"), "not");
    }
}
