//! One request to an HTTP API, as far as it is known on its way.

use serde_json::{Map, Value, json};

use crate::execute_api::call::ApiCall;
use crate::execute_api::gateway::ApiGateway;
use crate::execute_api::reply::Reply;
use crate::execute_api::state;
use crate::ground::ACCOUNT_ID;
use crate::ground::resource_table::StoredResource;
use crate::ground::scalar::text;

/// One request on its way through an API.
pub(in crate::execute_api) struct Exchange<'a> {
    pub gateway: &'a ApiGateway,
    pub api: &'a StoredResource,
    pub stage: &'a StoredResource,
    /// Whether the stage's name is in the path.
    pub stage_in_path: bool,
    pub parts: &'a Value,
    pub call: &'a ApiCall,
    /// The route's key, such as `GET /items/{id}`.
    pub route_key: String,
    pub route: &'a Value,
    pub path: Vec<(String, String)>,
    /// `requestContext.authorizer`.
    pub authorizer: Option<Value>,
}

/// A message in the form HTTP APIs give it.
pub(super) fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "message": text }))
}

impl Exchange<'_> {
    /// The stage's variables.
    pub fn stage_variables(&self) -> Map<String, Value> {
        state::texts(self.stage.properties.get("StageVariables"))
    }

    /// One of the API's parts, by the name of its list and its id.
    pub fn part(&self, list: &str, id: &str) -> Option<&Value> {
        part(self.parts, list, id)
    }

    /// The path with the stage's name, as events have it.
    pub fn whole_path(&self) -> String {
        if self.stage_in_path { format!("/{}{}", self.stage.id, self.call.path) } else { self.call.path.clone() }
    }

    /// The ARN by which Lambda and policies know the route.
    pub fn source_arn(&self) -> String {
        let (method, path) = self.route_key.split_once(' ').unwrap_or(("*", "/$default"));
        let method = if method == "ANY" { "*" } else { method };
        format!("arn:aws:execute-api:{}:{ACCOUNT_ID}:{}/{}/{method}{path}", self.api.region, self.api.id, self.stage.id)
    }
}

/// One of an API's parts, by the name of its list and its id.
pub(in crate::execute_api) fn part<'a>(parts: &'a Value, list: &str, id: &str) -> Option<&'a Value> {
    let list = parts.get(list)?.as_array()?;
    list.iter().find(|part| text(part, "Id").as_deref() == Some(id))?.get("Properties")
}
