//! How many bodies are on their way at once, and when one of them is given up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

/// How uploads are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// A connection over which no byte has moved for this long is given up.
    pub standstill: Duration,
    /// How often each part is tried.
    pub attempts: u32,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self { standstill: Duration::from_secs(30), attempts: 8 }
    }
}

/// Bodies in flight at once, of all uploads together; each is in memory.
pub(super) const AT_ONCE: usize = 4;

/// The line takes more than one at once when one of them went through this fast, in bytes a second…
const FAST: u64 = 512 << 10;

/// …or was done in this time.
const SOON: Duration = Duration::from_secs(1);

/// Whose turn it is. One at a time until the line has shown that it takes more: on a slow one several would only make each
/// other look as if they stood still.
#[derive(Debug)]
pub(super) struct UploadTurns {
    turns: Semaphore,
    wide: AtomicBool,
}

impl Default for UploadTurns {
    fn default() -> Self {
        Self { turns: Semaphore::new(1), wide: AtomicBool::new(false) }
    }
}

impl UploadTurns {
    /// Waits until it is the caller's turn, which lasts as long as the permit.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.turns.acquire().await
    }

    /// Learns from a body that went through how much the line takes.
    pub(super) fn went_through(&self, bytes: u64, within: Duration) {
        let fast = within <= SOON || bytes >= FAST.saturating_mul(within.as_secs());
        if fast && !self.wide.swap(true, Ordering::Relaxed) {
            self.turns.add_permits(AT_ONCE - 1);
        }
    }
}
