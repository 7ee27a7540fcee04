//! Filter patterns of plain text: terms that must be there, `?term` of which one must, `-term` that must not.
//!
//! Source: CloudWatch Logs user guide, "Filter pattern syntax". Patterns on JSON or space-delimited fields, and regular
//! expressions, are not read here.

/// A pattern, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Pattern {
    /// Reads one; none when it is of a kind that is not read here.
    pub fn read(text: &str) -> Option<Self> {
        let mut pattern = Self::default();
        let mut rest = text.trim();
        if rest.starts_with(['{', '[', '%']) {
            return None;
        }
        while !rest.is_empty() {
            let (list, term) = match rest.split_at_checked(1) {
                Some(("?", term)) => (&mut pattern.any, term),
                Some(("-", term)) => (&mut pattern.none, term),
                _ => (&mut pattern.all, rest),
            };
            let (term, after) = match term.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => term.split_once(char::is_whitespace).unwrap_or((term, "")),
            };
            if !term.is_empty() {
                list.push(term.to_owned());
            }
            rest = after.trim_start();
        }
        Some(pattern)
    }

    /// Whether a message is one it looks for; an empty pattern looks for all.
    pub fn matches(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        self.all.iter().all(has) && !self.none.iter().any(has) && (self.any.is_empty() || self.any.iter().any(has))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_looked_for() {
        for (pattern, message, found) in [
            ("", "anything", true),
            ("ERROR", "an ERROR", true),
            ("ERROR", "an error", false),
            ("ERROR late", "late ERROR", true),
            ("?WARN ?ERROR", "an ERROR", true),
            ("ERROR -expected", "an expected ERROR", false),
            ("\"not found\"", "it was not found", true),
            ("\"not found\"", "found it not", false),
        ] {
            assert_eq!(Pattern::read(pattern).expect(pattern).matches(message), found, "{pattern} in {message}");
        }
        assert_eq!(Pattern::read("{ $.level = \"ERROR\" }"), None);
    }
}
