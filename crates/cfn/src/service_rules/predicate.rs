//! What a rule asks of a resource, answered with yes, no, or that only a deploy can tell.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::lookup::{Found, find, is_known, literal};
use crate::schema::{Match, matches};

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown,
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::Yes } else { Self::No }
    }
}

impl From<Option<bool>> for Truth {
    fn from(truth: Option<bool>) -> Self {
        truth.map_or(Self::Unknown, Self::from)
    }
}

/// What is asked. Paths are within the resource, within the entry that is judged where the rule has `each`, and within the
/// related resource after a `^`; after a `/` they are within the resource in any case.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Predicate {
    /// Something is there.
    Present(String),
    /// Nothing is there.
    Absent(String),
    /// The value is one of these.
    Is(String, Vec<Value>),
    /// What is there is none of these; nothing there is well.
    IsNot(String, Vec<Value>),
    /// The text has a pattern in it.
    Matches(String, String),
    /// Exactly one of these is there.
    ExactlyOne(Vec<String>),
    /// At least one of these is there.
    AnyOf(Vec<String>),
    /// The number is a multiple of one, or one of others.
    Multiple(String, u64, Vec<u64>),
    /// The number is at most that.
    AtMost(String, f64),
    /// The product of two numbers is at most that.
    ProductAtMost(String, String, f64),
    /// What is there has at most so many bytes as JSON.
    BytesAtMost(String, usize),
    /// A list has at most so many entries.
    CountAtMost(String, usize),
    /// The entries of some lists have a list each, with so many entries in all at most.
    TotalAtMost(Vec<String>, String, usize),
    /// The first number is not above the second.
    NotAbove(String, String),
    /// No two entries of a list have the same value there.
    Distinct(String, String),
    /// One value is among the values that the entries of a list have there.
    Among(String, String, String),
    /// All texts of a list have a beginning, or none has it.
    NotMixed(String, String),
}

/// What a rule is asked about.
pub(super) struct Subject<'a> {
    pub(super) whole: &'a Value,
    pub(super) entry: Option<&'a Value>,
    pub(super) related: Option<&'a Value>,
}

impl<'a> Subject<'a> {
    fn find(&self, path: &str) -> Found<'a> {
        if let Some(path) = path.strip_prefix('^') {
            return self.related.map_or(Found::Unknown, |related| find(related, path));
        }
        match path.strip_prefix('/') {
            Some(path) => find(self.whole, path),
            None => find(self.entry.unwrap_or(self.whole), path),
        }
    }

    fn present(&self, path: &str) -> Truth {
        match self.find(path) {
            Found::Value(_) => Truth::Yes,
            Found::Absent => Truth::No,
            Found::Unknown => Truth::Unknown,
        }
    }

    fn number(&self, path: &str) -> Option<f64> {
        match self.find(path) {
            Found::Value(value) => literal(value)?.parse().ok(),
            _ => None,
        }
    }

    /// The entries of a list, when all of them are known.
    fn entries(&self, path: &str) -> Option<&'a [Value]> {
        match self.find(path) {
            Found::Value(Value::Array(entries)) => Some(entries.as_slice()),
            Found::Absent => Some(&[]),
            _ => None,
        }
    }
}

/// Whether all are so.
pub(super) fn all(predicates: &[Predicate], about: &Subject<'_>) -> Truth {
    let mut truth = Truth::Yes;
    for predicate in predicates {
        match predicate.holds(about) {
            Truth::No => return Truth::No,
            Truth::Unknown => truth = Truth::Unknown,
            Truth::Yes => {}
        }
    }
    truth
}

