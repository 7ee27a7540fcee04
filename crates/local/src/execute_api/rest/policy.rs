//! The policy of a REST API itself.

use serde_json::{Value, json};

use super::exchange::Exchange;
use super::refusal::{GatewayResponse, RestRefusal};
use crate::execute_api::call::SOURCE_IP;
use crate::ground::ACCOUNT_ID;
use bedplate_iam::{Decision, Policy, Request as PolicyRequest, evaluate};

impl Exchange<'_> {
    /// The API's own policy. A private API is called as if through its first VPC endpoint.
    pub(super) fn resource_policy(&self) -> Result<(), RestRefusal> {
        let Some(policy) = self.api.properties.get("Policy").filter(|policy| !policy.is_null()) else { return Ok(()) };
        let policy = match policy {
            Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            other => other.clone(),
        };
        let policy = absolute(policy, &format!("arn:aws:execute-api:{}:{ACCOUNT_ID}:{}", self.region, self.id));
        let Ok(policy) = Policy::from_value(&policy) else {
            return Err(RestRefusal::of(GatewayResponse::ApiConfiguration));
        };
        let arn = self.method_arn();
        let mut asked = PolicyRequest { action: "execute-api:Invoke", resource: &arn, ..PolicyRequest::default() };
        asked.context.insert("aws:SourceIp".to_owned(), vec![SOURCE_IP.to_owned()]);
        let endpoint = self.api.properties.pointer("/EndpointConfiguration/VpcEndpointIds/0").and_then(Value::as_str);
        if let Some(endpoint) = endpoint {
            asked.context.insert("aws:SourceVpce".to_owned(), vec![endpoint.to_owned()]);
        }
        match evaluate([&policy], &asked) {
            Decision::Allow => Ok(()),
            decision => {
                let explicit = if decision == Decision::ExplicitDeny { " with an explicit deny" } else { "" };
                Err(RestRefusal::saying(
                    GatewayResponse::AccessDenied,
                    format!(
                        "User: anonymous is not authorized to perform: execute-api:Invoke on resource: {arn}{explicit}"
                    ),
                ))
            }
        }
    }
}

/// A policy whose resources may leave the API out: `execute-api:/stage/GET/path`.
fn absolute(mut policy: Value, api: &str) -> Value {
    let whole = |resource: &mut Value| {
        if let Some(rest) = resource.as_str().and_then(|text| text.strip_prefix("execute-api:/")) {
            *resource = json!(format!("{api}/{rest}"));
        }
    };
    let statements = match policy.get_mut("Statement") {
        Some(Value::Array(statements)) => statements.iter_mut().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for statement in statements {
        for key in ["Resource", "NotResource"] {
            match statement.get_mut(key) {
                Some(Value::Array(resources)) => resources.iter_mut().for_each(whole),
                Some(one) => whole(one),
                None => {}
            }
        }
    }
    policy
}
