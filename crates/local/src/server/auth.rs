//! Whose request it is, and whether they may: before any service sees it.
//!
//! Requests of roles are verified and decided here, by what [`ServiceCall`] read of them and by nothing else. S3's operation
//! only its own room can tell; that decides them itself, with the [`Principal`] it finds among the request's extensions.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use s3s::Body;

use super::needs::required_permissions;
use super::service_call::{RefusedAs, ServiceCall, Unread};
use crate::ground::{ApiError, Authorization, Host, LOCAL_KEY};
use crate::identity::{
    Credentials, Principal, RequiredPermission, Scope, Signed, authorize, authorize_now, identify, is_temporary, verify,
};
use crate::protocol::errors::Protocol;

/// Lets a request to S3 in: with [`Principal`] among its extensions, or not at all.
///
/// # Errors
///
/// An unknown or expired key, a signature that is not right.
pub(super) async fn admit_s3(
    host: &Arc<Host>,
    mut request: Request<Body>,
    scope: &Scope,
) -> Result<Request<Body>, ApiError> {
    let Some(access_key) = temporary(scope) else {
        request.extensions_mut().insert(administrator(scope));
        return Ok(request);
    };
    let credentials = credentials(host, request.headers(), request.uri(), access_key, true).await?;
    // A signature in an S3 URL is verified by S3's room, which knows both versions.
    if !scope.presigned {
        let signed = Signed {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            body: None,
            is_s3: true,
        };
        verify(&signed, &credentials.secret)?;
    }
    request.extensions_mut().insert(Principal::Role(Arc::new(credentials.session)));
    Ok(request)
}

/// Lets a request to any other service in: read, and with whoever asks.
///
/// # Errors
///
/// An unknown or expired key, a signature that is not right, a body that can't be read, an action that is denied.
pub(super) async fn admit(
    host: &Arc<Host>,
    request: Unread,
    scope: &Scope,
) -> Result<(ServiceCall, Principal), ApiError> {
    let Some(access_key) = temporary(scope) else { return Ok((request.read()?, administrator(scope))) };
    let (headers, uri) = (&request.parts.headers, &request.parts.uri);
    let Credentials { secret, session, .. } = credentials(host, headers, uri, access_key, false).await?;
    let signed = Signed { method: &request.parts.method, uri, headers, body: Some(&request.body), is_s3: false };
    verify(&signed, &secret)?;
    let protocol = match request.refused_as() {
        RefusedAs::Protocol(protocol) => Some(protocol),
        RefusedAs::Service(_) => None,
    };
    let principal = Principal::Role(Arc::new(session));
    let call = decide(host, &principal, request.read()?, protocol).await?;
    Ok((call, principal))
}

/// Lets a request to a gateway's own endpoint in, by its signature and the right to ask the gateway of an ARN; gives its
/// body.
///
/// # Errors
///
/// As for other services.
pub(super) async fn admit_to_gateway(
    host: &Arc<Host>,
    request: Unread,
    scope: &Scope,
    arn: String,
) -> Result<Bytes, ApiError> {
    let Some(access_key) = temporary(scope) else { return Ok(request.body) };
    let (headers, uri) = (&request.parts.headers, &request.parts.uri);
    let Credentials { secret, session, .. } = credentials(host, headers, uri, access_key, false).await?;
    let signed = Signed { method: &request.parts.method, uri, headers, body: Some(&request.body), is_s3: false };
    verify(&signed, &secret)?;
    let required = vec![RequiredPermission::new("bedrock-agentcore:InvokeGateway", arn)];
    let context = host.request_context(&request.region);
    let decided = authorize_now(host, &Principal::Role(Arc::new(session)), required, context).await?;
    decided.or_refuse(|denial| denial.refusal("AccessDeniedException", StatusCode::FORBIDDEN))?;
    Ok(request.body)
}

/// Decides what a call needs, and gives it back.
async fn decide(
    host: &Arc<Host>,
    principal: &Principal,
    call: ServiceCall,
    protocol: Option<Protocol>,
) -> Result<ServiceCall, ApiError> {
    let (principal, context) = (principal.clone(), host.request_context(&call.region));
    let decided = host.store.write(move |tx| -> Result<(ServiceCall, Authorization), ApiError> {
        let Some(required) = required_permissions(tx, &call)? else {
            return Err(ApiError::not_implemented(&call.service, call.operation.name()));
        };
        let authorization = authorize(tx, &principal, &required, &context)?;
        Ok((call, authorization))
    });
    let (call, authorization) = decided.await?;
    authorization.or_refuse(|denial| match protocol {
        Some(Protocol::Query | Protocol::Ec2) => denial.refusal("AccessDenied", StatusCode::FORBIDDEN),
        // The JSON protocols answer every refusal of the caller's with 400.
        Some(Protocol::Json(_)) | None => denial.refusal("AccessDeniedException", StatusCode::BAD_REQUEST),
        _ => denial.refusal("AccessDeniedException", StatusCode::FORBIDDEN),
    })?;
    Ok(call)
}

/// The access key of a request, where it is one of temporary credentials made here.
fn temporary(scope: &Scope) -> Option<String> {
    scope.access_key.clone().filter(|key| is_temporary(key))
}

fn administrator(scope: &Scope) -> Principal {
    Principal::Administrator { access_key: scope.access_key.clone().unwrap_or_else(|| LOCAL_KEY.to_owned()) }
}

async fn credentials(
    host: &Arc<Host>,
    headers: &http::HeaderMap,
    uri: &http::Uri,
    access_key: String,
    is_s3: bool,
) -> Result<Credentials, ApiError> {
    let in_url = || {
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .find(|(name, _)| name.eq_ignore_ascii_case("x-amz-security-token"))
            .map(|(_, value)| value.into_owned())
    };
    let in_header = headers.get("x-amz-security-token").and_then(|value| value.to_str().ok());
    let token = in_header.map(str::to_owned).or_else(in_url);
    let now = host.clock.now();
    host.store.read(move |tx| identify(tx, &access_key, token.as_deref(), is_s3, now)).await
}
