//! Bedrock AgentCore: its data plane and its control plane both sign as `bedrock-agentcore`.

use crate::bedrock::answer::BedrockRequest;
use crate::ground::{ApiError, RequiredPermission};
use crate::identity::arn_of;

/// What an operation needs.
///
/// # Errors
///
/// When the operation is not known.
pub(in crate::bedrock) fn required_permissions(
    operation: &str,
    call: &BedrockRequest,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let own = |kind: &str, id: &str| arn_of(&call.region, "bedrock-agentcore", kind, id);
    let one = |resource: String| vec![RequiredPermission::new(format!("bedrock-agentcore:{}", operation), resource)];
    Ok(match operation {
        "InvokeHarness" => {
            let arn = own("harness", call.query.get("harnessArn").map(String::as_str).unwrap_or_default());
            // Both are asked for: a harness is a runtime of its own.
            let runtime = RequiredPermission::new("bedrock-agentcore:InvokeAgentRuntime", arn.clone());
            [one(arn), vec![runtime]].concat()
        }
        "ListHarnesses" | "ListGateways" => one("*".to_owned()),
        "GetHarness" => one(own("harness", call.label("harnessId"))),
        "GetGateway" | "ListGatewayTargets" | "GetGatewayTarget" => {
            one(own("gateway", call.label("gatewayIdentifier")))
        }
        _ => return Err(ApiError::not_implemented("bedrock-agentcore", operation)),
    })
}
