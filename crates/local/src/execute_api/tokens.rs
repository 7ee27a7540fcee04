//! Tokens of user pools, as authorizers take them.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::gateway::ApiGateway;
use crate::cognito::tokens::{Wrong, read};
use crate::ground::ApiError;
use crate::ground::resource_table;

/// Why a token is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// None of the pools is here: who knows what the token is worth.
    Unknown,
    /// It is not right.
    Wrong(Wrong),
    /// The state could not be read.
    Failed(String),
}

impl ApiGateway {
    /// The claims of a token of one of some pools.
    pub(super) async fn token(
        &self,
        pools: &[String],
        token: &str,
        now: Timestamp,
    ) -> Result<Map<String, Value>, NotTaken> {
        let (pools, token) = (pools.to_vec(), token.to_owned());
        let read = self.host.store.read(move |tx| -> Result<_, ApiError> {
            let mut outcome = Err(NotTaken::Unknown);
            for pool in &pools {
                if resource_table::find_anywhere(tx, "AWS::Cognito::UserPool", pool)?.is_none() {
                    continue;
                }
                match read(tx, pool, &token, now)? {
                    Ok(claims) => return Ok(Ok(claims)),
                    // A token of this pool whose time is over is told apart from one of another pool.
                    Err(wrong) if outcome != Err(NotTaken::Wrong(Wrong::Expired)) => {
                        outcome = Err(NotTaken::Wrong(wrong))
                    }
                    Err(_) => {}
                }
            }
            Ok(outcome)
        });
        read.await.unwrap_or_else(|error| Err(NotTaken::Failed(error.message)))
    }
}
