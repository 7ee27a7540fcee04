//! One request to a REST API, as far as it is known on its way.

use serde_json::{Map, Value};

use super::api::RestApi;
use crate::execute_api::call::ApiCall;
use crate::execute_api::gateway::ApiGateway;
use crate::execute_api::state;
use crate::ground::ACCOUNT_ID;
use crate::ground::resource_table::StoredResource;
use crate::ground::scalar::text;

/// One request on its way through an API.
pub(in crate::execute_api) struct Exchange<'a> {
    pub gateway: &'a ApiGateway,
    pub api: &'a RestApi,
    /// The API's id.
    pub id: &'a str,
    pub region: &'a str,
    pub stage: &'a StoredResource,
    pub call: &'a ApiCall,
    pub resource_id: String,
    pub resource_path: String,
    pub method: &'a Value,
    /// Path parameters.
    pub path: Vec<(String, String)>,
    /// What the authorizer said, as `$context.authorizer`.
    pub authorizer: Map<String, Value>,
    /// `$context.identity`.
    pub identity: Map<String, Value>,
}

impl Exchange<'_> {
    /// The stage's name.
    pub fn stage_name(&self) -> &str {
        &self.stage.id
    }

    /// The stage's variables.
    pub fn stage_variables(&self) -> Map<String, Value> {
        state::texts(self.stage.properties.get("Variables"))
    }

    /// The ARN of this very call.
    pub fn method_arn(&self) -> String {
        format!(
            "arn:aws:execute-api:{}:{ACCOUNT_ID}:{}/{}/{}/{}",
            self.region,
            self.id,
            self.stage_name(),
            self.call.method,
            self.call.path.trim_start_matches('/')
        )
    }

    /// The ARN by which Lambda knows the method.
    pub fn source_arn(&self) -> String {
        let verb = text(self.method, "HttpMethod").unwrap_or_default();
        let verb = if verb == "ANY" { "*".to_owned() } else { verb };
        // A variable of the path is whatever was called: permissions name it `*`.
        format!(
            "arn:aws:execute-api:{}:{ACCOUNT_ID}:{}/{}/{verb}{}",
            self.region,
            self.id,
            self.stage_name(),
            self.resource_path
        )
    }

    /// The stage's settings for this method, the most particular first, each with whether it is the method's own.
    pub fn settings(&self) -> Vec<(bool, &Value)> {
        let settings = self.stage.properties.get("MethodSettings").and_then(Value::as_array);
        let verb = text(self.method, "HttpMethod").unwrap_or_default();
        // A path is written with `~1` for its slashes, after one of its own.
        let path = format!("/{}", self.resource_path.replace('/', "~1"));
        let find = |paths: &[&str], verb: &str| {
            settings.into_iter().flatten().find(|setting| {
                text(setting, "ResourcePath").is_some_and(|own| paths.contains(&own.as_str()))
                    && text(setting, "HttpMethod").as_deref() == Some(verb)
            })
        };
        let own = find(&[&path, &self.resource_path], &verb).map(|setting| (true, setting));
        own.into_iter().chain(find(&["/*"], "*").map(|setting| (false, setting))).collect()
    }
}
