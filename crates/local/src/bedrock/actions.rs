//! Bedrock: its four services (models, runtime, agents, agents' runtime) all sign as `bedrock` and are told apart by path.

use std::collections::BTreeMap;

use http::HeaderMap;
use rusqlite::Transaction;
use serde_json::Value;

use super::model_permissions::{foundation, models_needed};
use super::operations::Found;
use crate::ground::{ACCOUNT_ID, ApiError, RequiredPermission};
use crate::identity::asked::arn_of;

/// A request of a service whose operations are told by method and path.
pub(crate) struct Routed<'a> {
    /// The region of the signature.
    pub region: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The parameters of the address.
    pub query: &'a BTreeMap<String, String>,
    /// The operation, and the values of the path.
    pub found: &'a Found,
    /// The body as JSON.
    pub input: &'a Value,
}

impl Routed<'_> {
    /// A value of the path.
    pub fn label(&self, name: &str) -> &str {
        self.found.labels.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A parameter of the address.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// What an operation needs; nothing when it is not known.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn required_permissions(
    db: &Transaction<'_>,
    routed: &Routed<'_>,
) -> Result<Option<Vec<RequiredPermission>>, ApiError> {
    let region = routed.region;
    let operation = routed.found.operation;
    let label = |name: &str| routed.label(name);
    let own = |kind: &str, id: &str| arn_of(region, "bedrock", kind, id);
    let one = |resource: String| Some(vec![RequiredPermission::new(format!("bedrock:{operation}"), resource)]);
    let base = || own("knowledge-base", label("knowledgeBaseId"));
    Ok(match operation {
        "InvokeModel" => Some(invoke(db, routed, "bedrock:InvokeModel", Guarded::ByHeader)?),
        "Converse" => Some(invoke(db, routed, "bedrock:InvokeModel", Guarded::ByBody)?),
        "InvokeModelWithResponseStream" => {
            Some(invoke(db, routed, "bedrock:InvokeModelWithResponseStream", Guarded::ByHeader)?)
        }
        "ConverseStream" => Some(invoke(db, routed, "bedrock:InvokeModelWithResponseStream", Guarded::ByBody)?),
        "CountTokens" => Some(models_needed(db, region, "bedrock:CountTokens", label("modelId"))?),
        "ApplyGuardrail" | "GetGuardrail" => one(own("guardrail", label("guardrailIdentifier"))),
        "Retrieve" | "GetKnowledgeBase" | "GetDataSource" | "ListDataSources" | "StartIngestionJob"
        | "ListIngestionJobs" | "GetIngestionJob" | "StopIngestionJob" => one(base()),
        "RetrieveAndGenerate" | "RetrieveAndGenerateStream" => Some(answer_from(db, routed, own)?),
        "AgenticRetrieveStream" => Some(agentic(db, routed)?),
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
            one(match routed.query("promptVersion") {
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
        _ => None,
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
    routed: &Routed<'_>,
    action: &str,
    by: Guarded,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let region = routed.region;
    let mut required_permissions = models_needed(db, region, action, routed.label("modelId"))?;
    let header = |name: &str| routed.headers.get(name).and_then(|value| value.to_str().ok());
    let guardrail = match by {
        Guarded::ByHeader => header("x-amzn-bedrock-guardrailidentifier"),
        Guarded::ByBody => routed.input.pointer("/guardrailConfig/guardrailIdentifier").and_then(Value::as_str),
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
fn agentic(db: &Transaction<'_>, routed: &Routed<'_>) -> Result<Vec<RequiredPermission>, ApiError> {
    let mut required_permissions = vec![RequiredPermission::new("bedrock:AgenticRetrieveStream", "*")];
    let pointer = "/agenticRetrieveConfiguration/foundationModelConfiguration/bedrockFoundationModelConfiguration/\
                   modelConfiguration/modelArn";
    if let Some(model) = routed.input.pointer(pointer).and_then(Value::as_str) {
        required_permissions.extend(models_needed(db, routed.region, "bedrock:InvokeModel", model)?);
    }
    Ok(required_permissions)
}

/// `RetrieveAndGenerate` itself has no resource; what it retrieves from and calls are asked about beside it.
fn answer_from(
    db: &Transaction<'_>,
    routed: &Routed<'_>,
    own: impl Fn(&str, &str) -> String,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let mut required_permissions = vec![RequiredPermission::new("bedrock:RetrieveAndGenerate", "*")];
    let at = |name: &str| {
        let pointer = format!("/retrieveAndGenerateConfiguration/knowledgeBaseConfiguration/{name}");
        routed.input.pointer(&pointer).and_then(Value::as_str)
    };
    if let Some(id) = at("knowledgeBaseId") {
        required_permissions.push(RequiredPermission::new("bedrock:Retrieve", own("knowledge-base", id)));
    }
    if let Some(model) = at("modelArn") {
        required_permissions.extend(models_needed(db, routed.region, "bedrock:InvokeModel", model)?);
    }
    Ok(required_permissions)
}
