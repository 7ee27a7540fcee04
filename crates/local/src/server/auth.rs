//! Whose request it is, and whether they may carry it out: before any service handles it.
//!
//! Requests of roles are verified and decided here, by what their service read of them and by nothing else. S3 decides its
//! own, by the same [`authorize`], once it knows the operation ([`crate::protocol::service::Intake`]).

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Uri};

use crate::ground::{ApiError, Authorization, Host, LOCAL_KEY};
use crate::identity::{Credentials, Principal, Scope, Signed, authorize, identify, is_temporary, verify};
use crate::protocol::service::{CallContext, ServiceCall};

/// Whose request it is. `body` is what a signature is of, as it was sent; none for S3, whose signatures are of the head.
///
/// # Errors
///
/// An unknown or expired key, a signature that is not right; in S3's words where it is S3's.
pub(super) async fn authenticate(
    host: &Arc<Host>,
    scope: &Scope,
    head: &Parts,
    body: Option<&Bytes>,
) -> Result<Principal, ApiError> {
    let access_key = scope.access_key.clone().unwrap_or_else(|| LOCAL_KEY.to_owned());
    if !is_temporary(&access_key) {
        return Ok(Principal::Administrator { access_key });
    }
    let (method, uri, headers) = (&head.method, &head.uri, &head.headers);
    let is_s3 = body.is_none();
    let Credentials { secret, session, .. } = credentials(host, headers, uri, access_key, is_s3).await?;
    // A signature in an S3 URL is verified by S3's folder, which knows both versions.
    if !(is_s3 && scope.presigned) {
        verify(&Signed { method, uri, headers, body: body.map(|body| body.as_ref()), is_s3 }, &secret)?;
    }
    Ok(Principal::Role(Arc::new(session)))
}

/// Decides whether a caller may do what was read of a request, and gives it back with what was decided.
///
/// # Errors
///
/// When the state can't be read or written, and when what is asked for is not simulated.
pub(super) async fn authorize_call(
    host: &Arc<Host>,
    call: Box<dyn ServiceCall>,
    context: &CallContext,
) -> Result<(Box<dyn ServiceCall>, Authorization), ApiError> {
    if matches!(context.principal, Principal::Administrator { .. }) {
        return Ok((call, Authorization::Allowed));
    }
    let (principal, request_context) = (context.principal.clone(), host.request_context(&context.region));
    let decided = host.store.write(move |tx| -> Result<(Box<dyn ServiceCall>, Authorization), ApiError> {
        let required = call.required_permissions(tx)?;
        let authorization = authorize(tx, &principal, &required, &request_context)?;
        Ok((call, authorization))
    });
    decided.await
}

async fn credentials(
    host: &Arc<Host>,
    headers: &HeaderMap,
    uri: &Uri,
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
