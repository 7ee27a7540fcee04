//! The code of a function: a folder, zipped.

use std::path::Path;
use std::time::SystemTime;

use super::artifact::Artifact;
use super::cache::{ArtifactKind, Cache};
use super::context::BuildContext;
use super::layer::{self, LayerSpec};
use super::pack::pack;
use super::{list, requirements};
use crate::finding::{Finding, Place, code};
use crate::spec::Architecture;

/// The code of a function that is to be zipped.
pub(super) struct FunctionCode<'a> {
    pub name: &'a str,
    pub folder: &'a Path,
    pub shown: &'a str,
    pub handler_files: &'a [String],
    pub runtime: &'a str,
    pub architecture: Architecture,
    pub place: Option<&'a Place>,
}

/// The zip of a function's folder, with the packages of its `requirements.txt`: from the cache when no file has changed, else
/// made anew; none when its packages are not in the cache and nothing is to be built.
pub(super) fn build(
    cache: &Cache,
    wanted: &FunctionCode<'_>,
    context: &BuildContext<'_>,
) -> Result<Option<Artifact>, Vec<Finding>> {
    let FunctionCode { name, folder, shown, handler_files, runtime, architecture, place } = *wanted;
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
    let mut key = list::key(&files);
    let packages = match requirements::of_code(&files, shown, runtime)? {
        none if none.is_empty() => None,
        requirements => {
            let layer = LayerSpec {
                name,
                owner: format!("functions.{name}"),
                requirements: &requirements,
                runtime,
                architecture,
                folder: None,
                place,
            };
            let Some(packages) = layer::build(cache, &layer, context)? else { return Ok(None) };
            key = requirements::key(&key, &packages);
            Some(packages)
        }
    };
    if let Some(artifact) = cache.find(ArtifactKind::Code, &key) {
        return Ok(Some(artifact));
    }
    let files_shown = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
    (context.progress)(&format!("packaging {files_shown} of {shown}"));
    let settled = list::settled(&files, started);
    let names = packages.as_ref().map(|packages| packages.packages.clone()).unwrap_or_default();
    let (files, _unpacked) = match &packages {
        Some(packages) => {
            let (files, folder) = requirements::beside(cache, packages, files)?;
            (files, Some(folder))
        }
        None => (files, None),
    };
    let packed = pack(cache, &files, shown, place, context)?;
    // A file changed within the clock's grain of being read could change again and look the same: remember nothing
    // then, and read once more next time.
    if settled {
        cache.remember(ArtifactKind::Code, &key, packed, names).map(Some)
    } else {
        Ok(Some(cache.artifact(packed, names)))
    }
}
