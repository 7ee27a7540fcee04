//! The lock file of a use case: from which packages, with which digests, each of its layers is made. It stands beside the spec
//! and is committed with it; where it is there, a layer is made from nothing else.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::finding::{Finding, Place, code};
use crate::spec::{Architecture, LoadedSpec};

/// The file's name, beside the spec.
pub const LOCK_FILE: &str = "layers.lock";

/// The version of the format.
const VERSION: u32 = 1;

/// The most a lock file may have, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// What a lock file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerLocks {
    version: u32,
    /// The layers, by their names in the spec.
    pub layers: BTreeMap<String, LayerLock>,
}

/// What one layer is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerLock {
    /// The requirements it was resolved for, in order.
    pub requirements: Vec<String>,
    /// The runtime it was resolved for.
    pub runtime: String,
    /// The architecture it was resolved for.
    pub architecture: String,
    /// All it is made from, in the order of their names.
    pub packages: Vec<LockedPackage>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its wheel, in lower-case hexadecimal.
    pub sha256: String,
}

impl LayerLocks {
    /// Those of some layers.
    pub fn new(layers: BTreeMap<String, LayerLock>) -> Self {
        Self { version: VERSION, layers }
    }

    /// Reads the lock file of a folder, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or is not a lock file.
    pub fn read(folder: &Path) -> Result<Option<Self>, Vec<Finding>> {
        let path = folder.join(LOCK_FILE);
        let at = |line, column, why: String| {
            let here = std::env::current_dir().unwrap_or_default();
            let file = path.strip_prefix(here).unwrap_or(&path).display().to_string();
            vec![
                Finding::error(code::A035, format!("`{LOCK_FILE}` {why}"))
                    .at(Some(Place { file, line, column }))
                    .help("make it anew with `bedplate lock`"),
            ]
        };
        let wrong = |why: String| at(1, 1, why);
        let about = match path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            about => about.map_err(|error| wrong(format!("cannot be read: {error}")))?,
        };
        if !about.is_file() {
            return Err(wrong("is not a file, or a link to one".to_owned()));
        }
        let file = std::fs::File::open(&path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let mut text = String::new();
        file.take(MOST_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(wrong("is larger than 1 MiB".to_owned()));
        }
        let locks: Self = serde_json::from_str(&text)
            .map_err(|error| at(error.line().max(1), error.column().max(1), format!("is not a lock file: {error}")))?;
        if locks.version != VERSION {
            return Err(wrong(format!("is of version {} and this program reads {VERSION}", locks.version)));
        }
        let packages = locks.layers.values().flat_map(|layer| &layer.packages);
        match packages.into_iter().find(|package| !package.is_valid()) {
            Some(package) => Err(wrong(format!("pins `{:.60}` to what is not a version and a digest", package.name))),
            None => Ok(Some(locks)),
        }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        // Text and numbers only: there is nothing in it that has no JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl LayerLock {
    /// Whether it is for these requirements, runtime and architecture.
    pub(super) fn fits(&self, requirements: &[String], runtime: &str, architecture: Architecture) -> bool {
        self.requirements == requirements && self.runtime == runtime && self.architecture == word(architecture)
    }

    /// As pip takes them.
    pub(super) fn pins(&self) -> Vec<String> {
        let pin =
            |package: &LockedPackage| format!("{}=={} --hash=sha256:{}", package.name, package.version, package.sha256);
        self.packages.iter().map(pin).collect()
    }
}

impl LockedPackage {
    /// Whether pip can read nothing else in it.
    fn is_valid(&self) -> bool {
        let edges = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        };
        let of = |text: &str, more: &str| {
            text.len() <= 200 && edges(text) && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        of(&self.name, "._-")
            && of(&self.version, "._+!-")
            && self.sha256.len() == 64
            && self.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }
}

/// Requirements as they are remembered and pinned: each once, in order.
pub(super) fn ordered(requirements: &[String]) -> Vec<String> {
    let mut ordered: Vec<String> = requirements.iter().map(|one| one.trim().to_owned()).collect();
    ordered.sort();
    ordered.dedup();
    ordered
}

/// An architecture as the spec says it.
pub(super) fn word(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "arm64",
    }
}

/// The packages of pip's report.
///
/// Source: `_internal/models/installation_report.py` and `direct_url.py` of pip 23.2.1, looked at on 2026-11-29: `install[]` with
/// `metadata` and with `download_info`, which has the form of PEP 610 and `archive_info.hashes`.
pub(super) fn packages(report: &Value) -> Result<Vec<LockedPackage>, String> {
    let mut packages = Vec::new();
    for item in report.get("install").and_then(Value::as_array).into_iter().flatten() {
        let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let package = LockedPackage {
            name: text("/metadata/name"),
            version: text("/metadata/version"),
            sha256: text("/download_info/archive_info/hashes/sha256"),
        };
        if !package.is_valid() {
            return Err(format!("the index gives no SHA-256 for `{:.60}`", package.name));
        }
        packages.push(package);
    }
    packages.sort();
    Ok(packages)
}

/// What is wrong with the lock file of a use case, as far as that can be told offline.
pub fn lock_problems(loaded: &LoadedSpec) -> Vec<Finding> {
    let locks = match LayerLocks::read(&loaded.dir) {
        Ok(Some(locks)) => locks,
        Ok(None) => return Vec::new(),
        Err(findings) => return findings,
    };
    let mut findings = Vec::new();
    for (name, layer) in &loaded.spec.layers {
        let runtime = layer.runtimes.first().map(String::as_str).unwrap_or_default();
        let fits = |lock: &LayerLock| lock.fits(&ordered(&layer.requirements), runtime, layer.architecture);
        if !locks.layers.get(name).is_some_and(fits) {
            findings.push(outdated(name, loaded.place(&format!("/layers/{name}/requirements")).as_ref()));
        }
    }
    findings
}

/// The finding for a lock that is not for the layer as it is.
pub(super) fn outdated(name: &str, place: Option<&Place>) -> Finding {
    Finding::error(code::A034, format!("`{LOCK_FILE}` does not pin the layer `{name}` as the spec has it now"))
        .at(place.cloned())
        .help("run `bedplate lock` and look at what changes in it")
}
