//! Answering requests: each by what [`route`] says it is for.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use s3s::Body;

use super::answer::{error_response, harden};
use super::guard::{is_simple, of_page, refusal};
use super::route::{Route, route};
use super::service_call::{MAX_FORM, Operation, RefusedAs, ServiceCall, Unread, refused_as};
use super::services::query_services;
use super::{auth, pages};
use crate::bedrock::{self, Door};
use crate::cloudformation::custom;
use crate::execute_api::Gateway;
use crate::ground::body::{read_at_most, respond};
use crate::ground::{ACCOUNT_ID, ApiError, DEFAULT_REGION, Host, Sender};
use crate::identity::{Principal, Scope};
use crate::lambda;
use crate::protocol::aws_json::Asked;
use crate::protocol::errors::Protocol;
use crate::protocol::query::{CallContext, QueryService, response};
use crate::s3::Front;

/// The services, behind one address.
pub(super) struct Server {
    host: Arc<Host>,
    query: HashMap<&'static str, Arc<dyn QueryService>>,
    s3: Front,
    lambda: lambda::Front,
    apis: Arc<Gateway>,
    bedrock: bedrock::Front,
}

impl Server {
    pub(super) fn new(host: Arc<Host>) -> Self {
        let query = query_services(&host).into_iter().map(|service| (service.signing_name(), service)).collect();
        let s3 = Front::new(Arc::clone(&host));
        let lambda = lambda::Front::new(Arc::clone(&host));
        let apis = Arc::new(Gateway::new(Arc::clone(&host)));
        let bedrock = bedrock::Front::new(Arc::clone(&host));
        Self { host, query, s3, lambda, apis, bedrock }
    }

