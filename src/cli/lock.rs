//! `bedplate lock`: pins what the layers of use cases are made from.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::verb_result::VerbResult;
use crate::artifacts::{self, BuildContext, Component, LOCK_FILE, LayerLocks};
use crate::engine::ExitCode;
use crate::files::Manner;
use crate::finding::{Finding, code};
use crate::report::lock::{LockReport, LockedUseCase};
use crate::spec::LoadedSpec;

/// Pin the packages of layers, with their digests, in a file beside the spec; a deploy then uses nothing else.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate lock                  every use case of the project\n  bedplate lock movie-poster     write stacks/movie-poster/layers.lock, or update it to newer versions\n\nCommit the file. If it exists, `deploy` and `plan` install exactly what it pins, and refuse anything else."
)]
pub struct LockArgs {
    /// Use cases: names under stacks/, folders or spec files; all of the project when none is named
    #[arg(value_name = "USE-CASE")]
    use_cases: Vec<String>,
}

pub(super) fn run(session: &Session, args: &LockArgs) -> VerbResult {
    let specs = session.load(&args.use_cases)?;
    session.block_on(async {
        let cancel = session.interrupted();
        let mut report = LockReport::default();
        for spec in specs.iter().filter(|spec| !spec.spec.layers.is_empty()) {
            let packages = tokio::task::block_in_place(|| lock_one(session, spec, &cancel));
            if cancel.is_cancelled() {
                session.reporters.say("Interrupted: what was not locked yet stays as it was");
                return Ok(ExitCode::Interrupted);
            }
            let (changed, packages) = packages?;
            let locked = LockedUseCase { use_case: spec.spec.name.clone(), packages, changed, file: LOCK_FILE };
            session.reporters.result(&locked)?;
            report.locked.push(locked);
        }
        session.reporters.result(&report)?;
        Ok(ExitCode::Done)
    })
}

/// Locks the layers of one use case; whether that changed anything, and how many packages there are.
fn lock_one(session: &Session, spec: &LoadedSpec, cancel: &CancellationToken) -> Result<(bool, usize), Vec<Finding>> {
    let packaging = session.packaging()?;
    let context = BuildContext {
        cache: &packaging.cache,
        project: &packaging.project,
        progress: &|doing| session.reporters.progress(doing),
        cancelled: &|| cancel.is_cancelled(),
        no_build: false,
    };
    let mut layers = BTreeMap::new();
    let mut findings = Vec::new();
    for name in spec.spec.layers.keys() {
        let Some(request) = artifacts::request(spec, &Component::Layer(name.clone())) else { continue };
        match artifacts::resolve(&request, &context) {
            Ok(lock) => layers.extend(lock.map(|lock| (name.clone(), lock))),
            Err(more) => findings.extend(more),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let locks = LayerLocks::new(layers);
    let packages = locks.layers.values().map(|layer| layer.packages.len()).sum();
    // One that cannot be read is written anew.
    if LayerLocks::read(&spec.dir).is_ok_and(|before| before.as_ref() == Some(&locks)) {
        return Ok((false, packages));
    }
    let path = spec.dir.join(LOCK_FILE);
    session.write(
        &path,
        locks.text().as_bytes(),
        Manner::Replace,
        code::A035,
        "check its permissions and the free space",
    )?;
    Ok((true, packages))
}
