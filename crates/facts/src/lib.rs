//! Facts that age: models, runtimes, prices, limits of services, what IAM cannot narrow, as data in `schemas/`, each with
//! its source and the day it was seen.
//!
//! Nothing here does I/O or knows what day it is: whoever asks "still?" says the date.

#![warn(missing_docs, clippy::indexing_slicing)]

use serde::de::DeserializeOwned;

mod agents;
mod calling;
mod dates;
mod endpoints;
mod exposures;
mod grants;
mod iam;
mod knowledge_bases;
mod managed_policies;
mod models;
mod packaging;
mod prices;
mod protections;
mod regions;
mod runtimes;

pub use agents::{AgentLimit, Agents, Classic, agents};
pub use calling::Calling;
pub use dates::Day;
pub use endpoints::{EndpointKind, EndpointService, endpoints, network_zones};
pub use exposures::{Exposures, NarrowingKey, OpenSetting, SourcedType, exposures};
pub use grants::{Giving, Grants, Harmless, Narrowed, Open, Spelled, grants};
pub use iam::{ActionException, IamExceptions, TrustException, iam_exceptions};
pub use knowledge_bases::{KnowledgeBases, knowledge_bases};
pub use managed_policies::{ManagedPolicies, ManagedPolicy, managed_policies};
pub use models::{Access, Model, Models, Status, Witness, models};
pub use packaging::{AddressForm, PackagedProperties, PackagedProperty, packaged_properties};
pub use prices::{HOURS_OF_A_MONTH, Price, Prices, prices};
pub use protections::{DeletionWindow, Protection, Protections, ReplacedValue, protections};
pub use regions::{Regions, regions};
pub use runtimes::{EnvironmentLimits, Runtime, Runtimes, runtimes};

/// Reads every table. The build script does so with this very code: a program with a table of the wrong shape is never built.
pub fn read_all() {
    let _ = (agents(), endpoints(), exposures(), grants(), iam_exceptions(), knowledge_bases());
    let _ = (managed_policies(), models(), packaged_properties(), prices(), protections(), regions(), runtimes());
}

/// A table that is part of the program.
///
/// # Panics
/// When it is not of its shape, which no built program has; see [`read_all`].
fn embedded<T: DeserializeOwned>(name: &str, text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("schemas/{name}: {error}"))
}
