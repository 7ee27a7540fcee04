//! Which service a request is for.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use s3s::Body;

use super::form::{MAX_FORM, read_form, speaks_query};
use super::guard::{refusal, refuse_pages, refuse_strangers};
use super::scope::Scope;
use super::{error_response, respond};
use crate::local::bedrock::{self, Door, gateway_of};
use crate::local::cloudformation::custom;
use crate::local::cognito;
use crate::local::errors::{ApiError, Protocol, operation_name};
use crate::local::execute_api::{Address, Gateway};
use crate::local::identity::Who;
use crate::local::query::{CallContext, Params, QueryService, response};
use crate::local::s3::Front;
use crate::local::{ACCOUNT_ID, DEFAULT_REGION, Host, JSON_SERVICES, admission, lambda, pages, query_services};
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
        // An API is public, to web pages too: who may call it is the API's own word.
        if let Some(address) = Address::of(&request) {
            let mut response = self.apis.answer(request, address, &request_id).await;
            if let Ok(value) = HeaderValue::from_str(&request_id) {
                response.headers_mut().insert("x-amzn-requestid", value);
            }
            return response;
        }
        let mut response = match gateway_of(request.headers(), request.uri().path()) {
            Some(gateway) => self.gateway(request, &gateway, &request_id).await,
            None => self.dispatch(request, &request_id).await,
        };
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-amzn-requestid", value.clone());
            response.headers_mut().insert("x-amz-request-id", value);
        }
        response
    }

    async fn dispatch(&self, request: Request<Incoming>, request_id: &str) -> Response<Body> {
        // The keys of a user pool are public, and asked for at its issuer's name.
        if let Some(asked) = cognito::well_known(request.method(), request.uri()) {
            let answered = asked.answer(&self.host).await;
            return answered.unwrap_or_else(|error| error_response(Protocol::RestJson, &error, request_id));
        }
        if let Some(refusal) = refuse_strangers(&request) {
            return error_response(Protocol::RestXml, &refusal, request_id);
        }
        if let Some(own) = request.uri().path().strip_prefix("/_bedplate/") {
            return match own {
                "operations" => pages::operations(self.query.values().map(AsRef::as_ref)),
                page => pages::answer(&self.host, page, request_id).await,
            };
        }
        if let Some(token) = request.uri().path().strip_prefix(custom::PATH).map(str::to_owned) {
            return self.custom_resource_answer(request, &token, request_id).await;
        }
        let scope = Scope::of(request.headers(), request.uri());
        // API Gateway itself verifies who manages connections, by the rules of the API they belong to.
        if request.uri().path().contains("/@connections/") && scope.service.as_deref() == Some("execute-api") {
            return self.apis.manage(request, request_id).await;
        }
        let is_query = speaks_query(&request, &scope);
        let request = match admission::admit(&self.host, request.map(Body::from), &scope, is_query).await {
            Ok(request) => request,
            Err((protocol, error)) => return error_response(protocol, &error, request_id),
        };
        if scope.service.as_deref() == Some("apigateway") {
            let region = scope.region.as_deref().unwrap_or(DEFAULT_REGION);
            if let Some(response) = self.apis.control(request.method(), request.uri(), region).await {
                return response;
            }
        }
        if !is_query {
            return self.not_query(request, &scope, request_id).await;
        }
        let (parts, body) = request.into_parts();
        let who = parts.extensions.get::<Who>().cloned().unwrap_or_else(Who::local);
        let name = scope.service.clone().unwrap_or_default();
        let form = match read_form(&parts.headers, &parts.uri, body).await {
            Ok(form) => form,
            Err(error) => return error_response(Protocol::Query, &error, request_id),
        };
        let params = match Params::parse(&form) {
            Ok(params) => params,
            Err(error) => return error_response(Protocol::Query, &error, request_id),
        };
        let action = params.text("Action").unwrap_or_default().to_owned();
        let version = params.text("Version").unwrap_or_default();
        let service = match scope.service.as_deref() {
            Some(name) => self.query.get(name),
            None => self.query.values().find(|service| service.version() == version),
        };
        let Some(service) = service else {
            let name = if name.is_empty() { format!("the API of version `{version}`") } else { name };
            let error = ApiError::not_implemented(&name, &action);
            return error_response(Protocol::of(&parts.headers, &name, true), &error, request_id);
        };
        let context = CallContext {
            region: scope.region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            account: ACCOUNT_ID.to_owned(),
            who,
            request_id: request_id.to_owned(),
            now: self.host.clock.now(),
        };
        match service.call(&context, &action, params).await {
            Ok(result) => {
                let document = response::document(&action, service.namespace(), &result, request_id);
                respond(StatusCode::OK, "text/xml", document.into_bytes())
            }
            Err(error) => error_response(Protocol::Query, &error, request_id),
        }
    }

    /// The answer of a custom resource's function: an upload as to S3, whatever its content type says.
    async fn custom_resource_answer(
        &self,
        request: Request<Incoming>,
        token: &str,
        request_id: &str,
    ) -> Response<Body> {
        let taken = if request.method() == Method::PUT {
            match Limited::new(request.into_body(), MAX_FORM).collect().await {
                Ok(body) => custom::take(&self.host, token, body.to_bytes().to_vec()).await,
                Err(error) => Err(ApiError::sender("IncompleteBody", format!("The request body broke off: {error}"))),
            }
        } else {
            Err(refusal("The request signature we calculated does not match the signature you provided.".to_owned()))
        };
        match taken {
            Ok(()) => Response::new(Body::empty()),
            Err(error) => error_response(Protocol::RestXml, &error, request_id),
        }
    }

    async fn not_query(&self, request: Request<Body>, scope: &Scope, request_id: &str) -> Response<Body> {
        let service = match scope.service.as_deref() {
            Some("s3") => return self.s3.answer(request, scope.region.clone(), request_id).await,
            Some("lambda") => return self.lambda(request, scope, request_id).await,
            Some(name) if bedrock::SIGNING_NAMES.contains(&name) => {
                let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
                return self.bedrock.answer(request, name, region, request_id).await;
            }
            None if cognito::is_public(request.headers()) => "cognito-idp",
            // A target or an RPC path is never S3's.
            None if !request.headers().contains_key("x-amz-target")
                && !request.headers().contains_key("smithy-protocol") =>
            {
                return self.s3.answer(request, None, request_id).await;
            }
            None => "unsigned request",
            Some(service) => service,
        };
        if let Some(service) = JSON_SERVICES.iter().find(|known| known.name() == service) {
            let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
            return service.answer(Arc::clone(&self.host), request, region).await;
        }
        let operation = operation_name(request.headers(), request.method(), request.uri());
        let protocol = Protocol::of(request.headers(), service, false);
        error_response(protocol, &ApiError::not_implemented(service, &operation), request_id)
    }

    /// A gateway's own endpoint: let in as the gateway says, and by no page of another origin.
    async fn gateway(&self, request: Request<Incoming>, gateway: &str, request_id: &str) -> Response<Body> {
        let refused = |error: &ApiError| error_response(Protocol::RestJson, error, request_id);
        if let Some(refusal) = refuse_pages(&request) {
            return refused(&refusal);
        }
        let request = match self.bedrock.door(gateway, request.headers()).await {
            Err(error) => return refused(&error),
            Ok(Door::Open) => request.map(Body::from),
            Ok(Door::Signed) => {
                let scope = Scope::of(request.headers(), request.uri());
                if scope.access_key.is_none() {
                    return refused(&refusal("Missing Authentication Token".to_owned()));
                }
                if scope.service.as_deref() != Some("bedrock-agentcore") {
                    let message = "Credential should be scoped to correct service: 'bedrock-agentcore'.";
                    return refused(&refusal(message.to_owned()));
                }
                match admission::admit(&self.host, request.map(Body::from), &scope, false).await {
                    Ok(request) => request,
                    Err((_, error)) => return refused(&error),
                }
            }
        };
        self.bedrock.mcp(request, gateway, request_id).await
    }

    async fn lambda(&self, request: Request<Body>, scope: &Scope, request_id: &str) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let answered = match admission::read_whole(body).await {
            Err(error) => Err(error),
            Ok(body) => self.lambda.answer(&parts.method, &parts.uri, &parts.headers, body, region).await,
        };
        answered
            .unwrap_or_else(|error| error_response(Protocol::of(&parts.headers, "lambda", false), &error, request_id))
    }
}
