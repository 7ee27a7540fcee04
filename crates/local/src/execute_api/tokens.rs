//! Tokens of user pools, as authorizers take them.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::gateway::ApiGateway;
use crate::cognito::tokens::{TokenVerdict, Wrong, verify};
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

/// What some pools say of a token.
#[derive(Debug, PartialEq)]
enum PoolToken {
    Valid(Map<String, Value>),
    NotTaken(NotTaken),
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
            let mut outcome = PoolToken::NotTaken(NotTaken::Unknown);
            for pool in &pools {
                if resource_table::find_anywhere(tx, "AWS::Cognito::UserPool", pool)?.is_none() {
                    continue;
                }
                match verify(tx, pool, &token, now)? {
                    TokenVerdict::Valid(claims) => return Ok(PoolToken::Valid(claims)),
                    // A token of this pool whose time is over is told apart from one of another pool.
                    TokenVerdict::Refused(wrong) if outcome != PoolToken::NotTaken(NotTaken::Wrong(Wrong::Expired)) => {
                        outcome = PoolToken::NotTaken(NotTaken::Wrong(wrong));
                    }
                    TokenVerdict::Refused(_) => {}
                }
            }
            Ok(outcome)
        });
        match read.await {
            Ok(PoolToken::Valid(claims)) => Ok(claims),
            Ok(PoolToken::NotTaken(why)) => Err(why),
            Err(error) => Err(NotTaken::Failed(error.message)),
        }
    }
}
