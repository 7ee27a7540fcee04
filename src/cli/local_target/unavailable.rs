//! The finding for a local target that does not start.

use std::fmt::Display;

use crate::finding::{Finding, code};

/// The local target does not start, and why.
pub(in crate::cli) fn unavailable_because(error: &dyn Display) -> Vec<Finding> {
    vec![Finding::error(code::P029, format!("the local target does not start: {error}"))]
}
