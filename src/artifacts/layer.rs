//! Layers: pip's packages for a runtime that is not this machine's, made the same every time.

use sha2::{Digest, Sha256};

use super::cache::{Cache, Kind};
use super::{Artifact, list, pack, pip};
use crate::finding::{Finding, Place};
use crate::spec::{Architecture, requirement_problem};

/// What a layer is to hold.
pub(super) struct Wanted<'a> {
    pub requirements: &'a [String],
    pub runtime: &'a str,
    pub architecture: Architecture,
}

/// The zip of a layer.
///
/// What the requirements, the runtime and the architecture are remembered under is all of them: once made, a layer
/// stays the same, offline and whatever the index offers since, until one of them or the cache changes.
pub(super) fn build(
    cache: &Cache,
    name: &str,
    wanted: &Wanted<'_>,
    place: Option<&Place>,
    progress: &dyn Fn(&str),
) -> Result<Artifact, Vec<Finding>> {
    let mut requirements: Vec<String> = Vec::new();
    for requirement in wanted.requirements {
        if let Some((message, help)) = requirement_problem(requirement) {
            return Err(vec![Finding::error("A022", message).at(place.cloned()).help(help)]);
        }
        requirements.push(requirement.trim().to_owned());
    }
    requirements.sort();
    requirements.dedup();
    let arguments = pip::arguments(wanted.runtime, wanted.architecture).ok_or_else(|| {
        let message = format!("`{}` is not a Python runtime to build the layer `{name}` for", wanted.runtime);
        vec![Finding::error("A022", message).at(place.cloned()).help("write one such as `python3.13`")]
    })?;
    let key = key(&requirements, &arguments);
    if let Some(artifact) = cache.find(Kind::Layer, &key) {
        return Ok(artifact);
    }
    progress(&format!("installing {} for {} with pip", requirements.join(", "), wanted.runtime));
    let folder = cache.temporary_folder()?;
    let target = folder.path().join("python");
    pip::install(&arguments, &requirements, &target, wanted.runtime, place)?;
    let files = list::all(&target, &keep)?;
    if files.is_empty() {
        let message = format!("pip installed nothing for the layer `{name}`");
        let help = "check the markers (what follows `;`) of its requirements";
        return Err(vec![Finding::error("A023", message).at(place.cloned()).help(help)]);
    }
    let packages = packages(&files);
    let packed = pack::pack(cache, &files, &format!("layers.{name}"), place)?;
    cache.remember(Kind::Layer, &key, packed, packages)
}

fn key(requirements: &[String], arguments: &[String]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"layer 1\n");
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
