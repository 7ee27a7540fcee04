//! Bedrock: its four services (models, runtime, agents, agents' runtime) all sign as `bedrock` and are told apart by path.

use rusqlite::Transaction;
use serde_json::Value;

use super::Asked;
use crate::facts::models;
use crate::local::ACCOUNT_ID;
use crate::local::errors::ApiError;
use crate::local::identity::Need;

pub(super) fn needs(_: &Transaction<'_>, asked: &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError> {
    let segments = asked.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let own = |kind: &str, id: &str| {
        if id.starts_with("arn:") {
            id.to_owned()
        } else {
            format!("arn:aws:bedrock:{}:{ACCOUNT_ID}:{kind}/{id}", asked.region)
        }
    };
    let one = |action: &str, resource: String| Some(vec![Need::new(action, resource)]);
    Ok(match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["model", id, "invoke" | "converse"]) => Some(invoke(asked, "bedrock:InvokeModel", id)),
        ("POST", ["model", id, "invoke-with-response-stream" | "converse-stream"]) => {
            Some(invoke(asked, "bedrock:InvokeModelWithResponseStream", id))
        }
        ("POST", ["model", id, "count-tokens"]) => Some(models_needed(asked, "bedrock:CountTokens", id)),
        ("POST", ["guardrail", id, "version", _, "apply"]) => one("bedrock:ApplyGuardrail", own("guardrail", id)),
        ("POST", ["knowledgebases", id, "retrieve"]) => one("bedrock:Retrieve", own("knowledge-base", id)),
        ("POST", ["retrieveAndGenerate" | "retrieveAndGenerateStream"]) => Some(answer_from(asked, own)),
        ("POST", ["agents", agent, "agentAliases", alias, "sessions", _, "text"]) => {
            one("bedrock:InvokeAgent", own("agent-alias", &format!("{agent}/{alias}")))
        }
        ("POST", ["flows", flow, "aliases", alias]) => {
            let flow = own("flow", flow);
            one("bedrock:InvokeFlow", format!("{flow}/alias/{alias}"))
        }
        ("POST", ["rerank"]) => one("bedrock:Rerank", "*".to_owned()),
        ("GET", ["foundation-models"]) => one("bedrock:ListFoundationModels", "*".to_owned()),
        ("GET", ["foundation-models", id]) => one("bedrock:GetFoundationModel", foundation(asked.region, id)),
        ("GET", ["inference-profiles"]) => one("bedrock:ListInferenceProfiles", "*".to_owned()),
        ("GET", ["inference-profiles", id]) => one("bedrock:GetInferenceProfile", own("inference-profile", id)),
        ("GET", ["guardrails", id]) => one("bedrock:GetGuardrail", own("guardrail", id)),
        ("GET", ["prompts", id]) => one("bedrock:GetPrompt", own("prompt", id)),
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

fn foundation(region: &str, id: &str) -> String {
    if id.starts_with("arn:") { id.to_owned() } else { format!("arn:aws:bedrock:{region}::foundation-model/{id}") }
}

/// A model by any of its names. Through an inference profile, the profile and the model behind it are both asked about;
/// the model only in the region of the request, while AWS asks in each region the profile leads to.
fn models_needed(asked: &Asked<'_>, action: &str, id: &str) -> Vec<Need> {
    if id.starts_with("arn:") && id.contains(":prompt/") {
        return vec![Need::new("bedrock:RenderPrompt", id)];
    }
    let name = id.rsplit('/').next().unwrap_or(id);
    match models().profile_of(name) {
        Some((_, model)) => {
            let profile = format!("arn:aws:bedrock:{}:{ACCOUNT_ID}:inference-profile/{name}", asked.region);
            vec![
                Need::new(action, profile.clone()),
                Need::new(action, foundation(asked.region, model)).with("bedrock:InferenceProfileArn", profile),
            ]
        }
        None => vec![Need::new(action, foundation(asked.region, id))],
    }
}

/// Calling a model, behind a guardrail where the request names one.
fn invoke(asked: &Asked<'_>, action: &str, id: &str) -> Vec<Need> {
    let mut needs = models_needed(asked, action, id);
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
    needs
}

/// `RetrieveAndGenerate` itself has no resource; what it retrieves from and calls are asked about beside it.
fn answer_from(asked: &Asked<'_>, own: impl Fn(&str, &str) -> String) -> Vec<Need> {
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
        needs.extend(models_needed(asked, "bedrock:InvokeModel", model));
    }
    needs
}
