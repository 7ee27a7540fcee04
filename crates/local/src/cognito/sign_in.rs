//! Signing in: passwords and refresh tokens in, tokens out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore as _;
use rusqlite::Transaction;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::password;
use super::pool::{allows, check_secret, client, find, invalid, pool, refused};
use super::store::{self, CONFIRMED, FORCE_CHANGE, Refresh, UNCONFIRMED, User};
use super::tokens::{self, TokenVerdict, Wrong};
use crate::ground::ApiError;
use crate::ground::resource_table::StoredResource;
use crate::ground::scalar::text;
use crate::protocol::api_request::ApiRequest;

const DAY: i64 = 24 * 60 * 60;
/// Seconds that id and access tokens are good for unless the client says.
const SHORT: i64 = 60 * 60;
/// Seconds that refresh tokens are good for unless the client says.
const LONG: i64 = 30 * DAY;

fn incorrect() -> ApiError {
    refused("NotAuthorizedException", "Incorrect username or password.")
}

/// `InitiateAuth`.
pub(super) fn initiate(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let (client, pool) = client(db, asked.required("ClientId")?)?;
    match asked.required("AuthFlow")? {
        "USER_PASSWORD_AUTH" => {
            let refusal = "USER_PASSWORD_AUTH flow not enabled for this client";
            by_password(db, asked, &pool, &client, "USER_PASSWORD_AUTH", refusal)
        }
        "REFRESH_TOKEN" | "REFRESH_TOKEN_AUTH" => by_refresh(db, asked, &pool, &client),
        flow @ ("USER_SRP_AUTH" | "CUSTOM_AUTH" | "USER_AUTH") => {
            Err(ApiError::not_implemented("cognito-idp", &format!("InitiateAuth with {flow}")))
        }
        "ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH" => Err(invalid("Initiate Auth method not supported.")),
        other => Err(unknown_flow(other)),
    }
}

/// `AdminInitiateAuth`.
pub(super) fn admin_initiate(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let (client, own) = client(db, asked.required("ClientId")?)?;
    let pool = pool(db, asked.required("UserPoolId")?)?;
    if own.id != pool.id {
        let message = format!("User pool client {} does not exist.", client.id);
        return Err(refused("ResourceNotFoundException", message));
    }
    match asked.required("AuthFlow")? {
        "ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH" => {
            let refusal = "Auth flow not enabled for this client";
            by_password(db, asked, &pool, &client, "ADMIN_USER_PASSWORD_AUTH", refusal)
        }
        "USER_PASSWORD_AUTH" => {
            let refusal = "USER_PASSWORD_AUTH flow not enabled for this client";
            by_password(db, asked, &pool, &client, "USER_PASSWORD_AUTH", refusal)
        }
        "REFRESH_TOKEN" | "REFRESH_TOKEN_AUTH" => by_refresh(db, asked, &pool, &client),
        flow @ ("USER_SRP_AUTH" | "CUSTOM_AUTH" | "USER_AUTH") => {
            Err(ApiError::not_implemented("cognito-idp", &format!("AdminInitiateAuth with {flow}")))
        }
        other => Err(unknown_flow(other)),
    }
}

fn unknown_flow(flow: &str) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{flow}' at 'authFlow' failed to satisfy constraint: Member must satisfy enum \
         value set: [USER_SRP_AUTH, REFRESH_TOKEN_AUTH, REFRESH_TOKEN, CUSTOM_AUTH, ADMIN_NO_SRP_AUTH, \
         USER_PASSWORD_AUTH, ADMIN_USER_PASSWORD_AUTH, USER_AUTH]"
    ))
}

/// A parameter of the flow.
fn parameter<'a>(asked: &'a ApiRequest, name: &str) -> Result<&'a str, ApiError> {
    let given = asked.get("AuthParameters").and_then(|all| all.get(name)).and_then(Value::as_str);
    given.ok_or_else(|| invalid(format!("Missing required parameter {name}")))
}

