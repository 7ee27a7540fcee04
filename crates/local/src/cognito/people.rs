//! Making, confirming, finding and describing people, and describing pools and clients.

use rusqlite::Transaction;
use serde_json::{Map, Value, json};

use super::pool::{
    aliases, attributes, check_secret, client, client_secret, find, folded, invalid, named_by_attribute, pool, refused,
};
use super::store::{self, CONFIRMED, FORCE_CHANGE, UNCONFIRMED, User};
use super::{password, sign_in};
use crate::ground::ApiError;
use crate::ground::resource_table::StoredResource;
use crate::ground::scalar::{scalar, text};
use crate::protocol::api_request::{ApiRequest, compact, seconds};

fn no_user() -> ApiError {
    refused("UserNotFoundException", "User does not exist.")
}

fn bad_token() -> ApiError {
    invalid("Invalid pagination token.")
}

/// Attributes as the API tells them, `sub` first.
fn attribute_list(user: &User) -> Value {
    let own = user.attributes.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
    std::iter::once(json!({ "Name": "sub", "Value": user.sub })).chain(own).collect()
}

/// A person; the API calls the list of attributes by two names.
fn shown(user: &User, attributes: &str) -> Value {
    let mut shown = json!({
        "Username": user.name,
        "UserCreateDate": seconds(user.created),
        "UserLastModifiedDate": seconds(user.modified),
        "Enabled": user.enabled,
        "UserStatus": user.status,
    });
    shown[attributes] = attribute_list(user);
    shown
}

/// The person an administrator names, and the pool.
fn named(db: &Transaction<'_>, asked: &ApiRequest) -> Result<(StoredResource, User), ApiError> {
    let pool = pool(db, asked.required("UserPoolId")?)?;
    let user = find(db, &pool, asked.required("Username")?)?.ok_or_else(no_user)?;
    Ok((pool, user))
}

/// Makes a person, in whichever way the pool has people named.
fn new_user(
    db: &Transaction<'_>,
    asked: &ApiRequest,
    pool: &StoredResource,
    given: &str,
    mut attributes: Map<String, Value>,
) -> Result<User, ApiError> {
    let sub = asked.uuid();
    let by_attribute = named_by_attribute(pool);
    let name = if by_attribute.is_empty() {
        given.to_owned()
    } else {
        let kind = if given.contains('@') { "email" } else { "phone_number" };
        if !by_attribute.iter().any(|own| own == kind) || (kind == "phone_number" && !given.starts_with('+')) {
            let wanted = if by_attribute.iter().any(|own| own == "email") { "an email" } else { "a phone number" };
            return Err(invalid(format!("Username should be {wanted}.")));
        }
        attributes.entry(kind.to_owned()).or_insert_with(|| json!(given));
        sub.clone()
    };
    let taken = refused("UsernameExistsException", "User account already exists");
    if find(db, pool, given)?.is_some() {
        return Err(taken);
    }
    for alias in aliases(pool) {
        let Some(value) = attributes.get(&alias).and_then(Value::as_str) else { continue };
        let other = store::users(db, &pool.id)?;
        if other.iter().any(|user| user.attribute(&alias).is_some_and(|own| folded(pool, own) == folded(pool, value))) {
            return Err(taken);
        }
    }
    let now = asked.now.as_millisecond();
    Ok(User {
        name,
        sub,
        attributes,
        status: UNCONFIRMED.to_owned(),
        enabled: true,
        password: None,
        created: now,
        modified: now,
    })
}

fn set_password(pool: &StoredResource, user: &mut User, new: &str) -> Result<(), ApiError> {
    if let Some(refusal) = password::refusal(&pool.properties, new) {
        return Err(refused("InvalidPasswordException", refusal));
    }
    user.password = Some(password::hash(new));
    Ok(())
}

pub(super) fn admin_create(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    asked.refuse("cognito-idp", "AdminCreateUser", &["ForceAliasCreation", "ClientMetadata"])?;
    match asked.text("MessageAction") {
        None | Some("SUPPRESS") => {}
        Some(other) => {
            return Err(ApiError::not_implemented(
                "cognito-idp",
                &format!("AdminCreateUser with MessageAction {other}"),
            ));
        }
    }
    let pool = pool(db, asked.required("UserPoolId")?)?;
    let mut user = new_user(db, asked, &pool, asked.required("Username")?, attributes(asked.get("UserAttributes"))?)?;
    user.status = FORCE_CHANGE.to_owned();
    if let Some(first) = asked.text("TemporaryPassword") {
        set_password(&pool, &mut user, first)?;
    }
    store::save(db, &pool.id, &user)?;
    Ok(json!({ "User": shown(&user, "Attributes") }))
}

pub(super) fn admin_set_password(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let (pool, mut user) = named(db, asked)?;
    set_password(&pool, &mut user, asked.required("Password")?)?;
    user.status = if asked.flag("Permanent") { CONFIRMED } else { FORCE_CHANGE }.to_owned();
    user.modified = asked.now.as_millisecond();
    store::save(db, &pool.id, &user)?;
    Ok(json!({}))
}

pub(super) fn admin_get(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let (_, user) = named(db, asked)?;
    Ok(shown(&user, "UserAttributes"))
}

pub(super) fn admin_delete(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let (pool, user) = named(db, asked)?;
    store::delete(db, &pool.id, &user.name)?;
    Ok(json!({}))
}

