//! Words: where they are, their stems, and which of them say nothing.

/// Words that occur in any text and tell none from another.
const COMMON: &[&str] = &[
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "before", "being", "but", "by", "can", "could", "did", "do", "does", "for", "from", "get", "give", "had", "has",
    "have", "he", "her", "here", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "let",
    "many", "may", "me", "more", "most", "much", "must", "my", "no", "nor", "not", "of", "on", "one", "or", "our",
    "out", "please", "s", "shall", "she", "should", "so", "some", "such", "t", "tell", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "those", "to", "up", "us", "very", "was", "we", "were", "what",
    "when", "where", "which", "who", "whose", "why", "will", "with", "would", "you", "your",
];

/// Whether a word, in lower case, says nothing by itself.
pub(in crate::bedrock) fn common(word: &str) -> bool {
    COMMON.binary_search(&word).is_ok()
}

/// The words of a text in lower case: runs of letters and digits.
pub(in crate::bedrock) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// What the forms of a word have in common, roughly: enough to find "leaves" by "leave" and "closed" by "closing".
pub(in crate::bedrock) fn stem(word: &str) -> String {
    if word.chars().any(|c| c.is_ascii_digit()) {
        return word.to_owned();
    }
    let singular = if let Some(rest) = word.strip_suffix("ies").filter(|rest| rest.len() > 2) {
        format!("{rest}y")
    } else {
        let plural = |rest: &&str| rest.len() > 2 && !rest.ends_with(['s', 'u', 'i']);
        word.strip_suffix('s').filter(plural).unwrap_or(word).to_owned()
    };
    let mut stem = singular.as_str();
    for ending in ["ations", "ation", "ating", "ments", "ment", "ings", "ing", "ated", "ed", "ly"] {
        if let Some(rest) = stem.strip_suffix(ending).filter(|rest| rest.len() > 3) {
            stem = rest;
            break;
        }
    }
    let stem = stem.strip_suffix('e').filter(|rest| rest.len() > 2).unwrap_or(stem);
    let doubled = stem.len() > 4 && {
        let mut last = stem.chars().rev();
        let (end, before) = (last.next(), last.next());
        end == before && end.is_some_and(|c| !"aeiouls".contains(c))
    };
    if doubled { stem.chars().take(stem.chars().count() - 1).collect() } else { stem.to_owned() }
}

/// The stems of the words that say something.
pub(in crate::bedrock) fn stems(text: &str) -> Vec<String> {
    words(text).filter(|word| !common(word)).map(|word| stem(&word)).collect()
}

/// What looks like an identifier, a part number, a date or an amount: it holds a digit; hyphens, dots, slashes, colons and
/// underscores inside it belong to it.
pub(in crate::bedrock) fn identifiers(text: &str) -> Vec<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || "-./:_@+".contains(c)))
        .map(|token| token.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|token| token.chars().any(|c| c.is_ascii_digit()))
        .collect()
}

/// How many tokens a text comes to, by the rule of thumb of four characters a token.
pub(in crate::bedrock) fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

/// The beginning of a text, of so many tokens at most.
pub(in crate::bedrock) fn first_tokens(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most.saturating_mul(4)) {
        Some((at, _)) => text.get(..at).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_sorted_for_the_search() {
        assert!(COMMON.is_sorted());
        assert!(common("the") && !common("turbine"));
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in [
            ["leave", "leaves"],
            ["close", "closed"],
            ["policy", "policies"],
            ["stop", "stopped"],
            ["account", "accounts"],
        ] {
            assert_eq!(stem(forms[0]), stem(forms[1]), "{forms:?}");
        }
        assert_ne!(stem("status"), "statu");
    }

    #[test]
    fn identifiers_stay_whole() {
        assert_eq!(
            identifiers("Part MR 7882-9571 of TB-CL-7882, on 12-12-2023."),
            ["7882-9571", "TB-CL-7882", "12-12-2023"]
        );
    }

    #[test]
    fn a_text_is_cut_at_whole_characters() {
        assert_eq!(first_tokens("äöüßäöüß", 1), "äöüß");
        assert_eq!(first_tokens("abc", 5), "abc");
        assert_eq!(tokens("abcde"), 2);
    }
}
