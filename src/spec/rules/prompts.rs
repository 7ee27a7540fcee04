//! Prompts: names and variables.

use super::context::Rules;
use super::knowledge::service_name;
use crate::finding::code;
use crate::spec::prompt::{MOST_PROMPT_VARIABLES, prompt_variables};
use crate::spec::words::{cut, escape};

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, prompt) in &spec.prompts {
        let pointer = format!("/prompts/{}", escape(name));
        if let Some(own) = &prompt.name {
            service_name(rules, &format!("{pointer}/name"), own, 100);
        }
        let texts = [("system", prompt.system.as_deref()), ("text", Some(prompt.text.as_str()))];
        for (key, text) in texts {
            let Some(Err(wrong)) = text.map(|text| prompt_variables([text])) else { continue };
            let message = format!("`{{{{{}}}}}` is not a variable of a prompt", cut(wrong));
            let help = "write `{{name}}` with letters and digits and single `-` or `_` between them, and no spaces";
            rules.error(code::S155, &format!("{pointer}/{key}"), message, help);
        }
        let all = prompt_variables(texts.iter().filter_map(|(_, text)| *text));
        if let Some(count) = all.ok().map(|all| all.len()).filter(|count| *count > MOST_PROMPT_VARIABLES) {
            let message = format!("the prompt has {count} variables, and takes {MOST_PROMPT_VARIABLES}");
            rules.error(code::S156, &format!("{pointer}/text"), message, "put several values into one variable");
        }
    }
}
