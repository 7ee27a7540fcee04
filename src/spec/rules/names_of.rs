//! Names of components where the language wants one, such as an agent's `model`: each must be there.

use super::context::Rules;
use crate::finding::code;
use crate::spec::words::cut;

/// Sections whose names have rules of their own that say more.
const ELSEWHERE: [&str; 1] = ["layers"];

pub(super) fn check(rules: &mut Rules<'_>) {
    let names = rules.marks.names.clone();
    for mark in names {
        let (section, name) = &mark.value;
        if ELSEWHERE.contains(&section.as_str()) || rules.has(section, name) {
            continue;
        }
        let one = crate::spec::sections::Section::of(section).map_or("parameter", |section| section.one);
        let help = rules.suggest_name(section, name);
        let message = match name.strip_prefix(&format!("{section}.")) {
            Some(_) => format!("`{}` is more than a name: the section is known here", cut(name)),
            None => format!("there is no {one} `{}`", cut(name)),
        };
        rules.error(code::S025, &mark.pointer, message, help);
    }
}
