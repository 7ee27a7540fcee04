//! The operations, which of them need no signature, and the addresses that pools publish their keys at.

use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode, Uri};
use s3s::Body;
use serde_json::json;

use super::actions;
use super::{people, sign_in, tokens};
use crate::ground::body::respond;
use crate::ground::{ApiError, Host};
use crate::protocol::api_request::ApiRequest;
use crate::protocol::aws_json::{JsonHandler, JsonService};
use crate::protocol::service::Registration;

const TARGET: &str = "AWSCognitoIdentityProviderService.";

/// The service in the registry.
pub const SERVICE: Registration = Registration { schemas: &[super::SCHEMA], start: |_| Box::new(&TABLE) };

/// The operations, one line each.
static TABLE: JsonService<ApiRequest, ApiError> = JsonService {
    name: "cognito-idp",
    target: TARGET,
    content_type: "application/x-amz-json-1.1",
    largest: 1 << 20,
    required_permissions: actions::required_permissions,
    operations: &[
        ("AdminConfirmSignUp", JsonHandler::Write(people::admin_confirm)),
        ("AdminCreateUser", JsonHandler::Write(people::admin_create)),
        ("AdminDeleteUser", JsonHandler::Write(people::admin_delete)),
        ("AdminGetUser", JsonHandler::Read(people::admin_get)),
        ("AdminInitiateAuth", JsonHandler::Write(sign_in::admin_initiate)),
        ("AdminSetUserPassword", JsonHandler::Write(people::admin_set_password)),
        ("DescribeUserPool", JsonHandler::Read(people::describe_pool)),
        ("DescribeUserPoolClient", JsonHandler::Read(people::describe_client)),
        ("GetUser", JsonHandler::Read(people::get)),
        ("InitiateAuth", JsonHandler::Write(sign_in::initiate)),
        ("ListUsers", JsonHandler::Read(people::list)),
        ("SignUp", JsonHandler::Write(people::sign_up)),
    ],
};

/// Whether a request is one of Cognito's that clients do not sign: the caller has a password or a token, and no key.
pub(crate) fn is_public(headers: &HeaderMap) -> bool {
    headers.get("x-amz-target").is_some_and(|target| target.as_bytes().starts_with(TARGET.as_bytes()))
}

/// What anybody may know of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolDocument {
    pool: String,
    /// The keys, rather than the configuration that says where they are.
    keys: bool,
}

impl PoolDocument {
    /// The key set or configuration a request asks for, if it asks for one.
    pub fn of(method: &Method, uri: &Uri) -> Option<Self> {
        let (pool, file) = uri.path().strip_prefix('/')?.split_once("/.well-known/")?;
        let keys = file == "jwks.json";
        let known = keys || file == "openid-configuration";
        // A pool's id has an underscore, which no bucket's name has.
        (known && matches!(*method, Method::GET | Method::HEAD) && pool.contains('_') && !pool.contains('/'))
            .then(|| Self { pool: pool.to_owned(), keys })
    }

    /// The answer.
    pub async fn answer(self, host: &Arc<Host>) -> Result<Response<Body>, ApiError> {
        let Self { pool, keys } = self;
        let document = host
            .store
            .write(move |tx| -> Result<_, ApiError> {
                // A pool that is not there has no key.
                let set = tokens::key_set(tx, &pool).map_err(|error| error.with_status(StatusCode::NOT_FOUND))?;
                if keys {
                    return Ok(set);
                }
                let region = pool.split('_').next().unwrap_or_default();
                let issuer = tokens::issuer(region, &pool);
                Ok(json!({
                    "issuer": issuer,
                    "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "subject_types_supported": ["public"],
                    "response_types_supported": ["code", "token"],
                    "scopes_supported": ["openid", "email", "phone", "profile"],
                }))
            })
            .await?;
        Ok(respond(StatusCode::OK, "application/json", document.to_string().into_bytes()))
    }
}
