//! Cognito user pools: the people of the pools that stacks make, and the tokens they sign in for.
//!
//! People are made by an administrator or sign up; they sign in with their password, by the flows their client allows.
//! Tokens are signed (RS256) with a key of the pool, which any program can get at the pool's own address; API Gateway's
//! authorizers take them. Passwords are kept salted and hashed. Nothing is sent to anybody: no mail, no message.
//!
//! | file | holds |
//! | --- | --- |
//! | `actions` | the permissions that operations need |
//! | `service` | which calls need no signature, and whose they are |
//! | `people` | making, confirming, finding and describing people |
//! | `sign_in` | passwords and refresh tokens in, tokens out |
//! | [`tokens`] | making and reading tokens; the key sets that pools publish |
//! | `pool` | pools and clients as their operations need them |
//! | `password` | policies and hashes |
//! | [`store`] | the tables |

mod actions;
mod password;
mod people;
mod pool;
mod service;
mod sign_in;
pub mod store;
pub mod tokens;

pub use service::SERVICE;
pub(crate) use service::{PoolDocument, is_public};
pub use store::SCHEMA;
