//! Which operation a request is for, and what carries it out.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use futures::future::BoxFuture;
use http::Method;
use rusqlite::Connection;
use serde::Deserialize;

use super::answer::{BedrockRequest, BedrockResult};
use super::{Bedrock, agentcore, agents, catalog, converse, flows, guardrail, knowledge, native, prompts};

/// How an operation is carried out.
#[derive(Clone, Copy)]
pub(super) enum BedrockHandler {
    /// Within a reading transaction.
    Read(fn(&Connection, &BedrockRequest) -> BedrockResult),
    /// In steps of its own.
    Steps(fn(Arc<Bedrock>, BedrockRequest) -> BoxFuture<'static, BedrockResult>),
}

/// What is simulated: service, operation, how.
const SIMULATED: &[(&str, &str, BedrockHandler)] = &[
    ("bedrock", "GetFoundationModel", BedrockHandler::Read(catalog::get_model)),
    ("bedrock", "GetFoundationModelAvailability", BedrockHandler::Read(catalog::availability)),
    ("bedrock", "GetGuardrail", BedrockHandler::Read(guardrail::get)),
    ("bedrock", "GetInferenceProfile", BedrockHandler::Read(catalog::get_profile)),
    ("bedrock", "ListFoundationModels", BedrockHandler::Read(catalog::list_models)),
    ("bedrock", "ListGuardrails", BedrockHandler::Read(guardrail::list)),
    ("bedrock", "ListInferenceProfiles", BedrockHandler::Read(catalog::list_profiles)),
    ("bedrock-agent", "GetAgent", BedrockHandler::Read(agents::get_agent)),
    ("bedrock-agent", "GetAgentAlias", BedrockHandler::Read(agents::get_alias)),
    ("bedrock-agent", "GetDataSource", BedrockHandler::Read(knowledge::get_source)),
    ("bedrock-agent", "GetFlow", BedrockHandler::Read(flows::get)),
    ("bedrock-agent", "GetFlowAlias", BedrockHandler::Read(flows::get_alias)),
    ("bedrock-agent", "GetFlowVersion", BedrockHandler::Read(flows::get_version)),
    ("bedrock-agent", "GetIngestionJob", BedrockHandler::Steps(knowledge::get_job)),
    ("bedrock-agent", "GetKnowledgeBase", BedrockHandler::Read(knowledge::get_base)),
    ("bedrock-agent", "GetPrompt", BedrockHandler::Read(prompts::get)),
    ("bedrock-agent", "ListAgentAliases", BedrockHandler::Read(agents::list_aliases)),
    ("bedrock-agent", "ListAgents", BedrockHandler::Read(agents::list_agents)),
    ("bedrock-agent", "ListDataSources", BedrockHandler::Read(knowledge::list_sources)),
    ("bedrock-agent", "ListFlowAliases", BedrockHandler::Read(flows::list_aliases)),
    ("bedrock-agent", "ListFlowVersions", BedrockHandler::Read(flows::list_versions)),
    ("bedrock-agent", "ListFlows", BedrockHandler::Read(flows::list)),
    ("bedrock-agent", "ListIngestionJobs", BedrockHandler::Read(knowledge::list_jobs)),
    ("bedrock-agent", "ListKnowledgeBases", BedrockHandler::Read(knowledge::list_bases)),
    ("bedrock-agent", "ListPrompts", BedrockHandler::Read(prompts::list)),
    ("bedrock-agent", "PrepareAgent", BedrockHandler::Read(agents::prepare_agent)),
    ("bedrock-agent", "StartIngestionJob", BedrockHandler::Steps(knowledge::start_job)),
    ("bedrock-agent", "StopIngestionJob", BedrockHandler::Steps(knowledge::stop_job)),
    ("bedrock-agent-runtime", "AgenticRetrieveStream", BedrockHandler::Steps(knowledge::agentic_retrieve_stream)),
    ("bedrock-agent-runtime", "InvokeAgent", BedrockHandler::Steps(agents::invoke_agent)),
    ("bedrock-agent-runtime", "InvokeFlow", BedrockHandler::Steps(flows::invoke_flow)),
    ("bedrock-agent-runtime", "Retrieve", BedrockHandler::Steps(knowledge::retrieve)),
    ("bedrock-agent-runtime", "RetrieveAndGenerate", BedrockHandler::Steps(knowledge::retrieve_and_generate)),
    (
        "bedrock-agent-runtime",
        "RetrieveAndGenerateStream",
        BedrockHandler::Steps(knowledge::retrieve_and_generate_stream),
    ),
    ("bedrock-agentcore", "InvokeHarness", BedrockHandler::Steps(agentcore::invoke_harness)),
    ("bedrock-agentcore-control", "GetGateway", BedrockHandler::Read(agentcore::get_gateway)),
    ("bedrock-agentcore-control", "GetGatewayTarget", BedrockHandler::Read(agentcore::get_target)),
    ("bedrock-agentcore-control", "GetHarness", BedrockHandler::Read(agentcore::get_harness)),
    ("bedrock-agentcore-control", "ListGatewayTargets", BedrockHandler::Read(agentcore::list_targets)),
    ("bedrock-agentcore-control", "ListGateways", BedrockHandler::Read(agentcore::list_gateways)),
    ("bedrock-agentcore-control", "ListHarnesses", BedrockHandler::Read(agentcore::list_harnesses)),
    ("bedrock-runtime", "ApplyGuardrail", BedrockHandler::Read(guardrail::apply)),
    ("bedrock-runtime", "Converse", BedrockHandler::Steps(converse::converse)),
    ("bedrock-runtime", "ConverseStream", BedrockHandler::Steps(converse::converse_stream)),
    ("bedrock-runtime", "CountTokens", BedrockHandler::Read(converse::count_tokens)),
    ("bedrock-runtime", "InvokeModel", BedrockHandler::Steps(native::invoke)),
    ("bedrock-runtime", "InvokeModelWithResponseStream", BedrockHandler::Steps(native::invoke_stream)),
];

/// The operations that are simulated, each with its service.
pub(super) fn simulated() -> impl Iterator<Item = (&'static str, &'static str)> {
    SIMULATED.iter().map(|(service, operation, _)| (*service, *operation))
}

/// One operation of a service.
#[derive(Debug, Clone, Deserialize)]
struct OperationRoute(String, String, String, String, u16);

/// The table of all operations.
#[derive(Debug, Deserialize)]
struct Routes {
    operations: Vec<OperationRoute>,
}

fn routes() -> &'static [OperationRoute] {
    static ROUTES: OnceLock<Vec<OperationRoute>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        // A unit test reads the table; an empty one knows no operation, and everything is refused.
        serde_json::from_str::<Routes>(include_str!("../../../../schemas/local/bedrock-operations.json"))
            .map(|routes| routes.operations)
            .unwrap_or_default()
    })
}

