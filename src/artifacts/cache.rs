//! The cache: zips by the digest of what they hold, and records of what was last made from what. It lies with whoever runs this
//! program and not in the project, which could bring one along.
//!
//! Every file is written beside its place and renamed into it, so a killed process leaves nothing half-made, and
//! processes at the same time can only write the same thing twice.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};

use super::artifact::Artifact;
use super::packed::{Packed, digest_of};
use crate::finding::{Finding, code};

/// How long what a killed process left may lie.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArtifactKind {
    /// A list of files of a code folder.
    Code,
    /// A list of requirements.
    Layer,
}

impl ArtifactKind {
    fn folder(self) -> &'static str {
        match self {
            ArtifactKind::Code => "code",
            ArtifactKind::Layer => "layers",
        }
    }
}

/// The cache's folder.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    dir: PathBuf,
}

/// The finding for a cache that cannot be used.
pub(super) fn io_problem(doing: &str, error: &std::io::Error) -> Finding {
    Finding::error(code::A010, format!("cannot {doing}: {error}"))
        .help("check the free space and the permissions of the cache, which is in `~/.cache/bedplate` unless XDG_CACHE_HOME says otherwise")
}

impl Cache {
    pub(super) fn open(dir: &Path) -> Result<Self, Vec<Finding>> {
        for folder in ["zips", "tmp", ArtifactKind::Code.folder(), ArtifactKind::Layer.folder()] {
            std::fs::create_dir_all(dir.join(folder)).map_err(|e| vec![io_problem("make the cache's folders", &e)])?;
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// Where the zip with this content lies.
    pub(super) fn zip(&self, sha256: &str) -> PathBuf {
        self.dir.join("zips").join(format!("{sha256}.zip"))
    }

    /// What was made, as those who asked for it get it.
    pub(super) fn artifact(&self, packed: Packed, packages: Vec<String>) -> Artifact {
        Artifact {
            path: self.zip(&packed.sha256),
            sha256: packed.sha256,
            size: packed.size,
            uncompressed: packed.uncompressed,
            files: packed.files,
            packages,
            warnings: Vec::new(),
        }
    }

    fn record(&self, kind: ArtifactKind, key: &str) -> PathBuf {
        self.dir.join(kind.folder()).join(format!("{key}.json"))
    }

    /// What was said of a source, by its digest.
    pub(super) fn parsed(&self, digest: &str) -> Option<Vec<u8>> {
        std::fs::read(self.dir.join("parsed").join(format!("{digest}.json"))).ok()
    }

    /// Keeps what was said of a source. What cannot be kept is asked again.
    pub(super) fn remember_parsed(&self, digest: &str, text: &[u8]) {
        let folder = self.dir.join("parsed");
        let kept = std::fs::create_dir_all(&folder).ok().and_then(|()| self.temporary_file().ok());
        if let Some(mut temporary) = kept
            && temporary.write_all(text).is_ok()
        {
            let _ = temporary.persist(folder.join(format!("{digest}.json")));
        }
    }

    pub(super) fn temporary_file(&self) -> Result<NamedTempFile, Vec<Finding>> {
        NamedTempFile::new_in(self.dir.join("tmp")).map_err(|e| vec![io_problem("write into the cache", &e)])
    }

    /// A folder that goes away with what is in it; and what others left behind goes too.
    pub(super) fn work_folder(&self) -> Result<WorkFolder, Vec<Finding>> {
        let tmp = self.dir.join("tmp");
        for entry in std::fs::read_dir(&tmp).into_iter().flatten().flatten() {
            if is_left_behind(&entry) {
                // Somebody else may be doing the same.
                let _ = std::fs::remove_dir_all(entry.path()).or_else(|_| std::fs::remove_file(entry.path()));
            }
        }
        WorkFolder::make(&tmp).map_err(|e| vec![io_problem("write into the cache", &e)])
    }

    /// Puts a finished zip into its place.
    pub(super) fn keep(&self, temporary: NamedTempFile, sha256: &str) -> Result<(), Vec<Finding>> {
        let kept = temporary.persist(self.zip(sha256));
        kept.map(|_| ()).map_err(|error| vec![io_problem("put a zip into the cache", &error.error)])
    }

    /// What was made for a key, if it is there and whole.
    pub(super) fn find(&self, kind: ArtifactKind, key: &str) -> Option<Artifact> {
        let path = self.record(kind, key);
        let record: Value = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        let text = |name: &str| record.get(name)?.as_str().map(str::to_owned);
        let number = |name: &str| record.get(name)?.as_u64();
        let sha256 =
            text("sha256").filter(|sha256| sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let packed = Packed {
            zip_sha256: text("zip_sha256")?,
            size: number("size")?,
            uncompressed: number("uncompressed")?,
            files: usize::try_from(number("files")?).ok()?,
            sha256,
        };
        // What is not what was put there is made anew.
        let (size, zip_sha256) = digest_of(&File::open(self.zip(&packed.sha256)).ok()?).ok()?;
        if (size, &zip_sha256) != (packed.size, &packed.zip_sha256) {
            return None;
        }
        let packages = record.get("packages").and_then(Value::as_array);
        let packages = packages.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(self.artifact(packed, packages))
    }

    /// Records what was made for a key. For a layer the first record stands: two processes that asked pip at the same
    /// time go on with the same packages.
    pub(super) fn remember(
        &self,
        kind: ArtifactKind,
        key: &str,
        packed: Packed,
        packages: Vec<String>,
    ) -> Result<Artifact, Vec<Finding>> {
        let record = json!({
            "sha256": packed.sha256,
            "zip_sha256": packed.zip_sha256,
            "size": packed.size,
            "uncompressed": packed.uncompressed,
            "files": packed.files,
            "packages": packages,
        });
        let failed = |error: std::io::Error| vec![io_problem("write into the cache", &error)];
        let mut temporary = self.temporary_file()?;
        temporary.write_all(record.to_string().as_bytes()).map_err(failed)?;
        let path = self.record(kind, key);
        if kind == ArtifactKind::Layer
            && let Some(first) = self.find(kind, key)
        {
            return Ok(first);
        }
        temporary.persist(&path).map_err(|error| failed(error.error))?;
        Ok(self.artifact(packed, packages))
    }
}

/// The name of a work folder's lock, which its owner holds while it lives.
const LOCK: &str = ".lock";

/// A folder to work in. It goes when it is dropped, and when its owner was killed, with the next one that is made.
#[derive(Debug)]
pub(super) struct WorkFolder {
    dir: TempDir,
    _lock: File,
}

impl WorkFolder {
    fn make(parent: &Path) -> std::io::Result<Self> {
        let dir = TempDir::new_in(parent)?;
        let unlocked = dir.path().join(".unlocked");
        let lock = File::create_new(&unlocked)?;
        lock.lock()?;
        // Under its name it has always been locked.
        std::fs::rename(&unlocked, dir.path().join(LOCK))?;
        Ok(Self { dir, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Whether something in the folder for what is unfinished has no owner any more.
fn is_left_behind(entry: &std::fs::DirEntry) -> bool {
    if let Ok(lock) = File::options().write(true).open(entry.path().join(LOCK)) {
        return lock.try_lock().is_ok();
    }
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > STALE))
}
