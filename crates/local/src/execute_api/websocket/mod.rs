//! WebSocket APIs: connections, the routes of their messages, and `@connections`.
//!
//! | file | holds |
//! | --- | --- |
//! | [`connections`] | who is connected, and what is sent to them |
//! | [`connect`] | `$connect` and its authorizer |
//! | [`session`] | what all events of a connection share |
//! | [`serve`] | one connection from its first message to its last |
//! | [`event`] | events, and the functions behind routes |

mod connect;
mod connections;
mod event;
mod serve;
mod session;

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use s3s::Body;
use serde_json::json;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::call::ApiCall;
use super::reply::Reply;
use super::state::V2;
use crate::execute_api::gateway::ApiGateway;
pub(super) use connections::{Connections, operations};
use session::SocketSession;

/// Answers a request to a WebSocket API: opens a connection, or manages one.
pub(super) async fn answer(
    gateway: &Arc<ApiGateway>,
    v2: V2,
    call: ApiCall,
    connection: Option<OnUpgrade>,
) -> Response<Body> {
    let Some(stage) = v2.stage.as_ref().filter(|_| v2.stage_in_path).map(|stage| stage.id.clone()) else {
        return Reply::message(403, "ForbiddenException", "Forbidden").into_response();
    };
    if call.path.starts_with("/@connections/") {
        return gateway.manage_call(&call).await.into_response();
    }
    let key = call.header("sec-websocket-key").map(|key| derive_accept_key(key.as_bytes()));
    let (Some(connection), Some(accept)) = (connection, key) else {
        return Reply::json(426, &json!({ "message": "Upgrade Required" })).into_response();
    };
    let mut session = SocketSession {
        id: connections::new_id(&gateway.host.ids),
        gateway: Arc::clone(gateway),
        stage,
        connected_at: call.at,
        domain: super::address::domain(&v2.api.id, &v2.api.region),
        user_agent: call.header("user-agent").map(str::to_owned),
        authorizer: None,
        headers: call.headers.clone(),
        v2,
    };
    let answered = match connect::connect(&mut session, &call).await {
        Ok(reply) if (200..300).contains(&reply.status) => reply,
        Ok(reply) | Err(reply) => return reply.into_response(),
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let protocol = answered.header("sec-websocket-protocol").map(str::to_owned);
    for (name, value) in [("sec-websocket-accept", Some(accept)), ("sec-websocket-protocol", protocol)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    // From here the connection lives on its own; it ends when either side, `@connections` or this process ends it.
    tokio::spawn(serve::serve(Arc::new(session), connection));
    response
}

impl ApiGateway {
    /// Answers a call of `@connections`: it must be signed by somebody who may manage connections.
    pub(super) async fn manage_call(&self, call: &ApiCall) -> Reply {
        let Some((_, id)) = call.path.split_once("/@connections/") else {
            return Reply::message(404, "NotFoundException", "Not Found");
        };
        let id = super::call::decoded(id);
        let Some(place) = self.connections.place(&id) else { return connections::gone() };
        let arn = format!("{place}/{}/@connections/{id}", call.method);
        let region = arn.split(':').nth(3).unwrap_or_default().to_owned();
        match self.signer(call, "execute-api:ManageConnections", &arn, &region).await {
            Ok(_) => self.connections.manage(&call.method, &id, &call.body).await,
            Err(super::iam::SignerRefusal::Denied(message)) => Reply::message(403, "ForbiddenException", &message),
            Err(_) => Reply::message(403, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        }
    }
}
