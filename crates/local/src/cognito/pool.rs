//! Pools and clients as their operations need them.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use serde_json::{Map, Value};

use super::store::{self, User};
use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::scalar::{scalar, text};

pub(super) const POOL: &str = "AWS::Cognito::UserPool";
pub(super) const CLIENT: &str = "AWS::Cognito::UserPoolClient";

/// A refusal with Cognito's code.
pub(super) fn refused(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::sender(code, message)
}

/// A parameter that is not right.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    refused("InvalidParameterException", message)
}

/// A pool by its id.
pub(super) fn pool(db: &Connection, id: &str) -> Result<StoredResource, ApiError> {
    resource_table::find_anywhere(db, POOL, id)?
        .ok_or_else(|| refused("ResourceNotFoundException", format!("User pool {id} does not exist.")))
}

/// A client by its id, and its pool.
pub(super) fn client(db: &Connection, id: &str) -> Result<(StoredResource, StoredResource), ApiError> {
    let missing = || refused("ResourceNotFoundException", format!("User pool client {id} does not exist."));
    let client = resource_table::find_anywhere(db, CLIENT, id)?.ok_or_else(missing)?;
    let pool = pool(db, &text(&client.properties, "UserPoolId").unwrap_or_default())?;
    Ok((client, pool))
}

/// Texts of a list property.
fn texts(properties: &Value, name: &str) -> Vec<String> {
    let list = properties.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The attributes that people of a pool may be named by, beside their name in it.
pub(super) fn aliases(pool: &StoredResource) -> Vec<String> {
    let own = texts(&pool.properties, "UsernameAttributes");
    if own.is_empty() { texts(&pool.properties, "AliasAttributes") } else { own }
}

/// Whether people give an attribute in place of a name.
pub(super) fn named_by_attribute(pool: &StoredResource) -> Vec<String> {
    texts(&pool.properties, "UsernameAttributes")
}

/// Names in the form they are compared in.
pub(super) fn folded(pool: &StoredResource, name: &str) -> String {
    let sensitive = pool.properties.pointer("/UsernameConfiguration/CaseSensitive").and_then(scalar);
    // Pools that stacks make tell cases apart unless they say otherwise.
    if sensitive.as_deref() == Some("false") { name.to_lowercase() } else { name.to_owned() }
}

/// Somebody by name, by `sub`, or by an attribute that stands for a name.
pub(super) fn find(db: &Connection, pool: &StoredResource, given: &str) -> Result<Option<User>, ApiError> {
    let aliases = aliases(pool);
    let wanted = folded(pool, given);
    let fits = |user: &User| {
        folded(pool, &user.name) == wanted
            || user.sub == given
            || aliases.iter().any(|alias| user.attribute(alias).is_some_and(|value| folded(pool, value) == wanted))
    };
    Ok(store::users(db, &pool.id)?.into_iter().find(fits))
}

/// Whether a client allows a flow, under its name of today or its older one.
pub(super) fn allows(client: &StoredResource, flow: &str) -> bool {
    let mut flows = texts(&client.properties, "ExplicitAuthFlows");
    if flows.is_empty() {
        flows = vec!["ALLOW_REFRESH_TOKEN_AUTH".to_owned()];
    }
    let older = match flow {
        "ADMIN_USER_PASSWORD_AUTH" => "ADMIN_NO_SRP_AUTH",
        other => other,
    };
    let legacy = !flows.iter().any(|own| own.starts_with("ALLOW_"));
    flows.iter().any(|own| own.strip_prefix("ALLOW_") == Some(flow) || own == older)
        || (legacy && flow == "REFRESH_TOKEN_AUTH")
}

/// The secret of a client, if it has one.
pub(super) fn client_secret(client: &StoredResource) -> Option<&str> {
    client.attributes.get("ClientSecret").and_then(Value::as_str).filter(|secret| !secret.is_empty())
}

/// Checks the proof that the caller knows the client's secret.
pub(super) fn check_secret(client: &StoredResource, name: &str, proof: Option<&str>) -> Result<(), ApiError> {
    let Some(secret) = client_secret(client) else { return Ok(()) };
    let Some(proof) = proof else {
        let message = format!("Client {} is configured with secret but SECRET_HASH was not received", client.id);
        return Err(refused("NotAuthorizedException", message));
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let text = format!("{name}{}", client.id);
    let good = STANDARD.decode(proof).is_ok_and(|proof| hmac::verify(&key, text.as_bytes(), &proof).is_ok());
    if good {
        return Ok(());
    }
    Err(refused("NotAuthorizedException", format!("SecretHash does not match for the client: {}", client.id)))
}

/// Attributes as a caller gives them: a list of names and values.
pub(super) fn attributes(given: Option<&Value>) -> Result<Map<String, Value>, ApiError> {
    let mut made = Map::new();
    for attribute in given.and_then(Value::as_array).into_iter().flatten() {
        let name = text(attribute, "Name").ok_or_else(|| invalid("An attribute needs a name"))?;
        if name == "sub" {
            return Err(invalid("Cannot modify the non-mutable attribute sub"));
        }
        made.insert(name, Value::String(text(attribute, "Value").unwrap_or_default()));
    }
    Ok(made)
}
