//! Which actions on which resources an operation needs.
//!
//! Source throughout: the service authorization reference. S3 is asked by the name of its operation once its request is
//! read; every other service by the request itself. What a service has no entry for is not let through for a role.

use rusqlite::Transaction;

use super::service_call::{Operation, ServiceCall};
use crate::bedrock::actions::Routed;
use crate::ground::{ApiError, RequiredPermission};
use crate::identity::asked::Asked;
use crate::{bedrock, cloudformation, cognito, dynamodb, lambda, logs, secretsmanager, ssm};

type Table = fn(&Transaction<'_>, &Asked<'_>) -> Result<Option<Vec<RequiredPermission>>, ApiError>;

/// The services whose parameters are a form or JSON, by signing name.
const SERVICES: &[(&str, Table)] = &[
    ("cloudformation", cloudformation::actions::required_permissions),
    ("cognito-idp", cognito::actions::required_permissions),
    ("dynamodb", dynamodb::actions::required_permissions),
    ("logs", logs::actions::required_permissions),
    ("secretsmanager", secretsmanager::actions::required_permissions),
    ("ssm", ssm::actions::required_permissions),
    // `GetCallerIdentity` needs no right, and `AssumeRole` is decided with the trust policy at hand.
    ("sts", |_, _| Ok(Some(Vec::new()))),
];

/// What a request needs, in the order it is decided; nothing when it is not known.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn required_permissions(
    db: &Transaction<'_>,
    call: &ServiceCall,
) -> Result<Option<Vec<RequiredPermission>>, ApiError> {
    let input = match &call.operation {
        Operation::Lambda(route) => return Ok(Some(lambda::actions::required_permissions(route, &call.region))),
        Operation::Bedrock { found, input } => {
            let routed = Routed { region: &call.region, headers: &call.headers, query: &call.query, found, input };
            return if call.service == "bedrock" {
                bedrock::actions::required_permissions(db, &routed)
            } else {
                Ok(bedrock::agentcore::actions::required_permissions(&routed))
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
