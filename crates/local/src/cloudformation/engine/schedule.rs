//! Running steps in the order of their dependencies, everything at once that can be.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::ground::ApiError;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Well.
    Finished,
    /// Badly, and that is recorded.
    Failed,
}

/// What becomes of the rest when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailed {
    /// Begin nothing more, and cancel what is under way.
    Stop,
    /// Go on with all that does not wait for the failed one.
    GoOn,
}

/// Runs one step for each name, each after those it needs. Says whether all ended well.
///
/// # Errors
///
/// The first error of the machinery itself; steps under way are waited for.
pub async fn run<F, Step>(
    names: &[String],
    needs: &BTreeMap<String, BTreeSet<String>>,
    on_failed: OnFailed,
    stop: &CancellationToken,
    step: F,
) -> Result<bool, ApiError>
where
    F: Fn(String, CancellationToken) -> Step,
    Step: Future<Output = Result<Ended, ApiError>> + Send + 'static,
{
    let cancel = stop.child_token();
    let all: BTreeSet<&String> = names.iter().collect();
    let mut waiting: BTreeMap<&String, BTreeSet<&String>> = names
        .iter()
        .map(|name| {
            (name, needs.get(name).into_iter().flatten().filter(|need| all.contains(need) && *need != name).collect())
        })
        .collect();
    let mut tasks = JoinSet::new();
    let mut good = true;
    let mut error = None;
    loop {
        if good || on_failed == OnFailed::GoOn {
            let ready: Vec<&String> =
                names.iter().filter(|name| waiting.get(name).is_some_and(BTreeSet::is_empty)).collect();
            for name in ready {
                waiting.remove(name);
                if error.is_none() && !stop.is_cancelled() {
                    let work = step(name.clone(), cancel.clone());
                    let name = name.clone();
                    tasks.spawn(async move { (name, work.await) });
                }
            }
        }
        match tasks.join_next().await {
            None => break,
            Some(Ok((name, Ok(Ended::Finished)))) => {
                for needs in waiting.values_mut() {
                    needs.remove(&name);
                }
            }
            Some(Ok((_, Ok(Ended::Failed)))) => {
                good = false;
                if on_failed == OnFailed::Stop {
                    cancel.cancel();
                }
            }
            Some(Ok((_, Err(problem)))) => {
                error.get_or_insert(problem);
            }
            Some(Err(problem)) => {
                error.get_or_insert(ApiError::internal(format!("A step ended before its time: {problem}")));
            }
        }
    }
    match error {
        Some(error) => Err(error),
        None => Ok(good),
    }
}

/// The same needs the other way round: what a name needs then is everything that needed it.
pub fn reversed(needs: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut back: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, needed) in needs {
        for other in needed {
            back.entry(other.clone()).or_default().insert(name.clone());
        }
    }
    back
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn needs(pairs: &[(&str, &[&str])]) -> (Vec<String>, BTreeMap<String, BTreeSet<String>>) {
        let names = pairs.iter().map(|(name, _)| (*name).to_owned()).collect();
        let needs = pairs
            .iter()
            .map(|(name, needs)| ((*name).to_owned(), needs.iter().map(|need| (*need).to_owned()).collect()))
            .collect();
        (names, needs)
    }

    async fn order(pairs: &[(&str, &[&str])], on_failed: OnFailed, fails: &'static str) -> (bool, Vec<String>) {
        let (names, needs) = needs(pairs);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&seen);
        let good = run(&names, &needs, on_failed, &CancellationToken::new(), move |name, _| {
            let seen = Arc::clone(&recorded);
            async move {
                seen.lock().expect("lock").push(name.clone());
                Ok(if name == fails { Ended::Failed } else { Ended::Finished })
            }
        })
        .await
        .expect("no error");
        let seen = seen.lock().expect("lock").clone();
        (good, seen)
    }

    #[tokio::test]
    async fn each_runs_after_those_it_needs() {
        let (good, seen) = order(&[("c", &["b"]), ("b", &["a"]), ("a", &[])], OnFailed::Stop, "").await;
        assert!(good);
        assert_eq!(seen, ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn a_failure_stops_what_waits_and_only_that_when_going_on() {
        let pairs: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a"]), ("x", &[]), ("y", &["x"])];
        let (good, seen) = order(pairs, OnFailed::GoOn, "a").await;
        assert!(!good);
        assert!(!seen.contains(&"b".to_owned()) && seen.contains(&"y".to_owned()), "{seen:?}");
        let (good, seen) = order(&[("a", &[]), ("b", &["a"])], OnFailed::Stop, "a").await;
        assert!(!good);
        assert_eq!(seen, ["a"]);
    }
}
