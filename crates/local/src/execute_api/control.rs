//! The part of API Gateway's own API that a caller needs before the first call: the values of API keys.

use http::{Method, Uri};
use serde_json::{Value, json};

use super::reply::Reply;
use super::state::key_value;
use crate::ground::scalar::text;
use crate::ground::world::{self, Thing};
use crate::ground::{ApiError, Host};

/// What is simulated: its path, with `*` for an id, and how it is answered.
const SIMULATED: &[(&str, &str, Operation)] = &[("GetApiKey", "/apikeys/*", one), ("GetApiKeys", "/apikeys", all)];

type Operation = fn(&[Thing], &Asked<'_>) -> Reply;

/// What a request names.
struct Asked<'a> {
    id: &'a str,
    parameters: Vec<(String, String)>,
}

impl Asked<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The operations that are simulated.
pub(super) fn operations() -> Vec<&'static str> {
    SIMULATED.iter().map(|(name, ..)| *name).collect()
}

/// Answers what is simulated; nothing for everything else.
pub(super) async fn answer(host: &Host, method: &Method, uri: &Uri, region: &str) -> Option<Reply> {
    if *method != Method::GET {
        return None;
    }
    let path = uri.path().trim_end_matches('/');
    let (id, operation) = SIMULATED.iter().find_map(|(_, pattern, operation)| match pattern.strip_suffix('*') {
        Some(prefix) => path.strip_prefix(prefix).filter(|id| !id.contains('/')).map(|id| (id, operation)),
        None => (path == *pattern).then_some(("", operation)),
    })?;
    let asked = Asked { id, parameters: super::call::pairs(uri.query().unwrap_or_default()) };
    let region = region.to_owned();
    let keys = host
        .store
        .read::<_, ApiError>(move |tx| Ok(world::of_type(tx, "AWS::ApiGateway::ApiKey", Some(&region))?))
        .await;
    Some(match keys {
        Ok(keys) => operation(&keys, &asked),
        Err(error) => Reply::message(error.status.as_u16(), &error.code, &error.message),
    })
}

fn all(keys: &[Thing], asked: &Asked<'_>) -> Reply {
    let with_values = asked.parameter("includeValues") == Some("true");
    let items: Vec<Value> = keys
        .iter()
        .map(|key| described(key, with_values))
        .filter(|key| {
            let start = asked.parameter("name");
            start.is_none_or(|start| text(key, "name").is_some_and(|name| name.starts_with(start)))
        })
        .collect();
    Reply::json(200, &json!({ "item": items }))
}

fn one(keys: &[Thing], asked: &Asked<'_>) -> Reply {
    match keys.iter().find(|key| key.id == asked.id) {
        Some(key) => Reply::json(200, &described(key, asked.parameter("includeValue") == Some("true"))),
        None => Reply::message(404, "NotFoundException", "Invalid API Key identifier specified"),
    }
}

fn described(key: &Thing, with_value: bool) -> Value {
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