impl Predicate {
    fn holds(&self, about: &Subject<'_>) -> Truth {
        match self {
            Self::Present(path) => about.present(path),
            Self::Absent(path) => match about.present(path) {
                Truth::Yes => Truth::No,
                Truth::No => Truth::Yes,
                Truth::Unknown => Truth::Unknown,
            },
            Self::Is(path, values) => among(about.find(path), values),
            Self::IsNot(path, values) => match among(about.find(path), values) {
                Truth::Yes => Truth::No,
                Truth::No => Truth::Yes,
                Truth::Unknown => Truth::Unknown,
            },
            Self::Matches(path, pattern) => match about.find(path) {
                Found::Value(value) => literal(value)
                    .and_then(|text| match matches(pattern, &text) {
                        Match::Yes => Some(true),
                        Match::No => Some(false),
                        Match::Unchecked => None,
                    })
                    .into(),
                Found::Absent => Truth::No,
                Found::Unknown => Truth::Unknown,
            },
            Self::ExactlyOne(paths) => match count(about, paths) {
                (2.., _) => Truth::No,
                (_, true) => Truth::Unknown,
                (known, false) => (known == 1).into(),
            },
            Self::AnyOf(paths) => match count(about, paths) {
                (1.., _) => Truth::Yes,
                (0, true) => Truth::Unknown,
                (0, false) => Truth::No,
            },
            Self::Multiple(path, of, or) => about
                .number(path)
                .map(|number| or.iter().any(|it| (*it as f64 - number).abs() < 0.5) || number % *of as f64 == 0.0)
                .into(),
            Self::AtMost(path, most) => about.number(path).map(|number| number <= *most).into(),
            Self::ProductAtMost(one, other, most) => {
                about.number(one).zip(about.number(other)).map(|(one, other)| one * other <= *most).into()
            }
            Self::BytesAtMost(path, most) => match about.find(path) {
                Found::Value(Value::String(text)) => (text.len() <= *most).into(),
                Found::Value(value) => (value.to_string().len() <= *most).into(),
                Found::Absent => Truth::Yes,
                Found::Unknown => Truth::Unknown,
            },
            Self::CountAtMost(path, most) => match about.entries(path) {
                Some(entries) if entries.iter().all(is_known) => (entries.len() <= *most).into(),
                _ => Truth::Unknown,
            },
            Self::TotalAtMost(lists, within, most) => {
                let totals: Option<usize> = lists.iter().map(|list| total(about, list, within)).sum();
                totals.map(|total| total <= *most).into()
            }
            Self::NotAbove(one, other) => {
                about.number(one).zip(about.number(other)).map(|(one, other)| one <= other).into()
            }
            Self::Distinct(list, key) => {
                let mut seen = BTreeSet::new();
                let mut values = about.entries(list).unwrap_or_default().iter().filter_map(|entry| text_at(entry, key));
                values.all(|value| seen.insert(value)).into()
            }
            Self::Among(path, list, key) => {
                let Found::Value(value) = about.find(path) else { return Truth::Unknown };
                let values: Option<Vec<String>> =
                    about.entries(list).and_then(|all| all.iter().map(|entry| text_at(entry, key)).collect());
                literal(value).zip(values).map(|(value, values)| values.contains(&value)).into()
            }
            Self::NotMixed(list, beginning) => {
                let texts: Option<Vec<String>> = about.entries(list).and_then(|all| all.iter().map(literal).collect());
                texts
                    .map(|texts| {
                        let with = texts.iter().filter(|text| text.starts_with(beginning.as_str())).count();
                        with == 0 || with == texts.len()
                    })
                    .into()
            }
        }
    }
}

/// How many of some paths have a value, and whether more may.
fn count(about: &Subject<'_>, paths: &[String]) -> (usize, bool) {
    let truths: Vec<Truth> = paths.iter().map(|path| about.present(path)).collect();
    let known = truths.iter().filter(|truth| **truth == Truth::Yes).count();
    (known, truths.contains(&Truth::Unknown))
}

/// Whether what was found is one of some values: one of its entries, if it is a list.
fn among(found: Found<'_>, values: &[Value]) -> Truth {
    let is = |value: &Value| literal(value).map(|text| values.iter().any(|it| literal(it).as_ref() == Some(&text)));
    match found {
        Found::Absent => Truth::No,
        Found::Unknown => Truth::Unknown,
        Found::Value(Value::Array(entries)) => {
            let answers: Vec<Option<bool>> = entries.iter().map(is).collect();
            match (answers.contains(&Some(true)), answers.contains(&None)) {
                (true, _) => Truth::Yes,
                (false, true) => Truth::Unknown,
                (false, false) => Truth::No,
            }
        }
        Found::Value(value) => is(value).into(),
    }
}

fn text_at(entry: &Value, key: &str) -> Option<String> {
    match find(entry, key) {
        Found::Value(value) => literal(value),
        _ => None,
    }
}

fn total(about: &Subject<'_>, list: &str, within: &str) -> Option<usize> {
    let mut total = 0;
    for entry in about.entries(list)?.iter().filter(|entry| is_known(entry)) {
        if let Found::Value(Value::Array(inner)) = find(entry, within) {
            total += inner.iter().filter(|it| is_known(it)).count();
        }
    }
    Some(total)
}
