//! Function code and layers as deterministic zips, addressed by their content.
//!
//! The digest is that of what a zip holds (names, modes, bytes), so it is the same on every machine, whatever the
//! umask, the order of files, their times, or the way the bytes were compressed. What is unchanged is not packaged again.
//!
//! Nothing of a project is run: code is read and zipped, and a layer is made of wheels, which pip unpacks.

mod cache;
mod documents;
mod layer;
mod list;
mod lock;
mod pack;
mod pip;

use std::path::{Path, PathBuf};

use crate::finding::{Finding, Place};
use crate::spec::{Architecture, LoadedSpec, handler_files};

pub use documents::{Document, documents};
pub use lock::{LOCK_FILE, LayerLock, LayerLocks, lock_problems};

/// What Lambda takes as a function's code or a layer, unzipped, in bytes: 250 MiB, by its quotas.
pub const MAX_UNCOMPRESSED: u64 = 250 * 1024 * 1024;

/// The size of a zip above which a warning says that calls start slowly, in bytes.
const LARGE_ZIP: u64 = 50 * 1024 * 1024;

/// A component that has an artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// A name under `functions`.
    Function(String),
    /// A name under `layers`.
    Layer(String),
}

/// What to package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactRequest {
    /// A folder of code.
    Function {
        /// The function's name in the spec.
        name: String,
        /// The folder.
        folder: PathBuf,
        /// The folder as its author wrote it.
        shown: String,
        /// Files of which one must be in the zip, or nothing can be called; empty where the runtime does not say.
        handler_files: Vec<String>,
        /// Where the spec names the folder.
        place: Option<Place>,
    },
    /// Python packages.
    Layer {
        /// The layer's name in the spec.
        name: String,
        /// pip requirements.
        requirements: Vec<String>,
        /// The runtime wheels are chosen for, such as `python3.13`.
        runtime: String,
        /// The architecture wheels are chosen for.
        architecture: Architecture,
        /// The folder whose lock file counts, if it has one.
        folder: Option<PathBuf>,
        /// Where the spec lists the requirements.
        place: Option<Place>,
    },
}

/// A zip in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The zip.
    pub path: PathBuf,
    /// SHA-256 of what the zip holds, in lower-case hexadecimal: the artifact's address. It is not the digest of the
    /// zip's own bytes.
    pub sha256: String,
    /// The zip's size in bytes.
    pub size: u64,
    /// What it holds, unzipped, in bytes.
    pub uncompressed: u64,
    /// How many files it holds.
    pub files: usize,
    /// A layer's packages with their versions, such as `boto3 1.40.1`.
    pub packages: Vec<String>,
    /// What is odd about it and stops nothing.
    pub warnings: Vec<Finding>,
}

/// What a build is given beside what to build.
pub struct BuildContext<'a> {
    /// Where zips are kept between runs; a folder of whoever runs this program, and not of the project.
    pub cache: &'a Path,
    /// The project's folder, of which nothing is run.
    pub project: &'a Path,
    /// Told in a few words when something slow begins.
    pub progress: &'a dyn Fn(&str),
    /// Whether the build is to end before its time.
    pub cancelled: &'a dyn Fn() -> bool,
    /// No helper program is run: a layer that is not in the cache is not made.
    pub no_build: bool,
}

/// What to package for a component of a spec; none when the spec has no such component.
pub fn request(loaded: &LoadedSpec, component: &Component) -> Option<ArtifactRequest> {
    match component {
        Component::Function(name) => {
            let function = loaded.spec.functions.get(name)?;
            let code = function.code.as_ref()?;
            Some(ArtifactRequest::Function {
                name: name.clone(),
                folder: loaded.dir.join(code),
                shown: code.clone(),
                handler_files: handler_files(&function.runtime, &function.handler).unwrap_or_default(),
                place: loaded.place(&format!("/functions/{name}/code")),
            })
        }
        Component::Layer(name) => {
            let layer = loaded.spec.layers.get(name)?;
            Some(ArtifactRequest::Layer {
                name: name.clone(),
                requirements: layer.requirements.clone(),
                runtime: layer.runtimes.first().cloned().unwrap_or_default(),
                architecture: layer.architecture,
                folder: Some(loaded.dir.clone()),
                place: loaded.place(&format!("/layers/{name}/requirements")),
            })
        }
    }
}

