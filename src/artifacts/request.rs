//! What is to be packaged for a component of a spec.

use std::path::PathBuf;

use crate::finding::Place;
use crate::spec::{Architecture, LoadedSpec, handler_files};

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
        /// The runtime the packages of a `requirements.txt` are chosen for, such as `python3.13`.
        runtime: String,
        /// The architecture they are chosen for.
        architecture: Architecture,
        /// Where the spec names the folder.
        place: Option<Place>,
    },
    /// A file, a folder or a text that a template made elsewhere refers to.
    Packaged {
        /// Whose it is, such as `template.Hello`.
        owner: String,
        /// What is packaged.
        content: PackagedContent,
        /// How it is told of.
        shown: String,
        /// Where the spec names the template.
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

/// What is packaged for a template made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackagedContent {
    /// A folder, as a zip.
    Folder(PathBuf),
    /// A file, in a zip.
    Zipped(PathBuf),
    /// A file as it is.
    File(PathBuf),
    /// A text.
    Text(String),
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
                runtime: function.runtime.clone(),
                architecture: function.architecture,
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
