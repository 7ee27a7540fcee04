//! Patterns of the provider schemas, which are written for the regular expressions of ECMA-262 and Java.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use regex::{Regex, RegexBuilder};

/// Whether a text has a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// The pattern uses what linear-time regular expressions can't do, and is not checked.
    Unchecked,
}

/// A pattern in parts: look-aheads at its start, and the rest.
struct Compiled {
    /// Each must match, or must not when the flag is false.
    ahead: Vec<(bool, Regex)>,
    rest: Regex,
    /// How many characters the text must have, where the pattern is one class repeated.
    length: Option<(usize, usize)>,
}

/// By pattern and whether it is for ASCII text; `None` for one that can't be checked.
type Cache = HashMap<(String, bool), Option<Arc<Compiled>>>;

/// The largest compiled pattern, in bytes: patterns that repeat Unicode classes thousands of times grow beyond reason.
const SIZE_LIMIT: usize = 4 << 20;

/// The same for a pattern that a template brings along, and the longest such: there may be hundreds, and each is compiled to be
/// tried once.
const TEMPLATE_SIZE_LIMIT: usize = 64 << 10;
const LONGEST: usize = 2_048;

/// A pattern of a template, such as a parameter's `AllowedPattern`.
pub struct Pattern(Compiled);

impl Pattern {
    /// A pattern that a text must match from its start to its end, for texts that are all ASCII or not; none for one that is
    /// not checked.
    pub fn whole(pattern: &str, ascii: bool) -> Option<Self> {
        if pattern.len() > LONGEST {
            return None;
        }
        compile(&format!("^(?:{pattern})$"), ascii, TEMPLATE_SIZE_LIMIT).map(Self)
    }

    /// Whether a pattern is wrong in any dialect: a bracket that is not closed or not opened, nothing to repeat.
    pub fn is_malformed(pattern: &str) -> bool {
        const FAULTS: [&str; 4] =
            ["unclosed character class", "unclosed group", "unopened group", "repetition operator missing expression"];
        if pattern.len() > LONGEST {
            return false;
        }
        match RegexBuilder::new(&translate(pattern, true)).size_limit(TEMPLATE_SIZE_LIMIT).build() {
            Err(regex::Error::Syntax(words)) => FAULTS.iter().any(|fault| words.contains(fault)),
            _ => false,
        }
    }

    /// Whether a text matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl Compiled {
    fn is_match(&self, text: &str) -> bool {
        let ahead = self.ahead.iter().all(|(wanted, regex)| regex.is_match(text) == *wanted);
        let length = self.length.is_none_or(|(least, most)| {
            let length = text.chars().count();
            least <= length && length <= most
        });
        ahead && length && self.rest.is_match(text)
    }
}

/// Whether `text` has `pattern` somewhere in it. Compiled patterns are kept: they are those of the provider schemas.
pub fn matches(pattern: &str, text: &str) -> Match {
    static CACHE: OnceLock<RwLock<Cache>> = OnceLock::new();
    let cache = CACHE.get_or_init(RwLock::default);
    // On ASCII text, classes need no Unicode tables, and that makes compiling them many times faster.
    let key = (pattern.to_owned(), text.is_ascii());
    let known = cache.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    let compiled = known.unwrap_or_else(|| {
        let made = compile(pattern, text.is_ascii(), SIZE_LIMIT).map(Arc::new);
        cache.write().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
        made
    });
    let Some(compiled) = compiled else { return Match::Unchecked };
    if compiled.is_match(text) { Match::Yes } else { Match::No }
}

fn compile(pattern: &str, ascii: bool, limit: usize) -> Option<Compiled> {
    let (anchor, mut rest) = match pattern.strip_prefix('^') {
        Some(rest) => ("^", rest),
        None => ("", pattern),
    };
    let mut ahead = Vec::new();
    while !anchor.is_empty() {
        let (wanted, inside) = if let Some(inside) = rest.strip_prefix("(?=") {
            (true, inside)
        } else if let Some(inside) = rest.strip_prefix("(?!") {
            (false, inside)
        } else {
            break;
        };
        let end = group_end(inside)?;
        let (inside, after) = inside.split_at_checked(end)?;
        ahead.push((wanted, build(&format!("^(?:{inside})"), ascii, limit)?));
        rest = after.strip_prefix(')')?;
    }
    if anchor.is_empty() {
        return Some(Compiled { ahead, rest: build(rest, ascii, limit)?, length: None });
    }
    if let Some((class, least, most)) = repeated_class(rest) {
        let rest = build(&format!("^{class}*$"), ascii, limit)?;
        return Some(Compiled { ahead, rest, length: Some((least, most)) });
    }
    // The same in two ways: nothing follows.
    let rest = rest.strip_suffix("(?![\\s\\S])").map_or_else(|| rest.to_owned(), |start| format!("{start}$"));
    Some(Compiled { ahead, rest: build(&format!("^{rest}"), ascii, limit)?, length: None })
}