pub(super) fn sign_up(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let (client, pool) = client(db, asked.required("ClientId")?)?;
    let given = asked.required("Username")?;
    check_secret(&client, given, asked.text("SecretHash"))?;
    let invited = pool.properties.pointer("/AdminCreateUserConfig/AllowAdminCreateUserOnly");
    if invited.and_then(scalar).as_deref() == Some("true") {
        return Err(refused("NotAuthorizedException", "SignUp is not permitted for this user pool"));
    }
    let mut user = new_user(db, asked, &pool, given, attributes(asked.get("UserAttributes"))?)?;
    set_password(&pool, &mut user, asked.required("Password")?)?;
    store::save(db, &pool.id, &user)?;
    Ok(json!({ "UserConfirmed": false, "UserSub": user.sub }))
}

pub(super) fn admin_confirm(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let (pool, mut user) = named(db, asked)?;
    if user.status != UNCONFIRMED {
        let message = format!("User cannot be confirmed. Current status is {}", user.status);
        return Err(refused("NotAuthorizedException", message));
    }
    user.status = CONFIRMED.to_owned();
    user.modified = asked.now.as_millisecond();
    store::save(db, &pool.id, &user)?;
    Ok(json!({}))
}

pub(super) fn list(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let pool = pool(db, asked.required("UserPoolId")?)?;
    let mut users = store::users(db, &pool.id)?;
    if let Some(filter) = asked.text("Filter").map(str::trim).filter(|filter| !filter.is_empty()) {
        let parsed = filter.split_once('=').and_then(|(left, value)| {
            let (name, begins) = match left.trim().strip_suffix('^') {
                Some(name) => (name.trim(), true),
                None => (left.trim(), false),
            };
            Some((name.to_owned(), begins, value.trim().strip_prefix('"')?.strip_suffix('"')?.to_owned()))
        });
        let (name, begins, value) = parsed.ok_or_else(|| invalid("Error while parsing filter."))?;
        users.retain(|user| {
            let own = match name.as_str() {
                "username" => Some(user.name.as_str()),
                "cognito:user_status" => Some(user.status.as_str()),
                "status" => Some(if user.enabled { "Enabled" } else { "Disabled" }),
                other => user.attribute(other),
            };
            own.is_some_and(|own| if begins { own.starts_with(&value) } else { own == value })
        });
    }
    let (page, next) = asked.page(users, "Limit", 60, bad_token)?;
    let wanted = asked.texts("AttributesToGet");
    let users: Value = page
        .iter()
        .map(|user| {
            let mut user = shown(user, "Attributes");
            if !wanted.is_empty()
                && let Some(attributes) = user.get_mut("Attributes").and_then(Value::as_array_mut)
            {
                attributes
                    .retain(|it| it.get("Name").and_then(Value::as_str).is_some_and(|name| wanted.contains(&name)));
            }
            user
        })
        .collect();
    Ok(compact(json!({ "Users": users, "PaginationToken": next })))
}

/// Who has an access token is told about themselves.
pub(super) fn get(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let (_, user) = sign_in::bearer(db, asked)?;
    Ok(json!({ "Username": user.name, "UserAttributes": attribute_list(&user) }))
}

pub(super) fn describe_pool(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let pool = pool(db, asked.required("UserPoolId")?)?;
    let property = |name: &str| pool.properties.get(name).cloned().unwrap_or(Value::Null);
    let created = pool.state.get("Created").and_then(Value::as_i64).map(seconds);
    Ok(json!({ "UserPool": compact(json!({
        "Id": pool.id,
        "Name": text(&pool.properties, "UserPoolName").unwrap_or_else(|| pool.logical_id.clone()),
        "Arn": pool.attributes.get("Arn"),
        "Status": "Enabled",
        "CreationDate": created,
        "LastModifiedDate": created,
        "Policies": numbers(property("Policies")),
        "DeletionProtection": property("DeletionProtection"),
        "UsernameAttributes": property("UsernameAttributes"),
        "AliasAttributes": property("AliasAttributes"),
        "AutoVerifiedAttributes": property("AutoVerifiedAttributes"),
        "UsernameConfiguration": numbers(property("UsernameConfiguration")),
        "AdminCreateUserConfig": numbers(property("AdminCreateUserConfig")),
        "MfaConfiguration": text(&pool.properties, "MfaConfiguration").unwrap_or_else(|| "OFF".to_owned()),
        "EstimatedNumberOfUsers": store::users(db, &pool.id)?.len(),
    })) }))
}

pub(super) fn describe_client(db: &Transaction<'_>, asked: &ApiRequest) -> Result<Value, ApiError> {
    let pool = pool(db, asked.required("UserPoolId")?)?;
    let (client, own) = client(db, asked.required("ClientId")?)?;
    if own.id != pool.id {
        let message = format!("User pool client {} does not exist.", client.id);
        return Err(refused("ResourceNotFoundException", message));
    }
    let mut shown = client.properties.as_object().cloned().unwrap_or_default();
    shown.remove("GenerateSecret");
    shown.insert("ClientId".to_owned(), json!(client.id));
    shown.entry("ClientName".to_owned()).or_insert_with(|| json!(client.logical_id));
    if let Some(secret) = client_secret(&client) {
        shown.insert("ClientSecret".to_owned(), json!(secret));
    }
    let created = client.state.get("Created").and_then(Value::as_i64).map(seconds);
    for name in ["CreationDate", "LastModifiedDate"] {
        shown.insert(name.to_owned(), json!(created));
    }
    Ok(json!({ "UserPoolClient": compact(numbers(Value::Object(shown))) }))
}

/// Numbers and truth values that a template wrote as texts, as the API tells them.
fn numbers(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, member)| (name, numbers(member))).collect())
        }
        Value::String(text) if text == "true" || text == "false" => Value::Bool(text == "true"),
        Value::String(text) => match text.parse::<u32>() {
            Ok(number) => json!(number),
            Err(_) => Value::String(text),
        },
        other => other,
    }
}
