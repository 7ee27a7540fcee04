//! Guardrails: names, and that there is something they keep out.

use super::context::Rules;
use crate::finding::code;
use crate::spec::text::Piece;
use crate::spec::types::Guardrail;
use crate::spec::words::{cut, escape};

/// The longest name of a guardrail, of a topic or a pattern, and of a topic's question, by AWS::Bedrock::Guardrail.
const NAME: usize = 50;
const INNER_NAME: usize = 100;
const QUESTION: usize = 100;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, guardrail) in &spec.guardrails {
        let pointer = format!("/guardrails/{}", escape(name));
        own_name(rules, &pointer, guardrail);
        something(rules, &pointer, guardrail);
        for (topic, content) in &guardrail.topics {
            let plain = |c: char| c.is_ascii_alphanumeric() || " -_!?.".contains(c);
            if topic.is_empty() || topic.len() > INNER_NAME || !topic.chars().all(plain) {
                let message = format!("`{}` cannot be the name of a topic", cut(topic));
                let help = "use letters, digits, spaces and `-_!?.`, at most 100 characters";
                rules.error_at_key(code::S151, &format!("{pointer}/topics/{}", escape(topic)), message, help);
            }
            for (index, question) in content.examples.iter().enumerate() {
                if question.is_empty() || question.chars().count() > QUESTION {
                    let at = format!("{pointer}/topics/{}/examples/{index}", escape(topic));
                    let message = "an example question has between 1 and 100 characters".to_owned();
                    rules.error(code::S151, &at, message, "shorten it");
                }
            }
        }
        for pattern in guardrail.patterns.keys() {
            if pattern.is_empty() || pattern.chars().count() > INNER_NAME {
                let message = format!("`{}` cannot be the name of a pattern", cut(pattern));
                let at = format!("{pointer}/patterns/{}", escape(pattern));
                rules.error_at_key(code::S151, &at, message, "use between 1 and 100 characters");
            }
        }
        for (index, word) in guardrail.words.iter().enumerate() {
            if word.trim().is_empty() {
                let message = "a word that is blocked has letters".to_owned();
                rules.error(code::S151, &format!("{pointer}/words/{index}"), message, "remove it");
            }
        }
    }
}

fn own_name(rules: &mut Rules<'_>, pointer: &str, guardrail: &Guardrail) {
    let Some(pieces) = guardrail.name.as_ref().and_then(|name| name.pieces().ok()) else { return };
    let mut length = 0;
    let mut plain = true;
    for piece in &pieces {
        if let Piece::Literal(literal) = piece {
            length += literal.len();
            plain &= literal.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        }
    }
    if pieces.is_empty() || length > NAME || !plain {
        let message = "this cannot be the name of a guardrail".to_owned();
        rules.error(
            code::S151,
            &format!("{pointer}/name"),
            message,
            "use letters, digits, `-` and `_`, at most 50 of them",
        );
    }
}

/// A guardrail without a single rule is refused by Bedrock.
fn something(rules: &mut Rules<'_>, pointer: &str, guardrail: &Guardrail) {
    let empty = guardrail.topics.is_empty()
        && guardrail.filters.is_empty()
        && guardrail.words.is_empty()
        && !guardrail.profanity
        && guardrail.personal_data.is_empty()
        && guardrail.patterns.is_empty()
        && guardrail.grounding.is_none()
        && guardrail.relevance.is_none();
    if empty && rules.intact(pointer) {
        let message = "the guardrail keeps nothing out".to_owned();
        let help =
            "add `topics`, `filters`, `words`, `profanity`, `personal-data`, `patterns`, `grounding` or `relevance`";
        rules.error_at_key(code::S150, pointer, message, help);
    }
}
