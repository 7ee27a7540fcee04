//! What every simulated service is given.

use std::time::Duration;

use super::functions::FunctionRunner;
use super::kept::Kept;
use super::model_server::ModelServer;
use super::options::Injection;
use super::permissions::{RequestContext, ResourcePolicies};
use super::sources::{Clock, Ids};
use super::store::Store;

/// What the simulated services share: the store, the sources of time and identity, and what the user asked to fail.
#[derive(Debug)]
pub struct Host {
    /// All state.
    pub store: Store,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where identities come from.
    pub ids: Ids,
    /// Resources that are to fail.
    pub fail: Vec<Injection>,
    /// How long each resource takes between its beginning and its end.
    pub delay: Duration,
    /// Who runs functions for API Gateway.
    pub functions: FunctionRunner,
    /// Where this server listens, for example `http://127.0.0.1:4566`, with no trailing slash.
    pub url: String,
    /// Where policies on resources are found.
    pub policies: ResourcePolicies,
    /// What services keep in memory between requests.
    pub kept: Kept,
    /// Where real text and embedding models are asked, in place of the stand-ins.
    pub model_server: Option<ModelServer>,
}

impl Host {
    /// The context of a request that is made now.
    pub fn request_context(&self, region: &str) -> RequestContext {
        RequestContext { region: region.to_owned(), now: self.clock.now(), policies: self.policies }
    }
}
