//! Which actions on which resources an operation needs.
//!
//! Source throughout: the service authorization reference. S3 is asked by the name of its operation once its request is
//! read; every other service by the request itself. What a service has no entry for is not let through for a role.

use rusqlite::Transaction;

use super::service_call::{Operation, ServiceCall};
use crate::bedrock::actions::Routed;
use crate::ground::{ApiError, Need};
use crate::identity::asked::Asked;
use crate::{bedrock, cloudformation, cognito, dynamodb, lambda, logs, secretsmanager, ssm};

type Table = fn(&Transaction<'_>, &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError>;

/// The services whose parameters are a form or JSON, by signing name.
const SERVICES: &[(&str, Table)] = &[
    ("cloudformation", cloudformation::actions::needs),
    ("cognito-idp", cognito::actions::needs),
    ("dynamodb", dynamodb::actions::needs),
    ("logs", logs::actions::needs),
    ("secretsmanager", secretsmanager::actions::needs),
    ("ssm", ssm::actions::needs),
    // `GetCallerIdentity` needs no right, and `AssumeRole` is decided with the trust policy at hand.
    ("sts", |_, _| Ok(Some(Vec::new()))),
];

/// What a request needs, in the order it is decided; nothing when it is not known.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn needs(db: &Transaction<'_>, call: &ServiceCall) -> Result<Option<Vec<Need>>, ApiError> {
    let input = match &call.operation {
        Operation::Lambda(route) => return Ok(Some(lambda::actions::needs(route, &call.region))),
        Operation::Bedrock { found, input } => {
            let routed = Routed { region: &call.region, headers: &call.headers, query: &call.query, found, input };
            return if call.service == "bedrock" {
                bedrock::actions::needs(db, &routed)
            } else {
                Ok(bedrock::agentcore::actions::needs(&routed))
            };
        }
        Operation::Other(_) => return Ok(None),
        Operation::Query { params, .. } => params.tree(),
        Operation::Json { input, .. } => input,
    };
    let asked = Asked { operation: call.operation.name(), region: &call.region, input };
    match SERVICES.iter().find(|(name, _)| *name == call.service) {
        Some((_, table)) => table(db, &asked),
        None => Ok(None),
    }
}
