//! One try of a test.

use super::deployed::Deployed;
use super::failure::Failure;
use super::test::{SmokeTest, What};
use super::{dialogue, http, socket};

/// Asks once, and says whether what came back is what is expected.
pub(super) async fn attempt(test: &SmokeTest, deployed: &Deployed<'_>) -> Result<(), Failure> {
    match &test.what {
        What::Call(call) => http::call(deployed, call, &test.expect).await,
        What::Invoke { function, payload } => http::invoke(deployed, function, payload, &test.expect).await,
        What::Retrieve { output, query } => dialogue::retrieve(deployed, output, query, &test.expect).await,
        What::Chat { agent, turns } => dialogue::chat(deployed, agent, turns).await,
        What::Connect { connection, turns } => socket::chat(deployed, connection, turns, &test.expect).await,
    }
}
