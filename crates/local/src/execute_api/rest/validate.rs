//! Request validators: what a request must have before anything behind the API hears of it.

use serde_json::Value;

use super::exchange::Exchange;
use super::refusal::{GatewayResponse, RestRefusal};
use crate::execute_api::schema;
use crate::ground::scalar::text;

/// Refuses a request that lacks a parameter or whose body does not fit its model.
pub(super) fn validate(exchange: &Exchange<'_>) -> Result<(), RestRefusal> {
    let Some(id) = text(exchange.method, "RequestValidatorId") else { return Ok(()) };
    let Some(validator) = exchange.api.validators.get(&id) else {
        return Err(RestRefusal::of(GatewayResponse::ApiConfiguration));
    };
    let asks = |name: &str| text(validator, name).as_deref() == Some("true");
    if asks("ValidateRequestParameters") {
        let missing = missing(exchange);
        if !missing.is_empty() {
            let message = format!("Missing required request parameters: [{}]", missing.join(", "));
            return Err(RestRefusal::saying(GatewayResponse::BadParameters, message));
        }
    }
    if asks("ValidateRequestBody") { body(exchange) } else { Ok(()) }
}

/// The required parameters a request does not have; an empty value is none.
fn missing(exchange: &Exchange<'_>) -> Vec<String> {
    let parameters = exchange.method.get("RequestParameters").and_then(Value::as_object);
    let required = parameters
        .into_iter()
        .flatten()
        .filter(|(_, required)| matches!(required, Value::Bool(true)) || required.as_str() == Some("true"));
    required
        .filter_map(|(name, _)| {
            let (place, name) = name.strip_prefix("method.request.")?.split_once('.')?;
            let value = match place {
                "querystring" => exchange.call.parameter(name),
                "header" => exchange.call.header(name),
                "path" => exchange.path.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()),
                _ => return None,
            };
            value.is_none_or(str::is_empty).then(|| name.to_owned())
        })
        .collect()
}

fn body(exchange: &Exchange<'_>) -> Result<(), RestRefusal> {
    let models = exchange.method.get("RequestModels").and_then(Value::as_object);
    let Some(models) = models.filter(|models| !models.is_empty()) else { return Ok(()) };
    let media = exchange.call.media_type().unwrap_or_else(|| "application/json".to_owned());
    let Some(name) = models.get(&media).or_else(|| models.get("$default")).and_then(Value::as_str) else {
        return Ok(());
    };
    let schema = match (exchange.api.models.get(name).and_then(|model| model.get("Schema")), name) {
        (Some(Value::String(text)), _) => {
            serde_json::from_str(text).map_err(|_| RestRefusal::of(GatewayResponse::ApiConfiguration))?
        }
        (Some(schema), _) => schema.clone(),
        // Models that every API has.
        (None, "Empty") => return Ok(()),
        (None, "Error") => serde_json::json!({ "type": "object", "properties": { "message": { "type": "string" } } }),
        (None, _) => return Err(RestRefusal::of(GatewayResponse::ApiConfiguration)),
    };
    let Ok(value) = serde_json::from_slice::<Value>(&exchange.call.body) else {
        return Err(RestRefusal::body("[the body is no JSON]".to_owned()));
    };
    let misfits = schema::misfits(&schema, &value);
    if misfits.is_empty() { Ok(()) } else { Err(RestRefusal::body(format!("[{}]", misfits.join(", ")))) }
}
