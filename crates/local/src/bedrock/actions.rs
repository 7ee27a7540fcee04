//! Bedrock: its four services (models, runtime, agents, agents' runtime) all sign as `bedrock` and are told apart by path.

use rusqlite::Transaction;
use serde_json::Value;

use super::answer::BedrockRequest;
use super::model_permissions::{foundation, models_needed};
use crate::ground::{ACCOUNT_ID, ApiError, RequiredPermission};
use crate::identity::arn_of;

/// What an operation needs.
///
/// # Errors
///
/// When the state can't be read, and when the operation is not known.
pub(super) fn required_permissions(
    db: &Transaction<'_>,
    operation: &str,
    call: &BedrockRequest,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let region = call.region.as_str();
    let label = |name: &str| call.label(name);
    let own = |kind: &str, id: &str| arn_of(region, "bedrock", kind, id);
    let one = |resource: String| vec![RequiredPermission::new(format!("bedrock:{operation}"), resource)];
    let base = || own("knowledge-base", label("knowledgeBaseId"));
    Ok(match operation {
        "InvokeModel" => invoke(db, call, "bedrock:InvokeModel", Guarded::ByHeader)?,
        "Converse" => invoke(db, call, "bedrock:InvokeModel", Guarded::ByBody)?,
        "InvokeModelWithResponseStream" => {
            invoke(db, call, "bedrock:InvokeModelWithResponseStream", Guarded::ByHeader)?
        }
        "ConverseStream" => invoke(db, call, "bedrock:InvokeModelWithResponseStream", Guarded::ByBody)?,
        "CountTokens" => models_needed(db, region, "bedrock:CountTokens", label("modelId"))?,
        "ApplyGuardrail" | "GetGuardrail" => one(own("guardrail", label("guardrailIdentifier"))),
        "Retrieve" | "GetKnowledgeBase" | "GetDataSource" | "ListDataSources" | "StartIngestionJob"
        | "ListIngestionJobs" | "GetIngestionJob" | "StopIngestionJob" => one(base()),
        "RetrieveAndGenerate" | "RetrieveAndGenerateStream" => answer_from(db, call, own)?,
        "AgenticRetrieveStream" => agentic(db, call)?,
        "InvokeAgent" => one(alias(region, label("agentId"), label("agentAliasId"))),
        "GetAgentAlias" => one(alias(region, label("agentId"), label("agentAliasId"))),
        "GetAgent" | "PrepareAgent" | "ListAgentAliases" => one(own("agent", label("agentId"))),
        "InvokeFlow" => one(flow_alias(own("flow", label("flowIdentifier")), label("flowAliasIdentifier"))),
        "GetFlowAlias" => one(flow_alias(own("flow", label("flowIdentifier")), label("aliasIdentifier"))),
        "GetFlow" | "ListFlowAliases" | "ListFlowVersions" | "GetFlowVersion" => {
            one(own("flow", label("flowIdentifier")))
        }
        "GetFoundationModel" => one(foundation(region, label("modelIdentifier"))),
        "GetInferenceProfile" => one(own("inference-profile", label("inferenceProfileIdentifier"))),
        "GetPrompt" => {
            let prompt = own("prompt", label("promptIdentifier"));
            one(match call.query.get("promptVersion") {
                Some(version) if version != "DRAFT" => format!("{prompt}:{version}"),
                _ => prompt,
            })
        }
        "Rerank"
        | "ListFlows"
        | "ListFoundationModels"
        | "ListInferenceProfiles"
        | "ListPrompts"
        | "ListKnowledgeBases"
        | "ListGuardrails"
        | "GetFoundationModelAvailability"
        | "ListAgents" => one("*".to_owned()),
        _ => return Err(ApiError::not_implemented("bedrock", operation)),
    })
}

/// The ARN of an agent's alias: the end of each name is what it is found by.
fn alias(region: &str, agent: &str, alias: &str) -> String {
    let end = |id: &str| id.rsplit('/').next().unwrap_or(id).to_owned();
    format!("arn:aws:bedrock:{region}:{ACCOUNT_ID}:agent-alias/{}/{}", end(agent), end(alias))
}

/// The ARN of a flow's alias, which is found by its end in the flow that the request names.
fn flow_alias(flow: String, alias: &str) -> String {
    format!("{flow}/alias/{}", alias.rsplit('/').next().unwrap_or(alias))
}

/// Where a request to call a model names its guardrail.
#[derive(Clone, Copy)]
enum Guarded {
    ByHeader,
    ByBody,
}

/// Calling a model, behind a guardrail where the request names one.
fn invoke(
    db: &Transaction<'_>,
    call: &BedrockRequest,
    action: &str,
    by: Guarded,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let region = call.region.as_str();
    let mut required_permissions = models_needed(db, region, action, call.label("modelId"))?;
    let guardrail = match by {
        Guarded::ByHeader => call.header("x-amzn-bedrock-guardrailidentifier"),
        Guarded::ByBody => call.body.pointer("/guardrailConfig/guardrailIdentifier").and_then(Value::as_str),
    };
    if let Some(guardrail) = guardrail {
        let arn = arn_of(region, "bedrock", "guardrail", guardrail);
        required_permissions = required_permissions
            .into_iter()
            .map(|need| need.with("bedrock:GuardrailIdentifier", arn.clone()))
            .collect();
        required_permissions.push(RequiredPermission::new("bedrock:ApplyGuardrail", arn));
    }
    Ok(required_permissions)
}

/// `AgenticRetrieveStream` takes no resource, and knowledge bases are not asked about beside it; a model of the caller's
/// choice is.
fn agentic(db: &Transaction<'_>, call: &BedrockRequest) -> Result<Vec<RequiredPermission>, ApiError> {
    let mut required_permissions = vec![RequiredPermission::new("bedrock:AgenticRetrieveStream", "*")];
    let pointer = "/agenticRetrieveConfiguration/foundationModelConfiguration/bedrockFoundationModelConfiguration/\
                   modelConfiguration/modelArn";
    if let Some(model) = call.body.pointer(pointer).and_then(Value::as_str) {
        required_permissions.extend(models_needed(db, &call.region, "bedrock:InvokeModel", model)?);
    }
    Ok(required_permissions)
}

/// `RetrieveAndGenerate` itself has no resource; what it retrieves from and calls are asked about beside it.
fn answer_from(
    db: &Transaction<'_>,
    call: &BedrockRequest,
    own: impl Fn(&str, &str) -> String,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let mut required_permissions = vec![RequiredPermission::new("bedrock:RetrieveAndGenerate", "*")];
    let at = |name: &str| {
        let pointer = format!("/retrieveAndGenerateConfiguration/knowledgeBaseConfiguration/{name}");
        call.body.pointer(&pointer).and_then(Value::as_str)
    };
    if let Some(id) = at("knowledgeBaseId") {
        required_permissions.push(RequiredPermission::new("bedrock:Retrieve", own("knowledge-base", id)));
    }
    if let Some(model) = at("modelArn") {
        required_permissions.extend(models_needed(db, &call.region, "bedrock:InvokeModel", model)?);
    }
    Ok(required_permissions)
}
