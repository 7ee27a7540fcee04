//! Whose request it is, and whether they may: before any service sees it.
//!
//! Requests of roles are verified and decided here, but for S3's, whose operation only its own room can tell; that decides
//! them itself, with the [`Who`] it finds among the request's extensions.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use s3s::Body;

use super::errors::{ApiError, Protocol, operation_name};
use super::identity::actions::{Asked, needs};
use super::identity::authorize::Place;
use super::identity::{Credentials, Signed, Who, authorize, identify, is_temporary, verify};
use super::server::Scope;
use super::{DEFAULT_REGION, Host, LOCAL_KEY};

/// The largest body of a service that takes it whole, in bytes: code of 50 MB for a function, in Base64.
const LARGEST: usize = 80 << 20;

/// Lets a request in: with [`Who`] among its extensions, or not at all.
///
/// # Errors
///
/// In the protocol of the service: an unknown or expired key, a signature that is not right, an action that is denied.
pub(super) async fn admit(
    host: &Arc<Host>,
    mut request: Request<Body>,
    scope: &Scope,
    is_query: bool,
) -> Result<Request<Body>, (Protocol, ApiError)> {
    let access_key = scope.access_key.clone().unwrap_or_else(|| LOCAL_KEY.to_owned());
    if !is_temporary(&access_key) {
        request.extensions_mut().insert(Who::Administrator { access_key });
        return Ok(request);
    }
    // A signature without a service is one of version 2, which S3 alone takes: a form must not come in by it.
    let unnamed = if is_query { "" } else { "s3" };
    let service = scope.service.clone().unwrap_or_else(|| unnamed.to_owned());
    let protocol = Protocol::of(request.headers(), &service, is_query);
    let admitted = if service == "s3" {
        of_s3(host, request, scope, access_key).await
    } else {
        of_others(host, request, scope, access_key, &service, is_query, protocol).await
    };
    admitted.map_err(|error| (protocol, error))
}

/// A whole body.
pub(super) async fn read_whole(body: Body) -> Result<Bytes, ApiError> {
    read_at_most(body, LARGEST).await
}

/// A whole body that has no more than some bytes.
pub(super) async fn read_at_most(body: Body, largest: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, largest).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let message = format!("The request body is larger than {largest} bytes");
            Err(ApiError::sender("RequestEntityTooLarge", message).with_status(StatusCode::PAYLOAD_TOO_LARGE))
        }
        Err(error) => Err(ApiError::sender("IncompleteBody", format!("The request body broke off: {error}"))),
    }
}

async fn credentials(
    host: &Arc<Host>,
    request: &Request<Body>,
    access_key: String,
    is_s3: bool,
) -> Result<Credentials, ApiError> {
    let in_url = || {
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
            .find(|(name, _)| name.eq_ignore_ascii_case("x-amz-security-token"))
            .map(|(_, value)| value.into_owned())
    };
    let in_header = request.headers().get("x-amz-security-token").and_then(|value| value.to_str().ok());
    let token = in_header.map(str::to_owned).or_else(in_url);
    let now = host.clock.now();
    host.store.read(move |tx| identify(tx, &access_key, token.as_deref(), is_s3, now)).await
}

/// A signature in an S3 URL is verified by S3's room, which knows both versions.
async fn of_s3(
    host: &Arc<Host>,
    mut request: Request<Body>,
    scope: &Scope,
    access_key: String,
) -> Result<Request<Body>, ApiError> {
    let credentials = credentials(host, &request, access_key, true).await?;
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
    request.extensions_mut().insert(Who::Role(Arc::new(credentials.session)));
    Ok(request)
}

async fn of_others(
    host: &Arc<Host>,
    request: Request<Body>,
    scope: &Scope,
    access_key: String,
    service: &str,
    is_query: bool,
    protocol: Protocol,
) -> Result<Request<Body>, ApiError> {
    let Credentials { secret, session, .. } = credentials(host, &request, access_key, false).await?;
    let (mut parts, body) = request.into_parts();
    let body = read_whole(body).await?;
    let signed =
        Signed { method: &parts.method, uri: &parts.uri, headers: &parts.headers, body: Some(&body), is_s3: false };
    verify(&signed, &secret)?;
    let operation = if is_query { action_of(&body, &parts.uri) } else { None };
    let operation = operation.unwrap_or_else(|| operation_name(&parts.headers, &parts.method, &parts.uri));
    let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let session = Arc::new(session);
    let (asker, place) = (Arc::clone(&session), Place { region, now: host.clock.now() });
    let (service, method, uri, headers) =
        (service.to_owned(), parts.method.clone(), parts.uri.clone(), parts.headers.clone());
    let content = body.clone();
    // A denial is recorded, so the transaction itself must succeed.
    let decided = host.store.write(move |tx| -> Result<Result<(), ApiError>, ApiError> {
        let asked = Asked {
            service: &service,
            operation: &operation,
            region: &place.region,
            method: &method,
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: &headers,
            body: &content,
        };
        let Some(needs) = needs(tx, &asked)? else {
            return Ok(Err(ApiError::not_implemented(&service, &operation)));
        };
        Ok(authorize(tx, &asker, &needs, &place)?.map_err(|denial| match protocol {
            Protocol::Query | Protocol::Ec2 => denial.refusal("AccessDenied", StatusCode::FORBIDDEN),
            // The JSON protocols answer every refusal of the caller's with 400.
            Protocol::Json(_) => denial.refusal("AccessDeniedException", StatusCode::BAD_REQUEST),
            _ => denial.refusal("AccessDeniedException", StatusCode::FORBIDDEN),
        }))
    });
    decided.await??;
    parts.extensions.insert(Who::Role(session));
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// The action a form names.
fn action_of(body: &[u8], uri: &http::Uri) -> Option<String> {
    let source = if body.is_empty() { uri.query().unwrap_or_default().as_bytes() } else { body };
    form_urlencoded::parse(source).find(|(name, _)| name == "Action").map(|(_, value)| value.into_owned())
}