/// The zip for a request: from the cache when nothing has changed, else made anew. Blocks; many may run at once, in
/// this process and others, over one cache. None for a layer that would have to be made and is not to be.
///
/// # Errors
/// When the folder holds what cannot be packaged, is too large or is empty, when pip fails, when it was cancelled, or when
/// the cache cannot be written. Nothing half-made stays in the cache.
pub fn build(request: &ArtifactRequest, context: &BuildContext<'_>) -> Result<Option<Artifact>, Vec<Finding>> {
    let cache = cache::Cache::open(context.cache)?;
    let (mut artifact, owner, place) = match request {
        ArtifactRequest::Function { name, folder, shown, handler_files, place } => {
            let artifact = function(&cache, name, folder, shown, handler_files, place.as_ref(), context)?;
            (artifact, format!("functions.{name}"), place)
        }
        ArtifactRequest::Layer { name, place, .. } => {
            let Some(wanted) = layer_of(request) else { return Ok(None) };
            let Some(artifact) = layer::build(&cache, &wanted, context)? else { return Ok(None) };
            (artifact, format!("layers.{name}"), place)
        }
    };
    if artifact.size > LARGE_ZIP {
        let message = format!("the zip of `{owner}` is {}: first calls will start slowly", pack::size(artifact.size));
        artifact.warnings.push(
            Finding::warning("A006", message).at(place.clone()).help("leave out what is not needed to answer a call"),
        );
    }
    Ok(Some(artifact))
}

/// What a layer's requirements come to now, to be locked; none for what is no layer. Blocks, and asks the index.
///
/// # Errors
/// As [`build`].
pub fn resolve(request: &ArtifactRequest, context: &BuildContext<'_>) -> Result<Option<LayerLock>, Vec<Finding>> {
    let Some(wanted) = layer_of(request) else { return Ok(None) };
    layer::resolve(&cache::Cache::open(context.cache)?, &wanted, context).map(Some)
}

fn layer_of(request: &ArtifactRequest) -> Option<layer::Wanted<'_>> {
    match request {
        ArtifactRequest::Function { .. } => None,
        ArtifactRequest::Layer { name, requirements, runtime, architecture, folder, place } => Some(layer::Wanted {
            name,
            requirements,
            runtime,
            architecture: *architecture,
            folder: folder.as_ref(),
            place: place.as_ref(),
        }),
    }
}

/// The finding for a build that was to end.
fn interrupted(place: Option<&Place>) -> Finding {
    Finding::error("A033", "packaging was interrupted; nothing half-made is kept")
        .at(place.cloned())
        .help("repeat the command")
}

fn function(
    cache: &cache::Cache,
    name: &str,
    folder: &Path,
    shown: &str,
    handler_files: &[String],
    place: Option<&Place>,
    context: &BuildContext<'_>,
) -> Result<Artifact, Vec<Finding>> {
    let started = std::time::SystemTime::now();
    let files = list::code(folder, shown, place)?;
    if files.is_empty() {
        let message = format!("the code folder `{shown}` of `functions.{name}` has no files to package");
        let help = "put the code there, or look at what its `.gitignore` and `.bedplateignore` leave out";
        return Err(vec![Finding::error("A007", message).at(place.cloned()).help(help)]);
    }
    if !handler_files.is_empty() && !files.iter().any(|file| handler_files.contains(&file.name)) {
        let first = handler_files.first().map(String::as_str).unwrap_or_default();
        let message = format!("the zip of `functions.{name}` would have no `{first}`, which its handler names");
        let help = "make the file, or look at what `.gitignore` and `.bedplateignore` in the folder leave out";
        return Err(vec![Finding::error("A008", message).at(place.cloned()).help(help)]);
    }
    let key = list::key(&files);
    if let Some(artifact) = cache.find(cache::Kind::Code, &key) {
        return Ok(artifact);
    }
    let files_shown = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
    (context.progress)(&format!("packaging {files_shown} of {shown}"));
    let packed = pack::pack(cache, &files, shown, place, context)?;
    // A file changed within the clock's grain of being read could change again and look the same: remember nothing
    // then, and read once more next time.
    if list::settled(&files, started) {
        cache.remember(cache::Kind::Code, &key, packed, Vec::new())
    } else {
        Ok(packed.artifact(cache, Vec::new()))
    }
}
