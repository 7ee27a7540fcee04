//! API keys, usage plans and throttles.

use serde_json::json;

use super::exchange::Exchange;
use super::refusal::{GatewayResponse, RestRefusal};
use crate::execute_api::limits::Throttle;
use crate::execute_api::state;
use crate::ground::ApiError;
use crate::ground::scalar::text;

/// What an account may have in a region unless AWS raised it. Source: API Gateway quotas, account-level throttling.
const ACCOUNT: Throttle = Throttle { rate: 10_000.0, burst: 5_000.0 };

/// Refuses a request without a valid key where one is required, and one too many.
pub(super) async fn check(exchange: &mut Exchange<'_>) -> Result<(), RestRefusal> {
    let route = format!("{}/{}", exchange.resource_path, text(exchange.method, "HttpMethod").unwrap_or_default());
    let now = exchange.call.at;
    let limits = &exchange.gateway.limits;
    let here = format!("{}/{}", exchange.id, exchange.stage_name());
    if text(exchange.method, "ApiKeyRequired").as_deref() == Some("true") {
        let key = find(exchange, &route).await?.ok_or_else(|| RestRefusal::of(GatewayResponse::InvalidKey))?;
        exchange.identity.insert("apiKey".to_owned(), json!(key.value));
        exchange.identity.insert("apiKeyId".to_owned(), json!(key.id));
        let name = format!("{}/{}/{here}", key.plan, key.id);
        let throttled = key.method_throttle.is_some_and(|it| !limits.lets(&format!("{name}/{route}"), it, now))
            || key.throttle.is_some_and(|it| !limits.lets(&name, it, now));
        if throttled {
            return Err(RestRefusal::of(GatewayResponse::Throttled));
        }
        if key.quota.is_some_and(|quota| !limits.counts(&format!("{}/{}", key.plan, key.id), quota, now)) {
            return Err(RestRefusal::of(GatewayResponse::QuotaExceeded));
        }
    }
    let set = exchange.settings().into_iter().find_map(|(own, settings)| Some((own, state::setting(settings)?)));
    let (name, throttle) = match set {
        Some((true, throttle)) => (format!("{here}{route}"), throttle),
        Some((false, throttle)) => (here, throttle),
        None => (format!("account/{}", exchange.region), ACCOUNT),
    };
    if limits.lets(&name, throttle, now) { Ok(()) } else { Err(RestRefusal::of(GatewayResponse::Throttled)) }
}

async fn find(exchange: &Exchange<'_>, route: &str) -> Result<Option<state::UsageKey>, RestRefusal> {
    let from_authorizer = text(&exchange.api.properties, "ApiKeySourceType").as_deref() == Some("AUTHORIZER");
    let given = if from_authorizer {
        exchange.authorizer.get("usageIdentifierKey").and_then(|key| key.as_str()).map(str::to_owned)
    } else {
        exchange.call.header("x-api-key").map(str::to_owned)
    };
    let Some(given) = given else { return Ok(None) };
    let (region, api) = (exchange.region.to_owned(), exchange.id.to_owned());
    let (stage, route) = (exchange.stage_name().to_owned(), route.to_owned());
    exchange
        .gateway
        .host
        .store
        .read::<_, ApiError>(move |tx| state::key(tx, &region, &api, &stage, &route, &given))
        .await
        .map_err(|error| RestRefusal::broken(500, error.to_string()))
}
