//! Callers that sign their requests.
//!
//! As everywhere in the local target, a request signed with temporary credentials is its role's, and verified; one signed
//! with any other key is the administrator's of the account. A web page can only be the former.

use std::sync::Arc;

use super::call::ApiCall;
use super::gateway::ApiGateway;
use crate::ground::{ACCOUNT_ID, ApiError, RequestContext, Sender};
use crate::identity::Scope;
use crate::identity::{self, Principal, RequiredPermission, Signed};

/// Who signed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signer {
    access_key: String,
    arn: String,
    user_id: String,
}

/// Why a signed request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignerRefusal {
    /// It is not signed.
    Unsigned,
    /// Its signature does not hold.
    Signature,
    /// Its signer may not, in AWS's words.
    Denied(String),
}

impl From<ApiError> for SignerRefusal {
    fn from(error: ApiError) -> Self {
        Self::Denied(error.message)
    }
}

impl Signer {
    /// What `$context.identity` tells of the signer.
    pub fn identity(&self) -> [(&'static str, &str); 5] {
        [
            ("accountId", ACCOUNT_ID),
            ("caller", &self.user_id),
            ("accessKey", &self.access_key),
            ("userArn", &self.arn),
            ("user", &self.user_id),
        ]
    }
}

impl ApiGateway {
    /// Who signed a request, once that one may do what it asks.
    pub(super) async fn signer(
        &self,
        call: &ApiCall,
        action: &str,
        arn: &str,
        region: &str,
    ) -> Result<Signer, SignerRefusal> {
        let (uri, headers) = &call.signed;
        let in_header = Scope::of_header(headers).map_err(|_| SignerRefusal::Signature)?;
        let in_url = Scope::of_url(uri).map_err(|_| SignerRefusal::Signature)?;
        let scope = match (in_header, in_url) {
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return Err(SignerRefusal::Unsigned),
            (Some(_), Some(_)) => return Err(SignerRefusal::Signature),
        };
        let access_key = scope.access_key.ok_or(SignerRefusal::Unsigned)?;
        if !identity::is_temporary(&access_key) {
            // Nobody verifies it, so it counts only where no page can have written it: a page is known by its `Origin`, or,
            // where the browser tells none, by that it can put a key into an address and not into a header.
            let opens_socket = call.header("sec-websocket-key").is_some();
            if call.sender == Sender::Page || (scope.presigned && !opens_socket) {
                return Err(SignerRefusal::Signature);
            }
            let principal = Principal::Administrator { access_key: access_key.clone() };
            return Ok(Signer { arn: principal.arn(), user_id: principal.user_id(), access_key });
        }
        let token = call.header("x-amz-security-token").or_else(|| call.parameter("X-Amz-Security-Token"));
        let (key, token, now) = (access_key.clone(), token.map(str::to_owned), call.at);
        let store = &self.host.store;
        let credentials = store.read(move |tx| identity::identify(tx, &key, token.as_deref(), false, now)).await?;
        let signed = Signed { method: &call.method, uri, headers, body: Some(&call.body), is_s3: false };
        identity::verify(&signed, &credentials.secret).map_err(|_| SignerRefusal::Signature)?;
        let principal = Principal::Role(Arc::new(credentials.session));
        let required = vec![RequiredPermission::new(action, arn)];
        let context = RequestContext { now, ..self.host.request_context(region) };
        let decided = identity::authorize_now(&self.host, &principal, required, context).await?;
        decided.or_refuse(|denial| SignerRefusal::Denied(denial.message()))?;
        Ok(Signer { arn: principal.arn(), user_id: principal.user_id(), access_key })
    }
}
