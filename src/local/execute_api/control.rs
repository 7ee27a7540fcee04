//! The part of API Gateway's own API that a caller needs before the first call: the values of API keys.

use http::{Method, Uri};
use serde_json::{Value, json};

use super::reply::Reply;
use super::state::key_value;
use crate::local::Host;
use crate::local::errors::ApiError;
use crate::local::resources::text;
use crate::local::resources::world::{self, Thing};

/// `GetApiKey` and `GetApiKeys`; nothing for everything else.
pub(super) async fn answer(host: &Host, method: &Method, uri: &Uri, region: &str) -> Option<Reply> {
    if *method != Method::GET {
        return None;
    }
    let rest = uri.path().strip_prefix("/apikeys")?;
    let parameters = super::call::pairs(uri.query().unwrap_or_default());
    let asks = |name: &str| parameters.iter().any(|(known, value)| known == name && value == "true");
    let region = region.to_owned();
    let keys = host
        .store
        .read::<_, ApiError>(move |tx| Ok(world::of_type(tx, "AWS::ApiGateway::ApiKey", Some(&region))?))
        .await;
    let keys = match keys {
        Ok(keys) => keys,
        Err(error) => return Some(Reply::message(error.status.as_u16(), &error.code, &error.message)),
    };
    if rest.is_empty() || rest == "/" {
        let query = parameters.iter().find(|(name, _)| name == "name").map(|(_, value)| value.as_str());
        let items: Vec<Value> = keys
            .iter()
            .map(|key| described(key, asks("includeValues")))
            .filter(|key| query.is_none_or(|name| text(key, "name").is_some_and(|own| own.starts_with(name))))
            .collect();
        return Some(Reply::json(200, &json!({ "item": items })));
    }
    let id = rest.strip_prefix('/')?;
    Some(match keys.iter().find(|key| key.id == id) {
        Some(key) => Reply::json(200, &described(key, asks("includeValue"))),
        None => Reply::message(404, "NotFoundException", "Invalid API Key identifier specified"),
    })
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
