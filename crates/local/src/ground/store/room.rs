//! How much room the state has, for words that help when there is none.
//!
//! SQLite says that something is full and not where: the folder is that of the transaction which the thread is at work on.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// With less than this free, a disk counts as full: bytes.
const SHORT: u64 = 1 << 20;

thread_local! {
    static AT_WORK: RefCell<Option<(PathBuf, u64)>> = const { RefCell::new(None) };
}

/// What a thread is at work on, until it is dropped.
#[derive(Debug)]
pub(super) struct AtWork {
    before: Option<(PathBuf, u64)>,
}

impl AtWork {
    /// On the state in a folder, whose database may have so many bytes.
    pub(super) fn on(dir: &Path, limit: u64) -> Self {
        Self { before: AT_WORK.replace(Some((dir.to_path_buf(), limit))) }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        AT_WORK.set(self.before.take());
    }
}

/// The folder the thread is at work on.
pub(super) fn folder() -> Option<PathBuf> {
    AT_WORK.with_borrow(|at| at.as_ref().map(|(dir, _)| dir.clone()))
}

/// Whether the disk under that folder has hardly any room.
pub(super) fn is_short() -> bool {
    folder().and_then(|dir| free(&dir)).is_some_and(|free| free < SHORT)
}

/// What is full, and why.
pub(super) fn full(said: &str) -> String {
    let Some((dir, limit)) = AT_WORK.with_borrow(Clone::clone) else { return said.to_owned() };
    match free(&dir) {
        // The disk has room: it is the database that may not grow.
        Some(free) if free >= 16 * SHORT => format!(
            "the database in `{}` has reached its limit of {} ({said}); delete stacks or objects, or raise the limit with \
             `BEDPLATE_LOCAL_LIMIT`",
            dir.display(),
            bytes(limit)
        ),
        _ => full_at(&dir, said),
    }
}

/// That the disk under a path is full.
pub(super) fn full_at(path: &Path, said: &str) -> String {
    let dir = folder().unwrap_or_else(|| path.to_path_buf());
    match free(path) {
        Some(free) => format!("`{}` has {} free ({said})", dir.display(), bytes(free)),
        None => format!("`{}`: {said}", dir.display()),
    }
}

/// Bytes that are free for us on the disk that a path, or the first folder above it that exists, is on.
pub(super) fn free(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let existing = path.ancestors().find(|path| path.exists())?;
        let about = rustix::fs::statvfs(existing).ok()?;
        Some(about.f_bavail.saturating_mul(about.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// A number of bytes as people write it.
fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| count >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", count / unit, count % unit * 10 / unit),
        None => format!("{count} bytes"),
    }
}
