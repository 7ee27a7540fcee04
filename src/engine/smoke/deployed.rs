//! What is deployed, for those that ask it, and how long an answer is waited for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::failure::Failure;
use crate::aws::{Clients, StackSummary};
use crate::spec::Seconds;

/// What is deployed, for those that ask it.
pub(super) struct DeployedStack<'a> {
    /// Clients for its services.
    pub(super) clients: &'a Clients,
    /// The stack.
    pub(super) stack: &'a StackSummary,
    /// Physical ids by logical id.
    pub(super) ids: BTreeMap<String, String>,
}

impl DeployedStack<'_> {
    /// An output of the stack.
    pub(super) fn output(&self, key: &str, what: &str) -> Result<&str, Failure> {
        let output = self.stack.outputs.iter().find(|it| it.key == key);
        output.map(|it| it.value.as_str()).ok_or_else(|| Self::missing(what))
    }

    /// The physical id of a resource.
    pub(super) fn id(&self, logical: &str, what: &str) -> Result<&str, Failure> {
        self.ids.get(logical).map(String::as_str).ok_or_else(|| Self::missing(what))
    }

    fn missing(what: &str) -> Failure {
        Failure::unanswered(format!("the stack that is deployed has no such {what}"))
    }
}

/// Waits for an answer, as long as the spec says, else as long as it can take.
pub(super) async fn within<T>(
    expected: Option<Seconds>,
    longest: Duration,
    asking: impl Future<Output = Result<T, String>>,
) -> Result<(T, Duration), Failure> {
    let longest = expected.map_or(longest, |within| Duration::from_secs(within.0.into()));
    let start = Instant::now();
    match tokio::time::timeout(longest, asking).await {
        Ok(Ok(answer)) => Ok((answer, start.elapsed())),
        Ok(Err(reason)) => Err(Failure::unanswered(reason)),
        Err(_) => Err(Failure::unanswered(format!("no answer within {} seconds", longest.as_secs()))),
    }
}
