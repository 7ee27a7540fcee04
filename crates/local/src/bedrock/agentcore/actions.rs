//! Bedrock AgentCore: its data plane and its control plane both sign as `bedrock-agentcore`.

use crate::bedrock::actions::Routed;
use crate::ground::RequiredPermission;
use crate::identity::asked::arn_of;

/// What an operation needs; nothing when it is not known.
pub(crate) fn required_permissions(routed: &Routed<'_>) -> Option<Vec<RequiredPermission>> {
    let own = |kind: &str, id: &str| arn_of(routed.region, "bedrock-agentcore", kind, id);
    let one = |resource: String| {
        vec![RequiredPermission::new(format!("bedrock-agentcore:{}", routed.found.operation), resource)]
    };
    Some(match routed.found.operation {
        "InvokeHarness" => {
            let arn = own("harness", routed.query("harnessArn").unwrap_or_default());
            // Both are asked for: a harness is a runtime of its own.
            let runtime = RequiredPermission::new("bedrock-agentcore:InvokeAgentRuntime", arn.clone());
            [one(arn), vec![runtime]].concat()
        }
        "ListHarnesses" | "ListGateways" => one("*".to_owned()),
        "GetHarness" => one(own("harness", routed.label("harnessId"))),
        "GetGateway" | "ListGatewayTargets" | "GetGatewayTarget" => {
            one(own("gateway", routed.label("gatewayIdentifier")))
        }
        _ => return None,
    })
}