fn by_password(
    db: &Transaction<'_>,
    asked: &ApiRequest,
    pool: &StoredResource,
    client: &StoredResource,
    flow: &str,
    refusal: &str,
) -> Result<Value, ApiError> {
    if !allows(client, flow) {
        return Err(invalid(refusal));
    }
    let (name, given) = (parameter(asked, "USERNAME")?, parameter(asked, "PASSWORD")?);
    check_secret(client, name, parameter(asked, "SECRET_HASH").ok())?;
    let Some(user) = find(db, pool, name)? else {
        let told_apart = text(&client.properties, "PreventUserExistenceErrors").as_deref() == Some("LEGACY");
        return Err(if told_apart { refused("UserNotFoundException", "User does not exist.") } else { incorrect() });
    };
    if !password::fits(given, user.password.as_ref()) {
        return Err(incorrect());
    }
    if !user.enabled {
        return Err(refused("NotAuthorizedException", "User is disabled."));
    }
    match user.status.as_str() {
        CONFIRMED => {}
        UNCONFIRMED => return Err(refused("UserNotConfirmedException", "User is not confirmed.")),
        FORCE_CHANGE => {
            return Err(ApiError::not_implemented(
                "cognito-idp",
                "the challenge NEW_PASSWORD_REQUIRED (AdminSetUserPassword with Permanent sets a password that counts)",
            ));
        }
        other => return Err(refused("NotAuthorizedException", format!("User is {other}."))),
    }
    if text(&pool.properties, "MfaConfiguration").as_deref() == Some("ON") {
        return Err(ApiError::not_implemented(
            "cognito-idp",
            "the challenge MFA_SETUP (the pool asks for a second factor)",
        ));
    }
    let sign_in = SignIn { pool, client, user: &user, origin: asked.uuid(), signed_in: asked.now.as_second() };
    let mut tokens = sign_in.tokens(db, asked)?;
    let mut random = [0_u8; 48];
    rand::rng().fill_bytes(&mut random);
    let token = URL_SAFE_NO_PAD.encode(random);
    let lifetime = lifetime(client, "RefreshToken", LONG, DAY);
    let kept = Refresh {
        pool: pool.id.clone(),
        client: client.id.clone(),
        name: user.name.clone(),
        origin: sign_in.origin.clone(),
        signed_in: sign_in.signed_in,
        expires: asked.now.as_second().saturating_add(lifetime),
    };
    store::keep_refresh(db, &Sha256::digest(&token), &kept)?;
    tokens.insert("RefreshToken".to_owned(), json!(token));
    Ok(json!({ "AuthenticationResult": tokens, "ChallengeParameters": {} }))
}

fn by_refresh(
    db: &Transaction<'_>,
    asked: &ApiRequest,
    pool: &StoredResource,
    client: &StoredResource,
) -> Result<Value, ApiError> {
    if !allows(client, "REFRESH_TOKEN_AUTH") {
        return Err(invalid("Auth flow not enabled for this client"));
    }
    let wrong = || refused("NotAuthorizedException", "Invalid Refresh Token");
    let kept = store::refresh(db, &Sha256::digest(parameter(asked, "REFRESH_TOKEN")?))?.ok_or_else(wrong)?;
    if kept.pool != pool.id || kept.client != client.id {
        return Err(wrong());
    }
    if asked.now.as_second() >= kept.expires {
        return Err(refused("NotAuthorizedException", "Refresh Token has expired"));
    }
    let user = find(db, pool, &kept.name)?.filter(|user| user.enabled).ok_or_else(wrong)?;
    check_secret(client, &user.name, parameter(asked, "SECRET_HASH").ok())?;
    let sign_in = SignIn { pool, client, user: &user, origin: kept.origin, signed_in: kept.signed_in };
    Ok(json!({ "AuthenticationResult": sign_in.tokens(db, asked)?, "ChallengeParameters": {} }))
}

