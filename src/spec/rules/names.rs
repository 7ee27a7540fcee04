//! Names: the use case's, its components', and the logical ids they become.

use crate::finding::code;
use std::collections::{BTreeMap, BTreeSet};

use super::context::Rules;
use crate::spec::forms::{USE_CASE_NAME, is_use_case_name};
use crate::spec::sections::SECTIONS;
use crate::spec::words::{cut, escape, path};

/// A name as a part of a CloudFormation logical id: `movie-poster` → `MoviePoster`.
pub fn logical_name(name: &str) -> String {
    name.split('-')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

/// Logical ids a rendered template has of its own, which a parameter must not take.
const OWN_PARAMETERS: [&str; 2] = ["ArtifactBucket", "DeployerArn"];

pub(super) fn check(rules: &mut Rules<'_>) {
    let name = rules.spec.name.clone();
    if rules.intact("/name") && !is_use_case_name(&name) {
        let message = format!("`{}` cannot be the name of a use case", cut(&name));
        rules.error(code::S015, "/name", message, format!("{USE_CASE_NAME}{}", example(&name)));
    }
    let named = SECTIONS.iter().map(|section| section.key).filter(|key| *key != "network");
    for section in named.chain(["parameters", "outputs", "needs"]) {
        section_names(rules, section);
    }
}

fn is_component_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn section_names(rules: &mut Rules<'_>, section: &str) {
    let names: Vec<String> = rules.names(section).into_iter().map(str::to_owned).collect();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let keys = if section == "parameters" { artifact_keys(rules) } else { BTreeSet::new() };
    for name in names {
        let pointer = format!("/{section}/{}", escape(&name));
        if !is_component_name(&name) {
            let message = format!("`{}` cannot be a name under `{section}`", cut(&name));
            let help = "use letters, digits and hyphens, a letter or digit at both ends, at most 64 characters";
            rules.error_at_key(code::S015, &pointer, message, format!("{help}{}", example(&name)));
            continue;
        }
        let id = logical_name(&name);
        if section == "parameters" && (OWN_PARAMETERS.contains(&id.as_str()) || keys.contains(&id)) {
            let message = format!("the parameter `{name}` becomes `{id}`, which templates have for themselves");
            rules.error_at_key(code::S016, &pointer, message, "give it another name");
        }
        if let Some(other) = ids.get(&id) {
            let message = format!("`{}` and `{}` both become `{id}` in CloudFormation", path(&pointer), path(other));
            rules.error_at_key(code::S016, &pointer, message, "rename one of the two");
        } else {
            ids.insert(id, pointer);
        }
    }
}

/// The parameters a template gets for the keys of its artifacts.
fn artifact_keys(rules: &Rules<'_>) -> BTreeSet<String> {
    let made = |section: &str, suffix: &'static str| {
        let names = rules.names(section).into_iter().map(logical_name);
        names.map(move |name| name + suffix).collect::<Vec<_>>()
    };
    made("functions", "CodeKey").into_iter().chain(made("layers", "LayerKey")).collect()
}

/// A name near the one given that would do, to end a help text.
fn example(name: &str) -> String {
    let mut better = String::new();
    for c in name.trim().chars() {
        match c {
            c if c.is_ascii_alphanumeric() => better.push(c),
            _ if !better.is_empty() && !better.ends_with('-') => better.push('-'),
            _ => {}
        }
    }
    better.truncate(64);
    let better = better.trim_matches('-');
    match better.starts_with(|c: char| c.is_ascii_alphabetic()) && better != name {
        true => format!(", such as `{better}`"),
        false => String::new(),
    }
}
