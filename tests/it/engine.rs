//! Behaviour of the `engine` side, as a user could see it.

mod answers;
mod deploys;
mod finishers;
mod plans;
mod removals;
mod smoke;
mod uploads;
