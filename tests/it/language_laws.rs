//! What holds of every spec the language can say: if its rules let it pass, it renders, the provider schemas accept the
//! template, and no policy in it allows everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bedplate::cfn::validate;
use bedplate::finding::{Finding, Severity, has_errors};
use bedplate::render::{Partials, Rendered, render};
use bedplate::spec::{self, GRANTS, LoadedSpec, SECTIONS};
use bedplate::yaml;
use proptest::prelude::*;
use serde_json::Value;

use crate::render::DEV;

mod generate;
mod places;

/// The spec of a seed without the components that its rules refuse.
fn spec_of(seed: u64, dir: &Path) -> Option<LoadedSpec> {
    let mut document = generate::document(seed);
    for _ in 0..12 {
        let text = yaml::emit(&document);
        match spec::load_text(&text, dir, "usecase.yaml") {
            Ok(loaded) => return Some(loaded),
            Err(findings) => {
                let blamed = blamed(&text, &findings);
                assert!(!blamed.is_empty(), "nobody is to blame: {findings:#?}\n{text}");
                for blame in blamed {
                    without(&mut document, &blame);
                }
            }
        }
    }
    None
}

/// What a finding is about: section, component and, where it is no more than that, the grant.
type Blame = (String, String, Option<(String, String)>);

/// What findings are about, by the lines they stand on.
fn blamed(text: &str, findings: &[Finding]) -> BTreeSet<Blame> {
    let mut owners: Vec<Blame> = Vec::new();
    let (mut section, mut name) = (String::new(), String::new());
    for line in text.lines() {
        let key = line.trim_start().split_once(':').map_or("", |(key, _)| key).trim_matches(['"', '\'']);
        match line.len() - line.trim_start().len() {
            0 => (section, name) = (key.to_owned(), String::new()),
            2 => key.clone_into(&mut name),
            _ => {}
        }
        let grant = line.trim_start().strip_prefix("- ").and_then(|entry| entry.split_once(": "));
        let grant = grant.filter(|(verb, _)| GRANTS.iter().any(|(known, _)| known == verb));
        let grant = grant.map(|(verb, target)| (verb.to_owned(), target.to_owned()));
        owners.push((section.clone(), name.clone(), grant));
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.filter_map(|finding| owners.get(finding.place.as_ref()?.line - 1).cloned()).collect()
}

fn without(document: &mut Value, (section, name, grant): &Blame) {
    let Some(root) = document.as_object_mut() else { return };
    let uses = root.get_mut(section).and_then(|all| all.get_mut(name)?.get_mut("uses")?.as_array_mut());
    if let (Some(uses), Some((verb, target))) = (uses, grant) {
        uses.retain(|entry| entry.get(verb).and_then(Value::as_str) != Some(target));
        return;
    }
    match root.get_mut(section) {
        Some(Value::Object(components)) if section != "network" => {
            components.shift_remove(name);
        }
        _ => {
            root.shift_remove(section);
        }
    }
}

/// What was rendered, held against the laws.
fn held(loaded: &LoadedSpec) -> Result<Rendered, String> {
    let text = yaml::emit(&loaded.document);
    let rendered = render(loaded, &DEV, Partials::embedded())
        .map_err(|findings| format!("it does not render: {findings:#?}\n{text}"))?;
    let findings = validate(&rendered.template, Some("us-west-2"));
    if has_errors(&findings) {
        return Err(format!("the provider schemas refuse it: {findings:#?}\n{text}\n{}", rendered.template.to_yaml()));
    }
    Ok(rendered)
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    generate::write_files(dir.path());
    dir
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn what_the_rules_let_pass_the_provider_schemas_accept(seed in any::<u64>()) {
        let dir = folder();
        if let Some(loaded) = spec_of(seed, dir.path()) {
            held(&loaded).map_err(TestCaseError::fail)?;
        }
    }
}

#[test]
fn the_generated_specs_have_everything_the_language_has() {
    let dir = folder();
    let mut sections: BTreeSet<&str> = BTreeSet::new();
    let mut verbs: BTreeSet<&str> = BTreeSet::new();
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for seed in 0..150 {
        let Some(loaded) = spec_of(seed, dir.path()) else { continue };
        if let Err(wrong) = held(&loaded) {
            panic!("seed {seed}: {wrong}");
        }
        for section in SECTIONS {
            match loaded.document.get(section.key) {
                Some(Value::Object(components)) if !components.is_empty() => {
                    sections.insert(section.key);
                    let all = components.values().filter_map(Value::as_object).flat_map(|map| map.keys().cloned());
                    keys.entry(section.key.to_owned()).or_default().extend(all);
                }
                _ => {}
            }
        }
        verbs.extend(loaded.spec.grants().iter().filter_map(|given| given.grant.verb()));
    }
    let missing: Vec<&str> = SECTIONS.iter().map(|section| section.key).filter(|key| !sections.contains(key)).collect();
    assert!(missing.is_empty(), "never passed: {missing:?}");
    let unused: Vec<&str> = GRANTS.iter().map(|(verb, _)| *verb).filter(|verb| !verbs.contains(verb)).collect();
    assert!(unused.is_empty(), "never granted: {unused:?}");
    // Each key of each kind of component passed in some spec.
    let mut lacking = Vec::new();
    let schema = spec::json_schema();
    for section in SECTIONS.iter().filter(|section| !["network", "models"].contains(&section.key)) {
        let reference = schema["properties"][section.key]["additionalProperties"]["$ref"].as_str().expect("a type");
        let known = schema.pointer(reference.trim_start_matches('#')).expect("a type")["properties"].clone();
        let seen = keys.get(section.key).cloned().unwrap_or_default();
        let never: Vec<&String> = known.as_object().expect("keys").keys().filter(|key| !seen.contains(*key)).collect();
        if !never.is_empty() {
            lacking.push(format!("`{}` never passed with {never:?}", section.key));
        }
    }
    assert!(lacking.is_empty(), "{lacking:#?}");
}
