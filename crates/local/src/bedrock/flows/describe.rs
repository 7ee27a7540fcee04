//! Flows, their versions and aliases: found by any of their names, and as the API shows them.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, api_names, missing, page, without_nulls};
use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};

/// The alias that every flow has, which runs its draft. Source: Bedrock API reference, `InvokeFlow`.
const TEST_ALIAS: &str = "TSTALIASID";

fn none(what: &str, id: &str) -> ApiError {
    missing(format!("The {what} {id} is not there; check the identifier"))
}

fn attribute(thing: &StoredResource, name: &str) -> Value {
    thing.attributes.get(name).cloned().unwrap_or_default()
}

fn is(thing: &StoredResource, name: &str, id: &str) -> bool {
    thing.attributes.get(name).and_then(Value::as_str) == Some(id)
}

/// A flow by its id or ARN.
fn flow(db: &Connection, region: &str, id: &str) -> Result<StoredResource, ApiError> {
    let made = resource_table::of_type(db, "AWS::Bedrock::Flow", Some(region))?;
    made.into_iter().find(|thing| thing.id == id || is(thing, "Id", id)).ok_or_else(|| none("flow", id))
}

/// The versions of a flow, oldest first.
fn versions(db: &Connection, region: &str, flow: &StoredResource) -> Result<Vec<StoredResource>, ApiError> {
    let mut made = resource_table::of_type(db, "AWS::Bedrock::FlowVersion", Some(region))?;
    made.retain(|thing| thing.id.split_once('|').is_some_and(|(arn, _)| arn == flow.id));
    Ok(made)
}

fn version(db: &Connection, region: &str, flow: &StoredResource, number: &str) -> Result<StoredResource, ApiError> {
    let made = versions(db, region, flow)?.into_iter().find(|thing| is(thing, "Version", number));
    made.ok_or_else(|| none("version of the flow,", number))
}

fn aliases(db: &Connection, region: &str, flow: &StoredResource) -> Result<Vec<StoredResource>, ApiError> {
    let mut made = resource_table::of_type(db, "AWS::Bedrock::FlowAlias", Some(region))?;
    made.retain(|thing| thing.id.split_once('|').is_some_and(|(_, arn)| arn == flow.id));
    Ok(made)
}

fn alias(db: &Connection, region: &str, flow: &StoredResource, id: &str) -> Result<StoredResource, ApiError> {
    let made = aliases(db, region, flow)?.into_iter().find(|thing| is(thing, "Id", id) || is(thing, "Arn", id));
    made.ok_or_else(|| none("alias of the flow,", id))
}

/// What an alias runs.
#[derive(Debug, Clone)]
pub(super) struct FoundFlow {
    /// The flow's ARN.
    pub flow: String,
    /// The alias's ARN.
    pub alias: String,
    /// The flow's properties as they were when its version was made.
    pub properties: Value,
}

/// The flow that an alias runs, each by id or ARN.
///
/// # Errors
///
/// When either is not there.
pub(super) fn find(db: &Connection, region: &str, id: &str, alias_id: &str) -> Result<FoundFlow, ApiError> {
    let flow = flow(db, region, id)?;
    if alias_id.rsplit('/').next() == Some(TEST_ALIAS) {
        let alias = format!("{}/alias/{TEST_ALIAS}", flow.id);
        return Ok(FoundFlow { flow: flow.id, alias, properties: flow.properties });
    }
    let alias = alias(db, region, &flow, alias_id)?;
    let number = alias.properties.pointer("/RoutingConfiguration/0/FlowVersion").and_then(Value::as_str);
    let properties = match number.unwrap_or_default() {
        "DRAFT" => flow.properties.clone(),
        number => version(db, region, &flow, number)?.state,
    };
    let alias = attribute(&alias, "Arn").as_str().unwrap_or_default().to_owned();
    Ok(FoundFlow { flow: flow.id, alias, properties })
}

fn told(flow: &StoredResource, version: Option<&StoredResource>, whole: bool) -> Value {
    let content = version.map_or(&flow.properties, |version| &version.state);
    let thing = version.unwrap_or(flow);
    let field = |name: &str| content.get(name).cloned().unwrap_or_default();
    without_nulls(json!({
        "id": attribute(flow, "Id"),
        "arn": flow.id,
        "name": field("Name"),
        "description": thing.properties.get("Description"),
        "executionRoleArn": field("ExecutionRoleArn"),
        "customerEncryptionKeyArn": field("CustomerEncryptionKeyArn"),
        "status": "Prepared",
        "version": version.map_or_else(|| json!("DRAFT"), |version| attribute(version, "Version")),
        "definition": if whole { api_names(&field("Definition")) } else { Value::Null },
        "createdAt": attribute(thing, "CreatedAt"),
        "updatedAt": if version.is_none() { attribute(thing, "UpdatedAt") } else { Value::Null },
    }))
}

fn whole(call: &BedrockRequest) -> bool {
    call.query.get("includedData").is_none_or(|data| data != "METADATA_ONLY")
}

/// `GetFlow`.
pub(in crate::bedrock) fn get(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    Ok(BedrockAnswer::Json(told(&flow(db, &call.region, call.label("flowIdentifier"))?, None, whole(call))))
}

/// `ListFlows`.
pub(in crate::bedrock) fn list(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let made = resource_table::of_type(db, "AWS::Bedrock::Flow", Some(&call.region))?;
    page(call, "flowSummaries", made.iter().map(|flow| told(flow, None, false)).collect())
}

/// `GetFlowVersion`.
pub(in crate::bedrock) fn get_version(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let flow = flow(db, &call.region, call.label("flowIdentifier"))?;
    let version = version(db, &call.region, &flow, call.label("flowVersion"))?;
    Ok(BedrockAnswer::Json(told(&flow, Some(&version), whole(call))))
}

/// `ListFlowVersions`.
pub(in crate::bedrock) fn list_versions(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let flow = flow(db, &call.region, call.label("flowIdentifier"))?;
    let made = versions(db, &call.region, &flow)?;
    page(call, "flowVersionSummaries", made.iter().map(|version| told(&flow, Some(version), false)).collect())
}

fn told_alias(thing: &StoredResource) -> Value {
    without_nulls(json!({
        "id": attribute(thing, "Id"),
        "arn": attribute(thing, "Arn"),
        "flowId": attribute(thing, "FlowId"),
        "name": thing.properties.get("Name"),
        "description": thing.properties.get("Description"),
        "routingConfiguration": thing.properties.get("RoutingConfiguration").map(api_names),
        "concurrencyConfiguration": thing.properties.get("ConcurrencyConfiguration").map(api_names),
        "createdAt": attribute(thing, "CreatedAt"),
        "updatedAt": attribute(thing, "UpdatedAt"),
    }))
}

/// `GetFlowAlias`.
pub(in crate::bedrock) fn get_alias(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let flow = flow(db, &call.region, call.label("flowIdentifier"))?;
    Ok(BedrockAnswer::Json(told_alias(&alias(db, &call.region, &flow, call.label("aliasIdentifier"))?)))
}

/// `ListFlowAliases`.
pub(in crate::bedrock) fn list_aliases(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let flow = flow(db, &call.region, call.label("flowIdentifier"))?;
    page(call, "flowAliasSummaries", aliases(db, &call.region, &flow)?.iter().map(told_alias).collect())
}
