//! The endpoints of AgentCore's gateways: a caller is let in as the gateway says, and no web page is.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, header};
use s3s::Body;

use super::auth;
use super::guard::{is_simple, of_page, refusal};
use crate::bedrock::{GatewayAuth, GatewayEndpoints};
use crate::ground::body::read_at_most;
use crate::ground::{ApiError, DEFAULT_REGION, Host, RequiredPermission, Sender};
use crate::identity::{Scope, authorize_now};
use crate::protocol::service::MAX_BODY;

/// Answers a request to a gateway.
///
/// # Errors
///
/// When its caller is not let in, or the gateway can't answer.
pub(super) async fn answer(
    host: &Arc<Host>,
    gateways: &GatewayEndpoints,
    request: Request<Body>,
    gateway: &str,
) -> Result<Response<Body>, ApiError> {
    let headers = request.headers();
    if Sender::of(headers) == Sender::Page {
        return Err(of_page(headers));
    }
    let request = match gateways.auth(gateway, headers).await? {
        GatewayAuth::Open => {
            // A token is in a header that no page can send; without one, the content type must be such.
            if *request.method() == Method::POST && !headers.contains_key(header::AUTHORIZATION) && is_simple(headers) {
                let message = "A gateway takes `Content-Type: application/json`";
                return Err(
                    ApiError::sender("UnsupportedMediaType", message).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                );
            }
            request
        }
        GatewayAuth::Signed(arn) => signed(host, request, arn).await?,
    };
    gateways.answer(request, gateway).await
}

/// Lets a request in by its signature, and the right to ask the gateway of an ARN.
async fn signed(host: &Arc<Host>, request: Request<Body>, arn: String) -> Result<Request<Body>, ApiError> {
    let scope = Scope::of(request.headers(), request.uri())?;
    if scope.access_key.is_none() || scope.presigned {
        return Err(refusal("Missing Authentication Token".to_owned()));
    }
    if scope.service.as_deref() != Some("bedrock-agentcore") {
        return Err(refusal("Credential should be scoped to correct service: 'bedrock-agentcore'.".to_owned()));
    }
    let (head, body) = request.into_parts();
    let body = read_at_most(body, MAX_BODY).await?;
    let principal = auth::authenticate(host, &scope, &head, Some(&body)).await?;
    let required = vec![RequiredPermission::new("bedrock-agentcore:InvokeGateway", arn)];
    let context = host.request_context(scope.region.as_deref().unwrap_or(DEFAULT_REGION));
    let decided = authorize_now(host, &principal, required, context).await?;
    decided.or_refuse(|denial| denial.refusal("AccessDeniedException", StatusCode::FORBIDDEN))?;
    Ok(Request::from_parts(head, Body::from(body)))
}
