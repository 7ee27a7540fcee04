//! Regular expressions as Java reads them, with look-ahead; a pattern that takes too long is an error, never a hang.

use fancy_regex::{Regex, RegexBuilder};

/// How many steps back a pattern may take.
const BACKTRACK_LIMIT: usize = 200_000;

/// Reads a pattern.
///
/// # Errors
/// For a pattern that is none.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .backtrack_limit(BACKTRACK_LIMIT)
        .delegate_size_limit(1 << 20)
        .build()
        .map_err(|error| format!("`{pattern}` is not a regular expression: {error}"))
}

fn failed(pattern: &str, error: &fancy_regex::Error) -> String {
    format!("`{pattern}` could not be carried out: {error}")
}

/// Whether a pattern fits the whole of a text, as `String.matches` asks.
///
/// # Errors
/// For a pattern that is none, or that takes too long.
pub fn matches_whole(pattern: &str, text: &str) -> Result<bool, String> {
    let whole = compile(&format!(r"\A(?:{pattern})\z"))?;
    whole.is_match(text).map_err(|error| failed(pattern, &error))
}

/// Every fit of a pattern replaced, as `String.replaceAll` does: `$1` is a group, and a backslash quotes what follows.
/// With `once`, the first fit only.
pub(super) fn replace(pattern: &str, text: &str, replacement: &str, once: bool, room: usize) -> Result<String, String> {
    let regex = compile(pattern)?;
    let mut out = String::new();
    let mut end = 0;
    for found in regex.captures_iter(text) {
        let found = found.map_err(|error| failed(pattern, &error))?;
        let Some(whole) = found.get(0) else { break };
        out.push_str(text.get(end..whole.start()).unwrap_or_default());
        end = whole.end();
        let mut letters = replacement.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => out.extend(letters.next()),
                '$' => {
                    let Some(digit) = letters.next().and_then(|c| c.to_digit(10)) else {
                        return Err("Illegal group reference".to_owned());
                    };
                    let mut group = digit as usize;
                    while let Some(more) = letters.peek().and_then(|c| c.to_digit(10)) {
                        let longer = group * 10 + more as usize;
                        if longer >= regex.captures_len() {
                            break;
                        }
                        group = longer;
                        letters.next();
                    }
                    if group >= regex.captures_len() {
                        return Err(format!("No group {group}"));
                    }
                    out.push_str(found.get(group).map_or("", |group| group.as_str()));
                }
                other => out.push(other),
            }
        }
        if out.len() > room {
            return Err("a text grows too large".to_owned());
        }
        if once {
            break;
        }
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(out)
}

/// A text cut at every fit of a pattern, as `String.split` does: empty texts at the end are left out.
pub(super) fn split(pattern: &str, text: &str) -> Result<Vec<String>, String> {
    let regex = compile(pattern)?;
    let mut parts = Vec::new();
    let mut end = 0;
    for found in regex.find_iter(text) {
        let found = found.map_err(|error| failed(pattern, &error))?;
        // A fit of no width at the beginning cuts nothing off.
        if found.end() == 0 {
            continue;
        }
        parts.push(text.get(end..found.start()).unwrap_or_default().to_owned());
        end = found.end();
    }
    if parts.is_empty() {
        return Ok(vec![text.to_owned()]);
    }
    parts.push(text.get(end..).unwrap_or_default().to_owned());
    while parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_the_whole_text_or_not_at_all() {
        assert_eq!(matches_whole(r"\[404\][\s\S]*", "[404] no\nsuch"), Ok(true));
        assert_eq!(matches_whole(r"\[404\]", "[404] no"), Ok(false));
        assert_eq!(matches_whole("(?!a)[\\s\\S]+", "b"), Ok(true));
        assert_eq!(matches_whole("(?!a)[\\s\\S]+", "a"), Ok(false));
        assert_eq!(matches_whole("a|b", "ab"), Ok(false));
        assert!(matches_whole("(", "a").is_err());
    }

    #[test]
    fn a_replacement_knows_groups_and_quoting() {
        assert_eq!(replace("(a)(b)", "xabab", "$2$1", false, 100), Ok("xbaba".to_owned()));
        assert_eq!(replace("a", "aa", r"\$", true, 100), Ok("$a".to_owned()));
        assert!(replace("a", "a", "$1", false, 100).is_err());
        assert!(replace("", &"a".repeat(50), &"b".repeat(50), false, 100).is_err());
    }

    #[test]
    fn a_split_leaves_empty_ends_out() {
        assert_eq!(split(",", "a,b,,"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(split(",", ""), Ok(vec![String::new()]));
        assert_eq!(split("", "ab"), Ok(vec!["a".to_owned(), "b".to_owned()]));
    }
}
