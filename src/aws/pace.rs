//! How often CloudFormation is asked how far it is.
//!
//! The service's request rate is shared by a whole account and region and is not published, so the stacks one process
//! follows take turns on one [`Pace`], however many they are.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// On AWS: one request a second, shared.
const REMOTE: Duration = Duration::from_secs(1);
/// On this machine nobody else is slowed down, and a whole stack takes less than a second.
const LOOPBACK: Duration = Duration::from_millis(20);

/// Turns handed out no faster than an interval.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// The pace for an endpoint.
    pub fn new(loopback: bool) -> Self {
        Self::every(if loopback { LOOPBACK } else { REMOTE })
    }

    /// One turn an interval.
    pub fn every(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(None) }
    }

    /// Waits for the next turn. The first is at once.
    pub async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let now = Instant::now();
            let at = next.map_or(now, |at| at.max(now));
            *next = Some(at + self.interval);
            at
        };
        sleep_until(at).await;
    }

    /// The time between two turns.
    pub fn interval(&self) -> Duration {
        self.interval
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn many_followers_share_one_rate() {
        let pace = Arc::new(Pace::every(Duration::from_millis(10)));
        let start = Instant::now();
        let turns = (0..4).map(|_| {
            let pace = Arc::clone(&pace);
            async move {
                for _ in 0..5 {
                    pace.turn().await;
                }
            }
        });
        futures::future::join_all(turns).await;
        // Twenty turns, the first at once: nineteen intervals at least, whoever takes them.
        assert!(start.elapsed() >= Duration::from_millis(190), "{:?}", start.elapsed());
    }
}
