//! What holds of every template the language can give: what is wrong with a part of it is shown at the key of the spec that
//! says it.

use std::collections::BTreeMap;

use bedplate::cfn::Template;
use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::files::Root;
use bedplate::finding::{Finding, Place};
use bedplate::render::{Partials, Rendered, render};
use bedplate::spec::LoadedSpec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{folder, spec_of};
use crate::render::DEV;

/// The program's partials as a project's own, one of them changed.
fn overridden(name: &str, from: &str, to: &str) -> Partials {
    let dir = tempfile::tempdir().expect("a folder");
    for name_of in Partials::embedded().names() {
        let text = Partials::embedded().source(name_of).expect("a partial");
        let text = if name_of == name { text.replace(from, to) } else { text.to_owned() };
        std::fs::write(dir.path().join(format!("{name_of}.yaml.hbs")), text + "# ours\n").expect("a file");
    }
    Partials::with_overrides(&Root::new(dir.path()).expect("a folder"), dir.path(), dir.path()).expect("sound partials")
}

fn checked(loaded: &LoadedSpec, rendered: &Rendered) -> Vec<Finding> {
    let today = Day::parse("2026-11-22").expect("a day");
    check(loaded, rendered, &CheckOptions { today, region: Some("us-west-2") })
}

/// A JSON pointer into the spec, or that of the nearest thing around it that the spec says.
fn said<'p>(loaded: &LoadedSpec, mut pointer: &'p str) -> &'p str {
    while loaded.document.pointer(pointer).is_none() {
        (pointer, _) = pointer.rsplit_once('/').expect("the root is there");
    }
    pointer
}

/// Makes each property wrong that comes from a place of the spec, and looks where that is told.
fn wrong_values_are_told_at_their_keys(loaded: &LoadedSpec, partials: &Partials) -> Result<usize, String> {
    let rendered = render(loaded, &DEV, partials).map_err(|findings| format!("{findings:#?}"))?;
    let rows: BTreeMap<&str, &str> = rendered.provenance.rows().collect();
    let mut template = rendered.template.value().clone();
    let mut corrupted = BTreeMap::new();
    for (part, place) in &rows {
        let below = format!("{part}/");
        let innermost = rows.range(below.as_str()..).next().is_none_or(|(next, _)| !next.starts_with(&below));
        let property = part.starts_with("/Resources/") && part.contains("/Properties/");
        if innermost
            && property
            && let Some(value) = template.pointer_mut(part)
        {
            // Neither text nor number, and no mapping of CloudFormation's.
            *value = json!([{ "Nonsense": [true] }]);
            corrupted.insert((*part).to_owned(), (*place).to_owned());
        }
    }
    let template = Template::from_value(template).map_err(|findings| format!("{findings:#?}"))?;
    let broken = Rendered { template, ..rendered.clone() };
    let mut told = 0;
    for finding in checked(loaded, &broken).into_iter().filter(|finding| finding.code.as_str().starts_with('T')) {
        let Some(path) = &finding.template_path else { continue };
        let pointer = broken.template.pointer(path, '/');
        let around = corrupted.iter().filter(|(part, _)| format!("{pointer}/").starts_with(&format!("{part}/")));
        let Some((part, place)) = around.max_by_key(|(part, _)| part.len()) else { continue };
        let said = said(loaded, place);
        let at = |place: Option<Place>| place.map(|place| place.line);
        let lines = [at(loaded.key_place(said)), at(loaded.place(said))];
        if !lines.contains(&at(finding.place.clone())) {
            return Err(format!("{part} comes from {place}, of {lines:?}, and is told at {finding:?}"));
        }
        told += 1;
    }
    Ok(told)
}

/// The texts and numbers of a document that stand there once, with their places.
fn unique(document: &Value) -> BTreeMap<String, (String, Value)> {
    let mut found: BTreeMap<String, Vec<(String, Value)>> = BTreeMap::new();
    leaves(document, String::new(), &mut |pointer, value| {
        found.entry(value.to_string()).or_default().push((pointer.to_owned(), value.clone()));
    });
    found
        .into_iter()
        .filter(|(_, places)| places.len() == 1)
        .filter_map(|(key, mut it)| Some((key, it.pop()?)))
        .collect()
}

fn leaves(value: &Value, pointer: String, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(member, format!("{pointer}/{key}"), see);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, format!("{pointer}/{index}"), see);
            }
        }
        leaf => see(&pointer, leaf),
    }
}

/// What partials and components say themselves where a spec says nothing, and other components of the spec say, too.
const OF_PARTIALS: [&str; 2] = ["embedding", "$request.body.action"];

