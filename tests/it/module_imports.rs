//! The tables of `src/lib.rs`: which module may import which, and which crate may depend on which; and who may write to the
//! streams of the program.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::support::{repository, sources};

/// What any module may import.
const ANY: [&str; 4] = ["credentials", "finding", "suggestion", "terminal"];

/// The rows of a table of `src/lib.rs`: the first cell without its marks, and the names in the last one.
fn table(first_header: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(repository().join("src/lib.rs")).expect("the product's root");
    let lines = text.lines().map(|line| line.trim_start_matches("//!").trim());
    let head = format!("| {first_header} |");
    let rows = lines.skip_while(|line| !line.starts_with(&head)).skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let name = cells[0].trim_matches(['[', ']', '`']).to_owned();
        let names = cells[cells.len() - 1].split(", ").filter(|name| *name != "–").map(str::to_owned);
        (name, names.collect())
    })
    .collect()
}

#[test]
fn a_module_imports_what_its_row_allows_and_nothing_else() {
    let modules = table("module");
    let src = repository().join("src");
    let there: BTreeSet<String> = std::fs::read_dir(&src)
        .expect("the product")
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| path.file_stem()?.to_str().map(str::to_owned))
        .filter(|name| name != "lib" && name != "main")
        .collect();
    assert_eq!(
        modules.keys().cloned().collect::<BTreeSet<_>>(),
        there,
        "every module has a row, and every row a module"
    );
    let import = Regex::new(r"\bcrate::(?:([a-z_]+)|\{)").expect("a pattern");
    // In quotes it is a text, such as the name that a log's lines are chosen by.
    let crate_name = Regex::new(r#"(^|[^"])\bbedplate_"#).expect("a pattern");
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for (module, allowed) in &modules {
        let folder = src.join(module);
        let path = if folder.is_dir() { folder } else { src.join(format!("{module}.rs")) };
        for file in sources(&path) {
            let text = std::fs::read_to_string(&file).expect("a source");
            for found in import.captures_iter(&text) {
                let Some(name) = found.get(1).map(|name| name.as_str()) else {
                    wrong.push(format!(
                        "{}: imports several modules at once, which cannot be read here",
                        file.display()
                    ));
                    continue;
                };
                used.insert((module.clone(), name.to_owned()));
                if name != module && !ANY.contains(&name) && !allowed.contains(name) && !allowed.contains("all") {
                    wrong.push(format!("{}: `{module}` may not import `{name}`", file.display()));
                }
            }
            if crate_name.is_match(&text) {
                wrong.push(format!("{}: name the crate as `src/lib.rs` does", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A permission that nothing needs is one too many.
    let idle =
        modules.iter().flat_map(|(module, allowed)| allowed.iter().map(move |name| (module.clone(), name.clone())));
    let idle: Vec<_> = idle.filter(|pair| pair.1 != "all" && !used.contains(pair)).collect();
    assert!(idle.is_empty(), "not imported though allowed: {idle:?}");
}

/// The only files of the product that name the streams of the program, each with the reason.
const STREAMS: [(&str, &str); 3] = [
    ("report/console.rs", "all reporters write to the streams through it"),
    ("cli/local_target/request_log.rs", "the log of a server, which is written by the crate for logs"),
    ("cli/ui.rs", "a question is asked where it is answered, and which stream is a terminal is found out"),
];

#[test]
fn nothing_but_reporters_writes_text() {
    let stream =
        Regex::new(r"\b(io::std(out|err)|std(out|err)\(\)|Std(out|err)\b|e?print(ln)?!|dbg!)").expect("a pattern");
    let src = repository().join("src");
    let mut named = BTreeSet::new();
    for file in sources(&src) {
        let text = std::fs::read_to_string(&file).expect("a source");
        if stream.is_match(&text) {
            let file = file.strip_prefix(&src).expect("a path in the product").display().to_string();
            named.insert(file.replace('\\', "/"));
        }
    }
    assert_eq!(named, STREAMS.map(|(file, _)| file.to_owned()).into());
}

#[test]
fn a_crate_depends_on_what_its_row_says() {
    let ours = Regex::new(r"(?m)^bedplate-([a-z]+)").expect("a pattern");
    let crates = std::fs::read_dir(repository().join("crates")).expect("the crates").map(|entry| {
        let path = entry.expect("an entry").path();
        let manifest = std::fs::read_to_string(path.join("Cargo.toml")).expect("a manifest");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        (format!("bedplate-{name}"), ours.captures_iter(&manifest).map(|it| it[1].to_owned()).collect())
    });
    assert_eq!(table("crate"), crates.collect::<BTreeMap<String, BTreeSet<String>>>());
}
