//! Summing up: the sentences that say the most, in their order.

use std::collections::{BTreeMap, BTreeSet};

use super::sentences::{heading, sentences};
use super::words::{identifiers, stems};

/// How a summary is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bedrock) struct SummaryForm {
    /// How many.
    pub count: usize,
    /// Lines of their own, not sentences of one paragraph.
    pub lines: bool,
    /// Each line a list entry.
    pub bullets: bool,
}

const NUMBERS: &[&str] = &["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// What an instruction asks for: "in 2 lines", "in three sentences", "as five bullet points".
pub(in crate::bedrock) fn form(instruction: &str) -> Option<SummaryForm> {
    let lower = instruction.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let number = |word: &str| word.parse().ok().or_else(|| NUMBERS.iter().position(|known| *known == word));
    for (at, word) in words.iter().enumerate() {
        let Some(count) = number(word).filter(|count| (1..=50).contains(count)) else { continue };
        let unit = words.get(at + 1..at + 3).unwrap_or_else(|| words.get(at + 1..).unwrap_or_default());
        for unit in unit {
            match unit.trim_end_matches('s') {
                "line" => return Some(SummaryForm { count, lines: true, bullets: false }),
                "sentence" => return Some(SummaryForm { count, lines: false, bullets: false }),
                "bullet" | "point" => return Some(SummaryForm { count, lines: true, bullets: true }),
                _ => {}
            }
        }
    }
    if words.contains(&"one") && words.contains(&"sentence") {
        return Some(SummaryForm { count: 1, lines: false, bullets: false });
    }
    None
}

/// Whether an instruction asks for a summary.
pub(in crate::bedrock) fn asked(instruction: &str) -> bool {
    let lower = instruction.to_lowercase();
    ["summar", "sum up", "sums up", "tl;dr", "in short", "key points", "main points", "shorten"]
        .iter()
        .any(|word| lower.contains(word))
}

/// A summary in the form asked for; three sentences when none is.
pub(in crate::bedrock) fn summarise(text: &str, form: Option<SummaryForm>) -> String {
    let form = form.unwrap_or(SummaryForm { count: 3, lines: false, bullets: false });
    let chosen = informative(text, form.count);
    if form.bullets {
        chosen.iter().map(|one| format!("- {one}")).collect::<Vec<_>>().join("\n")
    } else {
        chosen.join(if form.lines { "\n" } else { " " })
    }
}

/// The most informative sentences, in the order of the text: each is chosen for what those before it do not say yet, and
/// what holds an identifier comes first. Short facts of a line each, such as `Model: A-1`, are taken together as one.
pub(in crate::bedrock) fn informative(text: &str, count: usize) -> Vec<String> {
    let all = facts_together(text);
    let stems_of: Vec<BTreeSet<String>> = all.iter().map(|one| stems(one).into_iter().collect()).collect();
    let mut frequency: BTreeMap<&str, f64> = BTreeMap::new();
    for stem in stems_of.iter().flatten() {
        *frequency.entry(stem).or_default() += 1.0;
    }
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut told_identifiers: BTreeSet<&str> = BTreeSet::new();
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    while chosen.len() < count.min(all.len()) {
        let mut best: Option<(f64, usize)> = None;
        for (at, sentence) in all.iter().enumerate().filter(|(at, _)| !chosen.contains(at)) {
            let Some(stems) = stems_of.get(at) else { continue };
            let news: f64 = stems
                .iter()
                .filter(|stem| !told.contains(stem.as_str()))
                .map(|stem| 1.0 + frequency.get(stem.as_str()).copied().unwrap_or_default().ln())
                .sum();
            let new_identifiers =
                identifiers(sentence).into_iter().collect::<BTreeSet<_>>().difference(&told_identifiers).count();
            let length = (stems.len().max(4) as f64).sqrt();
            let score = news / length + 1.5 * new_identifiers as f64 + if at == 0 { 0.5 } else { 0.0 };
            if best.is_none_or(|(known, _)| score > known + 1e-9) {
                best = Some((score, at));
            }
        }
        let Some((_, at)) = best else { break };
        chosen.insert(at);
        if let (Some(stems), Some(sentence)) = (stems_of.get(at), all.get(at)) {
            told.extend(stems.iter().map(String::as_str));
            told_identifiers.extend(identifiers(sentence));
        }
    }
    chosen.into_iter().filter_map(|at| all.get(at).cloned()).collect()
}

/// The sentences, with runs of `name: value` lines joined to one.
fn facts_together(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut in_facts = false;
    for range in super::sentences::ranges(text) {
        let raw = text.get(range).unwrap_or_default();
        let Some(sentence) = sentences(raw).into_iter().next() else { continue };
        // A title says nothing that the text under it does not.
        let title = heading(raw) || !sentence.chars().any(char::is_lowercase);
        if title && identifiers(&sentence).is_empty() {
            in_facts = false;
            continue;
        }
        let fact = sentence.len() < 60
            && sentence.split_once(": ").is_some_and(|(name, _)| name.split_whitespace().count() <= 3)
            && !sentence.ends_with('.');
        match all.last_mut() {
            Some(last) if fact && in_facts => {
                last.push_str("; ");
                last.push_str(&sentence);
            }
            _ => all.push(sentence),
        }
        in_facts = fact;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = include_str!("../../../../../stacks/manufacturing-summary/data/turbine-log.txt");

    #[test]
    fn the_form_is_read_from_the_instruction() {
        assert_eq!(form("Summarize the text in 2 lines."), Some(SummaryForm { count: 2, lines: true, bullets: false }));
        assert_eq!(
            form("Sum it up in three short sentences"),
            Some(SummaryForm { count: 3, lines: false, bullets: false })
        );
        assert_eq!(form("Give five bullet points"), Some(SummaryForm { count: 5, lines: true, bullets: true }));
        assert_eq!(form("Summarize the 7882 log"), None);
        assert!(asked("Please summarise this") && !asked("What is this?"));
    }

    #[test]
    fn a_breakdown_log_keeps_its_identifiers_in_two_lines() {
        let (text, _) = LOG.rsplit_once("Summarize").expect("an instruction");
        let summary = summarise(text, form("in 2 lines"));
        assert_eq!(summary.lines().count(), 2, "{summary}");
        assert!(summary.contains("TB-CL-7882") && summary.contains("7882-9571"), "{summary}");
    }

    #[test]
    fn a_text_shorter_than_asked_for_comes_back() {
        assert_eq!(summarise("Only this.", form("in 5 sentences")), "Only this.");
        assert_eq!(summarise("", None), "");
    }
}
