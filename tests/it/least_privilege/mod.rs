//! The roles of every use case are sufficient and minimal, as far as the local target can show it: with the whole roles the
//! smoke tests pass, and without any one statement, or any one action of a statement, something is denied and they fail.
//! What is not missed stands in `docs/iam.md` with its reason, and everything that stands there is not missed.

mod roles;
mod stack;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::roles::Without;
use self::stack::Stack;
use crate::support::{Project, repository};

#[test]
fn without_any_one_statement_of_a_role_smoke_tests_fail() {
    let names = crate::use_cases::all();
    // As many at once as the machine has processors: each is a project of its own.
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let survivors: Vec<Survivor> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                let mine: Vec<&String> = names.iter().skip(worker).step_by(workers).collect();
                scope.spawn(move || mine.into_iter().flat_map(|name| proved(name)).collect::<Vec<_>>())
            })
            .collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("a proof")).collect()
    });
    let justified = justified();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for survivor in &survivors {
        let key = (survivor.kind.clone(), survivor.action.clone());
        if justified.contains_key(&key) {
            seen.insert(key);
        } else {
            wrong.push(&survivor.told);
        }
    }
    assert!(
        wrong.is_empty(),
        "not needed, and docs/iam.md does not say why it is there:\n{}",
        wrong.iter().map(|told| told.as_str()).collect::<Vec<_>>().join("\n")
    );
    let missed: Vec<_> = justified.keys().filter(|key| !seen.contains(*key)).collect();
    assert!(missed.is_empty(), "docs/iam.md justifies what is missed all the same: {missed:?}");
}

/// What nobody missed.
struct Survivor {
    /// The kind of role, as the page has it.
    kind: String,
    action: String,
    told: String,
}

/// Takes everything out of the roles of a use case, one after the other.
fn proved(name: &str) -> Vec<Survivor> {
    let project = Project::with_all();
    let spec = project.read(&format!("stacks/{name}/usecase.yaml"));
    let region = spec.lines().find_map(|line| line.strip_prefix("region: ")?.split_whitespace().next());
    let region = region.unwrap_or("us-west-2").to_owned();
    let run = |url: &str, args: &[&str]| project.run(&[args, &["--endpoint-url", url, "--region", &region]].concat());
    let served = project.serve(&[]);
    let _ = run(&served.url, &["deploy", name, "--yes"]).ok();
    let mut stack = Stack::new(served, region.clone(), format!("{name}-dev"));
    let whole = stack.template();
    let variants = roles::variants(&whole);
    assert!(!variants.is_empty(), "{name} has no role to try");
    let mut survivors = Vec::new();
    for variant in &variants {
        let less = variant.template(&whole);
        // Another process: what one keeps (an authorizer's answer, a secret a function has read) hides no missing right.
        stack.move_to(project.serve(&[]));
        if !stack.can_forget() && variant.kind.ends_with("knowledge base") {
            stack.update(&whole);
            assert_eq!(stack.ingested(), None, "{name} with all of its rights");
        }
        stack.update(&less);
        let before = stack.denials();
        let mut failed = Vec::from_iter(stack.ingested());
        let smoke = run(stack.url(), &["smoke", name]);
        if smoke.code == 13 {
            failed.push(smoke.session());
        }
        let mut denied = stack.denied_since(&before, &variant.role);
        if failed.is_empty() && variant.in_network {
            // What is made is rolled back, and with it what was written down of the denial: the reason tells of it.
            let reason = stack.made_anew(&less);
            denied.extend(reason.clone());
            failed.extend(reason);
        }
        survivors.extend(survivor(name, variant, &failed, &denied));
    }
    stack.move_to(project.serve(&[]));
    stack.update(&whole);
    let before = stack.denials();
    assert_eq!(stack.ingested(), None, "{name} with all of its rights");
    let smoke = run(stack.url(), &["smoke", name]);
    assert!(smoke.code == 0, "{name} with all of its rights:\n{}", smoke.session());
    assert_eq!(stack.all_denied_since(&before), [""; 0], "{name} with all of its rights");
    survivors
}

/// Nothing when it was missed: something failed, and because the role was denied something.
fn survivor(name: &str, variant: &Without, failed: &[String], denied: &[String]) -> Vec<Survivor> {
    // Nothing fails for want of a log, but its function is denied writing it.
    let logs = variant.actions.iter().all(|action| action.starts_with("logs:")) && variant.kind == "function";
    if !denied.is_empty() && (logs || !failed.is_empty()) {
        return Vec::new();
    }
    let told = format!(
        "{name}: the {} role {} without {} on {}: denied {denied:?}, failed {failed:#?}",
        variant.kind,
        variant.role,
        variant.actions.join(", "),
        variant.resource
    );
    let survivor =
        |action: &String| Survivor { kind: variant.kind.to_owned(), action: action.clone(), told: told.clone() };
    variant.actions.iter().map(survivor).collect()
}

/// What `docs/iam.md` says is not missed on the local target, by kind of role and action, with its reason.
fn justified() -> BTreeMap<(String, String), String> {
    let page = std::fs::read_to_string(repository().join("docs/iam.md")).expect("the page");
    let (_, section) = page.split_once("\n## How little is enough\n").expect("the section");
    let section = section.split("\n## ").next().expect("its end");
    let mut found = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [kind, actions, reason] = cells[..] else { panic!("three cells: {line}") };
        assert!(!reason.is_empty(), "a reason: {line}");
        for action in actions.split(", ") {
            found.insert((kind.to_owned(), action.trim_matches('`').to_owned()), reason.to_owned());
        }
    }
    found
}

/// A list of texts, or the one that stands in its place.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        other => other.as_str().map(str::to_owned).into_iter().collect(),
    }
}
