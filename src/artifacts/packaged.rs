//! What a template made elsewhere refers to: a folder or a file as a zip, or a file or a text as it is.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::artifact::{Artifact, MAX_UNCOMPRESSED};
use super::cache::{ArtifactKind, Cache, io_problem};
use super::context::{BuildContext, interrupted};
use super::list::{self, Listed};
use super::pack::pack;
use super::packed::{Packed, digest_of};
use super::request::PackagedContent;
use crate::files::Root;
use crate::finding::{Finding, Place, code};

/// What is packaged: from the cache when nothing has changed, else made anew.
pub(super) fn build(
    cache: &Cache,
    content: &PackagedContent,
    shown: &str,
    place: Option<&Place>,
    context: &BuildContext<'_>,
) -> Result<Artifact, Vec<Finding>> {
    match content {
        PackagedContent::Folder(folder) => zip(cache, list::code(folder, shown, place)?, shown, place, context),
        PackagedContent::Zipped(file) => zip(
            cache,
            vec![open(file, shown, place, context).and_then(|_| listed(file, shown, place))?],
            shown,
            place,
            context,
        ),
        PackagedContent::File(file) => as_it_is(cache, open(file, shown, place, context)?, shown, place, context),
        PackagedContent::Text(text) => as_it_is(cache, text.as_bytes(), shown, place, context),
    }
}

/// Opens a file that still lies in the project.
fn open(file: &Path, shown: &str, place: Option<&Place>, context: &BuildContext<'_>) -> Result<File, Vec<Finding>> {
    let root = Root::new(context.project).map_err(|error| vec![unread(shown, &error, place)])?;
    root.open(file).map_err(|why| vec![unread(shown, &why, place)])
}

fn listed(file: &Path, shown: &str, place: Option<&Place>) -> Result<Listed, Vec<Finding>> {
    let found = list::list_files(file, &|_| true)?;
    found.into_iter().next().ok_or_else(|| vec![unread(shown, &"it is not a file", place)])
}

fn unread(shown: &str, why: &dyn std::fmt::Display, place: Option<&Place>) -> Finding {
    Finding::error(code::A003, format!("cannot read `{shown}`: {why}")).at(place.cloned()).help("check the path")
}

fn zip(
    cache: &Cache,
    files: Vec<Listed>,
    shown: &str,
    place: Option<&Place>,
    context: &BuildContext<'_>,
) -> Result<Artifact, Vec<Finding>> {
    let started = SystemTime::now();
    if files.is_empty() {
        let message = format!("the folder `{shown}` has no files to package");
        let help = "put the code there, or look at what its `.gitignore` and `.bedplateignore` leave out";
        return Err(vec![Finding::error(code::A007, message).at(place.cloned()).help(help)]);
    }
    let key = list::key(&files);
    if let Some(artifact) = cache.find(ArtifactKind::Code, &key) {
        return Ok(artifact);
    }
    let files_shown = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
    (context.progress)(&format!("packaging {files_shown} of {shown}"));
    let packed = pack(cache, &files, shown, place, context)?;
    if list::settled(&files, started) {
        cache.remember(ArtifactKind::Code, &key, packed, Vec::new())
    } else {
        Ok(cache.artifact(packed, Vec::new()))
    }
}

/// Copies bytes into the cache, under the digest of them.
fn as_it_is(
    cache: &Cache,
    mut from: impl Read,
    shown: &str,
    place: Option<&Place>,
    context: &BuildContext<'_>,
) -> Result<Artifact, Vec<Finding>> {
    let mut temporary = cache.temporary_file()?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; 1 << 18]);
    hash.update(b"file 1\n");
    loop {
        if (context.cancelled)() {
            return Err(vec![interrupted(place)]);
        }
        let count = from.read(&mut buffer).map_err(|error| vec![unread(shown, &error, place)])?;
        if count == 0 {
            break;
        }
        size += count as u64;
        if size > MAX_UNCOMPRESSED {
            let message = format!("`{shown}` is larger than 250 MiB");
            return Err(vec![Finding::error(code::A005, message).at(place.cloned()).help("make it smaller")]);
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        hash.update(bytes);
        temporary.write_all(bytes).map_err(|error| vec![io_problem("write into the cache", &error)])?;
    }
    let sha256 = hex::encode(hash.finalize());
    let (_, zip_sha256) = digest_of(temporary.as_file()).map_err(|error| vec![io_problem("read the cache", &error)])?;
    cache.keep(temporary, &sha256)?;
    Ok(cache.artifact(Packed { sha256, zip_sha256, size, uncompressed: size, files: 1 }, Vec::new()))
}
