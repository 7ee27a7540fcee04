//! Methods of texts, lists, maps and numbers: those of Java's that templates use.

use super::evaluate::{Evaluator, found};
use super::input::{MAX_OUTPUT, VelocityError};
use super::java_regex;
use super::value::Value;

/// What goes wrong inside a method.
pub(super) type Called = Result<Value, String>;

impl Evaluator<'_> {
    /// Calls a method.
    pub(super) fn method(
        &mut self,
        value: &Value,
        name: &str,
        arguments: &[Value],
        line: usize,
    ) -> Result<Value, VelocityError> {
        let fail = |message: String| VelocityError::new(line, message);
        let called = match (value, name) {
            (Value::Input, _) => return self.input_method(name, arguments, line),
            (Value::Util, _) => return self.util_method(name, arguments, line),
            (_, "toString") => Ok(Value::Text(self.print(value, line)?)),
            (_, "equals") => {
                let other = arguments.first().cloned().unwrap_or(Value::Null);
                // Java's `equals` of two kinds is false.
                let same_kind = std::mem::discriminant(value) == std::mem::discriminant(&other);
                Ok(Value::Bool(same_kind && self.equal(value, &other, line)?))
            }
            (Value::Text(text), _) => self.text_method(text, name, arguments, line)?,
            (Value::List(list), _) => self.list_method(*list, name, arguments, line)?,
            (Value::Map(map), _) => self.map_method(*map, name, arguments, line)?,
            (Value::Int(_) | Value::Float(_), _) => number_method(value, name).ok_or_else(|| unknown(name, "a number")),
            (Value::Bool(_) | Value::Null | Value::Nothing, _) => Err(unknown(name, "a truth value")),
        };
        let made = called.map_err(fail)?;
        if let Value::Text(text) = &made {
            self.charge(text.len(), line)?;
        }
        Ok(made)
    }

    /// The arguments of a text's method as texts.
    fn texts(&mut self, arguments: &[Value], line: usize) -> Result<Vec<String>, VelocityError> {
        arguments.iter().map(|argument| self.print(argument, line)).collect()
    }

    fn text_method(
        &mut self,
        text: &str,
        name: &str,
        arguments: &[Value],
        line: usize,
    ) -> Result<Called, VelocityError> {
        let texts = self.texts(arguments, line)?;
        // Regular expressions are read anew each time, and go over a text more than once.
        let (times, more) = match name {
            "replaceAll" | "replaceFirst" | "matches" | "split" => (8, 20_000),
            _ => (1, 0),
        };
        self.labour(text.len().saturating_mul(times).saturating_add(more), line)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let flag = |flag: bool| Ok(Value::Bool(flag));
        let word = |text: String| Ok(Value::Text(text));
        // A text may grow by every fit; what it may grow to is bounded before it is made.
        let fits = |parts: usize, each: usize| {
            if parts.saturating_mul(each).saturating_add(text.len()) > MAX_OUTPUT {
                Err("a text grows too large".to_owned())
            } else {
                Ok(())
            }
        };
        Ok(match (name, &*texts) {
            ("length", []) => Ok(length(text)),
            ("isEmpty", []) => flag(text.is_empty()),
            ("trim", []) => word(text.trim_matches(|c: char| c <= ' ').to_owned()),
            ("toLowerCase", []) => word(text.to_lowercase()),
            ("toUpperCase", []) => word(text.to_uppercase()),
            ("contains", [part]) => flag(text.contains(part)),
            ("startsWith", [part]) => flag(text.starts_with(part)),
            ("endsWith", [part]) => flag(text.ends_with(part)),
            ("equalsIgnoreCase", [other]) => flag(text.to_lowercase() == other.to_lowercase()),
            ("concat", [other]) => fits(1, other.len()).map(|()| Value::Text(format!("{text}{other}"))),
            ("indexOf", [part]) => Ok(place(text, text.find(part))),
            ("lastIndexOf", [part]) => Ok(place(text, text.rfind(part))),
            ("replace", [from, to]) => {
                fits(text.matches(from).count(), to.len()).map(|()| Value::Text(text.replace(from, to)))
            }
            ("replaceAll", [from, to]) => java_regex::replace(from, text, to, false, MAX_OUTPUT).map(Value::Text),
            ("replaceFirst", [from, to]) => java_regex::replace(from, text, to, true, MAX_OUTPUT).map(Value::Text),
            ("matches", [pattern]) => java_regex::matches_whole(pattern, text).map(Value::Bool),
            ("split", [pattern]) => match java_regex::split(pattern, text) {
                Ok(parts) => {
                    self.charge(text.len() + parts.len() * 16, line)?;
                    Ok(self.heap.list(parts.into_iter().map(Value::Text).collect()))
                }
                Err(message) => Err(message),
            },
            ("substring", [_]) => substring(text, arguments.first(), None).map(Value::Text),
            ("substring", [_, _]) => substring(text, arguments.first(), arguments.get(1)).map(Value::Text),
            ("charAt", [_]) => match arguments.first() {
                Some(Value::Int(at)) => {
                    substring(text, Some(&Value::Int(*at)), Some(&Value::Int(at.saturating_add(1)))).map(Value::Text)
                }
                _ => Err("`.charAt()` takes a number".to_owned()),
            },
            _ => Err(unknown(name, "a text")),
        })
    }

    fn list_method(
        &mut self,
        list: usize,
        name: &str,
        arguments: &[Value],
        line: usize,
    ) -> Result<Called, VelocityError> {
        let count = self.heap.items(list).len();
        let size = Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        if matches!((name, arguments.len()), ("contains" | "indexOf" | "remove", _) | ("add", 2)) {
            self.labour(count.saturating_mul(32), line)?;
        }
        let at = |value: &Value| match value {
            Value::Int(at) => usize::try_from(*at).ok().filter(|at| *at < count),
            _ => None,
        };
        let outside = |value: &Value| format!("the list has no place {value:?}, only {count} values");
        Ok(match (name, arguments) {
            ("size", []) => Ok(size),
            ("isEmpty", []) => Ok(Value::Bool(count == 0)),
            ("get", [index]) => match at(index) {
                Some(at) => Ok(found(self.heap.items(list).get(at))),
                None => Err(outside(index)),
            },
            ("add", [value]) => {
                self.charge(16, line)?;
                if let Some(items) = self.heap.items_mut(list) {
                    items.push(value.clone());
                }
                Ok(Value::Bool(true))
            }
            ("add", [index, value]) => {
                self.charge(16 + count, line)?;
                let place = if *index == size { Some(count) } else { at(index) };
                match (place, self.heap.items_mut(list)) {
                    (Some(place), Some(items)) => {
                        items.insert(place, value.clone());
                        Ok(Value::Text(String::new()))
                    }
                    _ => Err(outside(index)),
                }
            }
            ("addAll", [Value::List(other)]) => {
                let more = self.heap.items(*other).to_vec();
                self.charge(more.len() * 16, line)?;
                if let Some(items) = self.heap.items_mut(list) {
                    items.extend(more);
                }
                Ok(Value::Bool(true))
            }
            ("set", [index, value]) => match (at(index), self.heap.items_mut(list)) {
                (Some(at), Some(items)) => {
                    Ok(items.get_mut(at).map_or(Value::Null, |slot| std::mem::replace(slot, value.clone())))
                }
                _ => Err(outside(index)),
            },
            ("remove", [index @ Value::Int(_)]) => match (at(index), self.heap.items_mut(list)) {
                (Some(at), Some(items)) => Ok(items.remove(at)),
                _ => Err(outside(index)),
            },
            ("contains" | "indexOf", [value]) => {
                let items = self.heap.items(list).to_vec();
                self.charge(items.len() * 16, line)?;
                let mut found = None;
                for (index, item) in items.iter().enumerate() {
                    if std::mem::discriminant(item) == std::mem::discriminant(value) && self.equal(item, value, line)? {
                        found = i64::try_from(index).ok();
                        break;
                    }
                }
                Ok(if name == "contains" { Value::Bool(found.is_some()) } else { Value::Int(found.unwrap_or(-1)) })
            }
            _ => Err(unknown(name, "a list")),
        })
    }

    fn map_method(
        &mut self,
        map: usize,
        name: &str,
        arguments: &[Value],
        line: usize,
    ) -> Result<Called, VelocityError> {
        let key = match arguments.first() {
            Some(key) => self.print(key, line)?,
            None => String::new(),
        };
        let entries = self.heap.entries(map);
        let count = entries.len();
        self.charge(16, line)?;
        self.labour(count.saturating_mul(16), line)?;
        Ok(match (name, arguments) {
            ("size", []) => Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX))),
            ("isEmpty", []) => Ok(Value::Bool(count == 0)),
            ("get", [_]) => Ok(found(self.heap.get(map, &key))),
            ("getOrDefault", [_, other]) => Ok(self.heap.get(map, &key).cloned().unwrap_or_else(|| other.clone())),
            ("containsKey", [_]) => Ok(Value::Bool(self.heap.get(map, &key).is_some())),
            ("put", [_, value]) => {
                self.charge(key.len() + count, line)?;
                // Java gives the old value, and Velocity writes nothing for none when the call is quiet.
                Ok(self.heap.put(map, &key, value.clone()))
            }
            ("putAll", [Value::Map(other)]) => {
                let more = self.heap.entries(*other).to_vec();
                self.charge(more.len().saturating_mul(16 + count), line)?;
                for (key, value) in more {
                    self.heap.put(map, &key, value);
                }
                Ok(Value::Null)
            }
            ("remove", [_]) => Ok(self.heap.remove(map, &key)),
            ("keySet" | "values" | "entrySet", []) => {
                let entries = self.heap.entries(map).to_vec();
                self.charge(entries.iter().map(|(key, _)| key.len() + 32).sum(), line)?;
                let items = entries
                    .into_iter()
                    .map(|(key, value)| match name {
                        "keySet" => Value::Text(key),
                        "values" => value,
                        _ => self.heap.map(vec![("key".to_owned(), Value::Text(key)), ("value".to_owned(), value)]),
                    })
                    .collect();
                Ok(self.heap.list(items))
            }
            // The getters of an entry of a map.
            ("getKey", []) => Ok(found(self.heap.get(map, "key"))),
            ("getValue", []) => Ok(found(self.heap.get(map, "value"))),
            _ => Err(unknown(name, "a map")),
        })
    }
}

