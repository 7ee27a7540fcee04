//! What every reader of YAML understands alike, so that the values of a text can be taken from the first pass.

use serde_json::{Number, Value};

/// Whether a text is free of what YAML's versions and readers see differently: other line ends than `\n`, tabs, byte order
/// marks within, a colon at the beginning of a line or right before what ends or begins a list or a mapping, and the lines that
/// begin or end a document.
pub(super) fn is_ordinary(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let odd = match byte {
            b'\t' | b'\r' => true,
            b':' => matches!(rest, [b',' | b'?' | b'[' | b']' | b'{' | b'}', ..]) || begins_a_line(bytes, at),
            b'\n' => marks_a_document(rest),
            // U+0085, U+2028 and U+2029, U+FEFF.
            0xc2 => rest.starts_with(b"\x85"),
            0xe2 => rest.starts_with(b"\x80\xa8") || rest.starts_with(b"\x80\xa9"),
            0xef => rest.starts_with(b"\xbb\xbf"),
            _ => false,
        };
        if odd {
            return false;
        }
        at += 1;
    }
    !marks_a_document(bytes)
}

fn begins_a_line(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().find(|byte| **byte != b' ').is_none_or(|byte| *byte == b'\n')
}

fn marks_a_document(line: &[u8]) -> bool {
    line.starts_with(b"---") || line.starts_with(b"...") || line.starts_with(b"%")
}

/// What a text without quotes stands for; nothing where it looks like a number and is not written as people write them.
pub(super) fn value(text: &str) -> Option<Value> {
    Some(match text.as_bytes() {
        [] | b"~" | b"null" | b"Null" | b"NULL" => Value::Null,
        b"true" | b"True" | b"TRUE" => Value::Bool(true),
        b"false" | b"False" | b"FALSE" => Value::Bool(false),
        // A path beside the spec.
        [b'.', b'.' | b'/', ..] => Value::from(text),
        [b'+' | b'.', ..] => return None,
        _ if begins_oddly(text) => return None,
        [b'-' | b'0'..=b'9', ..] => return number(text),
        _ => Value::from(text),
    })
}

/// Whether only some readers take what begins so for text within brackets.
pub(super) fn begins_oddly(text: &str) -> bool {
    text.starts_with(['|', '>', '@', '`', '%', '?', ':'])
}

/// The most digits that any reader takes for the same number.
const DIGITS: usize = 15;

fn number(text: &str) -> Option<Value> {
    let digits =
        |text: &str| !text.is_empty() && text.len() <= DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let (negative, bare) = match text.strip_prefix('-') {
        Some(bare) => (true, bare),
        None => (false, text),
    };
    let (whole, fraction) = match bare.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (bare, None),
    };
    if digits(whole) && (whole == "0" || !whole.starts_with('0')) {
        match fraction {
            None if whole != "0" || !negative => return text.parse::<i64>().ok().map(Value::from),
            Some(fraction) if digits(fraction) && whole.len() + fraction.len() <= DIGITS => {
                return text.parse().ok().and_then(Number::from_f64).map(Value::Number);
            }
            _ => {}
        }
    }
    // A duration, a size, a date, a version.
    let prefixed = ["0x", "0o", "0b"].iter().any(|base| bare.starts_with(base));
    let begins = bare.starts_with(|c: char| c.is_ascii_digit());
    let is_text = bare.contains(|c: char| !matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'));
    let is_date = bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && bare.contains('-');
    let is_version = bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && bare.matches('.').count() > 1;
    (begins && !prefixed && (is_text || is_date || is_version)).then(|| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stands_for_what_serde_yaml_says() {
        let words = "~ null Null NULL nULL true True TRUE tRUE false False FALSE yes no on off y n inf nan .inf .Inf .nan .NaN \
                     infinity 0 00 007 1 10 123456789012345 1234567890123456789 12345678901234567890 0x1f 0xg 0o7 0b1 1e3 1E3 1e 1.5 \
                     1. .5 0.5 00.5 1.5e3 1.2.3 3.0.3 1..2 1.2. 7d 29s 1_000 2012-10-17 2012-13 1-2 - 1+2 1a 12ab 0.1.0 ./x ../x . .. .x a -a --a \
                     python3.13 0000000000000001.5 123456789012.123456";
        for word in words.split_whitespace() {
            for text in ["", "+", "-", "."].map(|sign| format!("{sign}{word}")) {
                if let (Some(own), Ok(theirs)) = (value(&text), serde_yaml::from_str::<Value>(&text)) {
                    assert_eq!(own, theirs, "{text}");
                }
            }
        }
        assert_eq!(value("0.5"), Some(Value::from(0.5)), "what people write is read here");
        assert_eq!(value("3.0.3"), Some(Value::from("3.0.3")), "a version is text");
        assert_eq!(value("1e3"), None, "and nothing else is");
    }
}
