//! Standing in line for a process. AWS starts as many environments as there are calls; this machine has a few processes, and
//! whoever waits for an answer is not to lose patience over that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

tokio::task_local! {
    /// The line that the call of this task stands in.
    static LINE: Arc<QueueTime>;
}

/// How long a call has stood in line.
#[derive(Debug, Default)]
struct QueueTime(Mutex<Stood>);

#[derive(Debug, Default, Clone, Copy)]
struct Stood {
    before: Duration,
    since: Option<Instant>,
}

impl QueueTime {
    fn change(&self, change: impl FnOnce(&mut Stood)) {
        // Two fields of plain numbers are never half changed.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn stood(&self) -> Duration {
        let mut so_far = Stood::default();
        self.change(|stood| so_far = *stood);
        so_far.before + so_far.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Ends the time in line, however the waiting ends.
struct Leaves(Arc<QueueTime>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.change(|stood| stood.before += stood.since.take().map_or(Duration::ZERO, |since| since.elapsed()));
    }
}

/// Stands in line until its turn comes; outside of [`within`] nobody counts.
pub(super) async fn stand<F: Future>(turn: F) -> F::Output {
    let _leaves = LINE.try_with(|line| {
        line.change(|stood| stood.since = Some(Instant::now()));
        Leaves(Arc::clone(line))
    });
    turn.await
}

/// Waits for what work comes to, at most so long, not counting the time it stands in line; none when it takes longer.
pub(crate) async fn within<F: Future>(longest: Duration, work: F) -> Option<F::Output> {
    let line = Arc::new(QueueTime::default());
    let mut work = std::pin::pin!(LINE.scope(Arc::clone(&line), work));
    let began = Instant::now();
    loop {
        let left = longest.saturating_sub(began.elapsed().saturating_sub(line.stood()));
        if left.is_zero() {
            return None;
        }
        if let Ok(done) = tokio::time::timeout(left, &mut work).await {
            return Some(done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn time_in_line_does_not_count() {
        let lined = within(SHORT, async {
            stand(tokio::time::sleep(2 * SHORT)).await;
            "done"
        });
        assert_eq!(lined.await, Some("done"));
        assert_eq!(within(SHORT, tokio::time::sleep(Duration::from_secs(600))).await, None, "but all other time does");
        let after = within(SHORT, async {
            stand(async {}).await;
            std::future::pending::<()>().await;
        });
        assert_eq!(after.await, None);
    }
}