/// Every value of the spec that is found again in the template is shown at its own place.
fn what_reaches_the_template_has_its_place(loaded: &LoadedSpec, partials: &Partials) -> Result<usize, String> {
    let rendered = render(loaded, &DEV, partials).map_err(|findings| format!("{findings:#?}"))?;
    let said = unique(&loaded.document);
    let places = rendered.places(loaded);
    let place_of = |part: &str| places.at(part).cloned();
    let mut seen = 0;
    let mut wrong = Vec::new();
    leaves(rendered.template.value(), String::new(), &mut |part, value| {
        // Short words and small numbers are also found where they come from nowhere.
        let telling =
            value.as_str().is_some_and(|text| text.len() > 8) || value.as_u64().is_some_and(|it| it > 100 && it != 512);
        let Some((pointer, _)) = said.get(&value.to_string()).filter(|_| telling) else { return };
        // A number is often the same as another component's by chance.
        let component = |pointer: &str| pointer.split('/').skip(1).take(2).map(str::to_owned).collect::<Vec<_>>();
        let origin = part.split('/').nth(2).and_then(|id| rendered.origins.get(id));
        if value.is_number() && origin.is_none_or(|origin| component(origin) != component(pointer)) {
            return;
        }
        // What names a model stands where the value is wanted; its id is the model's own affair.
        if pointer.starts_with("/models/") && pointer.ends_with("/id")
            || value.as_str().is_some_and(|text| OF_PARTIALS.contains(&text))
        {
            return;
        }
        // A statement of a policy stands at its grant, or where those of all that was merged do.
        if part.contains("/Statement/") && pointer.contains("/uses/") {
            let place = place_of(part);
            let granted = pointer.match_indices("/uses").next().map_or(0, |(at, uses)| at + uses.len());
            let grant = pointer[granted + 1..].find('/').map_or(pointer.len(), |end| granted + 1 + end);
            seen += 1;
            if place != loaded.key_place(&pointer[..grant]) && place != loaded.key_place(&pointer[..granted]) {
                wrong.push(format!("{part} is {value}, of {pointer}, and is shown at {place:?}"));
            }
            return;
        }
        let place = place_of(part);
        seen += 1;
        if place != loaded.place(pointer) {
            wrong.push(format!("{part} is {value}, of {pointer}, and is shown at {place:?}"));
        }
    });
    if wrong.is_empty() { Ok(seen) } else { Err(wrong.join("\n")) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn a_wrong_value_is_told_at_its_key(seed in any::<u64>()) {
        let dir = folder();
        if let Some(loaded) = spec_of(seed, dir.path()) {
            wrong_values_are_told_at_their_keys(&loaded, Partials::embedded()).map_err(TestCaseError::fail)?;
            what_reaches_the_template_has_its_place(&loaded, Partials::embedded()).map_err(TestCaseError::fail)?;
        }
    }
}

#[test]
fn every_kind_of_component_is_shown_at_its_keys() {
    let dir = folder();
    let ours = overridden("", "", "");
    let (mut told, mut seen, mut wrong) = (0, 0, Vec::new());
    for seed in 0..60 {
        let Some(loaded) = spec_of(seed, dir.path()) else { continue };
        for partials in [Partials::embedded(), &ours] {
            let mut count = |held: Result<usize, String>| {
                held.unwrap_or_else(|reason| {
                    wrong.push(format!("seed {seed}: {reason}"));
                    0
                })
            };
            told += count(wrong_values_are_told_at_their_keys(&loaded, partials));
            seen += count(what_reaches_the_template_has_its_place(&loaded, partials));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told > 2_000 && seen > 500, "{told} told, {seen} seen: the generator or the check is asleep");
}

const SPEC: &str = "bedplate: 1
name: x
functions:
  f:
    inline: function/index.py
    handler: index.handler
    runtime: python3.13
    description: '!@1 !Ref x # {{json name}}'
    timeout: 77s
    memory: 777
    environment:
      NAME: '!@3 \"!Ref y\"'
";

#[test]
fn a_value_is_shown_at_its_key_wherever_a_project_s_partial_writes_it() {
    let dir = folder();
    let loaded = bedplate::spec::load_text(SPEC, dir.path(), "usecase.yaml").expect("a spec");
    let line = |partials: &Partials, path: &str| {
        let rendered = render(&loaded, &DEV, partials).expect("a template");
        rendered.place(&loaded, &format!("Resources/FFunction/Properties/{path}")).map(|place| place.line)
    };
    // Another property, deep in a list, behind a short form, beside a key that is a value itself.
    for (to, path) in [
        ("MemorySize: {{json timeout}}", "MemorySize"),
        ("MemorySize: [a, [{{json runtime}}, {{json timeout}}]]", "MemorySize/1/1"),
        ("MemorySize: !If [c, {{json timeout}}, 1]", "MemorySize/Fn::If/1"),
        ("MemorySize: !Base64 {{json timeout}}", "MemorySize/Fn::Base64"),
        ("{{json description}}: {{json timeout}}", "!@1 !Ref x # {{json name}}"),
        (
            "MemorySize:\n        {{json description}}: { {{json runtime}}: {{json timeout}} }",
            "MemorySize/!@1 !Ref x # {{json name}}/python3.13",
        ),
        ("MemorySize:\n        - {{json runtime}}\n        # A comment\n        - {{json timeout}}", "MemorySize/1"),
    ] {
        let partials = overridden("function", "MemorySize: {{json memory}}", to);
        assert_eq!(line(&partials, path), Some(9), "{to}");
    }
    let ours = overridden("", "", "");
    for partials in [Partials::embedded(), &ours] {
        assert_eq!(line(partials, "Timeout"), Some(9));
        assert_eq!(line(partials, "MemorySize"), Some(10));
        assert_eq!(line(partials, "Description"), Some(8), "no text can pass for another place");
        assert_eq!(line(partials, "Environment/Variables/NAME"), Some(12));
    }
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    let function = rendered.template.resource("FFunction").expect("a function").properties().expect("properties");
    assert_eq!(function["Description"], "!@1 !Ref x # {{json name}}");
    assert_eq!(function["Environment"]["Variables"]["NAME"], "!@3 \"!Ref y\"");
}
