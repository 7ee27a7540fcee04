//! Artifacts made ready before a deployment: built side by side, from the cache where nothing has changed.

use std::path::PathBuf;

use futures::future::join_all;
use tokio::sync::mpsc;

use super::events::{EventKind, Teller};
use super::run::{Run, Stop};
use super::wanted::Artifact;
use crate::artifacts::{self, ArtifactRequest, Component};
use crate::finding::{Finding, has_errors};
use crate::render::{ArtifactComponent, ArtifactParameter};
use crate::spec::LoadedSpec;

/// Something to build.
#[derive(Debug, Clone)]
pub struct Package {
    /// The template parameter its key is given to.
    pub parameter: String,
    /// The component it belongs to, such as `functions.design`.
    pub component: String,
    /// What to build.
    pub request: ArtifactRequest,
    /// Where zips are kept between runs.
    pub cache: PathBuf,
}

impl Package {
    /// What a rendered template asks for; none when the spec lacks the component, which rendering rules out.
    pub(super) fn of(loaded: &LoadedSpec, parameter: &ArtifactParameter, cache: PathBuf) -> Option<Self> {
        let (section, component) = match &parameter.component {
            ArtifactComponent::Function(name) => (format!("functions.{name}"), Component::Function(name.clone())),
            ArtifactComponent::Layer(name) => (format!("layers.{name}"), Component::Layer(name.clone())),
        };
        Some(Self {
            parameter: parameter.parameter.clone(),
            component: section,
            request: artifacts::request(loaded, &component)?,
            cache,
        })
    }
}

/// Builds all of them at once; what is wrong with any is told together.
pub(super) async fn build(run: &Run<'_>, teller: &Teller<'_>, packages: &[Package]) -> Result<Vec<Artifact>, Stop> {
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    let (said, mut hears) = mpsc::unbounded_channel::<(String, String)>();
    let builds = packages.iter().map(|package| {
        let (package, said) = (package.clone(), said.clone());
        tokio::task::spawn_blocking(move || {
            // Whoever listened may be gone after an interruption; the build ends by itself.
            let progress = |words: &str| drop(said.send((package.component.clone(), words.to_owned())));
            let built = artifacts::build(&package.request, &package.cache, &progress);
            (package, built)
        })
    });
    let builds: Vec<_> = builds.collect();
    drop(said);
    let tell = async {
        while let Some((component, doing)) = hears.recv().await {
            teller.tell(EventKind::Building { component, doing });
        }
    };
    let (built, ()) = run.unless_cancelled(async { tokio::join!(join_all(builds), tell) }).await?;
    let mut ready = Vec::new();
    let mut findings: Vec<Finding> = Vec::new();
    for built in built {
        match built {
            Ok((package, Ok(artifact))) => {
                teller.tell(EventKind::ArtifactBuilt {
                    component: package.component.clone(),
                    size: artifact.size,
                    sha256: artifact.sha256.clone(),
                });
                for finding in artifact.warnings {
                    teller.tell(EventKind::Warning { finding });
                }
                ready.push(Artifact {
                    parameter: package.parameter,
                    component: package.component,
                    path: artifact.path,
                    sha256: artifact.sha256,
                    size: artifact.size,
                });
            }
            Ok((_, Err(wrong))) => findings.extend(wrong),
            Err(error) => findings.push(
                Finding::error("D027", format!("packaging broke off: {error}"))
                    .help("this is a defect of Bedplate; repeat the command"),
            ),
        }
    }
    if has_errors(&findings) { Err(findings.into()) } else { Ok(ready) }
}
