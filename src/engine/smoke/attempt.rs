//! One try of a test.

use super::deployed::DeployedStack;
use super::failure::Failure;
use super::test::{PreparedSmokeTest, Probe};
use super::{dialogue, http, socket};

/// Asks once, and says whether what came back is what is expected.
pub(super) async fn attempt(test: &PreparedSmokeTest, deployed: &DeployedStack<'_>) -> Result<(), Failure> {
    match &test.what {
        Probe::Call(call) => http::call(deployed, call, &test.expect).await,
        Probe::Invoke { function, payload } => http::invoke(deployed, function, payload, &test.expect).await,
        Probe::Retrieve { output, query } => dialogue::retrieve(deployed, output, query, &test.expect).await,
        Probe::Chat { agent, turns } => dialogue::chat(deployed, agent, turns).await,
        Probe::Connect { connection, turns } => socket::chat(deployed, connection, turns, &test.expect).await,
    }
}
