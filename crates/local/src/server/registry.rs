//! All services: the one place that knows them, one line a service.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cloudformation::{self, CloudFormation};
use crate::ground::Host;
use crate::ground::store::Schema;
use crate::handlers::handler;
use crate::protocol::query::QueryAdapter;
use crate::protocol::service::{Registration, Service};
use crate::{bedrock, cognito, dynamodb, execute_api, lambda, logs, resources, s3, secretsmanager, ssm, sts};

/// CloudFormation, with the behaviour of the resource types it makes.
const CLOUDFORMATION: Registration = Registration {
    schemas: &[cloudformation::SCHEMA, resources::SCHEMA],
    start: |host| QueryAdapter::boxed(CloudFormation::start(Arc::clone(host), handler)),
};

/// The services.
const SERVICES: &[Registration] = &[
    s3::SERVICE,
    CLOUDFORMATION,
    dynamodb::SERVICE,
    lambda::SERVICE,
    logs::SERVICE,
    sts::SERVICE,
    bedrock::SERVICE,
    secretsmanager::SERVICE,
    ssm::SERVICE,
    cognito::SERVICE,
    execute_api::SERVICE,
];

/// The tables of all services.
pub(super) fn schemas() -> Vec<Schema> {
    SERVICES.iter().flat_map(|service| service.schemas).copied().collect()
}

/// The services of one server.
pub(super) struct Registry {
    services: Vec<Arc<dyn Service>>,
    by_signing_name: HashMap<&'static str, Arc<dyn Service>>,
}

impl Registry {
    /// Starts all services.
    pub fn start(host: &Arc<Host>) -> Self {
        let services: Vec<Arc<dyn Service>> = SERVICES.iter().map(|service| Arc::from((service.start)(host))).collect();
        let named = services.iter().flat_map(|service| {
            service.signing_names().into_iter().map(|name| (name, Arc::clone(service))).collect::<Vec<_>>()
        });
        Self { by_signing_name: named.collect(), services }
    }

    /// The service that requests are signed for under a name, where it is simulated.
    pub fn find(&self, signing_name: &str) -> Option<&dyn Service> {
        self.by_signing_name.get(signing_name).map(AsRef::as_ref)
    }

    /// What is simulated: each operation after the name that the AWS SDKs have for its service.
    pub fn operations(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.services.iter().flat_map(|service| service.operations())
    }
}
