//! Folders of documents that a deploy puts into buckets.

use crate::finding::code;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ignore::WalkBuilder;

use super::code::folder;
use super::context::Rules;
use crate::files::{Root, ignore_files_problem};
use crate::spec::words::{cut, escape};
use crate::terminal::drives_a_terminal;

/// The largest document, in bytes: what one request puts, so that every document can be put again by any other tool.
/// Source: `PutObject` in the S3 API reference.
const LARGEST: u64 = 5 << 30;
/// The most documents of a folder; each is asked for on every deploy.
const MOST: usize = 10_000;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    let Some(beside) = rules.beside else { return };
    for (name, bucket) in &spec.buckets {
        let Some(documents) = &bucket.documents else { continue };
        let pointer = format!("/buckets/{}/documents", escape(name));
        let Some(found) = folder(rules, &pointer, beside, documents, "documents are") else { continue };
        check_folder(rules, name, &pointer, &found);
    }
}

/// What keeps a file's name from being an object's key that people and programs can work with.
fn unfit(file: &str) -> Option<&'static str> {
    if file.chars().any(drives_a_terminal) {
        Some("has control characters in its name")
    } else if file.split('/').any(|part| part.trim().is_empty()) {
        Some("has nothing but white space for a name")
    } else {
        None
    }
}

/// Files as a deploy finds them, without reading them.
fn check_folder(rules: &mut Rules<'_>, name: &str, pointer: &str, folder: &Path) {
    let Ok(root) = Root::new(folder) else { return };
    // The walk opens ignore files itself: no folder is entered whose ignore files are not to be opened.
    let unread = Arc::new(Mutex::new(Vec::from_iter(ignore_files_problem(&root, folder))));
    let entered = unread.lock().is_ok_and(|unread| unread.is_empty());
    let not_read = Arc::clone(&unread);
    let walk = WalkBuilder::new(folder)
        .standard_filters(false)
        .git_ignore(true)
        .require_git(false)
        .parents(false)
        .add_custom_ignore_filename(".bedplateignore")
        .filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let problem = is_folder.then(|| ignore_files_problem(&root, entry.path())).flatten();
            let enters = problem.is_none();
            if let Ok(mut unread) = not_read.lock() {
                unread.extend(problem);
            }
            enters
        })
        .build();
    let (mut number, mut named) = (0, false);
    // Even the first step of the walk opens them.
    for entry in entered.then_some(walk).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            continue;
        }
        number += 1;
        let file = entry.path().strip_prefix(folder).unwrap_or(entry.path()).display().to_string();
        if let Some(what) = unfit(&file) {
            // The first tells what is wrong with the others.
            if !named {
                let shown: String = file.chars().map(|c| if drives_a_terminal(c) { '\u{fffd}' } else { c }).collect();
                let message = format!("the document `{}` of `buckets.{name}` {what}", cut(&shown));
                rules.error(code::S076, pointer, message, "rename the file");
            }
            named = true;
        }
        if metadata.len() > LARGEST {
            let message = format!("the document `{}` of `buckets.{name}` is larger than 5 GiB", cut(&file));
            rules.error(code::S075, pointer, message, "cut it into smaller files");
        }
        if number > MOST {
            break;
        }
    }
    let unread = unread.lock().map(|mut unread| std::mem::take(&mut *unread)).unwrap_or_default();
    let refused = !unread.is_empty();
    for (path, why) in unread {
        let file = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        let message = format!("`{}` in the folder of documents of `buckets.{name}` is not read: {why}", cut(&file));
        rules.error(code::S232, pointer, message, "make it a text file of a few lines, in the folder itself");
    }
    if refused {
        return;
    }
    if number == 0 {
        let message = format!("the folder of documents of `buckets.{name}` is empty");
        rules.error(code::S074, pointer, message, "put documents there, or remove `documents`");
    } else if number > MOST {
        let message = format!("`buckets.{name}` would get more than {MOST} documents, the most a deploy takes");
        rules.error(code::S075, pointer, message, "keep them in a bucket of their own and fill that by other means");
    }
}
