//! The registry of findings: the codes in the sources are those in it, and `docs/findings.md` is made from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bedplate::finding::{FINDINGS, FindingKind};
use regex::Regex;

use crate::findings_produced::all_printed;
use crate::support::{Project, repository, sources};

const PAGE: &str = "docs/findings.md";

/// The codes that the program's own sources use, tests in them left out. That there is none but those of the registry the
/// compiler sees to, unless one is written as text.
fn codes_in_sources() -> BTreeSet<String> {
    let code = Regex::new(r#"(?:code::|")([SPRTLIBACD][0-9]{3})\b"#).expect("a pattern");
    let mut found = BTreeSet::new();
    for folder in ["src", "crates"] {
        for file in sources(&repository().join(folder)) {
            let text = std::fs::read_to_string(&file).expect("a source");
            let own = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            found.extend(code.captures_iter(own).map(|it| it[1].to_owned()));
        }
    }
    found
}

#[test]
fn every_code_is_in_the_registry_and_the_registry_has_no_other() {
    let registered: BTreeSet<String> =
        FINDINGS.iter().flat_map(|group| group.kinds).map(|kind| kind.code.to_owned()).collect();
    assert_eq!(codes_in_sources(), registered);
}

/// The spec that gives a finding and what the program prints of it, to be unfolded.
fn shown(kind: &FindingKind, spec: &str, printed: &str) -> String {
    let title = kind.title.replace('&', "&amp;").replace('<', "&lt;").replace('`', "");
    format!(
        "\n<details><summary>{}: {title}</summary>\n\n```console\n$ cat usecase.yaml\n{spec}$ bedplate check usecase.yaml\n{printed}\n\
         ```\n\n</details>\n",
        kind.code
    )
}

/// `UPDATE_DOCS=1 cargo test --test it findings_page` writes the page anew.
#[test]
fn the_page_of_findings_is_made_from_the_registry() {
    let mut page = String::from(
        "# Findings\n\nEvery problem Bedplate reports has a code that does not change. `bedplate explain CODE` prints its row of this page, which\n\
         is generated from `schemas/findings.json`. The letter names the part of the program. Below the tables are examples: a spec, and \
         the\nfinding in question as the check prints it.\n",
    );
    let printed: BTreeMap<&str, &String> = all_printed()
        .iter()
        .map(|(case, printed)| (case.code.as_str(), printed.as_ref().unwrap_or_else(|why| panic!("{why}"))))
        .collect();
    for group in FINDINGS {
        let _ = write!(
            page,
            "\n## {}: {}\n\n| code | severity | what is wrong | what to do |\n| --- | --- | --- | --- |\n",
            group.letter, group.title
        );
        for kind in group.kinds {
            let _ = writeln!(page, "| {} | {} | {} | {} |", kind.code, kind.severity, kind.title, kind.fix);
        }
        for kind in group.kinds {
            page.extend(kind.example.map(|spec| shown(kind, spec, printed[kind.code])));
        }
    }
    let path = repository().join(PAGE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("the page");
    }
    assert!(
        std::fs::read_to_string(&path).expect("the page") == page,
        "stale: UPDATE_DOCS=1 cargo test --test it findings_page"
    );
}

#[test]
fn a_code_is_explained() {
    let project = Project::empty();
    let run = project.run(&["explain", "d018"]).ok();
    assert!(run.stdout.starts_with("D018 (error; deploying)\n\n"), "{}", run.session());
    assert!(run.stdout.contains("What to do: "), "{}", run.session());
    assert!(!run.stdout.contains("Example of a spec"), "{}", run.session());
    let run = project.run(&["explain", "S010"]).ok();
    assert!(run.stdout.contains("Example of a spec that causes it:\n\n  bedplate: 1\n"), "{}", run.session());
    let all = project.run(&["explain"]).ok();
    let kinds: usize = FINDINGS.iter().map(|group| group.kinds.len()).sum();
    assert_eq!(all.stdout.lines().count(), kinds);
    let json: serde_json::Value =
        serde_json::from_str(&project.run(&["explain", "S001", "--format", "json"]).ok().stdout).expect("JSON");
    assert_eq!(json["code"], "S001");
    let unknown = project.run(&["explain", "S0O1"]);
    assert_eq!(unknown.code, 1, "{}", unknown.session());
    assert!(
        unknown.stderr.contains("error[P076]") && unknown.stderr.contains("did you mean `S0"),
        "{}",
        unknown.session()
    );
}
