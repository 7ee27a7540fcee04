//! Answering a question from passages: the sentences that answer it best, and which passage each is from.

use std::collections::{BTreeMap, BTreeSet};

use super::sentences::{flat, heading, ranges};
use super::words::{common, stem, stems, words};

/// A sentence of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::bedrock) struct FoundPassage {
    /// The sentence, on one line.
    pub sentence: String,
    /// The passage it is from, from 0.
    pub passage: usize,
}

/// The least share of a question's weight a sentence must meet to answer it.
const LEAST: f64 = 0.34;

struct Candidate {
    sentence: String,
    passage: usize,
    place: usize,
    own: BTreeSet<String>,
    /// The stems of the headings above it and of the sentence before it.
    around: BTreeSet<String>,
}

fn candidates(passages: &[&str]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (passage, text) in passages.iter().enumerate() {
        let mut title: BTreeSet<String> = BTreeSet::new();
        let mut under: BTreeSet<String> = BTreeSet::new();
        let mut before: BTreeSet<String> = BTreeSet::new();
        for (place, range) in ranges(text).into_iter().enumerate() {
            let raw = text.get(range).unwrap_or_default();
            let sentence = flat(raw);
            let own: BTreeSet<String> = stems(&sentence).into_iter().collect();
            if heading(raw) {
                if raw.trim_start().starts_with("##") {
                    under = own
                } else {
                    (title, under) = (own, BTreeSet::new())
                }
                before.clear();
                continue;
            }
            let around = title.iter().chain(&under).chain(&before).cloned().collect();
            before.clone_from(&own);
            found.push(Candidate { sentence, passage, place, own, around });
        }
    }
    found
}

/// The best sentences, at most so many, in the order of the passages; none when no sentence answers.
pub(in crate::bedrock) fn answer(question: &str, passages: &[&str], most: usize) -> Vec<FoundPassage> {
    let candidates = candidates(passages);
    let asked: BTreeSet<String> = stems(question).into_iter().collect();
    if asked.is_empty() || candidates.is_empty() {
        return Vec::new();
    }
    let mut occurs: BTreeMap<&str, usize> = BTreeMap::new();
    for stem in candidates.iter().flat_map(|one| &one.own) {
        *occurs.entry(stem).or_default() += 1;
    }
    let weight = |stem: &str| {
        let occurs = occurs.get(stem).copied().unwrap_or_default() as f64;
        (1.0 + candidates.len() as f64 / (1.0 + occurs)).ln()
    };
    // A word that no passage has can't be met; it lowers all scores alike, so that a question about something else fails.
    let whole: f64 = asked.iter().map(|stem| weight(stem)).sum();
    let (wants_number, wants_steps) = (wants_number(question), wants_steps(question));
    let mut scored: Vec<(f64, &Candidate)> = candidates
        .iter()
        .map(|one| {
            let own: f64 = asked.intersection(&one.own).map(|stem| weight(stem)).sum();
            let around: f64 =
                asked.difference(&one.own).filter(|stem| one.around.contains(*stem)).map(|stem| weight(stem)).sum();
            let number = if wants_number && has_number(&one.sentence) { 0.15 } else { 0.0 };
            let step = if wants_steps && is_step(&one.sentence) { 0.5 } else { 0.0 };
            let score = if own + around > 0.0 { (own + 0.6 * around) / whole + number + step } else { 0.0 };
            (score, one)
        })
        .collect();
    scored.sort_by(|(a, one), (b, other)| {
        b.total_cmp(a).then(one.passage.cmp(&other.passage)).then(one.place.cmp(&other.place))
    });
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    if best < LEAST {
        return Vec::new();
    }
    let mut chosen: Vec<&Candidate> = Vec::new();
    for (score, one) in scored {
        if score < best * 0.8 || chosen.len() >= most {
            break;
        }
        if !chosen.iter().any(|known| known.sentence == one.sentence) {
            chosen.push(one);
        }
    }
    chosen.sort_by_key(|one| (one.passage, one.place));
    chosen.into_iter().map(|one| FoundPassage { sentence: one.sentence.clone(), passage: one.passage }).collect()
}

fn wants_number(question: &str) -> bool {
    let lower = question.to_lowercase();
    ["how many", "how much", "how long", "how old", "when", "how often", "what time"]
        .iter()
        .any(|it| lower.contains(it))
}

/// Whether a question asks what to do.
fn wants_steps(question: &str) -> bool {
    let lower = question.to_lowercase();
    ["have to do", "should i do", "can i do", "must i do", "what to do", "next step", "how do i", "how can i"]
        .iter()
        .any(|it| lower.contains(it))
}

/// Whether a sentence is an entry of a numbered list.
fn is_step(sentence: &str) -> bool {
    let rest = sentence.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < sentence.len() && (rest.starts_with(". ") || rest.starts_with(") "))
}

fn has_number(sentence: &str) -> bool {
    const SPELT: &[&str] = &["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twice", "once"];
    words(sentence).any(|word| word.chars().any(|c| c.is_ascii_digit()) || SPELT.contains(&word.as_str()))
}

/// How well a text fits a request, from 0 to 1: the share of the request's words that it has.
pub(in crate::bedrock) fn fit(request: &str, text: &str) -> f64 {
    let asked: BTreeSet<String> = words(request).filter(|word| !common(word)).map(|word| stem(&word)).collect();
    if asked.is_empty() {
        return 0.0;
    }
    let there: BTreeSet<String> = stems(text).into_iter().collect();
    asked.intersection(&there).count() as f64 / asked.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = include_str!("../../../../../stacks/elearning/documents/course-rules.md");
    const UNIT: &str = include_str!("../../../../../stacks/elearning/documents/vector-stores.md");

    #[test]
    fn the_sentence_that_answers_is_found_in_its_passage() {
        let found = answer("How long are certificates valid?", &[UNIT, RULES], 1);
        assert_eq!(found, [FoundPassage { sentence: "Certificates are valid for 24 months.".to_owned(), passage: 1 }]);
        let found = answer("What size are the chunks of the course's projects?", &[UNIT, RULES], 2);
        assert!(found.iter().any(|one| one.sentence.contains("300 tokens")), "{found:?}");
    }

    #[test]
    fn steps_are_told_when_it_is_asked_what_to_do() {
        let page = include_str!("../../../../../stacks/banking-agent/documents/proof-of-address.md");
        let table = include_str!("../../../../../stacks/banking-agent/documents/account-status.md");
        let found = answer("InvalidAddressProof What do I have to do?", &[table, page], 3);
        assert!(found.iter().all(|one| one.passage == 1 && is_step(&one.sentence)), "{found:?}");
        assert!(found.first().is_some_and(|one| one.sentence.contains("Compare the address")), "{found:?}");
    }

    #[test]
    fn a_question_about_something_else_finds_nothing() {
        assert_eq!(answer("Principal won the football championship yesterday?", &[UNIT, RULES], 3), []);
        assert_eq!(answer("", &[UNIT], 3), []);
    }
}
