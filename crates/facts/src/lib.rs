//! Facts that age: models, runtimes, prices, limits of services, what IAM cannot narrow, as data in `schemas/`, each with
//! its source and the day it was seen.
//!
//! Nothing here does I/O or knows what day it is: whoever asks "still?" says the date.

mod agents;
mod dates;
mod endpoints;
mod iam;
mod knowledge_bases;
mod models;
mod prices;
mod runtimes;

pub use agents::{AgentLimit, Agents, Classic, agents};
pub use dates::Day;
pub use endpoints::{EndpointKind, EndpointService, endpoints};
pub use iam::{ActionException, IamExceptions, TrustException, iam_exceptions};
pub use knowledge_bases::{KnowledgeBases, knowledge_bases};
pub use models::{Invoke, Model, Models, Status, models};
pub use prices::{HOURS_OF_A_MONTH, Price, Prices, prices};
pub use runtimes::{Runtime, Runtimes, runtimes};
