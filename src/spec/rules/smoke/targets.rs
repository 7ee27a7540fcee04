//! What several kinds of test are about: a component, and what is said to it.

use crate::finding::code;
use crate::spec::rules::context::Rules;
use crate::spec::sections::Section;
use crate::spec::words::cut;

/// Whether a target such as `agents.assistant` is a component of the section.
pub(super) fn component(rules: &mut Rules<'_>, pointer: &str, section: &'static str, target: &str) -> bool {
    let one = Section::of(section).map_or("component", |section| section.one);
    let Some(name) = target.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) else {
        let message = format!("`{}` is no {one}", cut(target));
        let help = match rules.has(section, target) {
            true => format!("write `{section}.{target}`"),
            false => format!("write `{section}.NAME`"),
        };
        rules.error(code::S036, pointer, message, help);
        return false;
    };
    if !rules.has(section, name) {
        let help = rules.suggest_name(section, name);
        rules.error(code::S036, pointer, format!("there is no {one} `{}`", cut(name)), help);
        return false;
    }
    true
}

/// A text that is sent on, of at most so many characters. Source: Bedrock API reference, `Retrieve` and `InvokeAgent`.
pub(super) fn check_text_length(rules: &mut Rules<'_>, pointer: &str, text: &str, most: usize) {
    if text.trim().is_empty() {
        rules.error(code::S036, pointer, "nothing is said".to_owned(), "write what to ask");
    } else if text.chars().count() > most {
        let message = format!("that is {} characters", text.chars().count());
        rules.error(code::S036, pointer, message, format!("write at most {most}"));
    }
}
