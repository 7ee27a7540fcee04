//! Requests that change something, several at once.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::time::{Instant, sleep_until};

/// How long requests under way are waited for after another one has failed.
const GRACE: Duration = Duration::from_secs(10);

/// Carries out work, at most `at_once` at a time, and gives what came of it in the order it ended. After the first failure,
/// which is the one that is given, nothing more is begun; what is under way is waited for, though not for long: its answer
/// says what was done.
pub(super) async fn side_by_side<T, E, F>(work: impl IntoIterator<Item = F>, at_once: usize) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    within(work, at_once, GRACE).await
}

async fn within<T, E, F>(work: impl IntoIterator<Item = F>, at_once: usize, grace: Duration) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let over = AtomicBool::new(false);
    let begun = stream::iter(work.into_iter().map(|one| {
        let over = &over;
        async move { if over.load(Ordering::Relaxed) { None } else { Some(one.await) } }
    }));
    let mut ended = std::pin::pin!(begun.buffer_unordered(at_once));
    let (mut done, mut failure, mut until) = (Vec::new(), None, None);
    loop {
        let next = match until {
            None => ended.next().await,
            Some(until) => tokio::select! {
                biased;
                next = ended.next() => next,
                () = sleep_until(until) => None,
            },
        };
        match next {
            None => break,
            Some(Some(Ok(value))) => done.push(value),
            Some(Some(Err(error))) => {
                over.store(true, Ordering::Relaxed);
                until.get_or_insert_with(|| Instant::now() + grace);
                failure.get_or_insert(error);
            }
            Some(None) => {}
        }
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(done),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn what_is_under_way_is_waited_for_and_nothing_more_is_begun() {
        let seen = RefCell::new(Vec::new());
        let work = (0..6).map(|number| {
            let seen = &seen;
            async move {
                seen.borrow_mut().push(format!("begun {number}"));
                for _ in 0..=number {
                    yield_now().await;
                }
                seen.borrow_mut().push(format!("ended {number}"));
                if number == 0 { Err(number) } else { Ok(number) }
            }
        });
        assert_eq!(side_by_side(work, 3).await, Err(0));
        let mut seen = seen.into_inner();
        seen.sort();
        assert_eq!(seen, ["begun 0", "begun 1", "begun 2", "ended 0", "ended 1", "ended 2"]);
    }

    #[tokio::test]
    async fn what_never_ends_is_given_up() {
        let work = (0..2).map(|number| async move {
            match number {
                0 => Err("no"),
                _ => std::future::pending::<Result<(), &str>>().await,
            }
        });
        assert_eq!(within(work, 2, Duration::ZERO).await, Err("no"));
    }
}
