//! HTTP and WebSocket APIs: a deployment keeps a picture of its API for stages that do not deploy by themselves.

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::world::{self, Thing};
use super::{Failure, Handler, Made, Work, generic, text};

/// What a stage serves.
const PARTS: &[(&str, &str)] = &[
    ("Routes", "AWS::ApiGatewayV2::Route"),
    ("Integrations", "AWS::ApiGatewayV2::Integration"),
    ("Authorizers", "AWS::ApiGatewayV2::Authorizer"),
    ("RouteResponses", "AWS::ApiGatewayV2::RouteResponse"),
];

/// An API's parts as they are now.
pub(crate) fn parts(db: &Connection, api: &Thing) -> rusqlite::Result<Value> {
    let mut all = Map::new();
    for (name, resource_type) in PARTS {
        let things = world::of_type(db, resource_type, Some(&api.region))?
            .into_iter()
            .filter(|thing| text(&thing.properties, "ApiId").as_deref() == Some(api.id.as_str()))
            .map(|thing| json!({ "Id": thing.id, "Properties": thing.properties }))
            .collect();
        all.insert((*name).to_owned(), Value::Array(things));
    }
    Ok(Value::Object(all))
}

pub(super) struct Deployment;

impl Handler for Deployment {
    fn create(&self, work: &Work<'_>, properties: &Value) -> Result<Made, Failure> {
        let id = text(properties, "ApiId").unwrap_or_default();
        let api = world::find(work.db, "AWS::ApiGatewayV2::Api", &work.site.region, &id)?.ok_or_else(|| {
            let message = format!("Invalid API identifier specified {}:{id}", work.site.account);
            Failure::handler("NotFound", format!("{message} (Service: ApiGatewayV2, Status Code: 404)"))
        })?;
        generic::create_with(work, properties, parts(work.db, &api)?)
    }
}
