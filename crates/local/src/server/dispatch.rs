//! Answering requests: each by what [`route`] says it is for.

use std::sync::Arc;

use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use s3s::Body;
use tracing::Instrument as _;

use super::answer::harden;
use super::gateway_endpoint;
use super::registry::Registry;
use super::request_log::{self, RequestLog};
use super::route::{Route, route};
use super::{auth, pages};
use crate::bedrock::GatewayEndpoints;
use crate::cloudformation::custom;
use crate::execute_api::ApiGateway;
use crate::ground::body::{decoded, read_at_most};
use crate::ground::{ACCOUNT_ID, ApiError, DEFAULT_REGION, Host, Sender};
use crate::identity::Scope;
use crate::protocol::errors::{Protocol, error_response};
use crate::protocol::query::MAX_FORM;
use crate::protocol::service::{
    CallContext, Intake, RequestBody, Service, ServiceRequest, UnsimulatedService, is_form,
};

/// The services, deployed APIs and gateways, behind one address.
pub(super) struct Server {
    host: Arc<Host>,
    registry: Registry,
    apis: Arc<ApiGateway>,
    gateways: GatewayEndpoints,
}

impl Server {
    pub(super) fn new(host: Arc<Host>) -> Self {
        let registry = Registry::start(&host);
        let apis = Arc::new(ApiGateway::new(Arc::clone(&host)));
        let gateways = GatewayEndpoints::new(&host);
        Self { host, registry, apis, gateways }
    }

    /// Answers any request; a refusal of its head is told as S3 would.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let request_id = self.host.ids.uuid().to_string();
        let routed = route(request.method(), request.uri(), request.headers());
        let log = RequestLog::start(&request_id, &request, &routed);
        let response = self.answer_routed(routed, request, &request_id).instrument(log.span()).await;
        log.end(&response);
        response
    }

    async fn answer_routed(
        &self,
        routed: Result<Route, ApiError>,
        request: Request<Incoming>,
        request_id: &str,
    ) -> Response<Body> {
        let is_api = matches!(routed, Ok(Route::DeployedApi(_)));
        let response = match routed {
            Ok(route) => self.answer_route(route, request, request_id).await,
            Err(error) => error_response(Protocol::RestXml, &error, request_id),
        };
        // The answers of an API are its own.
        let mut response = if is_api { response } else { harden(response) };
        if let Ok(value) = HeaderValue::from_str(request_id) {
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
            Route::Page(page) => return pages::answer(&self.host, &self.registry, &page, request_id).await,
            Route::Service { signing_name, scope } => {
                return self.answer_service(signing_name, &scope, request, request_id).await;
            }
            Route::AgentCoreGateway(id) => {
                let answered = gateway_endpoint::answer(&self.host, &self.gateways, request.map(Body::from), &id);
                (Protocol::RestJson, answered.await)
            }
            Route::PoolDocument(document) => (Protocol::RestJson, document.answer(&self.host).await),
            Route::CustomResourceAnswer { token } => {
                (Protocol::RestXml, self.custom_resource_answer(request, &token).await)
            }
        };
        answered.unwrap_or_else(|error| error_response(protocol, &error, request_id))
    }

    /// Answers a request to a service; one that is not simulated refuses it by its name.
    async fn answer_service(
        &self,
        signing_name: String,
        scope: &Scope,
        request: Request<Incoming>,
        request_id: &str,
    ) -> Response<Body> {
        let unsimulated;
        let service = match self.registry.find(&signing_name) {
            Some(service) => service,
            None => {
                unsimulated = UnsimulatedService { name: signing_name.clone() };
                &unsimulated
            }
        };
        let is_form = is_form(request.method(), request.headers(), request.uri().path());
        let protocol = Protocol::of(request.headers(), &signing_name, is_form);
        let call = IncomingCall { signing_name, scope, request, request_id, protocol, is_form };
        let answered = self.carry_out(service, call).await;
        answered.unwrap_or_else(|error| service.refusal(protocol, error, request_id))
    }

    /// Takes a request in, finds out whose it is, has it read, decides whether they may, and carries it out.
    async fn carry_out(&self, service: &dyn Service, call: IncomingCall<'_>) -> Result<Response<Body>, ApiError> {
        let IncomingCall { signing_name, scope, request, request_id, protocol, is_form } = call;
        let (head, body) = request.into_parts();
        let (principal, body) = match service.intake() {
            Intake::Buffered { max } => {
                let max = if is_form { MAX_FORM } else { max };
                let body = read_at_most(Body::from(body), max).await?;
                let principal = auth::authenticate(&self.host, scope, &head, Some(&body)).await?;
                (principal, RequestBody::Whole(decoded(&head.headers, body, max)?))
            }
            Intake::Streamed => {
                let principal = auth::authenticate(&self.host, scope, &head, None).await?;
                (principal, RequestBody::Stream(Body::from(body)))
            }
        };
        let is_decided_by_service = matches!(body, RequestBody::Stream(_));
        let context = CallContext {
            region: scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            account: ACCOUNT_ID.to_owned(),
            principal,
            request_id: request_id.to_owned(),
            now: self.host.clock.now(),
        };
        let (method, uri, headers) = (head.method, head.uri, head.headers);
        let mut call =
            service.parse(ServiceRequest { signing_name, method, uri, headers, body, context: context.clone() })?;
        request_log::operation(|| call.operation());
        if !is_decided_by_service {
            let authorization;
            (call, authorization) = auth::authorize_call(&self.host, call, &context).await?;
            authorization.or_refuse(|denial| service.denial(protocol, denial))?;
        }
        call.handle(Arc::clone(&self.host)).await
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
}

/// A request to a service, on its way in.
struct IncomingCall<'a> {
    signing_name: String,
    scope: &'a Scope,
    request: Request<Incoming>,
    request_id: &'a str,
    protocol: Protocol,
    is_form: bool,
}
