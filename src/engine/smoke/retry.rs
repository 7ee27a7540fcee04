//! What is tried a second time. What IAM and API Gateway are told takes seconds to be known everywhere, so the first calls
//! after a change may be refused; a knowledge base may not find yet what was just ingested; and an account's models may be
//! busy for a moment. Such an answer, and no other, is worth another try, and only by a deploy that has just changed something: what `bedplate smoke` finds is told at once.

use std::time::{Duration, Instant};

use super::attempt::attempt;
use super::deployed::DeployedStack;
use super::failure::Failure;
use super::test::PreparedSmokeTest;
use crate::engine::abort::Abort;
use crate::engine::events::EventEmitter;
use crate::engine::run::Run;

/// How long a deploy to AWS goes on trying a test. Source: the IAM user guide says of changes that they are "eventually
/// consistent" and names no time; those seen are mostly within half a minute.
pub const RETRY_FOR: Duration = Duration::from_secs(60);

/// The pause before the second try; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Tries a test until it passes, fails for good, or the next try would come too late; gives the failure.
pub(super) async fn until_settled(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    test: &PreparedSmokeTest,
    deployed: &DeployedStack<'_>,
    retry_for: Duration,
) -> Result<Option<Failure>, Abort> {
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let failure = match run.unless_cancelled(attempt(test, deployed)).await? {
            Ok(()) => return Ok(None),
            Err(failure) => failure,
        };
        if !failure.unsettled || start.elapsed() + pause > retry_for {
            return Ok(Some(failure));
        }
        if pause == FIRST_PAUSE {
            let seconds = retry_for.as_secs();
            emitter.note(format!(
                "smoke test `{}`: {}; what was just changed may not be known everywhere yet, so it is tried again for up \
                 to {seconds} seconds",
                test.name, failure.reason
            ));
        }
        run.unless_cancelled(tokio::time::sleep(pause)).await?;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
