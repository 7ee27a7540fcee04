//! The code of a function: a folder, zipped.

use std::path::Path;
use std::time::SystemTime;

use super::artifact::Artifact;
use super::cache::{ArtifactKind, Cache};
use super::context::BuildContext;
use super::list;
use super::pack::pack;
use crate::finding::{Finding, Place, code};

/// The zip of a function's folder: from the cache when no file has changed, else made anew.
pub(super) fn build(
    cache: &Cache,
    name: &str,
    folder: &Path,
    shown: &str,
    handler_files: &[String],
    place: Option<&Place>,
    context: &BuildContext<'_>,
) -> Result<Artifact, Vec<Finding>> {
    let started = SystemTime::now();
    let files = list::code(folder, shown, place)?;
    if files.is_empty() {
        let message = format!("the code folder `{shown}` of `functions.{name}` has no files to package");
        let help = "put the code there, or look at what its `.gitignore` and `.bedplateignore` leave out";
        return Err(vec![Finding::error(code::A007, message).at(place.cloned()).help(help)]);
    }
    if !handler_files.is_empty() && !files.iter().any(|file| handler_files.contains(&file.name)) {
        let first = handler_files.first().map(String::as_str).unwrap_or_default();
        let message = format!("the zip of `functions.{name}` would have no `{first}`, which its handler names");
        let help = "make the file, or look at what `.gitignore` and `.bedplateignore` in the folder leave out";
        return Err(vec![Finding::error(code::A008, message).at(place.cloned()).help(help)]);
    }
    let key = list::key(&files);
    if let Some(artifact) = cache.find(ArtifactKind::Code, &key) {
        return Ok(artifact);
    }
    let files_shown = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
    (context.progress)(&format!("packaging {files_shown} of {shown}"));
    let packed = pack(cache, &files, shown, place, context)?;
    // A file changed within the clock's grain of being read could change again and look the same: remember nothing
    // then, and read once more next time.
    if list::settled(&files, started) {
        cache.remember(ArtifactKind::Code, &key, packed, Vec::new())
    } else {
        Ok(cache.artifact(packed, Vec::new()))
    }
}
