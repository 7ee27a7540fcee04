//! REST APIs: one request from its route to its answer.
//!
//! | file | holds |
//! | --- | --- |
//! | [`api`] | a deployed API, and which resource a path is for |
//! | [`exchange`] | what is known of a request on its way |
//! | [`policy`] | the API's own policy |
//! | [`integration_request`] | what is sent on to whatever is behind a method |
//! | [`context`] | `$context` and the event of proxy integrations and authorizers |
//! | [`authorize`] | who may call |
//! | [`keys`] | API keys, usage plans and throttles |
//! | [`validate`] | request validators |
//! | [`parameters`] | parameter mappings and templates |
//! | [`integrate`] | what is asked of whatever is behind a method |
//! | [`lambda`] | functions |
//! | [`web`] | HTTP addresses and AWS services |
//! | [`respond`] | integration responses |
//! | [`refusal`] | gateway responses |

mod api;
mod authorize;
mod context;
mod exchange;
mod integrate;
mod integration_request;
mod keys;
mod lambda;
mod parameters;
mod policy;
mod refusal;
mod respond;
mod validate;
mod web;

use serde_json::{Map, Value};

use api::Matched;
pub(super) use api::RestApi;
pub(super) use context::{clf, multiple, single};

use super::call::{ApiCall, MAX_BODY};
use super::reply::Reply;
use crate::execute_api::gateway::ApiGateway;
use crate::ground::resource_table::StoredResource;
use exchange::Exchange;
use refusal::{GatewayResponse, RestRefusal};

/// Answers a request to a stage of a deployed API.
pub(super) async fn answer(
    gateway: &ApiGateway,
    api: &RestApi,
    thing: &StoredResource,
    stage: &StoredResource,
    call: &ApiCall,
) -> Reply {
    let nothing = Value::Null;
    let mut exchange = Exchange {
        gateway,
        api,
        id: &thing.id,
        region: &thing.region,
        stage,
        call,
        resource_id: String::new(),
        resource_path: String::new(),
        method: &nothing,
        path: Vec::new(),
        authorizer: Map::new(),
        identity: context::identity(call),
    };
    let Some(Matched { resource_id, resource_path, method, parameters }) = api.route(call.method.as_str(), &call.path)
    else {
        return RestRefusal::of(GatewayResponse::MissingToken).reply(&exchange);
    };
    exchange.resource_id = resource_id;
    exchange.resource_path = resource_path;
    exchange.method = method;
    exchange.path = parameters;
    match carry_out(&mut exchange).await {
        Ok(reply) => reply,
        Err(refused) => refused.reply(&exchange),
    }
}

async fn carry_out(exchange: &mut Exchange<'_>) -> Result<Reply, RestRefusal> {
    if exchange.call.body.len() > MAX_BODY {
        return Err(RestRefusal::of(GatewayResponse::TooLarge));
    }
    authorize::authorize(exchange).await?;
    exchange.resource_policy()?;
    keys::check(exchange).await?;
    validate::validate(exchange)?;
    integrate::integrate(exchange).await
}
