//! Behaviour of the `engine` side, as a user could see it.

mod answers;
mod artifact_bucket;
mod claims;
pub(crate) mod deploys;
mod emptying;
mod failed_creations;
mod failures;
mod finishers;
mod ownership;
mod plans;
mod proxy;
mod removals;
mod smoke;
mod uploads;
