//! Writing YAML that any YAML 1.1 or 1.2 reader reads back as the same value.

use serde_json::{Map, Value};

/// The longest key written before its `:`; longer ones take the explicit `? key` form, as YAML asks past 1,024.
const MAX_SIMPLE_KEY: usize = 120;

/// Words that some YAML reader takes for something else than text.
const RESERVED: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];

/// Writes a value as block-style YAML, keys in their order, ending in a newline.
pub fn emit(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => mapping(&mut out, map, 0, false),
        Value::Array(items) if !items.is_empty() => sequence(&mut out, items, 0, false),
        other => {
            scalar(&mut out, other, 1);
            out.push('\n');
        }
    }
    out
}

/// A mapping's lines; `inline` when the first key goes on the line already begun.
fn mapping(out: &mut String, map: &Map<String, Value>, indent: usize, inline: bool) {
    for (index, (key, item)) in map.iter().enumerate() {
        if index > 0 || !inline {
            pad(out, indent);
        }
        let mut text = String::new();
        string(&mut text, key);
        if text.len() > MAX_SIMPLE_KEY {
            out.push_str("? ");
            out.push_str(&text);
            out.push('\n');
            pad(out, indent);
        } else {
            out.push_str(&text);
        }
        out.push(':');
        child(out, item, indent, indent + 1);
    }
}

/// A list's lines.
fn sequence(out: &mut String, items: &[Value], indent: usize, inline: bool) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 || !inline {
            pad(out, indent);
        }
        out.push('-');
        match item {
            Value::Object(map) if !map.is_empty() => {
                out.push(' ');
                mapping(out, map, indent + 1, true);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push(' ');
                sequence(out, items, indent + 1, true);
            }
            other => {
                out.push(' ');
                scalar(out, other, indent + 1);
                out.push('\n');
            }
        }
    }
}

/// What follows a key's `:`.
fn child(out: &mut String, item: &Value, _indent: usize, inner: usize) {
    match item {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            mapping(out, map, inner, false);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            sequence(out, items, inner, false);
        }
        other => {
            out.push(' ');
            scalar(out, other, inner);
            out.push('\n');
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n("  ", indent));
}

/// A value that needs no lines of its own, but for a literal block.
fn scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number_text(&number.to_string())),
        Value::String(text) if block_fits(text) => block(out, text, indent),
        Value::String(text) => string(out, text),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// YAML 1.1 wants a point and a signed exponent in a float.
fn number_text(json: &str) -> String {
    let Some((mantissa, exponent)) = json.split_once(['e', 'E']) else { return json.to_owned() };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// Whether a text of several lines reads back the same from a literal block.
fn block_fits(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let line_fits = |line: &str| line.is_empty() || (!line.ends_with([' ', '\t']) && line.chars().all(printable));
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\t', '\n'])
        && body.split('\n').all(line_fits)
}

fn block(out: &mut String, text: &str, indent: usize) {
    let (body, head) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    out.push_str(head);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
    }
}

/// A text on one line, in quotes unless no reader could take it for anything else.
fn string(out: &mut String, text: &str) {
    if plain_fits(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if printable(c) => out.push(c),
            c => {
                let code = c as u32;
                out.push_str(&if code > 0xffff { format!("\\U{code:08X}") } else { format!("\\u{code:04X}") });
            }
        }
    }
    out.push('"');
}

/// Whether a character may stand as itself in YAML 1.1 and is no line break there.
fn printable(c: char) -> bool {
    match c {
        '\t' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    }
}

/// Texts that begin with a letter, `_`, `/` or `$` and hold nothing YAML gives a meaning.
fn plain_fits(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    (first.is_alphabetic() || matches!(first, '_' | '/' | '$'))
        && !text.contains('\t')
        && text.chars().all(printable)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text))
}
