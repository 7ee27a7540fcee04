//! How a verb ends.

use super::exit::Exit;
use crate::finding::Finding;

/// How a verb ends: with an exit code, or with findings that are shown and exit code 1.
pub(super) type VerbResult = Result<Exit, Vec<Finding>>;
