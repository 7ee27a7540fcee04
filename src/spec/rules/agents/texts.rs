//! Texts that an agent and its tools both have.

use crate::finding::code;
use crate::spec::rules::context::Rules;

/// A text of which the engines take so many characters.
pub(super) fn text_of(rules: &mut Rules<'_>, pointer: &str, text: &str, most: usize) {
    let count = text.chars().count();
    if count == 0 || count > most {
        let message = format!("this has {count} characters; 1 to {most} are allowed");
        rules.error(
            code::S186,
            pointer,
            message,
            if count == 0 { "write it, or leave the key out" } else { "shorten it" },
        );
    }
}
