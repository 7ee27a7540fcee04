//! Other use cases that this one needs: names that can be one's, and outputs that can be there.

use super::context::Rules;
use crate::finding::code;
use crate::spec::forms::is_stage_name;
use crate::spec::text::{Piece, Reference};
use crate::spec::words::{cut, escape};

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (alias, need) in &spec.needs {
        let base = format!("/needs/{}", escape(alias));
        let use_case = need.use_case.as_ref().unwrap_or(alias);
        if use_case == &spec.name && need.stage.is_none() {
            let message = format!("`{}` needs itself", cut(use_case));
            rules.error_at_key(code::S215, &base, message, "name another use case, or another stage of this one");
        }
        let letters = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if need.use_case.is_some()
            && (!letters(use_case) || !use_case.starts_with(|c: char| c.is_ascii_alphabetic()) || use_case.len() > 64)
        {
            let message = format!("`{}` cannot be the name of a use case", cut(use_case));
            rules.error(code::S215, &format!("{base}/use-case"), message, "write its `name`");
        }
        if let Some(stage) = need.stage.as_ref().filter(|stage| !is_stage_name(stage)) {
            let message = format!("`{}` cannot be the name of a stage", cut(stage));
            let help = "use letters, digits and hyphens, a letter first and no hyphen last, at most 32";
            rules.error(code::S215, &format!("{base}/stage"), message, help);
        }
    }
    for mark in &rules.marks.texts {
        for piece in mark.value.pieces().unwrap_or_default() {
            let Piece::Reference(Reference::Component { section, name, attribute: Some(output) }) = piece else {
                continue;
            };
            if section == "needs" && !output.bytes().all(|b| b.is_ascii_alphanumeric()) {
                let message = format!("`${{needs.{}.{}}}`: no output is called that", cut(&name), cut(&output));
                let help = "write the output as `bedplate outputs` shows it, in letters and digits";
                rules.error(code::S215, &mark.pointer, message, help);
            }
        }
    }
}
