//! A type's name is unique in its crate, so that searching for it, or jumping to it, finds one place.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::support::{repository, sources};

/// The names of types that are defined more than once in a folder, tests included. An indented `type` without a visibility is
/// an associated type, and no name of its own.
fn shared(folder: &std::path::Path) -> BTreeSet<String> {
    let definition =
        Regex::new(r"(?m)^([ \t]*)(pub(?:\([a-z ]+\))? )?(struct|enum|union|trait|type) (\w+)").expect("a pattern");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for file in sources(folder) {
        let text = std::fs::read_to_string(&file).expect("a source");
        for found in definition.captures_iter(&text) {
            let is_associated = &found[3] == "type" && !found[1].is_empty() && found.get(2).is_none();
            if !is_associated {
                *counts.entry(found[4].to_owned()).or_default() += 1;
            }
        }
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect()
}

#[test]
fn every_type_of_a_crate_has_a_name_of_its_own() {
    let crates = std::fs::read_dir(repository().join("crates")).expect("the crates");
    let mut folders = vec![("bedplate".to_owned(), repository().join("src"))];
    folders.extend(crates.map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        (format!("bedplate-{name}"), path.join("src"))
    }));
    let mut problems = Vec::new();
    for (name, folder) in &folders {
        problems.extend(shared(folder).iter().map(|it| format!("{name}: more than one type is called `{it}`")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
