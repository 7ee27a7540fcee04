//! The table of `docs/use-cases.md`, counted again.

use std::collections::BTreeMap;

use crate::rendered::{rendered, use_cases};
use crate::support::repository;

const PAGE: &str = "docs/use-cases.md";
const HEAD: &str = "| use case | lines of spec | resources | lines of template | the same by others |";

/// Lines that say something.
fn lines(text: &str) -> usize {
    text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#')).count()
}

#[test]
fn the_table_of_use_cases_is_up_to_date() {
    let page = repository().join(PAGE);
    let text = std::fs::read_to_string(&page).expect("the page");
    let (before, rest) = text.split_once(HEAD).expect("the table");
    let (rule, rest) = rest.trim_start().split_once('\n').expect("the line under the head");
    let old_length = rest.split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
    let (old, after) = rest.split_at(old_length);
    // What others need for the same is written by hand, and kept.
    let others: BTreeMap<&str, &str> = old
        .lines()
        .filter_map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            Some((*cells.first()?, *cells.last()?))
        })
        .collect();
    let rows: Vec<String> = use_cases()
        .iter()
        .map(|loaded| {
            let template = rendered(loaded).template;
            let spec = std::fs::read_to_string(repository().join(&loaded.file)).expect("the spec");
            let name = format!("[{}](../{})", loaded.spec.name, loaded.file);
            let others = others.get(name.as_str()).copied().unwrap_or("–");
            let (spec, resources, template) = (lines(&spec), template.resources().count(), lines(&template.to_yaml()));
            format!("| {name} | {spec} | {resources} | {template} | {others} |")
        })
        .collect();
    let table = rows.join("\n");
    let fresh = format!("{before}{HEAD}\n{rule}\n{table}\n{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&page, &fresh).expect("written");
    } else {
        assert!(text == fresh, "{PAGE} is out of date; UPDATE_DOCS=1 writes:\n\n{HEAD}\n{rule}\n{table}\n");
    }
}
