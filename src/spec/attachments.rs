//! Files beside a spec that are read with it: OpenAPI descriptions, rows of a table, inline code, templates.

use std::collections::BTreeMap;
use std::path::Path;

use super::marks::Marked;
use super::words::{cut, path as shown_path};
use crate::files::{Root, Unopened};
use crate::finding::{Finding, Place, code};
use crate::spec::marks::FileMark;
use crate::yaml::Positions;

/// The largest file read, in bytes: a template through S3 takes no more, and nothing else comes near it.
const LARGEST: u64 = 1 << 20;

/// What is read for one spec, in bytes, a file as often as it is named.
const MOST: usize = 4 << 20;

/// The texts of the files a spec names, by the JSON pointer of the path, and what is wrong with the others.
pub(super) fn read(
    files: &[Marked<FileMark>],
    dir: &Path,
    root: &Root,
    positions: &Positions,
    file: &str,
) -> (BTreeMap<String, String>, Vec<Finding>) {
    let mut texts = BTreeMap::new();
    let mut findings = Vec::new();
    let mut total = 0_usize;
    for mark in files.iter().filter(|mark| !mark.value.folder) {
        let place = || {
            let at = positions.at(&mark.pointer);
            at.map(|(line, column)| Place { file: file.to_owned(), line, column })
        };
        match read_attachment(dir, root, &mark.value.path) {
            Ok(text) => {
                total = total.saturating_add(text.len());
                texts.insert(mark.pointer.clone(), text);
            }
            Err((why, help)) => {
                let message = format!("`{}`: {why}", shown_path(&mark.pointer));
                findings.push(Finding::error(code::S048, message).at(place()).help(help));
            }
        }
        if total > MOST {
            let message = format!("the files that the spec names have more than {} MiB together", MOST >> 20);
            findings.push(
                Finding::error(code::S231, message)
                    .at(place())
                    .help("keep large data out of the spec's files, or divide the use case"),
            );
        }
        if total > MOST || findings.len() >= super::shape::MOST_FINDINGS {
            break;
        }
    }
    (texts, findings)
}

fn read_attachment(dir: &Path, root: &Root, path: &str) -> Result<String, (String, String)> {
    let refuse = |why: String, help: &str| Err((why, help.to_owned()));
    if path.trim().is_empty() || Path::new(path).is_absolute() || path.contains('\\') {
        let why = format!("`{}` is not a file beside the spec", cut(path));
        return refuse(why, "write a path relative to the spec file, such as `data/rows.yaml`");
    }
    let shown = cut(path);
    match root.read(&dir.join(path), LARGEST) {
        Ok(bytes) => {
            String::from_utf8(bytes).or_else(|_| refuse(format!("`{shown}` is not UTF-8 text"), "save it as UTF-8"))
        }
        Err(Unopened::Missing) => {
            refuse(format!("there is no file `{shown}` beside the spec"), "check the path, or create the file")
        }
        Err(Unopened::Outside) => refuse(
            format!("`{shown}` lies outside the project"),
            "keep it in the spec's folder, or beside it in a project with a `bedplate.yaml`",
        ),
        Err(Unopened::NotRegular(what)) => refuse(format!("`{shown}` is {what}, not a file"), "name the file itself"),
        Err(Unopened::TooLarge { .. }) => refuse(format!("`{shown}` is larger than 1 MiB"), "make it smaller"),
        Err(why) => refuse(format!("`{shown}` cannot be read: {why}"), "check it"),
    }
}
