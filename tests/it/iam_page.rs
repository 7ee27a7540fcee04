//! `docs/iam.md` says what is so: the grants of every use case and example, and the exceptions.

use std::collections::{BTreeMap, BTreeSet};

use bedplate::facts::iam_exceptions;
use bedplate::iam::Policy;
use bedplate::spec::LoadedSpec;
use serde_json::Value;

use crate::rendered::{examples, rendered, use_cases};
use crate::support::repository;

/// The row about what every function's role has, whatever it uses.
const EVERY_FUNCTION: &str = "every function";

fn page() -> String {
    std::fs::read_to_string(repository().join("docs/iam.md")).expect("the page")
}

/// The table of grants: a verb and a section, such as `read: buckets`, → actions.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = page();
    let rows = page.lines().skip_while(|line| *line != "| grant | allows | on |").skip(2);
    let code = regex::Regex::new("`([a-z0-9-]+:[A-Za-z]+)`").expect("a pattern");
    rows.take_while(|line| line.starts_with('|'))
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let grant = cells[0].trim_matches('`').split('.').next().expect("a first").to_owned();
            (grant, code.captures_iter(cells[1]).map(|found| found[1].to_owned()).collect())
        })
        .collect()
}

/// The grants of each function of a spec, as verbs and sections, and the actions of its raw statements.
fn given(loaded: &LoadedSpec) -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let functions = loaded.document["functions"].as_object().cloned().unwrap_or_default();
    let uses = |function: &Value| {
        let (mut grants, mut raw) = (BTreeSet::from([EVERY_FUNCTION.to_owned()]), BTreeSet::new());
        for key in ["in-network", "dead-letter"] {
            if function[key] == true {
                grants.insert(format!("a function with `{key}: true"));
            }
        }
        for grant in function["uses"].as_array().into_iter().flatten() {
            for (verb, target) in grant.as_object().into_iter().flatten() {
                match target.as_str() {
                    Some(target) => {
                        grants.insert(format!("{verb}: {}", target.split('.').next().unwrap_or_default()));
                    }
                    None => {
                        let actions = target["actions"].as_array().into_iter().flatten();
                        raw.extend(actions.filter_map(Value::as_str).map(str::to_owned));
                    }
                }
            }
        }
        (grants, raw)
    };
    functions.iter().map(|(name, function)| (format!("/functions/{name}"), uses(function))).collect()
}

#[test]
fn every_function_may_do_what_the_page_says_of_its_grants() {
    let documented = documented();
    let dir = tempfile::tempdir().expect("a folder");
    let mut specs = use_cases();
    for (number, example) in examples().iter().enumerate() {
        specs.extend(example.load(&dir.path().join(number.to_string())));
    }
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for loaded in &specs {
        let given = given(loaded);
        let rendered = rendered(loaded);
        for resource in rendered.template.resources().filter(|it| it.type_ == "AWS::IAM::Role") {
            let Some((grants, raw)) = rendered.origins.get(resource.logical_id).and_then(|at| given.get(at)) else {
                continue;
            };
            let place = format!("{}: {}", loaded.file, resource.logical_id);
            let policies = resource.properties().and_then(|it| it["Policies"].as_array()).expect("a policy");
            let actions: BTreeSet<String> = policies
                .iter()
                .flat_map(|it| Policy::from_value(&it["PolicyDocument"]).expect("a policy document").statements)
                .flat_map(|statement| statement.actions)
                .collect();
            let mut allowed = raw.clone();
            for grant in grants {
                let row = documented.get(grant);
                allowed.extend(row.unwrap_or_else(|| panic!("{place}: docs/iam.md has no row `{grant}.NAME`")).clone());
            }
            let beyond: Vec<&String> = actions.difference(&allowed).collect();
            assert!(beyond.is_empty(), "{place} has {beyond:?}, and docs/iam.md does not say so of {grants:?}");
            for grant in grants {
                used.entry(grant.clone()).or_default().extend(actions.clone());
            }
        }
    }
    assert!(used.len() > 4, "roles of functions are found: {used:?}");
    for (grant, actions) in used {
        let never: Vec<&String> = documented[&grant].difference(&actions).collect();
        assert!(never.is_empty(), "docs/iam.md says that `{grant}` allows {never:?}, and no role has it");
    }
}

#[test]
fn the_page_about_iam_names_every_exception() {
    let page = page();
    let exceptions = iam_exceptions();
    let rows = exceptions
        .actions
        .iter()
        .map(|it| format!("| `{}` | {} |", it.action, it.why))
        .chain(exceptions.trusts.iter().map(|it| format!("| `{}` | {} |", it.service, it.why)));
    for row in rows {
        assert!(page.contains(&row), "docs/iam.md lacks the row\n{row}");
    }
    let listed = page.lines().skip_while(|line| !line.starts_with("| action | why nothing narrower")).skip(2);
    assert_eq!(listed.take_while(|line| line.starts_with('|')).count(), exceptions.actions.len(), "no other action");
}
