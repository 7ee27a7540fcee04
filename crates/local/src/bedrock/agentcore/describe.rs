//! Harnesses, gateways and targets as the API shows them.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, api_names, missing, page, without_nulls};
use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};

fn text(thing: &StoredResource, name: &str) -> Value {
    thing.properties.get(name).cloned().unwrap_or_default()
}

fn named(thing: &StoredResource, name: &str) -> Value {
    thing.properties.get(name).map(api_names).unwrap_or_default()
}

fn attribute(thing: &StoredResource, name: &str) -> Value {
    thing.attributes.get(name).cloned().unwrap_or_default()
}

fn list(thing: &StoredResource, name: &str) -> Value {
    match named(thing, name) {
        Value::Null => json!([]),
        other => other,
    }
}

fn none(what: &str, id: &str) -> ApiError {
    missing(format!("{what} with identifier {id} does not exist"))
}

/// A harness by its id or ARN.
pub(super) fn harness(db: &Connection, region: &str, id: &str) -> Result<StoredResource, ApiError> {
    let made = resource_table::of_type(db, "AWS::BedrockAgentCore::Harness", Some(region))?;
    let is = |known: &str| known == id || known.rsplit_once('/').is_some_and(|(_, tail)| tail == id);
    made.into_iter().find(|thing| is(&thing.id)).ok_or_else(|| none("Harness", id))
}

/// A gateway by its id or ARN.
pub(super) fn gateway(db: &Connection, region: &str, id: &str) -> Result<StoredResource, ApiError> {
    let tail = id.rsplit_once('/').map_or(id, |(_, tail)| tail);
    resource_table::find(db, "AWS::BedrockAgentCore::Gateway", region, tail)?.ok_or_else(|| none("Gateway", id))
}

/// The targets of a gateway.
pub(super) fn targets(db: &Connection, region: &str, gateway: &str) -> Result<Vec<StoredResource>, ApiError> {
    let mut made = resource_table::of_type(db, "AWS::BedrockAgentCore::GatewayTarget", Some(region))?;
    made.retain(|thing| thing.id.split_once('|').is_some_and(|(of, _)| of == gateway));
    Ok(made)
}

fn harness_summary(thing: &StoredResource) -> Value {
    without_nulls(json!({
        "harnessId": attribute(thing, "HarnessId"),
        "harnessName": text(thing, "HarnessName"),
        "arn": thing.id,
        "status": "READY",
        "harnessVersion": attribute(thing, "Version"),
        "createdAt": attribute(thing, "CreatedAt"),
        "updatedAt": attribute(thing, "UpdatedAt"),
    }))
}

/// `GetHarness`.
pub(in crate::bedrock) fn get_harness(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let thing = harness(db, &call.region, call.label("harnessId"))?;
    let mut told = harness_summary(&thing);
    let more = json!({
        "executionRoleArn": text(&thing, "ExecutionRoleArn"),
        "model": named(&thing, "Model"),
        "systemPrompt": list(&thing, "SystemPrompt"),
        "tools": list(&thing, "Tools"),
        "skills": list(&thing, "Skills"),
        "allowedTools": list(&thing, "AllowedTools"),
        "truncation": {"strategy": "sliding_window"},
        "environment": named(&thing, "Environment"),
        "memory": named(&thing, "Memory"),
        "maxIterations": text(&thing, "MaxIterations"),
        "maxTokens": text(&thing, "MaxTokens"),
        "timeoutSeconds": text(&thing, "TimeoutSeconds"),
    });
    if let (Some(told), Value::Object(more)) = (told.as_object_mut(), without_nulls(more)) {
        told.extend(more);
    }
    Ok(BedrockAnswer::Json(json!({ "harness": told })))
}

/// `ListHarnesses`.
pub(in crate::bedrock) fn list_harnesses(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let made = resource_table::of_type(db, "AWS::BedrockAgentCore::Harness", Some(&call.region))?;
    page(call, "harnesses", made.iter().map(harness_summary).collect())
}

fn gateway_summary(thing: &StoredResource) -> Value {
    without_nulls(json!({
        "gatewayId": thing.id,
        "name": text(thing, "Name"),
        "status": "READY",
        "description": text(thing, "Description"),
        "createdAt": attribute(thing, "CreatedAt"),
        "updatedAt": attribute(thing, "UpdatedAt"),
        "authorizerType": text(thing, "AuthorizerType"),
        "protocolType": text(thing, "ProtocolType"),
    }))
}

/// `GetGateway`.
pub(in crate::bedrock) fn get_gateway(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let thing = gateway(db, &call.region, call.label("gatewayIdentifier"))?;
    let mut told = gateway_summary(&thing);
    if let Some(told) = told.as_object_mut() {
        told.insert("gatewayArn".to_owned(), attribute(&thing, "GatewayArn"));
        told.insert("gatewayUrl".to_owned(), attribute(&thing, "GatewayUrl"));
        told.insert("roleArn".to_owned(), text(&thing, "RoleArn"));
    }
    Ok(BedrockAnswer::Json(told))
}

/// `ListGateways`.
pub(in crate::bedrock) fn list_gateways(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let made = resource_table::of_type(db, "AWS::BedrockAgentCore::Gateway", Some(&call.region))?;
    page(call, "items", made.iter().map(gateway_summary).collect())
}

fn target_summary(thing: &StoredResource) -> Value {
    without_nulls(json!({
        "targetId": attribute(thing, "TargetId"),
        "name": text(thing, "Name"),
        "status": "READY",
        "description": text(thing, "Description"),
        "createdAt": attribute(thing, "CreatedAt"),
        "updatedAt": attribute(thing, "UpdatedAt"),
    }))
}

/// `ListGatewayTargets`.
pub(in crate::bedrock) fn list_targets(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let gateway = gateway(db, &call.region, call.label("gatewayIdentifier"))?;
    page(call, "items", targets(db, &call.region, &gateway.id)?.iter().map(target_summary).collect())
}

/// `GetGatewayTarget`.
pub(in crate::bedrock) fn get_target(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let gateway = gateway(db, &call.region, call.label("gatewayIdentifier"))?;
    let id = call.label("targetId");
    let made = targets(db, &call.region, &gateway.id)?;
    let is = |thing: &&StoredResource| thing.id.split_once('|').is_some_and(|(_, known)| known == id);
    let thing = made.iter().find(is).ok_or_else(|| none("Gateway target", id))?;
    let mut told = target_summary(thing);
    if let Some(told) = told.as_object_mut() {
        told.insert("gatewayArn".to_owned(), attribute(&gateway, "GatewayArn"));
        told.insert("targetConfiguration".to_owned(), named(thing, "TargetConfiguration"));
        told.insert("credentialProviderConfigurations".to_owned(), list(thing, "CredentialProviderConfigurations"));
    }
    Ok(BedrockAnswer::Json(told))
}
