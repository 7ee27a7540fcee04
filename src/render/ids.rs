//! Logical ids: what each component is called within a template.

use super::names::pascal;
use crate::spec::Network;

/// A bucket.
pub(super) fn bucket_id(name: &str) -> String {
    pascal(name) + "Bucket"
}

/// A table.
pub(super) fn table_id(name: &str) -> String {
    pascal(name) + "Table"
}

/// A secret.
pub(super) fn secret_id(name: &str) -> String {
    pascal(name) + "Secret"
}

/// A layer.
pub(super) fn layer_id(name: &str) -> String {
    pascal(name) + "Layer"
}

/// A function.
pub(super) fn function_id(name: &str) -> String {
    pascal(name) + "Function"
}

/// The application inference profile of a model that has one.
pub(super) fn profile_id(name: &str) -> String {
    pascal(name) + "ModelProfile"
}

/// A role of its own, under `roles`.
pub(super) fn role_id(name: &str) -> String {
    pascal(name) + "Role"
}

/// The alias of a function that has one.
pub(super) fn alias_id(name: &str) -> String {
    function_id(name) + "Alias"
}

/// The VPC of the network.
pub(super) const NETWORK_VPC: &str = "NetworkVpc";

/// The security group of everything inside the network.
pub(super) const NETWORK_SECURITY_GROUP: &str = "NetworkSecurityGroup";

/// In how many availability zones a network that does not say has a subnet.
const DEFAULT_ZONES: u32 = 2;

/// The subnets of the network, one a zone.
pub(super) fn network_subnet_ids(network: &Network) -> Vec<String> {
    (1..=network.zones.unwrap_or(DEFAULT_ZONES)).map(|zone| format!("NetworkSubnet{zone}")).collect()
}

/// The network's endpoint for a service, such as `bedrock-runtime`.
pub(super) fn network_endpoint_id(service: &str) -> String {
    format!("Network{}Endpoint", pascal(service))
}

/// An API.
pub(super) fn api_id(name: &str) -> String {
    pascal(name) + "Api"
}

/// An agent of the engine classic.
pub(super) fn agent_id(name: &str) -> String {
    pascal(name) + "Agent"
}

/// The alias by which an agent of the engine classic is called.
pub(super) fn agent_alias_id(name: &str) -> String {
    pascal(name) + "AgentAlias"
}

/// An agent of the engine agentcore. Its id is another one than classic's: CloudFormation lets no resource become one of
/// another type, so a change of engines has to make a new one.
pub(super) fn harness_id(name: &str) -> String {
    pascal(name) + "Harness"
}

/// A guardrail.
pub(super) fn guardrail_id(name: &str) -> String {
    pascal(name) + "Guardrail"
}

/// A prompt.
pub(super) fn prompt_id(name: &str) -> String {
    pascal(name) + "Prompt"
}

/// A knowledge base.
pub(super) fn knowledge_base_id(name: &str) -> String {
    pascal(name) + "KnowledgeBase"
}

/// A flow.
pub(super) fn flow_id(name: &str) -> String {
    pascal(name) + "Flow"
}

/// A user pool.
pub(super) fn user_pool_id(name: &str) -> String {
    pascal(name) + "UserPool"
}

/// The logical id of an app that people sign in to.
pub(super) fn user_pool_client_id(pool: &str, client: &str) -> String {
    format!("{}{}Client", user_pool_id(pool), pascal(client))
}
