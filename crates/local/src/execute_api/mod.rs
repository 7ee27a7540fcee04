//! API Gateway's data plane: what is deployed answers calls.
//!
//! An API answers under `{api}.execute-api.localhost`, under AWS's own name for it in a `Host` header, and under
//! `/_aws/execute-api/{api}/` of the endpoint. REST APIs answer by the snapshot their stage's deployment holds, HTTP and
//! WebSocket APIs by what their stage deploys. Throttles, quotas, kept words of authorizers and connections are of this
//! process and end with it.
//!
//! | file | holds |
//! | --- | --- |
//! | [`address`] | which API a request is for |
//! | [`call`], [`reply`] | a request as API Gateway sees it, and an answer on its way back |
//! | [`gateway`] | what all requests share |
//! | [`state`] | what is deployed, read from the resources of stacks |
//! | [`rest`] | REST APIs |
//! | [`http_api`] | HTTP APIs |
//! | [`websocket`] | WebSocket APIs |
//! | [`control`] | the values of API keys |
//! | [`functions`] | who runs functions |
//! | [`parts`] | the parts of an API as its stages serve them |
//! | [`authorizers`], [`limits`] | what is kept and counted |
//! | [`iam`], [`tokens`] | callers that sign, and those that have a token of a user pool |
//! | [`schema`] | JSON Schema of request bodies |
//! | [`client`] | asking other addresses |

pub(crate) mod address;
mod authorizers;
mod call;
mod client;
mod control;
mod functions;
mod gateway;
mod http_api;
mod iam;
mod limits;
pub(crate) mod parts;
mod reply;
mod rest;
mod schema;
mod state;
mod tokens;
mod websocket;

use std::sync::Arc;

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use s3s::Body;

pub use crate::ground::{FunctionAnswer, FunctionCall, FunctionRefusal, FunctionRunner, Functions};
pub(crate) use address::Address;
pub use control::SERVICE;
pub(crate) use gateway::ApiGateway;

use crate::ground::scalar::text;
use crate::ground::{ApiError, Sender};
use call::{ApiCall, MAX_BODY};
use reply::Reply;
use state::FoundApi;

impl ApiGateway {
    /// Answers a request to an API.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        address: Address,
        sender: Sender,
        id: &str,
    ) -> Response<Body> {
        match self.reply(request, address, sender, id).await {
            Ok(response) => response,
            Err(error) => Reply::message(error.status.as_u16(), &error.code, &error.message).into_response(),
        }
    }

    async fn reply(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        address: Address,
        sender: Sender,
        id: &str,
    ) -> Result<Response<Body>, ApiError> {
        let Address { api, path } = address;
        let (first, rest) = first_segment(&path);
        let (name, stage) = (api.clone(), first.clone());
        let found = self.host.store.read::<_, ApiError>(move |tx| state::find(tx, &name, &stage)).await?;
        let connection = request.headers().contains_key("sec-websocket-key").then(|| hyper::upgrade::on(&mut request));
        let mut call = match read(request, sender, id, self.host.clock.now()).await {
            Ok(call) => call,
            Err(reply) => return Ok(reply.into_response()),
        };
        call.path = rest;
        Ok(match found {
            FoundApi::Rest(found) => {
                let state::Rest { api, stage, deployment } = *found;
                let Some(deployment) = deployment else { return Ok(forbidden().into_response()) };
                let rest_api = self.deployed(&deployment.id, &deployment.state);
                let defined_by_body =
                    rest_api.properties.get("Body").is_some() || rest_api.properties.get("BodyS3Location").is_some();
                if defined_by_body {
                    return Ok(
                        Reply::not_simulated("REST APIs that are defined by an OpenAPI document").into_response()
                    );
                }
                rest::answer(self, &rest_api, &api, &stage, &call).await.into_response()
            }
            FoundApi::NoStage => forbidden().into_response(),
            FoundApi::V2(v2) => {
                if !v2.stage_in_path {
                    call.path = path;
                }
                let kind = text(&v2.api.properties, "ProtocolType").unwrap_or_default();
                if kind == "WEBSOCKET" {
                    websocket::answer(self, *v2, call, connection).await
                } else {
                    http_api::answer(self, &v2, &call).await.into_response()
                }
            }
            FoundApi::Nothing => {
                let message = format!("The local target has no API with the id `{api}`");
                Reply::message(404, "NotFoundException", &message).into_response()
            }
        })
    }

    /// Answers calls of `@connections`, which name a connection in whatever stage it is.
    pub(crate) async fn manage(&self, request: Request<Incoming>, id: &str) -> Response<Body> {
        match read(request, Sender::Program, id, self.host.clock.now()).await {
            Ok(call) => self.manage_call(&call).await.into_response(),
            Err(reply) => reply.into_response(),
        }
    }
}

/// What API Gateway says of a stage that is not there.
fn forbidden() -> Reply {
    Reply::message(403, "ForbiddenException", "Forbidden")
}

/// The first segment of a path, and the path after it.
fn first_segment(path: &str) -> (String, String) {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    (call::decoded(first), format!("/{rest}"))
}

/// A request with its body.
///
/// # Errors
///
/// The answer to one whose body is too large, or breaks off.
async fn read(request: Request<Incoming>, sender: Sender, id: &str, at: jiff::Timestamp) -> Result<ApiCall, Reply> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(Reply::message(413, "RequestEntityTooLargeException", "Request Too Long"));
        }
        Err(error) => {
            return Err(Reply::message(400, "IncompleteBody", &format!("The request body broke off: {error}")));
        }
    };
    let raw_query = parts.uri.query().unwrap_or_default().to_owned();
    Ok(ApiCall {
        id: id.to_owned(),
        extended_id: call::extended(id),
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: call::pairs(&raw_query),
        raw_query,
        headers: texts(&parts.headers),
        sender,
        signed: (parts.uri, parts.headers),
        body,
        at,
    })
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
