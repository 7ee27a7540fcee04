//! Bedrock: its four services (models, runtime, agents, agents' runtime) all sign as `bedrock` and are told apart by path.

use rusqlite::Transaction;
use serde_json::Value;

use super::Asked;
use crate::facts::models;
use crate::local::ACCOUNT_ID;
use crate::local::bedrock::prompt_model;
use crate::local::errors::ApiError;
use crate::local::identity::Need;
use crate::local::resources::world;

pub(super) fn needs(db: &Transaction<'_>, asked: &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError> {
    let segments = asked.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let own = |kind: &str, id: &str| asked.arn("bedrock", kind, id);
    let one = |action: &str, resource: String| Some(vec![Need::new(action, resource)]);
    Ok(match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["model", id, "invoke" | "converse"]) => Some(invoke(db, asked, "bedrock:InvokeModel", id)?),
        ("POST", ["model", id, "invoke-with-response-stream" | "converse-stream"]) => {
            Some(invoke(db, asked, "bedrock:InvokeModelWithResponseStream", id)?)
        }
        ("POST", ["model", id, "count-tokens"]) => Some(models_needed(db, asked.region, "bedrock:CountTokens", id)?),
        ("POST", ["guardrail", id, "version", _, "apply"]) => one("bedrock:ApplyGuardrail", own("guardrail", id)),
        ("POST", ["knowledgebases", id, "retrieve"]) => one("bedrock:Retrieve", own("knowledge-base", id)),
        ("POST", ["retrieveAndGenerate" | "retrieveAndGenerateStream"]) => Some(answer_from(db, asked, own)?),
        ("POST", ["agenticRetrieveStream"]) => Some(agentic(db, asked)?),
        ("POST", ["agents", agent, "agentAliases", alias, "sessions", _, "text"]) => {
            one("bedrock:InvokeAgent", own("agent-alias", &format!("{agent}/{alias}")))
        }
        ("POST", ["flows", flow, "aliases", alias]) => one("bedrock:InvokeFlow", flow_alias(own("flow", flow), alias)),
        ("GET", ["flows"]) => one("bedrock:ListFlows", "*".to_owned()),
        ("GET", ["flows", flow]) => one("bedrock:GetFlow", own("flow", flow)),
        ("GET", ["flows", flow, "aliases"]) => one("bedrock:ListFlowAliases", own("flow", flow)),
        ("GET", ["flows", flow, "aliases", alias]) => one("bedrock:GetFlowAlias", flow_alias(own("flow", flow), alias)),
        ("GET", ["flows", flow, "versions"]) => one("bedrock:ListFlowVersions", own("flow", flow)),
        ("GET", ["flows", flow, "versions", _]) => one("bedrock:GetFlowVersion", own("flow", flow)),
        ("POST", ["rerank"]) => one("bedrock:Rerank", "*".to_owned()),
        ("GET", ["foundation-models"]) => one("bedrock:ListFoundationModels", "*".to_owned()),
        ("GET", ["foundation-models", id]) => one("bedrock:GetFoundationModel", foundation(asked.region, id)),
        ("GET", ["inference-profiles"]) => one("bedrock:ListInferenceProfiles", "*".to_owned()),
        ("GET", ["inference-profiles", id]) => one("bedrock:GetInferenceProfile", own("inference-profile", id)),
        ("GET", ["guardrails", id]) => one("bedrock:GetGuardrail", own("guardrail", id)),
        ("GET", ["prompts"]) => one("bedrock:ListPrompts", "*".to_owned()),
        ("GET", ["prompts", id]) => {
            let prompt = own("prompt", id);
            let mut query = form_urlencoded::parse(asked.query.as_bytes());
            one(
                "bedrock:GetPrompt",
                match query.find(|(name, _)| name == "promptVersion") {
                    Some((_, version)) if version != "DRAFT" => format!("{prompt}:{version}"),
                    _ => prompt,
                },
            )
        }
        ("POST", ["knowledgebases"]) => one("bedrock:ListKnowledgeBases", "*".to_owned()),
        ("GET", ["knowledgebases", id, "datasources", _]) => one("bedrock:GetDataSource", own("knowledge-base", id)),
        ("POST", ["knowledgebases", id, "datasources"]) => one("bedrock:ListDataSources", own("knowledge-base", id)),
        ("POST", ["knowledgebases", id, "datasources", _, "ingestionjobs", _, "stop"]) => {
            one("bedrock:StopIngestionJob", own("knowledge-base", id))
        }
        ("GET", ["guardrails"]) => one("bedrock:ListGuardrails", "*".to_owned()),
        ("GET", ["foundation-model-availability", _]) => one("bedrock:GetFoundationModelAvailability", "*".to_owned()),
        ("POST", ["agents"]) => one("bedrock:ListAgents", "*".to_owned()),
        ("GET", ["agents", id]) => one("bedrock:GetAgent", own("agent", id)),
        ("POST", ["agents", id]) => one("bedrock:PrepareAgent", own("agent", id)),
        ("POST", ["agents", id, "agentaliases"]) => one("bedrock:ListAgentAliases", own("agent", id)),
        ("GET", ["agents", id, "agentaliases", alias]) => {
            one("bedrock:GetAgentAlias", own("agent-alias", &format!("{id}/{alias}")))
        }
        ("GET", ["knowledgebases", id]) => one("bedrock:GetKnowledgeBase", own("knowledge-base", id)),
        ("PUT" | "POST", ["knowledgebases", id, "datasources", _, "ingestionjobs"]) => {
            let action = if asked.method == http::Method::PUT { "StartIngestionJob" } else { "ListIngestionJobs" };
            one(&format!("bedrock:{action}"), own("knowledge-base", id))
        }
        ("GET", ["knowledgebases", id, "datasources", _, "ingestionjobs", _]) => {
            one("bedrock:GetIngestionJob", own("knowledge-base", id))
        }
        _ => None,
    })
}

