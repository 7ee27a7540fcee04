//! Durations as JSON has them.

use std::time::Duration;

use serde::Serializer;

/// Writes a duration as seconds.
pub(super) fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Milliseconds are as fine as anybody reads, and keep a line short.
    serializer.serialize_f64((duration.as_secs_f64() * 1000.0).round() / 1000.0)
}
