//! The exit codes: one table in `src/engine/exit_code.rs`, which `--help`, the README and `docs/ci.md` repeat.

use bedplate::engine::ExitCode;
use regex::Regex;

use crate::support::{Project, repository, sources};

/// The longest line of the README and of the pages in `docs/`.
const WIDTH: usize = 140;

/// `0 done, or nothing to do · 1 failed · …`, as `--help` has it.
fn summary() -> String {
    let codes: Vec<String> = ExitCode::ALL.iter().map(|it| format!("{} {}", it.code(), it.summary())).collect();
    codes.join(" · ")
}

/// Text without its line breaks.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The part of a page from `start` to the next empty line, replaced. With `UPDATE_DOCS` the page is written.
fn compare_paragraph(page: &str, start: &str, fresh: &str) {
    let path = repository().join(page);
    let text = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = text.split_once(start).expect("the paragraph");
    let after = rest.split_once("\n\n").map(|(_, after)| after).unwrap_or_default();
    let new = format!("{before}{fresh}\n\n{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &new).expect("written");
    } else {
        assert!(text == new, "{page} is out of date: UPDATE_DOCS=1 cargo test --test it exit_codes");
    }
}

#[test]
fn help_and_documentation_have_the_table() {
    let help = Project::empty().run(&["--help"]).ok().stdout;
    assert!(on_one_line(&help).contains(&format!("Exit codes: {}", summary())), "{help}");

    let mut lines = vec![String::from("Exit codes:")];
    let last = ExitCode::ALL.len() - 1;
    for (index, exit) in ExitCode::ALL.iter().enumerate() {
        let end = if index == last { "." } else { " ·" };
        let item = format!("{} {}{end}", exit.code(), exit.summary());
        let line = lines.last_mut().expect("a line");
        if line.chars().count() + 1 + item.chars().count() > WIDTH {
            lines.push(item);
        } else {
            *line = format!("{line} {item}");
        }
    }
    compare_paragraph("README.md", "Exit codes: ", &lines.join("\n"));

    const HEAD: &str = "| code | name | what happened |\n| --- | --- | --- |";
    let row = |exit: &ExitCode| format!("| {} | `{}` | {} |", exit.code(), exit.name(), exit.meaning());
    let rows: Vec<String> = ExitCode::ALL.iter().map(row).collect();
    compare_paragraph("docs/ci.md", HEAD, &format!("{HEAD}\n{}", rows.join("\n")));
}

#[test]
fn every_code_is_returned_somewhere() {
    let used = Regex::new(r"\bExitCode::([A-Z][A-Za-z]+)").expect("a pattern");
    let mut found = std::collections::BTreeSet::new();
    for file in sources(&repository().join("src")).iter().filter(|file| !file.ends_with("exit_code.rs")) {
        let text = std::fs::read_to_string(file).expect("a source");
        found.extend(used.captures_iter(&text).map(|it| it[1].to_owned()));
    }
    for exit in ExitCode::ALL {
        assert!(found.contains(&format!("{exit:?}")), "nothing returns {exit:?}");
    }
}

#[test]
fn help_of_a_verb_names_no_other_codes() {
    let project = Project::empty();
    let known: Vec<u8> = ExitCode::ALL.iter().map(|exit| exit.code()).collect();
    let number = Regex::new(r"(?:^|· )(\d+) ").expect("a pattern");
    for verb in ["smoke", "logs", "deploy", "destroy"] {
        let help = on_one_line(&project.run(&[verb, "--help"]).ok().stdout);
        let (_, codes) = help.split_once("Exit codes: ").expect("exit codes");
        let named: Vec<u8> = number.captures_iter(codes).filter_map(|it| it[1].parse().ok()).collect();
        assert!(named.len() > 2 && named.iter().all(|code| known.contains(code)), "{verb}: {named:?}");
    }
}
