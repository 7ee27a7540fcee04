//! Every code of the registry is produced: by a project below `tests/findings` that the program is run on, or by a test that
//! names it.
//!
//! A folder `tests/findings/CODE` is a small project. The program is run in a copy of it, with the arguments in its file `args`
//! or else with `check usecase.yaml`, offline, and has to print a finding with that code.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::thread;

use bedplate::finding::FINDINGS;
use regex::Regex;

use crate::support::{Project, copy_tree, repository, sources};

/// Letters of the codes that are about a spec or its template, and so have a place in a file.
const WITH_A_PLACE: &str = "SRTLIB";

/// One folder below `tests/findings`.
pub struct Case {
    /// The code, which is the folder's name.
    pub code: String,
    folder: PathBuf,
}

impl Case {
    fn args(&self) -> Vec<String> {
        let args = std::fs::read_to_string(self.folder.join("args")).unwrap_or("check usecase.yaml".to_owned());
        args.split_whitespace().map(str::to_owned).collect()
    }

    /// The finding as the program prints it, up to the next empty line.
    pub fn printed(&self) -> Result<String, String> {
        let project = Project::empty();
        copy_tree(&self.folder, project.path());
        let run = project.run(&self.args());
        let said = format!("{}\n\n{}", run.stdout, run.stderr);
        let head = format!("[{}]: ", self.code);
        let found = said.split("\n\n").find_map(|paragraph| {
            let start = paragraph.lines().position(|line| {
                line.split_once(&head).is_some_and(|(severity, _)| ["error", "warning", "note"].contains(&severity))
            })?;
            Some(paragraph.lines().skip(start).collect::<Vec<_>>().join("\n"))
        });
        found.ok_or_else(|| format!("{}: not printed by {:?}\n{}", self.code, self.args(), run.session()))
    }
}

/// All of them, in the order of their codes.
fn cases() -> Vec<Case> {
    let entries = std::fs::read_dir(repository().join("tests/findings")).expect("the folder");
    let case = |folder: PathBuf| Case { code: folder.file_name().expect("a name").to_string_lossy().into(), folder };
    let mut cases: Vec<Case> = entries.map(|entry| case(entry.expect("an entry").path())).collect();
    cases.sort_by(|a, b| a.code.cmp(&b.code));
    cases
}

/// What each prints, in the same order; run once for all tests.
pub fn all_printed() -> &'static [(Case, Result<String, String>)] {
    static PRINTED: LazyLock<Vec<(Case, Result<String, String>)>> = LazyLock::new(|| {
        let cases = cases();
        let printed = side_by_side(&cases);
        cases.into_iter().zip(printed).collect()
    });
    &PRINTED
}

fn side_by_side(cases: &[Case]) -> Vec<Result<String, String>> {
    let at_once = thread::available_parallelism().map_or(2, usize::from);
    let share = cases.len().div_ceil(at_once).max(1);
    thread::scope(|scope| {
        let running: Vec<_> = cases
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().map(Case::printed).collect::<Vec<_>>()))
            .collect();
        running.into_iter().flat_map(|chunk| chunk.join().expect("the runs end")).collect()
    })
}

#[test]
fn every_folder_makes_the_program_print_its_code_at_a_place() {
    let placed = Regex::new(r"(?m)^ *--> [^ ]+:\d+:\d+$").expect("a pattern");
    let wrong: Vec<String> = all_printed()
        .iter()
        .filter_map(|(case, printed)| match printed {
            Ok(text) if case.code.starts_with(|c| WITH_A_PLACE.contains(c)) && !placed.is_match(text) => {
                Some(format!("{}: without a place\n{text}", case.code))
            }
            Ok(_) => None,
            Err(why) => Some(why.clone()),
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The codes that tests name: in the sources and snapshots of this folder, and in the tests beside the program's code.
fn codes_in_tests() -> BTreeSet<String> {
    let code = Regex::new(r"\b[SPRTLIBACD][0-9]{3}\b").expect("a pattern");
    let mut texts: Vec<String> = Vec::new();
    let here = repository().join("tests/it");
    let snapshots = std::fs::read_dir(here.join("snapshots")).expect("the snapshots");
    let snapshots = snapshots.map(|entry| entry.expect("an entry").path());
    for file in sources(&here).into_iter().chain(snapshots) {
        texts.push(std::fs::read_to_string(file).expect("a file"));
    }
    for file in ["src", "crates"].iter().flat_map(|folder| sources(&repository().join(folder))) {
        let text = std::fs::read_to_string(&file).expect("a source");
        texts.extend(text.split_once("#[cfg(test)]\nmod ").map(|(_, tests)| tests.to_owned()));
    }
    texts.iter().flat_map(|text| code.find_iter(text).map(|it| it.as_str().to_owned()).collect::<Vec<_>>()).collect()
}

#[test]
fn every_code_of_the_registry_is_produced_by_a_folder_or_named_by_a_test() {
    let mut known = codes_in_tests();
    known.extend(cases().into_iter().map(|case| case.code));
    let registered = FINDINGS.iter().flat_map(|group| group.kinds).map(|kind| kind.code);
    let missing: Vec<&str> = registered.filter(|code| !known.contains(*code)).collect();
    assert!(missing.is_empty(), "nothing produces {missing:?}: add `tests/findings/CODE`, or a test");
}

#[test]
fn every_folder_is_of_a_code_of_the_registry() {
    let registered: BTreeSet<&str> = FINDINGS.iter().flat_map(|group| group.kinds).map(|kind| kind.code).collect();
    let unknown: Vec<String> =
        cases().into_iter().map(|case| case.code).filter(|code| !registered.contains(code.as_str())).collect();
    assert!(unknown.is_empty(), "no findings: {unknown:?}");
}
