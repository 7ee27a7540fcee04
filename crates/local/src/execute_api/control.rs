//! The part of API Gateway's own API that a caller needs before the first call: the values of API keys.

use std::sync::Arc;

use http::Method;
use rusqlite::Transaction;
use serde_json::{Value, json};

use super::reply::Reply;
use super::state::key_value;
use super::websocket;
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::scalar::text;
use crate::ground::{ApiError, Host, RequiredPermission};
use crate::protocol::errors::operation_name;
use crate::protocol::service::{Registration, Service, ServiceAnswer, ServiceCall, ServiceRequest, unsimulated};

/// What is simulated: its path, with `*` for an id, and how it is answered.
const SIMULATED: &[(&str, &str, ApiKeyHandler)] = &[("GetApiKey", "/apikeys/*", one), ("GetApiKeys", "/apikeys", all)];

type ApiKeyHandler = fn(&[StoredResource], &ApiKeyCall) -> Reply;

/// The service in the registry. `@connections` is no part of it: who manages connections signs for the API they belong to.
pub const SERVICE: Registration = Registration { schemas: &[], start: |_| Box::new(ApiGatewayService) };

/// API Gateway's own API for the server.
#[derive(Debug)]
struct ApiGatewayService;

impl Service for ApiGatewayService {
    fn signing_names(&self) -> Vec<&'static str> {
        vec!["apigateway"]
    }

    fn operations(&self) -> Vec<(&'static str, &'static str)> {
        let own = SIMULATED.iter().map(|(operation, ..)| ("apigateway", *operation));
        let connections = websocket::operations().into_iter().map(|operation| ("apigatewaymanagementapi", operation));
        own.chain(connections).collect()
    }

    fn parse(&self, request: ServiceRequest) -> Result<Box<dyn ServiceCall>, ApiError> {
        let path = request.uri.path().trim_end_matches('/');
        let found = SIMULATED.iter().find_map(|(_, pattern, handler)| match pattern.strip_suffix('*') {
            Some(prefix) => path.strip_prefix(prefix).filter(|id| !id.contains('/')).map(|id| (id, *handler)),
            None => (path == *pattern).then_some(("", *handler)),
        });
        let Some((id, handler)) = found.filter(|_| request.method == Method::GET) else {
            return unsimulated("apigateway", &request);
        };
        let named = operation_name(&request.headers, &request.method, &request.uri);
        let parameters = super::call::pairs(request.uri.query().unwrap_or_default());
        Ok(Box::new(ApiKeyCall { id: id.to_owned(), parameters, handler, named, region: request.context.region }))
    }
}

/// What a request names.
struct ApiKeyCall {
    id: String,
    parameters: Vec<(String, String)>,
    handler: ApiKeyHandler,
    /// What the request is refused by.
    named: String,
    region: String,
}

impl ApiKeyCall {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl ServiceCall for ApiKeyCall {
    fn operation(&self) -> String {
        self.named.clone()
    }

    /// For the administrator only: a role's rights to API Gateway's own API are not simulated.
    fn required_permissions(&self, _: &Transaction<'_>) -> Result<Vec<RequiredPermission>, ApiError> {
        Err(ApiError::not_implemented("apigateway", &self.named))
    }

    fn handle(self: Box<Self>, host: Arc<Host>) -> ServiceAnswer {
        Box::pin(async move {
            let region = self.region.clone();
            let keys = host.store.read(move |tx| -> Result<_, ApiError> {
                Ok(resource_table::of_type(tx, "AWS::ApiGateway::ApiKey", Some(&region))?)
            });
            let reply = match keys.await {
                Ok(keys) => (self.handler)(&keys, &self),
                Err(error) => Reply::message(error.status.as_u16(), &error.code, &error.message),
            };
            Ok(reply.into_response())
        })
    }
}

fn all(keys: &[StoredResource], call: &ApiKeyCall) -> Reply {
    let with_values = call.parameter("includeValues") == Some("true");
    let items: Vec<Value> = keys
        .iter()
        .map(|key| described(key, with_values))
        .filter(|key| {
            let start = call.parameter("name");
            start.is_none_or(|start| text(key, "name").is_some_and(|name| name.starts_with(start)))
        })
        .collect();
    Reply::json(200, &json!({ "item": items }))
}

fn one(keys: &[StoredResource], call: &ApiKeyCall) -> Reply {
    match keys.iter().find(|key| key.id == call.id) {
        Some(key) => Reply::json(200, &described(key, call.parameter("includeValue") == Some("true"))),
        None => Reply::message(404, "NotFoundException", "Invalid API Key identifier specified"),
    }
}

fn described(key: &StoredResource, with_value: bool) -> Value {
    let mut told = json!({
        "id": key.id,
        "name": text(&key.properties, "Name").unwrap_or_else(|| key.logical_id.clone()),
        "enabled": text(&key.properties, "Enabled").as_deref() == Some("true"),
        "stageKeys": [],
    });
    if let Some(description) = text(&key.properties, "Description") {
        told["description"] = json!(description);
    }
    if with_value {
        told["value"] = json!(key_value(key));
    }
    told
}
