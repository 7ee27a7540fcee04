//! Values of a template and how Java prints them.
//!
//! Lists and maps live in one [`Heap`] and values only name them: a template may put a list into itself, and nothing it
//! builds is ever taken apart recursively.

use serde_json::{Map, Number, Value as Json};

use super::input::MAX_OUTPUT;

/// How deep a list or map may nest when it is printed or told as JSON.
const MAX_DEPTH: usize = 64;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    /// What a path or a property does not find, or finds to be null: it writes nothing, and equals both null and the empty
    /// text. Source: answers of AWS that localstack/localstack recorded (2026-03, `test_input_path_template_formatting`).
    Nothing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A list in the heap.
    List(usize),
    /// A map in the heap.
    Map(usize),
    /// `$input`.
    Input,
    /// `$util`.
    Util,
}

impl Value {
    /// The bytes that a copy of it takes beyond a few.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            _ => 0,
        }
    }
}

/// A list.
#[derive(Debug, Default)]
pub(super) struct List {
    pub items: Vec<Value>,
    /// Whether it came from JSON: such a list prints as JSON, any other as Java's lists do.
    pub json: bool,
}

/// Every list and map of one rendering.
#[derive(Debug, Default)]
pub(super) struct Heap {
    lists: Vec<List>,
    maps: Vec<Vec<(String, Value)>>,
}

impl Heap {
    pub fn list(&mut self, items: Vec<Value>) -> Value {
        self.lists.push(List { items, json: false });
        Value::List(self.lists.len() - 1)
    }

    pub fn map(&mut self, entries: Vec<(String, Value)>) -> Value {
        self.maps.push(entries);
        Value::Map(self.maps.len() - 1)
    }

    pub fn items(&self, list: usize) -> &[Value] {
        self.lists.get(list).map_or(&[], |list| &list.items)
    }

    pub fn items_mut(&mut self, list: usize) -> Option<&mut Vec<Value>> {
        self.lists.get_mut(list).map(|list| &mut list.items)
    }

    pub fn entries(&self, map: usize) -> &[(String, Value)] {
        self.maps.get(map).map_or(&[], Vec::as_slice)
    }

    pub fn get(&self, map: usize, key: &str) -> Option<&Value> {
        self.entries(map).iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// Sets a key and gives what it was.
    pub fn put(&mut self, map: usize, key: &str, value: Value) -> Value {
        let Some(entries) = self.maps.get_mut(map) else { return Value::Null };
        match entries.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => std::mem::replace(old, value),
            None => {
                entries.push((key.to_owned(), value));
                Value::Null
            }
        }
    }

    pub fn remove(&mut self, map: usize, key: &str) -> Value {
        let Some(entries) = self.maps.get_mut(map) else { return Value::Null };
        match entries.iter().position(|(known, _)| known == key) {
            Some(at) => entries.remove(at).1,
            None => Value::Null,
        }
    }

    /// A JSON value as a template sees it.
    pub fn take(&mut self, json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => {
                let items = items.iter().map(|item| self.take(item)).collect();
                self.lists.push(List { items, json: true });
                Value::List(self.lists.len() - 1)
            }
            Json::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), self.take(value))).collect();
                self.map(entries)
            }
        }
    }

    /// A value as JSON; nothing when it nests too deep (as one that holds itself does).
    pub fn json(&self, value: &Value) -> Option<Json> {
        self.json_at(value, 0, &mut MAX_JSON.to_owned())
    }

    fn json_at(&self, value: &Value, depth: usize, left: &mut usize) -> Option<Json> {
        *left = left.checked_sub(NODE.saturating_add(value.size()))?;
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match value {
            Value::Null | Value::Nothing => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Int(whole) => Json::from(*whole),
            Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(list) => {
                let items = self.items(*list).iter().map(|item| self.json_at(item, depth + 1, left));
                Json::Array(items.collect::<Option<_>>()?)
            }
            Value::Map(map) => {
                let mut object = Map::new();
                for (key, value) in self.entries(*map) {
                    object.insert(key.clone(), self.json_at(value, depth + 1, left)?);
                }
                Json::Object(object)
            }
            Value::Input => Json::String("$input".to_owned()),
            Value::Util => Json::String("$util".to_owned()),
        })
    }

    /// A value as Java's `toString` gives it; nothing when it nests too deep or grows beyond `room` bytes.
    pub fn print(&self, value: &Value, room: usize) -> Option<String> {
        let mut out = String::new();
        self.print_to(&mut out, value, 0, room)?;
        Some(out)
    }

    fn print_to(&self, out: &mut String, value: &Value, depth: usize, room: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match value {
            Value::Null => out.push_str("null"),
            Value::Nothing => {}
            Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::Int(whole) => out.push_str(&whole.to_string()),
            Value::Float(number) => out.push_str(&float(*number)),
            Value::Text(text) => out.push_str(text),
            Value::List(list) if self.lists.get(*list).is_some_and(|list| list.json) => {
                out.push_str(&self.json(value)?.to_string());
            }
            Value::List(list) => {
                out.push('[');
                for (index, item) in self.items(*list).iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    self.print_to(out, item, depth + 1, room)?;
                }
                out.push(']');
            }
            Value::Map(map) => {
                out.push('{');
                for (index, (key, item)) in self.entries(*map).iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    out.push_str(key);
                    out.push('=');
                    self.print_to(out, item, depth + 1, room)?;
                }
                out.push('}');
            }
            Value::Input => out.push_str("$input"),
            Value::Util => out.push_str("$util"),
        }
        (out.len() <= room).then_some(())
    }
}

/// How large a list or map may be in all when it is told as JSON, in bytes: one that holds itself twice at every level would
/// be endless work long before it is too deep.
const MAX_JSON: usize = 2 * MAX_OUTPUT;

/// What a value counts for beside its text, in bytes.
const NODE: usize = 16;

/// A fraction as Java's `Double` prints it, as far as its range of plain notation goes.
fn float(number: f64) -> String {
    if number.is_finite() && number != 0.0 && !(1e-3..1e7).contains(&number.abs()) {
        let text = format!("{number:E}");
        return match text.split_once('E') {
            Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
            _ => text,
        };
    }
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{number:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::float;

    #[test]
    fn fractions_print_as_in_java() {
        for (number, text) in [(1.5, "1.5"), (2.0, "2.0"), (1e7, "1.0E7"), (1.25e-4, "1.25E-4"), (0.0, "0.0")] {
            assert_eq!(float(number), text);
        }
    }
}
