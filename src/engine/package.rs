//! The files a template refers to: to be built, built, or left unbuilt.

use std::path::{Path, PathBuf};

use super::artifact_names::folder;
use crate::artifacts::{self, ArtifactRequest, Component, PackagedContent};
use crate::render::{ArtifactComponent, ArtifactParameter, PackagedSource};
use crate::spec::LoadedSpec;

/// Where artifacts are made ready, and how.
#[derive(Debug, Clone)]
pub struct Packaging {
    /// Where zips are kept between runs.
    pub cache: PathBuf,
    /// The project's folder, of which nothing is run.
    pub project: PathBuf,
    /// No helper program is run: a layer that is not in the cache is not made.
    pub no_build: bool,
}

impl Packaging {
    /// Builds what is not in a cache.
    pub fn new(cache: &Path, project: &Path) -> Self {
        Self { cache: cache.to_owned(), project: project.to_owned(), no_build: false }
    }
}

/// Something to build.
#[derive(Debug, Clone)]
pub struct Package {
    /// The template parameter its key is given to.
    pub parameter: String,
    /// The component it belongs to, such as `functions.design`.
    pub component: String,
    /// What to build.
    pub request: ArtifactRequest,
    /// Where and how.
    pub packaging: Packaging,
}

/// What was not built, because nothing was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbuilt {
    /// The template parameter its key is given to.
    pub parameter: String,
    /// The component it belongs to, such as `layers.boto3`.
    pub component: String,
}

impl Unbuilt {
    /// What stands for its key in a plan: nobody can take it for one.
    pub fn key(&self, stack: &str) -> String {
        format!("{stack}/{}-not-built.zip", self.component)
    }
}

impl Package {
    /// What a rendered template asks for; none when the spec lacks the component, which rendering rules out.
    pub(super) fn from_parameter(
        loaded: &LoadedSpec,
        parameter: &ArtifactParameter,
        packaging: &Packaging,
    ) -> Option<Self> {
        if let ArtifactComponent::Packaged(file) = &parameter.component {
            let content = match &file.source {
                PackagedSource::Folder(path) => PackagedContent::Folder(path.clone()),
                PackagedSource::Zipped(path) => PackagedContent::Zipped(path.clone()),
                PackagedSource::File(path) => PackagedContent::File(path.clone()),
                PackagedSource::Text(text) => PackagedContent::Text(text.clone()),
            };
            let request = ArtifactRequest::Packaged {
                owner: file.component.clone(),
                content,
                shown: file.shown.clone(),
                place: loaded.place("/template"),
            };
            return Some(Self {
                parameter: parameter.parameter.clone(),
                component: file.component.clone(),
                request,
                packaging: packaging.clone(),
            });
        }
        let (section, component) = match &parameter.component {
            ArtifactComponent::Packaged(_) => return None,
            ArtifactComponent::Function(name) => (format!("functions.{name}"), Component::Function(name.clone())),
            ArtifactComponent::Layer(name) => (format!("layers.{name}"), Component::Layer(name.clone())),
        };
        Some(Self {
            parameter: parameter.parameter.clone(),
            component: section,
            request: artifacts::request(loaded, &component)?,
            packaging: packaging.clone(),
        })
    }
}

/// A file on its way to the artifact bucket, addressed by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackArtifact {
    /// The template parameter its key is given to.
    pub parameter: String,
    /// The component it belongs to, such as `functions.design`.
    pub component: String,
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of what the file holds, in hexadecimal: its address, which need not be the digest of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

impl StackArtifact {
    /// Its key in the artifact bucket: the stack's own folder, so that destroying the stack can take its artifacts
    /// along without asking whether another stack has the same content.
    pub fn key(&self, stack: &str) -> String {
        format!("{}{}.zip", folder(stack), self.sha256)
    }
}
