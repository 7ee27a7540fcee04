//! Files beside a spec that are read with it: OpenAPI descriptions, rows of a table, inline code, templates.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::marks::Marked;
use super::project::root_of;
use super::words::{cut, path as shown_path};
use crate::finding::{Finding, Place};
use crate::spec::marks::FileMark;
use crate::yaml::Positions;

/// The largest file read, in bytes: a template through S3 takes no more, and nothing else comes near it.
const LARGEST: u64 = 1 << 20;

/// The texts of the files a spec names, by the JSON pointer of the path, and what is wrong with the others.
pub(super) fn read(
    files: &[Marked<FileMark>],
    dir: &Path,
    positions: &Positions,
    file: &str,
) -> (BTreeMap<String, String>, Vec<Finding>) {
    let mut texts = BTreeMap::new();
    let mut findings = Vec::new();
    for mark in files.iter().filter(|mark| !mark.value.folder) {
        match one(dir, &mark.value.path) {
            Ok(text) => {
                texts.insert(mark.pointer.clone(), text);
            }
            Err((why, help)) => {
                let at = positions.at(&mark.pointer);
                let place = at.map(|(line, column)| Place { file: file.to_owned(), line, column });
                let message = format!("`{}`: {why}", shown_path(&mark.pointer));
                findings.push(Finding::error("S048", message).at(place).help(help));
            }
        }
    }
    (texts, findings)
}

fn one(dir: &Path, path: &str) -> Result<String, (String, String)> {
    let refuse = |why: String, help: &str| Err((why, help.to_owned()));
    if path.trim().is_empty() || Path::new(path).is_absolute() || path.contains('\\') {
        let why = format!("`{}` is not a file beside the spec", cut(path));
        return refuse(why, "write a path relative to the spec file, such as `data/rows.yaml`");
    }
    let Ok(real) = dir.join(path).canonicalize() else {
        return refuse(format!("there is no file `{}` beside the spec", cut(path)), "check the path, or make the file");
    };
    if !real.is_file() {
        return refuse(format!("`{}` is not a file", cut(path)), "name the file itself");
    }
    let root = root_of(dir).and_then(|root| root.canonicalize().ok());
    if !root.is_some_and(|root| real.starts_with(root)) {
        let help = "keep it in the spec's folder, or beside it in a project with a `bedplate.yaml`";
        return refuse(format!("`{}` lies outside the project", cut(path)), help);
    }
    let unreadable =
        |error: std::io::Error| (format!("`{}` cannot be read: {error}", cut(path)), "check it".to_owned());
    let mut bytes = Vec::new();
    File::open(&real).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return refuse(format!("`{}` is larger than 1 MiB", cut(path)), "make it smaller");
    }
    String::from_utf8(bytes).or_else(|_| refuse(format!("`{}` is not UTF-8 text", cut(path)), "save it as UTF-8"))
}
