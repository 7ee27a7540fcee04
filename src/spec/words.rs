//! The words findings are written in.

use serde_json::Value;

pub(crate) use crate::suggestion::nearest;
use crate::terminal::drives_a_terminal;

/// How many names are listed.
const MOST_LISTED: usize = 25;

/// "did you mean `x`?" with the list to choose from, or the list alone.
pub(crate) fn suggest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>, list: &str) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let listed =
        candidates.iter().take(MOST_LISTED).map(|name| format!("`{}`", cut(name))).collect::<Vec<_>>().join(", ");
    let all = match candidates.len().saturating_sub(MOST_LISTED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    };
    match nearest(word, candidates.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? {list} {all}"),
        None => format!("{list} {all}"),
    }
}

/// A JSON pointer as an author would say it: `functions.design.uses[0]`.
pub(crate) fn path(pointer: &str) -> String {
    let mut text = String::new();
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
            text.push_str(&format!("[{segment}]"));
        } else if segment.contains([' ', '/', '.', '`']) {
            text.push_str(&format!("[\"{}\"]", cut(&segment)));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&cut(&segment));
        }
    }
    text
}

/// A segment made fit to stand in a JSON pointer.
pub(crate) fn escape(segment: &str) -> String {
    // Hardly a key has either, and these two are looked for quickly in every build.
    let bytes = segment.as_bytes();
    match bytes.contains(&b'~') || bytes.contains(&b'/') {
        true => segment.replace('~', "~0").replace('/', "~1"),
        false => segment.to_owned(),
    }
}

/// Adds a segment to a JSON pointer.
pub(crate) fn push_segment(pointer: &mut String, segment: &str) {
    let bytes = segment.as_bytes();
    pointer.push('/');
    match bytes.contains(&b'~') || bytes.contains(&b'/') {
        true => pointer.push_str(&escape(segment)),
        false => pointer.push_str(segment),
    }
}

/// A text with nothing in it that drives a terminal, on one line.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if drives_a_terminal(c) { '\u{fffd}' } else { c }).collect()
}

/// A text short enough for a message, on one line.
pub(crate) fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(60).map(|c| if drives_a_terminal(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

/// What a value is, said of something found.
pub(crate) fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => format!("`{flag}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text `{}`", cut(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}
