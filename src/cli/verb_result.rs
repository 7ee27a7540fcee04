//! How a verb ends.

use crate::engine::ExitCode;
use crate::finding::Finding;

/// How a verb ends: with an exit code, or with findings that are shown and exit code 1.
pub(super) type VerbResult = Result<ExitCode, Vec<Finding>>;