/// The ARN of a flow's alias, which may be given whole.
fn flow_alias(flow: String, alias: &str) -> String {
    if alias.starts_with("arn:") { alias.to_owned() } else { format!("{flow}/alias/{alias}") }
}

fn foundation(region: &str, id: &str) -> String {
    if id.starts_with("arn:") { id.to_owned() } else { format!("arn:aws:bedrock:{region}::foundation-model/{id}") }
}

/// A model by any of its names. Through an inference profile, the profile and the model behind it are both asked about;
/// the model only in the region of the request, while AWS asks in each region the profile leads to.
///
/// # Errors
///
/// When the state can't be read.
pub(in crate::local) fn models_needed(
    db: &Transaction<'_>,
    region: &str,
    action: &str,
    id: &str,
) -> Result<Vec<Need>, ApiError> {
    if id.starts_with("arn:") && id.contains(":prompt/") {
        // A version is asked about as itself, and the model that the prompt names as well.
        let mut needs = vec![Need::new("bedrock:RenderPrompt", id)];
        if let Some(model) = prompt_model(db, region, id) {
            needs.extend(models_needed(db, region, action, &model)?);
        }
        return Ok(needs);
    }
    let name = id.rsplit('/').next().unwrap_or(id);
    if let Some((_, model)) = models().profile_of(name) {
        let profile = format!("arn:aws:bedrock:{region}:{ACCOUNT_ID}:inference-profile/{name}");
        return Ok(vec![
            Need::new(action, profile.clone()),
            Need::new(action, foundation(region, model)).with("bedrock:InferenceProfileArn", profile),
        ]);
    }
    let made = world::of_type(db, "AWS::Bedrock::ApplicationInferenceProfile", Some(region))?;
    let own = made.into_iter().find(|thing| thing.id == id || thing.id.ends_with(&format!("/{id}")));
    let Some(own) = own else { return Ok(vec![Need::new(action, foundation(region, id))]) };
    let source = own.properties.pointer("/ModelSource/CopyFrom").and_then(Value::as_str).unwrap_or_default();
    let source = source.rsplit('/').next().unwrap_or(source);
    let model = models().profile_of(source).map_or(source, |(_, model)| model);
    Ok(vec![
        Need::new(action, own.id.clone()),
        Need::new(action, foundation(region, model)).with("bedrock:InferenceProfileArn", own.id),
    ])
}

/// Calling a model, behind a guardrail where the request names one.
fn invoke(db: &Transaction<'_>, asked: &Asked<'_>, action: &str, id: &str) -> Result<Vec<Need>, ApiError> {
    let mut needs = models_needed(db, asked.region, action, id)?;
    let body = asked.json();
    let header = asked.headers.get("x-amzn-bedrock-guardrailidentifier").and_then(|value| value.to_str().ok());
    let config = body.pointer("/guardrailConfig/guardrailIdentifier").and_then(Value::as_str);
    if let Some(guardrail) = header.or(config) {
        let arn = if guardrail.starts_with("arn:") {
            guardrail.to_owned()
        } else {
            format!("arn:aws:bedrock:{}:{ACCOUNT_ID}:guardrail/{guardrail}", asked.region)
        };
        needs = needs.into_iter().map(|need| need.with("bedrock:GuardrailIdentifier", arn.clone())).collect();
        needs.push(Need::new("bedrock:ApplyGuardrail", arn));
    }
    Ok(needs)
}

/// `AgenticRetrieveStream` takes no resource, and knowledge bases are not asked about beside it; a model of the caller's
/// choice is.
fn agentic(db: &Transaction<'_>, asked: &Asked<'_>) -> Result<Vec<Need>, ApiError> {
    let mut needs = vec![Need::new("bedrock:AgenticRetrieveStream", "*")];
    let pointer = "/agenticRetrieveConfiguration/foundationModelConfiguration/bedrockFoundationModelConfiguration/\
                   modelConfiguration/modelArn";
    if let Some(model) = asked.json().pointer(pointer).and_then(Value::as_str) {
        needs.extend(models_needed(db, asked.region, "bedrock:InvokeModel", model)?);
    }
    Ok(needs)
}

/// `RetrieveAndGenerate` itself has no resource; what it retrieves from and calls are asked about beside it.
fn answer_from(
    db: &Transaction<'_>,
    asked: &Asked<'_>,
    own: impl Fn(&str, &str) -> String,
) -> Result<Vec<Need>, ApiError> {
    let body = asked.json();
    let mut needs = vec![Need::new("bedrock:RetrieveAndGenerate", "*")];
    let at = |name: &str| {
        let pointer = format!("/retrieveAndGenerateConfiguration/knowledgeBaseConfiguration/{name}");
        body.pointer(&pointer).and_then(Value::as_str)
    };
    if let Some(id) = at("knowledgeBaseId") {
        needs.push(Need::new("bedrock:Retrieve", own("knowledge-base", id)));
    }
    if let Some(model) = at("modelArn") {
        needs.extend(models_needed(db, asked.region, "bedrock:InvokeModel", model)?);
    }
    Ok(needs)
}
