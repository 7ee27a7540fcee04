//! The parts of an HTTP or WebSocket API as its stages serve them.

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::ground::resource_table::{self, StoredResource};
use crate::ground::scalar::text;

/// What a stage serves.
const PARTS: &[(&str, &str)] = &[
    ("Routes", "AWS::ApiGatewayV2::Route"),
    ("Integrations", "AWS::ApiGatewayV2::Integration"),
    ("Authorizers", "AWS::ApiGatewayV2::Authorizer"),
    ("RouteResponses", "AWS::ApiGatewayV2::RouteResponse"),
];

/// An API's parts as they are now.
pub(crate) fn parts(db: &Connection, api: &StoredResource) -> rusqlite::Result<Value> {
    let mut all = Map::new();
    for (name, resource_type) in PARTS {
        let things = resource_table::of_type(db, resource_type, Some(&api.region))?
            .into_iter()
            .filter(|thing| text(&thing.properties, "ApiId").as_deref() == Some(api.id.as_str()))
            .map(|thing| json!({ "Id": thing.id, "Properties": thing.properties }))
            .collect();
        all.insert((*name).to_owned(), Value::Array(things));
    }
    Ok(Value::Object(all))
}
