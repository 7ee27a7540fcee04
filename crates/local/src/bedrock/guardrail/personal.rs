//! Personal data by their form, and patterns of the guardrail's own.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

/// Kinds of personal data and their forms. A kind that is not here is never found; the documentation says so.
const FORMS: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("CREDIT_DEBIT_CARD_NUMBER", r"\b\d(?:[ -]?\d){12,18}\b"),
    ("EMAIL", r"(?i)\b[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b"),
    ("INTERNATIONAL_BANK_ACCOUNT_NUMBER", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ("IP_ADDRESS", r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b"),
    (
        "NAME",
        r"\b(?:[Mm]y name is|I am called|[Tt]his is|Mr\.?|Mrs\.?|Ms\.?|Dr\.?) ([A-Z][\p{L}'-]+(?: [A-Z][\p{L}'-]+){0,2})",
    ),
    ("PHONE", r"(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\b\d{2,4}[ .-])\d{3,4}[ .-]?\d{3,4}\b"),
    ("US_SOCIAL_SECURITY_NUMBER", r"\b\d{3}-\d{2}-\d{4}\b"),
    ("URL", r#"\bhttps?://[^\s<>"]+"#),
];

fn forms() -> &'static [(&'static str, Regex)] {
    static COMPILED: OnceLock<Vec<(&'static str, Regex)>> = OnceLock::new();
    // A unit test compiles every form; one that does not compile finds nothing.
    COMPILED.get_or_init(|| FORMS.iter().filter_map(|(kind, form)| Some((*kind, Regex::new(form).ok()?))).collect())
}

/// Where a text holds personal data of a kind.
pub(super) fn find(kind: &str, text: &str) -> Vec<Range<usize>> {
    let Some((_, form)) = forms().iter().find(|(known, _)| *known == kind) else { return Vec::new() };
    form.captures_iter(text)
        .filter_map(|found| found.get(1).or_else(|| found.get(0)))
        .filter(|found| kind != "CREDIT_DEBIT_CARD_NUMBER" || luhn(found.as_str()))
        .map(|found| found.range())
        .collect()
}

/// A pattern of the guardrail's own; none when it is not of this engine's kind, or too large.
pub(super) fn pattern(text: &str) -> Option<Regex> {
    regex::RegexBuilder::new(text).size_limit(1 << 20).build().ok()
}

/// Where a text meets a pattern.
pub(super) fn matches(pattern: &Regex, text: &str) -> Vec<Range<usize>> {
    pattern.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty()).collect()
}

/// Whether the digits of a card's number check.
fn luhn(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            1 if *digit > 4 => digit * 2 - 9,
            1 => digit * 2,
            _ => *digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(kind: &str, text: &'t str) -> Vec<&'t str> {
        find(kind, text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn every_form_compiles() {
        assert_eq!(forms().len(), FORMS.len());
    }

    #[test]
    fn personal_data_are_found_by_their_form() {
        assert_eq!(found("EMAIL", "Write to jo.doe+x@mail.example.org, please"), ["jo.doe+x@mail.example.org"]);
        assert_eq!(found("PHONE", "Call +1 (312) 555-0142 or 312-555-0143."), ["+1 (312) 555-0142", "312-555-0143"]);
        assert_eq!(
            found("CREDIT_DEBIT_CARD_NUMBER", "4111 1111 1111 1111 and 4111 1111 1111 1112"),
            ["4111 1111 1111 1111"]
        );
        assert_eq!(found("US_SOCIAL_SECURITY_NUMBER", "078-05-1120"), ["078-05-1120"]);
        assert_eq!(found("NAME", "My name is Asha Rao and I wait"), ["Asha Rao"]);
        assert_eq!(found("EMAIL", "nobody at home"), [""; 0]);
        assert_eq!(found("PHONE", "Account 7777, part 7882-9571"), [""; 0]);
    }

    #[test]
    fn patterns_of_ones_own_are_met() {
        let turbine = pattern(r"TB-[A-Z]{2}-\d{4}").expect("a pattern");
        assert_eq!(matches(&turbine, "the TB-CL-7882").first(), Some(&(4..14)));
        assert!(pattern("(").is_none() && pattern("((a{99}){99}){99}").is_none());
    }
}
