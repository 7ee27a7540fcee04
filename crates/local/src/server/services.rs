//! All services, in tables: the one place that knows them all.

use std::sync::Arc;

use crate::cloudformation::CloudFormation;
use crate::ground::Host;
use crate::ground::store::Schema;
use crate::handlers::handler;
use crate::protocol::aws_json::JsonService;
use crate::protocol::query::QueryService;
use crate::sts::Sts;
use crate::{bedrock, cloudformation, cognito, dynamodb, identity, lambda, logs, resources, s3, secretsmanager, ssm};

/// The tables of every room of the local target; each room owns its own list of steps.
pub(crate) const SCHEMAS: &[Schema] = &[
    s3::SCHEMA,
    cloudformation::SCHEMA,
    resources::SCHEMA,
    dynamodb::SCHEMA,
    lambda::SCHEMA,
    logs::SCHEMA,
    identity::SCHEMA,
    bedrock::SCHEMA,
    secretsmanager::SCHEMA,
    ssm::SCHEMA,
    cognito::SCHEMA,
];

/// The simulated services that speak awsQuery: one line a service.
pub(crate) fn query_services(host: &Arc<Host>) -> Vec<Arc<dyn QueryService>> {
    let cloudformation = CloudFormation::start(Arc::clone(host), handler);
    vec![Arc::new(Sts::new(Arc::clone(host))), Arc::new(cloudformation)]
}

/// The simulated services that speak awsJson: one line a service.
pub(crate) const JSON_SERVICES: &[&dyn JsonService] =
    &[&cognito::SERVICE, &dynamodb::SERVICE, &logs::SERVICE, &secretsmanager::SERVICE, &ssm::SERVICE];