/// What follows `^` in a pattern that is one class with a count and nothing else, such as `[a-z]{1,2048}$`: the class, the
/// least and the most. Counting the characters instead costs nothing; compiling such a count costs milliseconds.
fn repeated_class(rest: &str) -> Option<(&str, usize, usize)> {
    let rest = rest.strip_suffix('$')?;
    let (class, count) = rest.strip_suffix('}')?.rsplit_once('{')?;
    let single = class == "."
        || class.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')).is_some_and(|inside| {
            let mut chars = inside.chars();
            while let Some(c) = chars.next() {
                match c {
                    '\\' => drop(chars.next()),
                    '[' | ']' => return false,
                    _ => {}
                }
            }
            // A backslash at the end would have escaped the bracket.
            !inside.is_empty() && (!inside.ends_with('\\') || inside.ends_with("\\\\"))
        });
    let (least, most) = match count.split_once(',') {
        Some((least, "")) => (least.parse().ok()?, usize::MAX),
        Some((least, most)) => (least.parse().ok()?, most.parse().ok()?),
        None => (count.parse().ok()?, count.parse().ok()?),
    };
    single.then_some((class, least, most))
}

fn build(pattern: &str, ascii: bool, limit: usize) -> Option<Regex> {
    let translated = translate(pattern, ascii);
    RegexBuilder::new(&translated).size_limit(limit).dfa_size_limit(limit).build().ok()
}

/// Where the group that `text` starts inside of ends: the position of its closing bracket.
fn group_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_class = false;
    let mut chars = text.char_indices();
    while let Some((position, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class && depth == 0 => return Some(position),
            ')' if !in_class => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The same pattern for the `regex` crate: inside a class, characters that it reads as set operations are escaped, and
/// Java's names of classes become Unicode's. For ASCII text, classes become their ASCII part.
fn translate(pattern: &str, ascii: bool) -> String {
    let mut made = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    // Whether a set such as `\w` came last: a hyphen after it is a hyphen.
    let mut after_set = false;
    while let Some(c) = chars.next() {
        let first = std::mem::take(&mut class_start);
        let after = std::mem::take(&mut after_set);
        after_set = c == '\\' && matches!(chars.peek(), Some('d' | 'w' | 's' | 'p' | 'P' | 'D' | 'W' | 'S'));
        match c {
            '\\' => match chars.next() {
                Some(class @ ('p' | 'P')) if chars.peek() == Some(&'{') => {
                    let name: String = chars.by_ref().take_while(|c| *c != '}').skip(1).collect();
                    unicode_class(&mut made, class == 'P', &name, in_class, ascii);
                }
                // Java and ECMA mean ASCII by these, the crate means Unicode.
                Some('d') => made.push_str(if in_class { "0-9" } else { "[0-9]" }),
                Some('w') => made.push_str(if in_class { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    made.push_str(&format!("\\u{{{digits}}}"));
                }
                Some('Z') => made.push_str("\\z"),
                Some(escaped @ ('<' | '>')) => made.push(escaped),
                Some(escaped) => {
                    made.push('\\');
                    made.push(escaped);
                }
                None => made.push_str("\\\\"),
            },
            '[' if !in_class => {
                in_class = true;
                class_start = true;
                made.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    made.push('^');
                }
            }
            '[' if chars.peek() == Some(&':') => {
                // A POSIX class such as `[:alnum:]` ends at its own bracket.
                made.push('[');
                for c in chars.by_ref() {
                    made.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => made.push_str("\\["),
            ']' if in_class && first => made.push_str("\\]"),
            ']' => {
                in_class = false;
                made.push(']');
            }
            '&' | '~' if in_class => {
                made.push('\\');
                made.push(c);
            }
            '-' if in_class && (first || after || matches!(chars.peek(), Some(']' | '-'))) => made.push_str("\\-"),
            other => made.push(other),
        }
    }
    made
}

/// Writes a Unicode class, with Java's names in Unicode's words and in ASCII where the text is.
fn unicode_class(made: &mut String, negated: bool, name: &str, in_class: bool, ascii: bool) {
    const ASCII: [(&str, &str); 14] = [
        ("L", "A-Za-z"),
        ("Lu", "A-Z"),
        ("Ll", "a-z"),
        ("N", "0-9"),
        ("Nd", "0-9"),
        ("Z", " "),
        ("Zs", " "),
        ("M", ""),
        ("Alpha", "A-Za-z"),
        ("Alnum", "0-9A-Za-z"),
        ("Digit", "0-9"),
        ("ASCII", "\\x00-\\x7F"),
        ("Graph", "!-~"),
        ("Print", " -~"),
    ];
    let range = ASCII.iter().find(|(own, _)| *own == name).map(|(_, range)| *range);
    match range {
        Some(range) if ascii && !negated && in_class => made.push_str(range),
        Some(range) if ascii && !negated && !range.is_empty() => {
            made.push('[');
            made.push_str(range);
            made.push(']');
        }
        // Classes that are ASCII in Java whatever the text.
        Some(range) if name.len() > 2 => {
            made.push_str(if negated { "[^" } else { "[" });
            made.push_str(range);
            made.push(']');
        }
        _ => {
            made.push_str(if negated { "\\P{" } else { "\\p{" });
            made.push_str(name.strip_prefix("Is").unwrap_or(name));
            made.push('}');
        }
    }
}