/// A request's operation.
pub(super) struct MatchedOperation {
    /// For example `bedrock-runtime`.
    pub service: &'static str,
    /// For example `Converse`.
    pub operation: &'static str,
    /// The HTTP status of its answer.
    pub status: u16,
    /// The values in the path.
    pub labels: BTreeMap<String, String>,
    /// How it is carried out; nothing when it is not simulated.
    pub work: Option<BedrockHandler>,
}

/// Finds the operation of a method and a path. `agentcore` tells the two families apart, which sign under different names.
///
/// Some SDKs leave out the slash that a path ends with. It is added where there is no operation without it, and where a
/// request has no body: `PrepareAgent` takes none, and `InvokeInlineAgent`, whose path is the same but for the slash, must
/// have one. (On AWS, the two have different hosts.)
pub(super) fn find(method: &Method, path: &str, agentcore: bool, has_body: bool) -> Option<MatchedOperation> {
    let exact = find_exactly(method, path, agentcore);
    let with_slash = || find_exactly(method, &format!("{path}/"), agentcore);
    match exact {
        Some(found) if found.work.is_none() && !has_body && *method == Method::POST => with_slash().or(Some(found)),
        Some(found) => Some(found),
        None => with_slash(),
    }
}

fn find_exactly(method: &Method, path: &str, agentcore: bool) -> Option<MatchedOperation> {
    let given: Vec<&str> = path.split('/').collect();
    let mut best: Option<(usize, &OperationRoute, BTreeMap<String, String>)> = None;
    for route in routes() {
        if route.2 != method.as_str() || route.0.starts_with("bedrock-agentcore") != agentcore {
            continue;
        }
        let Some((literals, labels)) = labels_of(&route.3, &given) else { continue };
        if best.as_ref().is_none_or(|(known, ..)| literals > *known) {
            best = Some((literals, route, labels));
        }
    }
    let (_, OperationRoute(service, operation, _, _, status), labels) = best?;
    let work = SIMULATED.iter().find(|(s, o, _)| s == service && o == operation).map(|(.., work)| *work);
    Some(MatchedOperation { service, operation, status: *status, labels, work })
}

