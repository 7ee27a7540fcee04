//! Facts that age: models, runtimes, engines of agents, what IAM cannot narrow, as data in `schemas/`, each with its source and the day it was seen.
//!
//! Nothing here does I/O or knows what day it is: whoever asks "still?" says the date.

mod agents;
mod dates;
mod iam;
mod models;
mod runtimes;

pub use agents::{AgentLimit, Agents, Classic, agents};
pub use dates::Day;
pub use iam::{ActionException, IamExceptions, TrustException, iam_exceptions};
pub use models::{Invoke, Model, Models, Status, models};
pub use runtimes::{Runtime, Runtimes, runtimes};
