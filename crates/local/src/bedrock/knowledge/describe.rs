//! Knowledge bases and data sources as the API shows them.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::base::{source_thing, thing};
use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, api_names, page, without_nulls};
use crate::ground::resource_table::{self, StoredResource};

/// A property under the API's names.
fn named(thing: &StoredResource, name: &str) -> Value {
    thing.properties.get(name).map(api_names).unwrap_or_default()
}

fn text(thing: &StoredResource, name: &str) -> Value {
    thing.properties.get(name).cloned().unwrap_or_default()
}

fn attribute(thing: &StoredResource, name: &str) -> Value {
    thing.attributes.get(name).cloned().unwrap_or_default()
}

/// `GetKnowledgeBase`.
pub(in crate::bedrock) fn get_base(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let thing = thing(db, &call.region, call.label("knowledgeBaseId"))?;
    Ok(BedrockAnswer::Json(without_nulls(json!({"knowledgeBase": {
        "knowledgeBaseId": thing.id,
        "name": text(&thing, "Name"),
        "knowledgeBaseArn": attribute(&thing, "KnowledgeBaseArn"),
        "description": text(&thing, "Description"),
        "roleArn": text(&thing, "RoleArn"),
        "knowledgeBaseConfiguration": named(&thing, "KnowledgeBaseConfiguration"),
        "storageConfiguration": named(&thing, "StorageConfiguration"),
        "status": "ACTIVE",
        "createdAt": attribute(&thing, "CreatedAt"),
        "updatedAt": attribute(&thing, "UpdatedAt"),
    }}))))
}

/// `ListKnowledgeBases`.
pub(in crate::bedrock) fn list_bases(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let made = resource_table::of_type(db, "AWS::Bedrock::KnowledgeBase", Some(&call.region))?;
    let summaries = made.iter().map(|thing| {
        without_nulls(json!({
            "knowledgeBaseId": thing.id,
            "name": text(thing, "Name"),
            "description": text(thing, "Description"),
            "status": "ACTIVE",
            "updatedAt": attribute(thing, "UpdatedAt"),
        }))
    });
    page(call, "knowledgeBaseSummaries", summaries.collect())
}

/// `GetDataSource`.
pub(in crate::bedrock) fn get_source(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let (base, id) = (call.label("knowledgeBaseId"), call.label("dataSourceId"));
    let thing = source_thing(db, &call.region, base, id)?;
    let mut configuration = named(&thing, "DataSourceConfiguration");
    // A connector's parameters are the connector's own.
    let pointer = "/ManagedKnowledgeBaseConnectorConfiguration/ConnectorParameters";
    let parameters = thing.properties.pointer(&format!("/DataSourceConfiguration{pointer}"));
    let place = "/managedKnowledgeBaseConnectorConfiguration/connectorParameters";
    if let (Some(parameters), Some(place)) = (parameters, configuration.pointer_mut(place)) {
        *place = parameters.clone();
    }
    Ok(BedrockAnswer::Json(without_nulls(json!({"dataSource": {
        "knowledgeBaseId": base,
        "dataSourceId": id,
        "name": text(&thing, "Name"),
        "status": "AVAILABLE",
        "description": text(&thing, "Description"),
        "dataSourceConfiguration": configuration,
        "vectorIngestionConfiguration": named(&thing, "VectorIngestionConfiguration"),
        "dataDeletionPolicy": text(&thing, "DataDeletionPolicy"),
        "createdAt": attribute(&thing, "CreatedAt"),
        "updatedAt": attribute(&thing, "UpdatedAt"),
    }}))))
}

/// `ListDataSources`.
pub(in crate::bedrock) fn list_sources(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let base = call.label("knowledgeBaseId");
    thing(db, &call.region, base)?;
    let made = resource_table::of_type(db, "AWS::Bedrock::DataSource", Some(&call.region))?;
    let of_base = made.iter().filter_map(|thing| Some((thing, thing.id.split_once('|')?)));
    let summaries = of_base.filter(|(_, (of, _))| *of == base).map(|(thing, (_, id))| {
        without_nulls(json!({
            "knowledgeBaseId": base,
            "dataSourceId": id,
            "name": text(thing, "Name"),
            "status": "AVAILABLE",
            "description": text(thing, "Description"),
            "updatedAt": attribute(thing, "UpdatedAt"),
        }))
    });
    page(call, "dataSourceSummaries", summaries.collect())
}
