//! The course's use cases as they are in the program, and copies of them under other names.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::finding::{Finding, code};
use crate::spec::{self, LoadedSpec};

/// A file to write: its name below the use case's folder, and what it holds.
pub(super) type NewFile = (String, Vec<u8>);

/// The files of the course's use cases by `USE-CASE/path`, without tests and descriptions.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/course.rs"));

const SPEC: &str = "usecase.yaml";

/// Sections whose components may have the same name as another's in one account.
const SHARED_NAMES: [&str; 1] = ["apis"];

/// The use cases one can start from, each with what it is for.
pub(super) fn all() -> Vec<(&'static str, String)> {
    let names = FILES.iter().filter_map(|(file, _)| file.strip_suffix("/usecase.yaml"));
    names
        .filter(|name| !name.contains('/'))
        .map(|name| {
            let description = text(name).and_then(|text| spec::load_str(text, SPEC).ok()?.spec.description);
            (name, description.unwrap_or_default())
        })
        .collect()
}

fn text(name: &str) -> Option<&'static str> {
    let (_, content) = FILES.iter().find(|(file, _)| file.strip_suffix("/usecase.yaml") == Some(name))?;
    std::str::from_utf8(content).ok()
}

/// The files of a use case under another name: what must be unique in an account is renamed, and files of other use cases
/// that it takes come along.
///
/// # Errors
/// `P040` when there is no such use case.
pub(super) fn copy(from: &str, name: &str) -> Result<Vec<NewFile>, Vec<Finding>> {
    let Some(original) = text(from) else {
        let known: Vec<&str> = all().into_iter().map(|(name, _)| name).collect();
        return Err(vec![
            Finding::error(code::P040, format!("the course has no use case `{from}`"))
                .help(spec::suggest(from, known, "it has")),
        ]);
    };
    let loaded = spec::load_str(original, SPEC)?;
    let (text, others) = without_others(&renamed(original, &loaded, name));
    let mut files: Vec<NewFile> = Vec::new();
    let mut push = |file: &str, content: &[u8]| {
        if !files.iter().any(|(other, _)| other == file) {
            files.push((file.to_owned(), content.to_owned()));
        }
    };
    push(SPEC, text.as_bytes());
    for (file, content) in FILES {
        if let Some(file) = file.strip_prefix(from).and_then(|rest| rest.strip_prefix('/')) {
            push(file, content);
        }
    }
    for (other, path) in others {
        for (file, content) in FILES {
            let own = file.strip_prefix(other.as_str()).and_then(|rest| rest.strip_prefix('/'));
            if let Some(own) =
                own.filter(|own| *own == path || own.starts_with(&format!("{}/", path.trim_end_matches('/'))))
            {
                push(own, content);
            }
        }
    }
    Ok(files)
}

/// What makes a name differ between stages; it stays.
const STAGE_SUFFIX: &str = "${stage-suffix}";

/// The spec with the new name, and with it in every name that only one thing in an account can have.
fn renamed(original: &str, loaded: &LoadedSpec, name: &str) -> String {
    let mut changes = vec![("/name".to_owned(), loaded.spec.name.clone(), name.to_owned())];
    let sections = loaded.document.as_object().into_iter().flatten();
    for (section, components) in sections.filter(|(section, _)| !SHARED_NAMES.contains(&section.as_str())) {
        for (component, body) in components.as_object().into_iter().flatten() {
            if let Some(own) = body.get("name").and_then(Value::as_str) {
                let pointer = format!("/{section}/{component}/name");
                let suffix = if own.ends_with(STAGE_SUFFIX) { STAGE_SUFFIX } else { "" };
                changes.push((pointer, own.to_owned(), format!("{name}-{component}{suffix}")));
            }
        }
    }
    let mut lines: Vec<String> = original.split('\n').map(str::to_owned).collect();
    for (pointer, old, new) in changes {
        let Some(place) = loaded.place(&pointer) else { continue };
        let Some(line) = lines.get_mut(place.line.saturating_sub(1)) else { continue };
        // The value may stand in quotes, and another change may have moved it along its line.
        if let Some(at) = line.find(&format!("name: {old}")).map(|at| at + "name: ".len()).or_else(|| line.find(&old)) {
            line.replace_range(at..at + old.len(), &new);
        }
    }
    lines.join("\n")
}

/// A spec that takes files of other use cases, `../OTHER/path`, with the paths in its own folder; and whose they were.
fn without_others(text: &str) -> (String, BTreeSet<(String, String)>) {
    let mut others = BTreeSet::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("../") {
        let (before, from) = rest.split_at(at);
        let path = from.strip_prefix("../").unwrap_or(from);
        let end = path.find([' ', ',', '"', '\'', '}', ']', '\n']).unwrap_or(path.len());
        let (path, after) = path.split_at(end);
        out.push_str(before);
        match path.split_once('/') {
            Some((other, own)) => {
                out.push_str(own);
                others.insert((other.to_owned(), own.to_owned()));
            }
            None => out.push_str(&format!("../{path}")),
        }
        rest = after;
    }
    out.push_str(rest);
    (out, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_use_case_of_the_course_can_be_copied_under_another_name() {
        assert!(all().iter().any(|(name, what)| *name == "movie-poster" && !what.is_empty()));
        for (from, _) in all() {
            let files = copy(from, "own").expect(from);
            let (_, text) = files.iter().find(|(file, _)| file == SPEC).expect("a spec");
            let text = String::from_utf8_lossy(text);
            let loaded = spec::load_str(&text, SPEC).unwrap_or_else(|findings| panic!("{from}: {findings:?}"));
            assert_eq!(loaded.spec.name, "own");
            assert!(!text.contains("../"), "{from} takes files of others:\n{text}");
        }
    }

    #[test]
    fn what_is_unique_in_an_account_is_renamed() {
        let files = copy("movie-poster", "party").expect("a copy");
        let text = String::from_utf8_lossy(&files[0].1);
        assert!(
            text.contains("name: party\n") && text.contains("{ name: \"party-posters${stage-suffix}\", "),
            "{text}"
        );
        assert!(text.contains("name: party-design${stage-suffix}\n"), "{text}");
        assert!(text.contains("name: moviePosterDesignAPI${stage-suffix}\n"), "APIs may share a name: {text}");
    }

    #[test]
    fn files_of_other_use_cases_come_along() {
        let text = "code: ../bank/function/\nseed: \"../bank/data/a.yaml\"\n";
        let (own, others) = without_others(text);
        assert_eq!(own, "code: function/\nseed: \"data/a.yaml\"\n");
        assert_eq!(others.len(), 2);
    }
}
