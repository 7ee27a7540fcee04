//! Loading a spec: text → positions and values → shape → types → rules, every stage telling all it can.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::attachments;
use super::decoding::pointer;
use super::elsewhere::{self, AssemblyAt, ElsewhereTemplate, Reading};
use super::lazy_schema::LazySchema;
use super::loaded::LoadedSpec;
use super::marks::marks;
use super::read;
use super::roots::root_of;
use super::rules::{Rules, hide, run, secrets};
use super::shape::{Codes, MOST_FINDINGS, compare};
use super::types::{ForeignTemplate, UseCase};
use super::words::found;
use crate::files::Root;
use crate::finding::{Finding, Place, code, has_errors};
use crate::yaml::{self, Document, Positions};

/// The version of the language this program knows.
const VERSION: u64 = 1;

const CODES: Codes = Codes { unknown: code::S010, missing: code::S011, kind: code::S012, choice: code::S013 };

/// Loads the spec file at `path`; `shown` is how findings name it. Nothing is read outside the project it belongs to.
///
/// # Errors
/// Everything wrong with it that can be told in one run, in the order of the file.
pub fn load(path: &Path, shown: &str) -> Result<LoadedSpec, Vec<Finding>> {
    load_within(&root_around(folder_of(path), shown)?, path, shown)
}

/// Loads the spec file at `path`, which belongs to the project at `root`.
pub(super) fn load_within(root: &Root, path: &Path, shown: &str) -> Result<LoadedSpec, Vec<Finding>> {
    let bytes = read::read(root, path, shown)?;
    let text = yaml::utf8(&bytes).map_err(|error| vec![error.finding(shown)])?;
    load_from(text, Some((folder_of(path), root)), shown)
}

/// Loads a spec from text that has no files beside it: code folders are not looked for.
///
/// # Errors
/// As [`load`].
pub fn load_str(text: &str, shown: &str) -> Result<LoadedSpec, Vec<Finding>> {
    load_from(text, None, shown)
}

