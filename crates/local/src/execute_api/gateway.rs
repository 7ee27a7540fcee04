//! What all requests to APIs share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;

use super::authorizers::Authorizations;
use super::client::Client;
use super::functions;
use super::limits::Limits;
use super::rest::RestApi;
use super::websocket::Connections;
use crate::ground::{FunctionAnswer, FunctionCall, FunctionRefusal, Host};

/// The most deployments kept read.
const MAX_DEPLOYMENTS: usize = 64;

/// API Gateway.
#[derive(Debug)]
pub(crate) struct ApiGateway {
    pub(super) host: Arc<Host>,
    pub(super) client: Client,
    pub(super) limits: Limits,
    pub(super) authorizations: Authorizations,
    /// Deployments by id, read once: they never change.
    deployments: Mutex<HashMap<String, Arc<RestApi>>>,
    pub(super) connections: Connections,
}

impl ApiGateway {
    /// API Gateway over what stacks made.
    pub(crate) fn new(host: Arc<Host>) -> Self {
        Self {
            host,
            client: Client::new(),
            limits: Limits::default(),
            authorizations: Authorizations::default(),
            deployments: Mutex::default(),
            connections: Connections::default(),
        }
    }

    /// A deployment, read.
    pub(super) fn deployed(&self, id: &str, snapshot: &serde_json::Value) -> Arc<RestApi> {
        let mut known = self.deployments.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(api) = known.get(id) {
            return Arc::clone(api);
        }
        if known.len() >= MAX_DEPLOYMENTS {
            known.clear();
        }
        let api = Arc::new(RestApi::of(snapshot));
        known.insert(id.to_owned(), Arc::clone(&api));
        api
    }

    /// Calls a function: by whoever the options name, else as a Python process of this machine.
    pub(super) async fn invoke(&self, call: FunctionCall) -> Result<FunctionAnswer, FunctionRefusal> {
        match self.host.functions.get() {
            Some(functions) => functions.invoke(call).await,
            None => functions::run(&self.host, call).await,
        }
    }

    /// Credentials of a role that API Gateway works with.
    ///
    /// # Errors
    /// In words, when the role is not there or does not trust API Gateway.
    pub(super) async fn credentials(&self, role: &str) -> Result<Credentials, String> {
        let minted = functions::assume(&self.host, role).await.map_err(|error| error.to_string())?;
        let minted = minted.ok_or_else(|| functions::no_trust(role))?;
        Ok(Credentials::new(minted.access_key, minted.secret, Some(minted.token), None, "local"))
    }
}
