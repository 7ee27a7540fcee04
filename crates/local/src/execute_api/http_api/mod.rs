//! HTTP APIs: one request from its route to its answer.
//!
//! | file | holds |
//! | --- | --- |
//! | [`exchange`] | what is known of a request on its way |
//! | [`route`] | which route a request is for |
//! | [`cors`] | pages of other origins |
//! | [`authorize`] | who may call |
//! | [`event`] | the event of payload formats 1.0 and 2.0 |
//! | [`integrate`] | functions and HTTP addresses |

mod authorize;
mod cors;
mod event;
mod exchange;
mod integrate;
mod route;

use super::call::ApiCall;
use super::limits::Throttle;
use super::reply::Reply;
use super::state::{self, V2};
use crate::execute_api::gateway::ApiGateway;
pub(super) use exchange::part;
use exchange::{Exchange, message};

/// What an account may have in a region unless AWS raised it. Source: API Gateway quotas, account-level throttling.
const ACCOUNT: Throttle = Throttle { rate: 10_000.0, burst: 5_000.0 };

/// Answers a request to an HTTP API.
pub(super) async fn answer(gateway: &ApiGateway, v2: &V2, call: &ApiCall) -> Reply {
    let not_found = || message(404, "Not Found");
    if v2.api.properties.get("Body").is_some() || v2.api.properties.get("BodyS3Location").is_some() {
        return Reply::not_simulated("HTTP APIs that are defined by an OpenAPI document");
    }
    if v2.api.properties.get("Target").is_some() {
        return Reply::not_simulated("HTTP APIs made with `Target`: give them routes and integrations");
    }
    let Some(stage) = &v2.stage else { return not_found() };
    let rules = v2.api.properties.get("CorsConfiguration");
    // A browser's question is API Gateway's to answer, whatever the routes are.
    if let Some(reply) = rules.and_then(|rules| cors::preflight(rules, call)) {
        return reply;
    }
    let Some(found) = route::find(&v2.parts, call.method.as_str(), &call.path) else {
        return cors::with_headers(rules, call, not_found());
    };
    let mut exchange = Exchange {
        gateway,
        api: &v2.api,
        stage,
        stage_in_path: v2.stage_in_path,
        parts: &v2.parts,
        call,
        route_key: found.key,
        route: found.route,
        path: found.parameters,
        authorizer: None,
    };
    let reply = match carry_out(&mut exchange).await {
        Ok(reply) | Err(reply) => reply,
    };
    cors::with_headers(rules, call, reply)
}

async fn carry_out(exchange: &mut Exchange<'_>) -> Result<Reply, Reply> {
    exchange.throttle()?;
    authorize::authorize(exchange).await?;
    integrate::integrate(exchange).await
}

impl Exchange<'_> {
    fn throttle(&self) -> Result<(), Reply> {
        let here = format!("{}/{}", self.api.id, self.stage.id);
        let settings = self.stage.properties.get("RouteSettings").and_then(|all| all.get(&self.route_key));
        let own = settings.and_then(state::setting).map(|it| (format!("{here} {}", self.route_key), it));
        let all = || {
            let settings = self.stage.properties.get("DefaultRouteSettings")?;
            // The stage's limits hold for each route by itself.
            state::setting(settings).map(|it| (format!("{here} {}", self.route_key), it))
        };
        let (name, throttle) = own.or_else(all).unwrap_or((format!("account/{}", self.api.region), ACCOUNT));
        if self.gateway.limits.lets(&name, throttle, self.call.at) {
            Ok(())
        } else {
            Err(message(429, "Too Many Requests"))
        }
    }
}
