//! Times as the services tell them.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// The service's time as ours; out of range only when the answer is nonsense.
pub(super) fn timestamp(at: &DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}