/// Loads a spec from text as if it lay in a folder.
///
/// # Errors
/// As [`load`].
pub fn load_text(text: &str, dir: &Path, shown: &str) -> Result<LoadedSpec, Vec<Finding>> {
    load_from(text, Some((dir, &root_around(dir, shown)?)), shown)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn root_around(dir: &Path, shown: &str) -> Result<Root, Vec<Finding>> {
    root_of(dir).map_err(|error| {
        let place = Place { file: shown.to_owned(), line: 1, column: 1 };
        let message = format!("cannot read the folder of `{shown}`: {error}");
        vec![Finding::error(code::S007, message).at(Some(place)).help("check the path")]
    })
}

fn load_from(text: &str, beside: Option<(&Path, &Root)>, shown: &str) -> Result<LoadedSpec, Vec<Finding>> {
    let document = yaml::parse(text).map_err(|error| vec![error.finding(shown)])?;
    first_look(&document, shown)?;
    let Document { value, positions } = document;
    let (mut findings, secrets) = secrets(&value, &positions, shown);

    let shape = compare(&value, LazySchema::language(), &positions, shown, CODES);
    findings.extend(shape.findings);
    if findings.len() >= MOST_FINDINGS {
        return Err(in_order(findings, &secrets));
    }
    let (rest, broken) = without_broken(&value, &shape.broken);
    match serde_path_to_error::deserialize::<_, UseCase>(&rest) {
        Ok(spec) => {
            let marks = marks(&rest, LazySchema::language());
            let (files, unread) = match beside {
                Some((dir, root)) => attachments::read(&marks.files, dir, root, &positions, shown),
                None => Default::default(),
            };
            findings.extend(unread);
            let elsewhere = match beside {
                Some((dir, root)) => {
                    let found = elsewhere_of(&spec, &files, dir, root, &positions, shown);
                    found.map_err(|finding| findings.push(finding)).ok().flatten()
                }
                None => None,
            };
            let mut rules = Rules {
                spec: &spec,
                document: &value,
                positions: &positions,
                marks: &marks,
                file: shown,
                beside,
                files: &files,
                broken: &broken,
                findings: Vec::new(),
                patterns: 0,
            };
            run(&mut rules);
            findings.extend(rules.findings);
            let findings = in_order(findings, &secrets);
            if has_errors(&findings) {
                return Err(findings);
            }
            let dir = beside.map_or(Path::new("."), |(dir, _)| dir).to_owned();
            Ok(LoadedSpec {
                spec,
                dir,
                file: shown.to_owned(),
                files,
                elsewhere,
                named: marks.names.into_iter().map(|mark| mark.value).collect(),
                document: value,
                warnings: findings,
                positions,
            })
        }
        // The shape let something through that the types refuse: still an error at its place.
        Err(error) => {
            let pointer = pointer(error.path());
            let at = positions.at(&pointer).map(|(line, column)| Place { file: shown.to_owned(), line, column });
            findings.push(Finding::error(CODES.kind, error.inner().to_string()).at(at));
            Err(in_order(findings, &secrets))
        }
    }
}

/// The template made elsewhere that a spec names, with what that leads to.
fn elsewhere_of(
    spec: &UseCase,
    files: &BTreeMap<String, String>,
    dir: &Path,
    root: &Root,
    positions: &Positions,
    shown: &str,
) -> Result<Option<ElsewhereTemplate>, Finding> {
    let beside = shown.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let place =
        |pointer: &str| positions.at(pointer).map(|(line, column)| Place { file: shown.to_owned(), line, column });
    match &spec.template {
        None => Ok(None),
        Some(ForeignTemplate::File(path)) => Ok(files.get("/template").map(|text| {
            let file = dir.join(path);
            elsewhere::read(text, format!("{beside}{path}"), folder_of(&file), &mut Reading::new(root))
        })),
        Some(ForeignTemplate::Assembly(source)) => elsewhere::read_assembly(&AssemblyAt {
            folder: &source.assembly,
            dir,
            root,
            stack: source.stack.as_deref(),
            shown: format!("{beside}{}/", source.assembly.trim_end_matches('/')),
            place: place("/template/assembly"),
            stack_place: place("/template/stack"),
        })
        .map(Some),
    }
}

/// What makes any further word about a document pointless.
fn first_look(document: &Document, shown: &str) -> Result<(), Vec<Finding>> {
    let at = |pointer: &str| {
        let (line, column) = document.positions.at(pointer).unwrap_or((1, 1));
        Some(Place { file: shown.to_owned(), line, column })
    };
    const START: &str = "begin it with `bedplate: 1` and `name: …`";
    match &document.value {
        Value::Null => Err(vec![Finding::error(code::S011, "the file is empty").at(at("")).help(START)]),
        Value::Object(map) => match map.get("bedplate") {
            Some(version) if version.as_u64() != Some(VERSION) => {
                let newer = version.as_u64().is_some_and(|version| version > VERSION);
                let message = match version {
                    Value::Number(number) => {
                        format!(
                            "the spec is in version {number} of the language, and this program knows version {VERSION}"
                        )
                    }
                    other => {
                        format!("`bedplate` takes the version of the language, {VERSION}, and this is {}", found(other))
                    }
                };
                let help = if newer { "install a newer Bedplate" } else { "write `bedplate: 1`" };
                Err(vec![Finding::error(code::S014, message).at(at("/bedplate")).help(help)])
            }
            _ => Ok(()),
        },
        other => {
            let message = format!("a spec is a mapping, and this file holds {}", found(other));
            Err(vec![Finding::error(code::S012, message).at(at("")).help(START)])
        }
    }
}

/// The document without what will not decode, so that the rest can still be looked at; and the pointers of that.
fn without_broken(document: &Value, broken: &[String]) -> (Value, Vec<String>) {
    let mut rest = document.clone();
    let Some(map) = rest.as_object_mut() else { return (rest, broken.to_vec()) };
    for pointer in broken {
        let segments: Vec<String> =
            pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect();
        match segments.as_slice() {
            // A key of a spec that is unknown or holds no mapping or list at all.
            [key] => {
                map.shift_remove(key);
            }
            [section, name, ..] => match map.get_mut(section) {
                Some(Value::Object(entries)) => {
                    entries.shift_remove(name);
                }
                // A list keeps its numbering.
                Some(Value::Array(items)) => {
                    if let Some(item) = name.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                        *item = Value::Object(serde_json::Map::new());
                    }
                }
                _ => {}
            },
            [] => {}
        }
    }
    // A missing key has the pointer of its owner: the spec itself.
    for (key, stand_in) in [("bedplate", Value::from(VERSION)), ("name", Value::from("x"))] {
        map.entry(key).or_insert(stand_in);
    }
    let mut broken = broken.to_vec();
    if document.get("name").is_none() {
        broken.push("/name".to_owned());
    }
    (rest, broken)
}

/// Findings in the order of the file, none twice, none with a secret in it.
fn in_order(findings: Vec<Finding>, secrets: &[String]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = findings.into_iter().map(|finding| hide(finding, secrets)).collect();
    findings.sort_by(|a, b| {
        // Files beside the spec have findings, too: those of a file stay together.
        a.place.cmp(&b.place).then_with(|| a.code.cmp(&b.code))
    });
    findings.dedup();
    findings.truncate(MOST_FINDINGS);
    findings
}
