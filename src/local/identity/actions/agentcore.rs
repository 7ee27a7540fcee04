//! Bedrock AgentCore: its data plane and its control plane both sign as `bedrock-agentcore`.

use rusqlite::Transaction;

use super::Asked;
use crate::local::bedrock::gateway_of;
use crate::local::errors::ApiError;
use crate::local::identity::Need;

pub(super) fn needs(_: &Transaction<'_>, asked: &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError> {
    let segments = asked.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let own = |kind: &str, id: &str| asked.arn("bedrock-agentcore", kind, id);
    let one = |action: &str, resource: String| Some(vec![Need::new(action, resource)]);
    if let Some(gateway) = gateway_of(asked.headers, asked.path) {
        return Ok(one("bedrock-agentcore:InvokeGateway", own("gateway", &gateway)));
    }
    Ok(match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["harnesses", "invoke"]) => {
            let mut query = form_urlencoded::parse(asked.query.as_bytes());
            let arn =
                query.find(|(name, _)| name == "harnessArn").map(|(_, value)| value.into_owned()).unwrap_or_default();
            // Both are asked for: a harness is a runtime of its own.
            Some(vec![
                Need::new("bedrock-agentcore:InvokeHarness", arn.clone()),
                Need::new("bedrock-agentcore:InvokeAgentRuntime", arn),
            ])
        }
        ("GET", ["harnesses"]) => one("bedrock-agentcore:ListHarnesses", "*".to_owned()),
        ("GET", ["harnesses", id]) => one("bedrock-agentcore:GetHarness", own("harness", id)),
        ("GET", ["gateways"]) => one("bedrock-agentcore:ListGateways", "*".to_owned()),
        ("GET", ["gateways", id]) => one("bedrock-agentcore:GetGateway", own("gateway", id)),
        ("GET", ["gateways", id, "targets"]) => one("bedrock-agentcore:ListGatewayTargets", own("gateway", id)),
        ("GET", ["gateways", id, "targets", _]) => one("bedrock-agentcore:GetGatewayTarget", own("gateway", id)),
        _ => None,
    })
}
