//! Agents and aliases as the API shows them.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, missing, page, without_nulls};
use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};

/// The alias that every agent has, which runs its draft.
pub(super) const TEST_ALIAS: &str = "TSTALIASID";

fn none() -> ApiError {
    missing(
        "Failed to retrieve resource because it doesn't exist. Retry your request with a different resource identifier.",
    )
}

/// An agent by its id.
pub(super) fn agent(db: &Connection, region: &str, id: &str) -> Result<StoredResource, ApiError> {
    resource_table::find(db, "AWS::Bedrock::Agent", region, id)?.ok_or_else(none)
}

fn aliases(db: &Connection, region: &str, agent: &str) -> Result<Vec<StoredResource>, ApiError> {
    let mut made = resource_table::of_type(db, "AWS::Bedrock::AgentAlias", Some(region))?;
    made.retain(|thing| thing.id.split_once('|').is_some_and(|(of, _)| of == agent));
    Ok(made)
}

/// Whether an agent has an alias.
pub(super) fn has_alias(db: &Connection, region: &str, agent: &str, alias: &str) -> Result<(), ApiError> {
    let is = |thing: &StoredResource| thing.id.split_once('|').is_some_and(|(_, id)| id == alias);
    if alias == TEST_ALIAS || aliases(db, region, agent)?.iter().any(is) { Ok(()) } else { Err(none()) }
}

fn text(thing: &StoredResource, name: &str) -> Value {
    thing.properties.get(name).cloned().unwrap_or_default()
}

fn attribute(thing: &StoredResource, name: &str) -> Value {
    thing.attributes.get(name).cloned().unwrap_or_default()
}

/// For how many seconds a session is kept.
pub(super) fn idle(thing: &StoredResource) -> i64 {
    let seconds = thing.properties.get("IdleSessionTTLInSeconds");
    seconds.and_then(|it| it.as_i64().or_else(|| it.as_str()?.parse().ok())).unwrap_or(600)
}

fn guardrail(thing: &StoredResource) -> Option<Value> {
    let own = thing.properties.get("GuardrailConfiguration")?;
    Some(
        json!({"guardrailIdentifier": own.get("GuardrailIdentifier"), "guardrailVersion": own.get("GuardrailVersion")}),
    )
}

/// `GetAgent`.
pub(in crate::bedrock) fn get_agent(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let thing = agent(db, &call.region, call.label("agentId"))?;
    Ok(BedrockAnswer::Json(without_nulls(json!({"agent": {
        "agentId": thing.id,
        "agentName": text(&thing, "AgentName"),
        "agentArn": attribute(&thing, "AgentArn"),
        "agentVersion": "DRAFT",
        "agentStatus": "PREPARED",
        "instruction": text(&thing, "Instruction"),
        "foundationModel": text(&thing, "FoundationModel"),
        "description": text(&thing, "Description"),
        "idleSessionTTLInSeconds": idle(&thing),
        "agentResourceRoleArn": text(&thing, "AgentResourceRoleArn"),
        "guardrailConfiguration": guardrail(&thing),
        "createdAt": attribute(&thing, "CreatedAt"),
        "updatedAt": attribute(&thing, "UpdatedAt"),
        "preparedAt": attribute(&thing, "PreparedAt"),
    }}))))
}

/// `ListAgents`.
pub(in crate::bedrock) fn list_agents(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let made = resource_table::of_type(db, "AWS::Bedrock::Agent", Some(&call.region))?;
    let summaries = made.iter().map(|thing| {
        without_nulls(json!({
            "agentId": thing.id,
            "agentName": text(thing, "AgentName"),
            "agentStatus": "PREPARED",
            "description": text(thing, "Description"),
            "updatedAt": attribute(thing, "UpdatedAt"),
            "latestAgentVersion": "DRAFT",
            "guardrailConfiguration": guardrail(thing),
        }))
    });
    page(call, "agentSummaries", summaries.collect())
}

/// `PrepareAgent`: an agent here is always prepared.
pub(in crate::bedrock) fn prepare_agent(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let thing = agent(db, &call.region, call.label("agentId"))?;
    Ok(BedrockAnswer::Json(json!({
        "agentId": thing.id,
        "agentStatus": "PREPARED",
        "agentVersion": "DRAFT",
        "preparedAt": call.stamp(),
    })))
}

fn alias_of(thing: &StoredResource) -> Value {
    without_nulls(json!({
        "agentAliasId": attribute(thing, "AgentAliasId"),
        "agentAliasName": text(thing, "AgentAliasName"),
        "description": text(thing, "Description"),
        "routingConfiguration": [{"agentVersion": "1"}],
        "agentAliasStatus": "PREPARED",
        "createdAt": attribute(thing, "CreatedAt"),
        "updatedAt": attribute(thing, "UpdatedAt"),
        "aliasInvocationState": "ACCEPT_INVOCATIONS",
    }))
}

/// `ListAgentAliases`.
pub(in crate::bedrock) fn list_aliases(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let id = call.label("agentId");
    agent(db, &call.region, id)?;
    page(call, "agentAliasSummaries", aliases(db, &call.region, id)?.iter().map(alias_of).collect())
}

/// `GetAgentAlias`.
pub(in crate::bedrock) fn get_alias(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let (id, alias) = (call.label("agentId"), call.label("agentAliasId"));
    let made = aliases(db, &call.region, id)?;
    let thing = made.iter().find(|thing| thing.id == format!("{id}|{alias}")).ok_or_else(none)?;
    let mut told = alias_of(thing);
    if let Some(told) = told.as_object_mut() {
        told.insert("agentId".to_owned(), json!(id));
        told.insert("agentAliasArn".to_owned(), attribute(thing, "AgentAliasArn"));
    }
    Ok(BedrockAnswer::Json(json!({ "agentAlias": told })))
}
