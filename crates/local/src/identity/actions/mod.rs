//! Which actions on which resources an operation needs: one file a service.
//!
//! Source throughout: the service authorization reference. S3 is asked by the name of its operation once its request is
//! read ([`s3`]); every other service by the request itself ([`needs`]). What a service has no entry for is not let
//! through for a role.

mod agentcore;
mod bedrock;
mod cloudformation;
mod cognito;
mod dynamodb;
mod lambda;
mod logs;
pub mod s3;
mod secretsmanager;
mod ssm;

pub(crate) use bedrock::models_needed;

use rusqlite::Transaction;
use serde_json::{Map, Value};

use super::authorize::Need;
use crate::bedrock::Found;
use crate::ground::ACCOUNT_ID;
use crate::ground::ApiError;
use crate::server::service_call::{Operation, ServiceCall};

/// A request as its service's table sees it: the operation's name, and the parameters as they were read.
struct Asked<'a> {
    operation: &'a str,
    region: &'a str,
    input: &'a Map<String, Value>,
}

impl Asked<'_> {
    /// A text among the parameters.
    fn text(&self, name: &str) -> Option<&str> {
        self.input.get(name).and_then(Value::as_str)
    }
}

/// A request of a service whose operations are told by method and path.
struct Routed<'a> {
    call: &'a ServiceCall,
    found: &'a Found,
    input: &'a Value,
}

impl Routed<'_> {
    /// A value of the path.
    fn label(&self, name: &str) -> &str {
        self.found.labels.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A parameter of the address.
    fn query(&self, name: &str) -> Option<&str> {
        self.call.query.get(name).map(String::as_str)
    }
}

/// The ARN of something of this account in a region. What is named by an ARN is found by the end of it, so that is what is
/// decided: whatever stands before it, another region or a name that a policy allows, counts for nothing.
fn arn_of(region: &str, service: &str, kind: &str, id: &str) -> String {
    let written = id.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(4)).and_then(|rest| rest.split_once('/'));
    let kind = written.map_or(kind, |(kind, _)| kind);
    let name = id.rsplit('/').next().unwrap_or(id);
    format!("arn:aws:{service}:{region}:{ACCOUNT_ID}:{kind}/{name}")
}

type Table = fn(&Transaction<'_>, &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError>;

/// The services whose parameters are a form or JSON, by signing name.
const SERVICES: &[(&str, Table)] = &[
    ("cloudformation", cloudformation::needs),
    ("cognito-idp", cognito::needs),
    ("dynamodb", dynamodb::needs),
    ("logs", logs::needs),
    ("secretsmanager", secretsmanager::needs),
    ("ssm", ssm::needs),
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
        Operation::Lambda(route) => return Ok(Some(lambda::needs(route, &call.region))),
        Operation::Bedrock { found, input } => {
            let routed = Routed { call, found, input };
            return if call.service == "bedrock" { bedrock::needs(db, &routed) } else { Ok(agentcore::needs(&routed)) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_decided_by_what_it_is_found_by() {
        let of = |id: &str| arn_of("us-west-2", "bedrock", "guardrail", id);
        let own = "arn:aws:bedrock:us-west-2:123456789012:guardrail/G1";
        for id in [
            "G1",
            own,
            "arn:aws:bedrock:eu-west-1:999999999999:guardrail/G1",
            "arn:aws:bedrock:us-west-2:123456789012:guardrail/ALLOWED/G1",
            "ALLOWED/G1",
        ] {
            assert_eq!(of(id), own, "{id}");
        }
        let profile = "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/P1";
        assert_eq!(arn_of("us-west-2", "bedrock", "inference-profile", profile), profile);
    }
}
