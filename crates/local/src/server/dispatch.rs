//! Which service a request is for.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use s3s::Body;

use super::answer::{error_response, harden};
use super::guard::{is_simple, of_page, refusal, refuse_pages};
use super::host::RequestHost;
use super::service_call::{MAX_FORM, Operation, RefusedAs, ServiceCall, Unread, refused_as};
use super::services::query_services;
use super::single::refuse_doubles;
use super::{admission, pages};
use crate::bedrock::{self, Door, gateway_of};
use crate::cloudformation::custom;
use crate::cognito;
use crate::execute_api::{Address, Gateway};
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

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let request_id = self.host.ids.uuid().to_string();
        let (mut response, public) = match self.routed(request, &request_id).await {
            Ok(answered) => answered,
            Err(error) => (error_response(Protocol::RestXml, &error, &request_id), false),
        };
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-amzn-requestid", value.clone());
            if !public {
                response.headers_mut().insert("x-amz-request-id", value);
            }
        }
        response
    }

    /// The answer, and whether it is that of an API, whose answers are its own.
    async fn routed(&self, request: Request<Incoming>, request_id: &str) -> Result<(Response<Body>, bool), ApiError> {
        let host = RequestHost::of(&request)?;
        // An API is public, to web pages too: who may call it is the API's own word. It answers under its own name only, or
        // under one of this machine, so that no page makes it a part of the page's own site.
        if let Some(address) = Address::of(&request) {
            if !(host.is_loopback() || host.is_of_aws(&format!("{}.execute-api", address.api))) {
                return Err(host.refused());
            }
            let sender = Sender::of(request.headers());
            return Ok((self.apis.answer(request, address, sender, request_id).await, true));
        }
        refuse_doubles(request.headers(), request.uri())?;
        let response = match gateway_of(request.headers(), request.uri().path()) {
            Some(gateway) => {
                if !(host.is_loopback() || host.is_of_aws(&format!("{gateway}.gateway.bedrock-agentcore"))) {
                    return Err(host.refused());
                }
                let answered = self.gateway(request, &gateway, request_id).await;
                answered.unwrap_or_else(|error| error_response(Protocol::RestJson, &error, request_id))
            }
            None => {
                let well_known = cognito::well_known(request.method(), request.uri());
                if !(host.is_loopback() || (well_known.is_some() && host.is_of_aws("cognito-idp"))) {
                    return Err(host.refused());
                }
                if let Some(asked) = well_known {
                    // The keys of a user pool are public, and asked for at its issuer's name: by programs.
                    if Sender::of(request.headers()) == Sender::Page {
                        return Err(of_page(request.headers()));
                    }
                    let answered = asked.answer(&self.host).await;
                    answered.unwrap_or_else(|error| error_response(Protocol::RestJson, &error, request_id))
                } else {
                    self.dispatch(request, request_id).await?
                }
            }
        };
        Ok((harden(response), false))
    }

    /// Answers a request to a service or a page of the endpoint's own. What is refused before it is known which service it
    /// is for is an error here.
    async fn dispatch(&self, request: Request<Incoming>, request_id: &str) -> Result<Response<Body>, ApiError> {
        let path = request.uri().path();
        if let Some(token) = path.strip_prefix(custom::PATH).map(str::to_owned) {
            return Ok(self.custom_resource_answer(request, &token, request_id).await);
        }
        let scope = Scope::of(request.headers(), request.uri())?;
        let public = scope.access_key.is_none() && cognito::is_public(request.headers());
        refuse_pages(request.method(), request.headers(), &scope, public)?;
        if let Some(own) = path.strip_prefix("/_bedplate/") {
            if *request.method() != Method::GET {
                return Err(ApiError::sender("MethodNotAllowed", "Pages of the endpoint are for reading")
                    .with_status(StatusCode::METHOD_NOT_ALLOWED));
            }
            return Ok(match own {
                "operations" => pages::operations(self.query.values().map(AsRef::as_ref)),
                page => pages::answer(&self.host, page, request_id).await,
            });
        }
        let service = match scope.service.as_deref() {
            Some(service) => service,
            None if public => "cognito-idp",
            // A target or an RPC path is never S3's.
            None if !request.headers().contains_key("x-amz-target")
                && !request.headers().contains_key("smithy-protocol") =>
            {
                "s3"
            }
            None => "unsigned request",
        };
        // An action in an address would run when a page shows a picture or follows a link.
        let has_action = |query: &str| form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "Action");
        if (service != "s3" || scope.access_key.is_none()) && request.uri().query().is_some_and(has_action) {
            return Err(ApiError::sender(
                "MethodNotAllowed",
                "An action is taken from the form of a signed POST only, never from an address",
            )
            .with_status(StatusCode::METHOD_NOT_ALLOWED));
        }
        if scope.presigned && service != "s3" {
            return Err(refusal(format!(
                "A signature in the address is for S3 and deployed APIs, not for `{service}`"
            )));
        }
        // API Gateway itself verifies who manages connections, by the rules of the API they belong to.
        if path.contains("/@connections/") && service == "execute-api" {
            return Ok(self.apis.manage(request, request_id).await);
        }
        if service == "s3" {
            return Ok(match admission::admit_s3(&self.host, request.map(Body::from), &scope).await {
                Ok(request) => self.s3.answer(request, scope.region, request_id).await,
                Err(error) => error_response(Protocol::RestXml, &error, request_id),
            });
        }
        let service = service.to_owned();
        let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let (parts, body) = request.into_parts();
        let told_as = refused_as(&service, &parts);
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let answered = async {
            let unread = Unread::of(&service, region, parts, Body::from(body)).await?;
            let (call, principal) = admission::admit(&self.host, unread, &scope).await?;
            if service == "apigateway"
                && let Some(response) = self.apis.control(&method, &uri, &call.region).await
            {
                return Ok(response);
            }
            self.carry_out(call, principal, request_id).await
        };
        Ok(answered.await.unwrap_or_else(|error: ApiError| match told_as {
            RefusedAs::Protocol(protocol) => error_response(protocol, &error, request_id),
            RefusedAs::Service(service) => service.refusal(error),
        }))
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

    /// The answer of a custom resource's function: an upload as to S3, whatever its content type says. The token in the
    /// address is the right to it; no page can send a `PUT` without asking first.
    async fn custom_resource_answer(
        &self,
        request: Request<Incoming>,
        token: &str,
        request_id: &str,
    ) -> Response<Body> {
        let taken = if Sender::of(request.headers()) == Sender::Page {
            Err(of_page(request.headers()))
        } else if request.method() == Method::PUT {
            match read_at_most(Body::from(request.into_body()), MAX_FORM).await {
                Ok(body) => custom::take(&self.host, token, body.to_vec()).await,
                Err(error) => Err(error),
            }
        } else {
            Err(refusal("The request signature we calculated does not match the signature you provided.".to_owned()))
        };
        match taken {
            Ok(()) => Response::new(Body::empty()),
            Err(error) => error_response(Protocol::RestXml, &error, request_id),
        }
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
                let body = admission::admit_to_gateway(&self.host, unread, &scope, arn).await?;
                Request::from_parts(kept, Body::from(body))
            }
        };
        Ok(self.bedrock.mcp(request, gateway, request_id).await)
    }
}
