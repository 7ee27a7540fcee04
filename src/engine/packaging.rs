//! Artifacts made ready before a deployment: built side by side, from the cache where nothing has changed.

use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;

use super::abort::Abort;
use super::events::{EventEmitter, EventKind};
use super::package::{Package, StackArtifact, Unbuilt};
use super::run::Run;
use crate::artifacts::{self, BuildContext};
use crate::finding::{Finding, code, has_errors};

/// How long an interrupted build is given to end what it has started and to tidy up.
const TIDYING: Duration = Duration::from_secs(8);

/// What a deployment refers to in S3.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub artifacts: Vec<StackArtifact>,
    pub unbuilt: Vec<Unbuilt>,
}

/// Builds all of them at once; what is wrong with any is told together.
pub(super) async fn build(run: &Run<'_>, emitter: &EventEmitter<'_>, packages: &[Package]) -> Result<Built, Abort> {
    if packages.is_empty() {
        return Ok(Built::default());
    }
    let (said, mut hears) = mpsc::unbounded_channel::<(String, String)>();
    let builds = packages.iter().map(|package| {
        let (package, said, cancel) = (package.clone(), said.clone(), run.cancel.clone());
        tokio::task::spawn_blocking(move || {
            // Whoever listened may be gone after an interruption; the build ends by itself.
            let progress = |words: &str| drop(said.send((package.component.clone(), words.to_owned())));
            let context = BuildContext {
                cache: &package.packaging.cache,
                project: &package.packaging.project,
                progress: &progress,
                cancelled: &|| cancel.is_cancelled(),
                no_build: package.packaging.no_build,
            };
            let built = artifacts::build(&package.request, &context);
            (package, built)
        })
    });
    let builds: Vec<_> = builds.collect();
    drop(said);
    let tell = async {
        while let Some((component, doing)) = hears.recv().await {
            emitter.emit(EventKind::Building { component, doing });
        }
    };
    let mut work = std::pin::pin!(async { tokio::join!(join_all(builds), tell) });
    let (built, ()) = tokio::select! {
        biased;
        () = run.cancel.cancelled() => {
            // The builds are interrupted, too: what they have started ends first.
            let _ = tokio::time::timeout(TIDYING, work).await;
            return Err(Abort::Interrupted);
        }
        done = &mut work => done,
    };
    let mut ready = Built::default();
    let mut findings: Vec<Finding> = Vec::new();
    for built in built {
        match built {
            Ok((package, Ok(Some(artifact)))) => {
                emitter.emit(EventKind::ArtifactBuilt {
                    component: package.component.clone(),
                    size: artifact.size,
                    sha256: artifact.sha256.clone(),
                });
                for finding in artifact.warnings {
                    emitter.emit(EventKind::Warning { finding });
                }
                ready.artifacts.push(StackArtifact {
                    parameter: package.parameter,
                    component: package.component,
                    path: artifact.path,
                    sha256: artifact.sha256,
                    size: artifact.size,
                });
            }
            Ok((package, Ok(None))) => {
                ready.unbuilt.push(Unbuilt { parameter: package.parameter, component: package.component });
            }
            Ok((_, Err(wrong))) => findings.extend(wrong),
            Err(error) => findings.push(
                Finding::error(code::D096, format!("packaging broke off: {error}"))
                    .help("this is a defect of Bedplate; repeat the command"),
            ),
        }
    }
    if has_errors(&findings) { Err(findings.into()) } else { Ok(ready) }
}
