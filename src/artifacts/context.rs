//! What every build is given, and the finding for one that was to end.

use std::path::Path;

use crate::finding::{Finding, Place, code};

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

/// The finding for a build that was to end.
pub(super) fn interrupted(place: Option<&Place>) -> Finding {
    Finding::error(code::A033, "packaging was interrupted; nothing half-made is kept")
        .at(place.cloned())
        .help("repeat the command")
}