    /// Answers any request; a refusal of its head is told as S3 would.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let request_id = self.host.ids.uuid().to_string();
        let routed = route(request.method(), request.uri(), request.headers());
        let is_api = matches!(routed, Ok(Route::DeployedApi(_)));
        let response = match routed {
            Ok(route) => self.answer_route(route, request, &request_id).await,
            Err(error) => error_response(Protocol::RestXml, &error, &request_id),
        };
        // The answers of an API are its own.
        let mut response = if is_api { response } else { harden(response) };
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-amzn-requestid", value.clone());
            if !is_api {
                response.headers_mut().insert("x-amz-request-id", value);
            }
        }
        response
    }

    async fn answer_route(&self, route: Route, request: Request<Incoming>, request_id: &str) -> Response<Body> {
        let (protocol, answered) = match route {
            Route::DeployedApi(address) => {
                let sender = Sender::of(request.headers());
                return self.apis.answer(request, address, sender, request_id).await;
            }
            Route::WebSocketConnections => return self.apis.manage(request, request_id).await,
            Route::Page(page) if page == "operations" => {
                return pages::operations(self.query.values().map(AsRef::as_ref));
            }
            Route::Page(page) => return pages::answer(&self.host, &page, request_id).await,
            Route::Service { signing_name, scope } => {
                return self.service(signing_name, scope, request, request_id).await;
            }
            Route::AgentCoreGateway(id) => (Protocol::RestJson, self.gateway(request, &id, request_id).await),
            Route::PoolDocument(document) => (Protocol::RestJson, document.answer(&self.host).await),
            Route::CustomResourceAnswer { token } => {
                (Protocol::RestXml, self.custom_resource_answer(request, &token).await)
            }
        };
        answered.unwrap_or_else(|error| error_response(protocol, &error, request_id))
    }

    /// Answers a request to a service.
    async fn service(
        &self,
        service: String,
        scope: Scope,
        request: Request<Incoming>,
        request_id: &str,
    ) -> Response<Body> {
        if service == "s3" {
            return match auth::admit_s3(&self.host, request.map(Body::from), &scope).await {
                Ok(request) => self.s3.answer(request, scope.region, request_id).await,
                Err(error) => error_response(Protocol::RestXml, &error, request_id),
            };
        }
        let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let (parts, body) = request.into_parts();
        let told_as = refused_as(&service, &parts);
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let answered = async {
            let unread = Unread::of(&service, region, parts, Body::from(body)).await?;
            let (call, principal) = auth::admit(&self.host, unread, &scope).await?;
            if service == "apigateway"
                && let Some(response) = self.apis.control(&method, &uri, &call.region).await
            {
                return Ok(response);
            }
            self.carry_out(call, principal, request_id).await
        };
        answered.await.unwrap_or_else(|error: ApiError| match told_as {
            RefusedAs::Protocol(protocol) => error_response(protocol, &error, request_id),
            RefusedAs::Service(service) => service.refusal(error),
        })
    }

    /// Carries out what was read of a request, for a caller whose right was decided by the same.
    async fn carry_out(
        &self,
        call: ServiceCall,
        principal: Principal,
        request_id: &str,
    ) -> Result<Response<Body>, ApiError> {
        let ServiceCall { service, region, method, path, headers, query, body, operation } = call;
        match operation {
            Operation::Query { action, params } => {
                let Some(known) = self.query.get(service.as_str()) else {
                    return Err(ApiError::not_implemented(&service, &action));
                };
                let context = CallContext {
                    region,
                    account: ACCOUNT_ID.to_owned(),
                    principal,
                    request_id: request_id.to_owned(),
                    now: self.host.clock.now(),
                };
                let result = known.call(&context, &action, params).await?;
                let document = response::document(&action, known.namespace(), &result, request_id);
                Ok(respond(StatusCode::OK, "text/xml", document.into_bytes()))
            }
            Operation::Json { name, input, of } => {
                let asked = Asked { region, body: input, now: self.host.clock.now(), principal };
                Ok(of.answer(Arc::clone(&self.host), name, asked).await)
            }
            Operation::Lambda(route) => self.lambda.answer(route, headers, body, region).await,
            Operation::Bedrock { found, input } => {
                let mut request = Request::new(body);
                *request.method_mut() = method;
                *request.headers_mut() = headers;
                // The path is in `found`; what else there is of the address is the query.
                drop(path);
                self.bedrock.answer(found, input, request, query, region).await
            }
            Operation::Other(name) => Err(ApiError::not_implemented(&service, &name)),
        }
    }

    /// The answer of a custom resource's function.
    async fn custom_resource_answer(
        &self,
        request: Request<Incoming>,
        token: &str,
    ) -> Result<Response<Body>, ApiError> {
        let body = read_at_most(Body::from(request.into_body()), MAX_FORM).await?;
        custom::take(&self.host, token, body.to_vec()).await?;
        Ok(Response::new(Body::empty()))
    }

    /// A gateway's own endpoint: let in as the gateway says, and by no page.
    async fn gateway(
        &self,
        request: Request<Incoming>,
        gateway: &str,
        request_id: &str,
    ) -> Result<Response<Body>, ApiError> {
        let headers = request.headers();
        if Sender::of(headers) == Sender::Page {
            return Err(of_page(headers));
        }
        let door = self.bedrock.door(gateway, headers).await?;
        let request = match door {
            Door::Open => {
                // A token is in a header that no page can send; without one, the content type must be such.
                if *request.method() == Method::POST
                    && !headers.contains_key(http::header::AUTHORIZATION)
                    && is_simple(headers)
                {
                    let message = "A gateway takes `Content-Type: application/json`";
                    return Err(ApiError::sender("UnsupportedMediaType", message)
                        .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
                }
                request.map(Body::from)
            }
            Door::Signed(arn) => {
                let scope = Scope::of(headers, request.uri())?;
                if scope.access_key.is_none() || scope.presigned {
                    return Err(refusal("Missing Authentication Token".to_owned()));
                }
                if scope.service.as_deref() != Some("bedrock-agentcore") {
                    let message = "Credential should be scoped to correct service: 'bedrock-agentcore'.";
                    return Err(refusal(message.to_owned()));
                }
                let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
                let (parts, body) = request.into_parts();
                let kept = parts.clone();
                let unread = Unread::of("bedrock-agentcore", region, parts, Body::from(body)).await?;
                let body = auth::admit_to_gateway(&self.host, unread, &scope, arn).await?;
                Request::from_parts(kept, Body::from(body))
            }
        };
        Ok(self.bedrock.mcp(request, gateway, request_id).await)
    }
}
