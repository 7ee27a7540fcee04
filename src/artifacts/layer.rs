//! Layers: pip's packages for a runtime that is not this machine's, made the same every time.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::artifact::Artifact;
use super::cache::{ArtifactKind, Cache};
use super::context::BuildContext;
use super::lock::{self, LayerLock, LayerLocks, ordered};
use super::{list, pack, pip};
use crate::finding::{Finding, Place, code};
use crate::spec::{Architecture, requirement_problem, requirements_problem, without_hashes};

/// What a layer is to hold.
pub(super) struct LayerSpec<'a> {
    pub name: &'a str,
    /// Whose packages these are, such as `layers.boto3` or `functions.design`.
    pub owner: String,
    pub requirements: &'a [String],
    pub runtime: &'a str,
    pub architecture: Architecture,
    /// The folder of the spec, where a lock file may be.
    pub folder: Option<&'a PathBuf>,
    pub place: Option<&'a Place>,
}

impl LayerSpec<'_> {
    /// The requirements, when all of them are some.
    fn requirements(&self) -> Result<Vec<String>, Vec<Finding>> {
        let one = self.requirements.iter().find_map(|requirement| requirement_problem(requirement));
        if let Some((message, help)) = one.or_else(|| requirements_problem(self.requirements)) {
            return Err(vec![Finding::error(code::A022, message).at(self.place.cloned()).help(help)]);
        }
        Ok(ordered(self.requirements))
    }

    /// pip's options for the runtime.
    fn arguments(&self) -> Result<Vec<String>, Vec<Finding>> {
        pip::arguments(self.runtime, self.architecture).ok_or_else(|| {
            let message = format!("`{}` is not a Python runtime to build the layer `{}` for", self.runtime, self.name);
            vec![Finding::error(code::A022, message).at(self.place.cloned()).help("write one such as `python3.13`")]
        })
    }

    /// What its lock file pins, if there is one.
    fn pins(&self, requirements: &[String]) -> Result<Option<Vec<String>>, Vec<Finding>> {
        let Some(folder) = self.folder else { return Ok(None) };
        let Some(locks) = LayerLocks::read(folder)? else { return Ok(None) };
        let fits = |lock: &&LayerLock| lock.fits(requirements, self.runtime, self.architecture);
        match locks.layers.get(self.name).filter(fits) {
            Some(lock) => Ok(Some(lock.pins())),
            None => Err(vec![lock::outdated(self.name, self.place)]),
        }
    }
}

/// The zip of a layer; none when it is not in the cache and nothing is to be built.
///
/// What the requirements, the runtime and the architecture are remembered under is all of them: once made, a layer
/// stays the same, offline and whatever the index offers since, until one of them, the lock file or the cache changes.
pub(super) fn build(
    cache: &Cache,
    wanted: &LayerSpec<'_>,
    context: &BuildContext<'_>,
) -> Result<Option<Artifact>, Vec<Finding>> {
    let requirements = wanted.requirements()?;
    let arguments = wanted.arguments()?;
    let pins = wanted.pins(&requirements)?;
    let asked = pins.as_ref().unwrap_or(&requirements);
    let key = key(asked, pins.is_some(), &arguments);
    if let Some(artifact) = cache.find(ArtifactKind::Layer, &key) {
        return Ok(Some(artifact));
    }
    if context.no_build {
        return Ok(None);
    }
    let shown: Vec<&str> = requirements.iter().map(|requirement| without_hashes(requirement)).collect();
    let locked = if pins.is_some() { ", as locked" } else { "" };
    (context.progress)(&format!("installing {}{locked} for {} with pip", shown.join(", "), wanted.runtime));
    let order = pip::Order {
        arguments: &arguments,
        requirements: asked,
        pinned: pins.is_some(),
        runtime: wanted.runtime,
        place: wanted.place,
    };
    let folder = cache.work_folder()?;
    let target = pip::install(&order, folder.path(), context)?;
    let files = list::list_files(&target, &keep)?;
    if files.is_empty() {
        let message = format!("pip installed nothing for `{}`", wanted.owner);
        let help = "check the markers (what follows `;`) of its requirements";
        return Err(vec![Finding::error(code::A023, message).at(wanted.place.cloned()).help(help)]);
    }
    let packages = packages(&files);
    let packed = pack::pack(cache, &files, &wanted.owner, wanted.place, context)?;
    cache.remember(ArtifactKind::Layer, &key, packed, packages).map(Some)
}

/// What the requirements of a layer come to now, whatever is locked.
pub(super) fn resolve(
    cache: &Cache,
    wanted: &LayerSpec<'_>,
    context: &BuildContext<'_>,
) -> Result<LayerLock, Vec<Finding>> {
    let requirements = wanted.requirements()?;
    let arguments = wanted.arguments()?;
    (context.progress)(&format!("resolving layers.{} for {} with pip", wanted.name, wanted.runtime));
    let order = pip::Order {
        arguments: &arguments,
        requirements: &requirements,
        pinned: false,
        runtime: wanted.runtime,
        place: wanted.place,
    };
    let folder = cache.work_folder()?;
    let report = pip::resolve(&order, folder.path(), context)?;
    let packages = lock::packages(&report).map_err(|why| {
        let message = format!("the layer `{}` cannot be locked: {why}", wanted.name);
        let help = "an index of your own has to tell digests, as PyPI does";
        vec![Finding::error(code::A036, message).at(wanted.place.cloned()).help(help)]
    })?;
    Ok(LayerLock {
        requirements,
        runtime: wanted.runtime.to_owned(),
        architecture: lock::word(wanted.architecture).to_owned(),
        packages,
    })
}

fn key(requirements: &[String], pinned: bool, arguments: &[String]) -> String {
    let mut hash = Sha256::new();
    hash.update(if pinned { b"locked layer 1\n".as_slice() } else { b"layer 1\n" });
    for text in requirements.iter().chain(arguments) {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// Whether a file belongs in a layer. Left out is what a call never reads and what differs from one machine to the
/// next: byte code, scripts that name this machine's Python, and pip's own notes on what it did.
fn keep(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let is_note = match parts.as_slice() {
        ["python", info, note] if info.ends_with(".dist-info") => {
            ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json"].contains(note)
        }
        _ => false,
    };
    let is_script = matches!(parts.as_slice(), ["python", "bin", ..]);
    let is_byte_code = name.ends_with(".pyc") || parts.contains(&"__pycache__");
    !(is_note || is_script || is_byte_code)
}

/// The packages, by the folders that describe them.
fn packages(files: &[list::Listed]) -> Vec<String> {
    let mut names: Vec<String> = files
        .iter()
        .filter_map(|file| file.name.strip_prefix("python/")?.strip_suffix("/METADATA")?.strip_suffix(".dist-info"))
        .map(|name| name.replacen('-', " ", 1))
        .collect();
    names.sort();
    names
}
