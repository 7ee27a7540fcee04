//! Folders of documents that a deploy puts into buckets.

use std::path::Path;

use ignore::WalkBuilder;

use super::Rules;
use super::code::folder;
use crate::spec::words::escape;

/// The largest document, in bytes: what one request puts, so that every document can be put again by any other tool.
/// Source: `PutObject` in the S3 API reference.
const LARGEST: u64 = 5 << 30;
/// The most documents of a folder; each is asked for on every deploy.
const MOST: usize = 10_000;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    let Some(dir) = rules.dir else { return };
    for (name, bucket) in &spec.buckets {
        let Some(documents) = &bucket.documents else { continue };
        let pointer = format!("/buckets/{}/documents", escape(name));
        let Some(found) = folder(rules, &pointer, dir, documents, "documents are") else { continue };
        look(rules, name, &pointer, &found);
    }
}

/// Files as a deploy finds them, without reading them.
fn look(rules: &mut Rules<'_>, name: &str, pointer: &str, folder: &Path) {
    let walk = WalkBuilder::new(folder)
        .standard_filters(false)
        .git_ignore(true)
        .require_git(false)
        .parents(false)
        .add_custom_ignore_filename(".bedplateignore")
        .build();
    let mut number = 0;
    for entry in walk.flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            continue;
        }
        number += 1;
        if metadata.len() > LARGEST {
            let file = entry.path().strip_prefix(folder).unwrap_or(entry.path()).display().to_string();
            let message = format!("the document `{file}` of `buckets.{name}` is larger than 5 GiB");
            rules.error("S075", pointer, message, "cut it into smaller files");
        }
    }
    if number == 0 {
        let message = format!("the folder of documents of `buckets.{name}` is empty");
        rules.error("S074", pointer, message, "put documents there, or take `documents` away");
    } else if number > MOST {
        let message = format!("`buckets.{name}` would get {number} documents, and a deploy takes {MOST}");
        rules.error("S075", pointer, message, "keep them in a bucket of their own and fill that by other means");
    }
}