/// Seconds that a kind of token is good for, by the client's validity and its unit.
fn lifetime(client: &StoredResource, kind: &str, default: i64, unit: i64) -> i64 {
    let Some(amount) = text(&client.properties, &format!("{kind}Validity")).and_then(|it| it.parse::<i64>().ok())
    else {
        return default;
    };
    if amount == 0 {
        return default;
    }
    let named = client.properties.pointer(&format!("/TokenValidityUnits/{kind}")).and_then(Value::as_str);
    let unit = match named {
        Some("seconds") => 1,
        Some("minutes") => 60,
        Some("hours") => 60 * 60,
        Some("days") => DAY,
        _ => unit,
    };
    amount.saturating_mul(unit)
}

/// Somebody who is signed in at a client.
struct SignIn<'a> {
    pool: &'a StoredResource,
    client: &'a StoredResource,
    user: &'a User,
    /// What all tokens of the sign-in share.
    origin: String,
    /// Seconds since 1970.
    signed_in: i64,
}

impl SignIn<'_> {
    /// A new id token and a new access token.
    fn tokens(&self, db: &Transaction<'_>, asked: &ApiRequest) -> Result<Map<String, Value>, ApiError> {
        let Self { pool, client, user, origin, signed_in } = self;
        let (now, event) = (asked.now.as_second(), asked.uuid());
        let key = tokens::key(db, &pool.id)?;
        let claims = |lifetime: i64| {
            json!({
                "sub": user.sub,
                "iss": tokens::issuer(&pool.region, &pool.id),
                "origin_jti": origin,
                "event_id": event,
                "auth_time": signed_in,
                "exp": now.saturating_add(lifetime),
                "iat": now,
                "jti": asked.uuid(),
            })
        };
        let mut id = claims(lifetime(client, "IdToken", SHORT, 60 * 60));
        for (name, value) in &user.attributes {
            // Whether something is verified is a truth value in a token, and a text elsewhere.
            let verified = name.ends_with("_verified");
            id[name] = if verified { json!(value == "true") } else { value.clone() };
        }
        id["cognito:username"] = json!(user.name);
        id["aud"] = json!(client.id);
        id["token_use"] = json!("id");
        let short = lifetime(client, "AccessToken", SHORT, 60 * 60);
        let mut access = claims(short);
        access["client_id"] = json!(client.id);
        access["token_use"] = json!("access");
        access["scope"] = json!("aws.cognito.signin.user.admin");
        access["username"] = json!(user.name);
        let mut made = Map::new();
        made.insert("AccessToken".to_owned(), json!(tokens::sign(&key, &access)?));
        made.insert("ExpiresIn".to_owned(), json!(short));
        made.insert("TokenType".to_owned(), json!("Bearer"));
        made.insert("IdToken".to_owned(), json!(tokens::sign(&key, &id)?));
        Ok(made)
    }
}

/// The pool and the person of an access token.
pub(super) fn bearer(db: &Transaction<'_>, asked: &ApiRequest) -> Result<(StoredResource, User), ApiError> {
    let wrong = |message: &str| refused("NotAuthorizedException", message);
    let token = asked.required("AccessToken")?;
    let id = tokens::pool_of(token).ok_or_else(|| wrong("Invalid Access Token"))?;
    let claims = match tokens::verify(db, &id, token, asked.now)? {
        TokenVerdict::Valid(claims) => claims,
        TokenVerdict::Refused(Wrong::Expired) => return Err(wrong("Access Token has expired")),
        TokenVerdict::Refused(Wrong::Forged) => return Err(wrong("Invalid Access Token")),
    };
    if claims.get("token_use").and_then(Value::as_str) != Some("access") {
        return Err(wrong("Invalid Access Token"));
    }
    let pool = pool(db, &id)?;
    let sub = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    let user = store::users(db, &id)?.into_iter().find(|user| user.sub == sub);
    let user = user.ok_or_else(|| refused("UserNotFoundException", "User does not exist."))?;
    Ok((pool, user))
}