fn unknown(name: &str, of: &str) -> String {
    format!("the method `{name}` of {of}, with these arguments, is not simulated by the local target")
}

#[expect(clippy::cast_possible_truncation, reason = "Java's intValue truncates just so, and `as` saturates")]
fn number_method(value: &Value, name: &str) -> Option<Value> {
    match (name, value) {
        ("intValue" | "longValue", Value::Int(whole)) => Some(Value::Int(*whole)),
        ("intValue" | "longValue", Value::Float(number)) => Some(Value::Int(*number as i64)),
        _ => None,
    }
}

/// A text's length in UTF-16 units, as Java counts.
fn length(text: &str) -> Value {
    Value::Int(i64::try_from(text.encode_utf16().count()).unwrap_or(i64::MAX))
}

/// A place found in a text, in UTF-16 units; -1 for none.
fn place(text: &str, at: Option<usize>) -> Value {
    match at.and_then(|at| text.get(..at)) {
        Some(before) => length(before),
        None => Value::Int(-1),
    }
}

fn substring(text: &str, from: Option<&Value>, to: Option<&Value>) -> Result<String, String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let place = |value: Option<&Value>, absent: usize| match value {
        None => Some(absent),
        Some(Value::Int(at)) => usize::try_from(*at).ok(),
        Some(_) => None,
    };
    let part = match (place(from, 0), place(to, units.len())) {
        (Some(from), Some(to)) => units.get(from..to),
        _ => None,
    };
    part.map(String::from_utf16_lossy)
        .ok_or_else(|| format!("the places of `.substring()` are not within its text of {} characters", units.len()))
}
