//! Texts for ids and attributes of which only the schema is known: such as the schema takes.

use rand::Rng as _;
use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::Value;

use bedplate_cfn::schema::{Match, Shape, matches};

/// How often the parts of a pattern are repeated at most that may be.
const MOST_REPEATS: u32 = 64;
/// The longest text that is drawn from a pattern.
const LONGEST: usize = 2_048;

/// Whether a shape takes a text.
pub fn fits(shape: &Shape, text: &str) -> bool {
    let length = text.chars().count() as u64;
    shape.min_length.is_none_or(|least| length >= least)
        && shape.max_length.is_none_or(|most| length <= most)
        && shape.pattern.as_ref().is_none_or(|pattern| matches(pattern, text) != Match::No)
        && (shape.choices.is_empty() || shape.choices.iter().any(|choice| choice.as_str() == Some(text)))
}

/// The first candidate that a shape takes, else a text made for it. Where none can be made it is the first candidate.
pub fn fitting(shape: Option<&Shape>, candidates: Vec<String>) -> String {
    let first = candidates.first().cloned().unwrap_or_default();
    let Some(shape) = shape else { return first };
    if let Some(found) = candidates.into_iter().find(|candidate| fits(shape, candidate)) {
        return found;
    }
    if let Some(choice) = shape.choices.first().and_then(Value::as_str) {
        return choice.to_owned();
    }
    if let Some(hir) = shape.pattern.as_deref().and_then(|pattern| regex_syntax::parse(pattern).ok()) {
        // One try each, until the text is long enough.
        for repeats in [1, 0].into_iter().chain(2..=MOST_REPEATS) {
            let mut text = String::new();
            draw(&hir, repeats, &mut text);
            if fits(shape, &text) {
                return text;
            }
        }
    }
    let most = shape.max_length.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let mut text: String = first.chars().take(most).collect();
    while shape.min_length.is_some_and(|least| (text.chars().count() as u64) < least) && text.len() < LONGEST {
        text.push('0');
    }
    text
}

/// Writes a text that a pattern takes.
fn draw(hir: &Hir, repeats: u32, out: &mut String) {
    if out.len() > LONGEST {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(one_of(class)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            for _ in 0..repeats.max(repetition.min).min(most) {
                draw(&repetition.sub, repeats, out);
            }
        }
        HirKind::Capture(capture) => draw(&capture.sub, repeats, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| draw(part, repeats, out)),
        HirKind::Alternation(parts) => {
            if let Some(part) = parts.first() {
                draw(part, repeats, out);
            }
        }
    }
}

/// A character of a class: a letter or digit where it has any.
fn one_of(class: &Class) -> Option<char> {
    let Class::Unicode(class) = class else { return None };
    let has = |wanted: char| class.ranges().iter().any(|range| range.start() <= wanted && wanted <= range.end());
    let usual: Vec<char> = ('a'..='z').chain('0'..='9').filter(|usual| has(*usual)).collect();
    let usual = if usual.is_empty() { ('A'..='Z').filter(|usual| has(*usual)).collect() } else { usual };
    match usual.len() {
        0 => class.ranges().first().map(|range| range.start()),
        count => usual.get(rand::rng().random_range(0..count)).copied(),
    }
}

#[cfg(test)]
mod tests {
    use bedplate_cfn::Schemas;

    use super::*;

    fn shape(pattern: &str, least: u64, most: u64) -> Shape {
        Shape { pattern: Some(pattern.into()), min_length: Some(least), max_length: Some(most), ..Shape::default() }
    }

    #[test]
    fn a_candidate_that_fits_is_taken_and_else_a_text_is_made() {
        let of = |shape: &Shape, candidates: &[&str]| {
            fitting(Some(shape), candidates.iter().map(|&candidate| candidate.to_owned()).collect())
        };
        assert_eq!(of(&shape("^[a-z]+$", 1, 10), &["A-b", "plain"]), "plain");
        for (pattern, least, most) in [
            ("^[a-zA-Z0-9][a-zA-Z0-9-]{35}$", 36, 36),
            ("^[0-9a-z]+$", 26, 30),
            ("^arn:aws[a-z-]*:kendra:[a-z0-9-]*:[0-9]{12}:index/[a-f0-9-]{36}$", 1, 200),
            ("^(wl|ws)-[A-Z]{4}(:[0-9]+)?$", 5, 40),
        ] {
            let shape = shape(pattern, least, most);
            let made = of(&shape, &["Not This One, For Sure!"]);
            assert!(fits(&shape, &made), "{pattern}: {made}");
        }
        assert_eq!(of(&Shape { max_length: Some(3), ..Shape::default() }, &["abcdef"]), "abc");
    }

    /// Whatever the schemas say of an attribute, there is a text for it.
    #[test]
    fn every_text_attribute_of_every_type_can_be_made() {
        let schemas = Schemas::embedded();
        let (mut made, mut failed) = (0, Vec::new());
        for name in schemas.types() {
            let Some(schema) = schemas.get(name) else { continue };
            for attribute in schema.attributes().filter(|attribute| !attribute.contains('*')) {
                let Some(shape) = schema.attribute(&attribute) else { continue };
                if shape.pattern.is_none() && shape.min_length.is_none() && shape.max_length.is_none() {
                    continue;
                }
                made += 1;
                let text = fitting(Some(shape), vec!["stack-Name-ABCDEF".to_owned()]);
                if !fits(shape, &text) {
                    failed.push(format!("{name}.{attribute}: {:?} {text}", shape.pattern));
                }
            }
        }
        assert!(made > 500, "{made}");
        assert!(failed.len() * 100 <= made, "{} of {made}: {failed:#?}", failed.len());
    }
}