/// The values a path has for a pattern, and how many of its parts are the pattern's own.
fn labels_of(pattern: &str, given: &[&str]) -> Option<(usize, BTreeMap<String, String>)> {
    let wanted: Vec<&str> = pattern.split('/').collect();
    if wanted.len() != given.len() {
        return None;
    }
    let mut labels = BTreeMap::new();
    let mut literals = 0;
    for (wanted, given) in wanted.iter().zip(given) {
        match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if !given.is_empty() => {
                labels.insert(name.to_owned(), decoded(given));
            }
            None if wanted == given => literals += 1,
            _ => return None,
        }
    }
    Some((literals, labels))
}

/// Percent signs resolved; what is no text in UTF-8 stays as it is.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = if *first == b'%' { after.get(..2).and_then(|two| hex::decode(two).ok()) } else { None };
        match hex.as_deref() {
            Some([byte]) => {
                bytes.push(*byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &str, path: &str, agentcore: bool) -> Option<(&'static str, &'static str)> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        find(&method, path, agentcore, true).map(|found| (found.service, found.operation))
    }

    #[test]
    fn everything_simulated_is_an_operation_of_its_service() {
        for (service, operation, _) in SIMULATED {
            assert!(routes().iter().any(|route| route.0 == *service && route.1 == *operation), "{service} {operation}");
        }
        assert!(SIMULATED.is_sorted_by_key(|(service, operation, _)| (*service, *operation)));
    }

    #[test]
    fn paths_tell_the_services_of_one_name_apart() {
        assert_eq!(operation("POST", "/model/m/converse", false), Some(("bedrock-runtime", "Converse")));
        assert_eq!(operation("GET", "/foundation-models/m", false), Some(("bedrock", "GetFoundationModel")));
        assert_eq!(operation("POST", "/agents/A1/", false), Some(("bedrock-agent", "PrepareAgent")));
        assert_eq!(operation("POST", "/agents/S1", false), Some(("bedrock-agent-runtime", "InvokeInlineAgent")));
        assert_eq!(operation("POST", "/knowledgebases/K/retrieve", false), Some(("bedrock-agent-runtime", "Retrieve")));
        assert_eq!(operation("GET", "/gateways/", true), Some(("bedrock-agentcore-control", "ListGateways")));
        assert_eq!(operation("GET", "/gateways/", false), None);
        let jobs = "/knowledgebases/K/datasources/D/ingestionjobs";
        assert_eq!(operation("PUT", jobs, false), Some(("bedrock-agent", "StartIngestionJob")));
    }

    #[test]
    fn a_slash_left_out_is_told_by_the_body() {
        let of = |has_body| find(&Method::POST, "/agents/A1", false, has_body).map(|found| found.operation);
        assert_eq!(of(false), Some("PrepareAgent"));
        assert_eq!(of(true), Some("InvokeInlineAgent"));
        assert_eq!(operation("POST", "/knowledgebases", false), Some(("bedrock-agent", "ListKnowledgeBases")));
    }

    #[test]
    fn an_arn_in_a_path_is_one_value() {
        let path = "/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A%3Afoundation-model%2Fm%3A0/invoke";
        let found = find(&Method::POST, path, false, true).expect("an operation");
        assert_eq!(found.labels["modelId"], "arn:aws:bedrock:us-west-2::foundation-model/m:0");
        assert_eq!(decoded("100%"), "100%");
    }
}
