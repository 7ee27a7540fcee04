//! Function code and layers as deterministic zips, addressed by their content.
//!
//! The digest is that of what a zip holds (names, modes, bytes), so it is the same on every machine, whatever the
//! umask, the order of files, their times, or the way the bytes were compressed. What is unchanged is not packaged again.
//!
//! Nothing of a project is run: code is read and zipped, and a layer is made of wheels, which pip unpacks.

mod artifact;
mod cache;
mod code;
mod context;
mod documents;
mod layer;
mod list;
mod lock;
mod pack;
mod packaged;
mod packed;
mod pip;
mod request;
mod requirements;
mod syntax;

use crate::finding::{self, Finding};

pub use artifact::{Artifact, MAX_UNCOMPRESSED};
pub use context::BuildContext;
pub use documents::{Document, documents};
pub use lock::{LOCK_FILE, LayerLock, LayerLocks, lock_problems};
pub use request::{ArtifactRequest, Component, PackagedContent, request};
pub use syntax::python_problems;

/// The size of a zip above which a warning says that calls start slowly, in bytes.
const LARGE_ZIP: u64 = 50 * 1024 * 1024;

/// The zip for a request: from the cache when nothing has changed, else made anew. Blocks; many may run at once, in
/// this process and others, over one cache. None for a layer, or the packages of a function, that would have to be made and are
/// not to be.
///
/// # Errors
/// When the folder holds what cannot be packaged, is too large or is empty, when pip fails, when it was cancelled, or when
/// the cache cannot be written. Nothing half-made stays in the cache.
pub fn build(request: &ArtifactRequest, context: &BuildContext<'_>) -> Result<Option<Artifact>, Vec<Finding>> {
    let cache = cache::Cache::open(context.cache)?;
    let (mut artifact, owner, place) = match request {
        ArtifactRequest::Function { name, folder, shown, handler_files, runtime, architecture, place } => {
            let wanted = code::FunctionCode {
                name,
                folder,
                shown,
                handler_files,
                runtime,
                architecture: *architecture,
                place: place.as_ref(),
            };
            let Some(artifact) = code::build(&cache, &wanted, context)? else { return Ok(None) };
            (artifact, format!("functions.{name}"), place)
        }
        ArtifactRequest::Packaged { owner, content, shown, place } => {
            let artifact = packaged::build(&cache, content, shown, place.as_ref(), context)?;
            (artifact, owner.clone(), place)
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
            Finding::warning(finding::code::A006, message)
                .at(place.clone())
                .help("leave out what is not needed to answer a call"),
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

fn layer_of(request: &ArtifactRequest) -> Option<layer::LayerSpec<'_>> {
    match request {
        ArtifactRequest::Function { .. } | ArtifactRequest::Packaged { .. } => None,
        ArtifactRequest::Layer { name, requirements, runtime, architecture, folder, place } => Some(layer::LayerSpec {
            name,
            owner: format!("layers.{name}"),
            requirements,
            runtime,
            architecture: *architecture,
            folder: folder.as_ref(),
            place: place.as_ref(),
        }),
    }
}
