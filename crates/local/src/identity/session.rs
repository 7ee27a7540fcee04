//! Temporary credentials: who they stand for, and until when.

use jiff::{SignedDuration, Timestamp};
use rand::Rng as _;
use rand::distr::Alphanumeric;
use rusqlite::{OptionalExtension, Transaction};

use super::authorize::{authorize, trust_allows};
use crate::ground::permissions::read_policy;
use crate::ground::principal::PREFIX;
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::store::Schema;
use crate::ground::{ApiError, Credentials, Principal, RequestContext, RequiredPermission, Session};

/// Sessions, and what was decided for them. Times are seconds since 1970.
pub const SCHEMA: Schema = Schema {
    room: "identity",
    steps: &["
        CREATE TABLE identity_session (
            access_key TEXT PRIMARY KEY, secret TEXT NOT NULL, token TEXT NOT NULL, role TEXT NOT NULL,
            role_arn TEXT NOT NULL, role_id TEXT NOT NULL, name TEXT NOT NULL, expires INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE identity_decision (
            id INTEGER PRIMARY KEY, role TEXT NOT NULL, principal TEXT NOT NULL, action TEXT NOT NULL,
            resource TEXT NOT NULL, allowed INTEGER NOT NULL, policy TEXT NOT NULL, statement INTEGER NOT NULL,
            sid TEXT NOT NULL, message TEXT NOT NULL, count INTEGER NOT NULL, last INTEGER NOT NULL,
            UNIQUE (role, principal, action, resource, allowed, policy, statement)
        ) STRICT;
    "],
};

fn random(length: usize, alphabet: Option<&[u8]>) -> String {
    let mut rng = rand::rng();
    (0..length)
        .map(|_| match alphabet {
            Some(alphabet) => alphabet.get(rng.random_range(0..alphabet.len())).map_or('A', |byte| char::from(*byte)),
            None => char::from(rng.sample(Alphanumeric)),
        })
        .collect()
}

/// Makes credentials for a session of a role, whoever asks; what expired long ago goes at the same time.
fn mint(
    db: &Transaction<'_>,
    role: &StoredResource,
    name: &str,
    lifetime: SignedDuration,
    now: Timestamp,
) -> rusqlite::Result<Credentials> {
    let attribute = |name: &str| role.attributes.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let session = Session {
        role: role.id.clone(),
        role_arn: attribute("Arn").to_owned(),
        role_id: attribute("RoleId").to_owned(),
        name: name.to_owned(),
        expires: now.checked_add(lifetime).unwrap_or(Timestamp::MAX),
    };
    let credentials = Credentials {
        access_key: format!("{PREFIX}{}", random(11, Some(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))),
        secret: random(40, None),
        token: random(200, None),
        session,
    };
    let session = &credentials.session;
    // An expired key is told apart from an unknown one for a day.
    db.execute("DELETE FROM identity_session WHERE expires < ?1", [now.as_second() - 86_400])?;
    db.prepare_cached("INSERT INTO identity_session VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute((
        &credentials.access_key,
        &credentials.secret,
        &credentials.token,
        &session.role,
        &session.role_arn,
        &session.role_id,
        &session.name,
        session.expires.as_second(),
    ))?;
    Ok(credentials)
}

/// Forgets the secrets of credentials that have expired.
///
/// # Errors
///
/// When the database refuses.
pub(crate) fn forget_expired(db: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<usize> {
    db.prepare_cached("UPDATE identity_session SET secret = '', token = '' WHERE expires <= ?1 AND secret <> ''")?
        .execute([now.as_second()])
}

/// The credentials of an access key; they may have expired.
pub(super) fn find(db: &Transaction<'_>, access_key: &str) -> rusqlite::Result<Option<Credentials>> {
    db.prepare_cached(
        "SELECT secret, token, role, role_arn, role_id, name, expires FROM identity_session WHERE access_key = ?1",
    )?
    .query_row([access_key], |row| {
        let session = Session {
            role: row.get(2)?,
            role_arn: row.get(3)?,
            role_id: row.get(4)?,
            name: row.get(5)?,
            expires: Timestamp::from_second(row.get(6)?).unwrap_or(Timestamp::MIN),
        };
        Ok(Credentials { access_key: access_key.to_owned(), secret: row.get(0)?, token: row.get(1)?, session })
    })
    .optional()
}

/// The secret of an access key, for whoever verifies a signature elsewhere.
pub(crate) fn secret_of(db: &Transaction<'_>, access_key: &str) -> rusqlite::Result<Option<String>> {
    Ok(find(db, access_key)?.map(|credentials| credentials.secret))
}

fn role_of(db: &Transaction<'_>, arn: &str) -> Result<Option<StoredResource>, ApiError> {
    let name = arn.split_once(":role/").map(|(_, path)| path.rsplit('/').next().unwrap_or(path));
    let Some(name) = name else { return Ok(None) };
    let role = resource_table::find(db, "AWS::IAM::Role", "global", name)?;
    Ok(role.filter(|role| role.attributes.get("Arn").and_then(|value| value.as_str()) == Some(arn)))
}

/// Credentials for a service that works with a role, when the role's trust policy lets it: nothing when it does not, or
/// there is no such role. `context` holds the condition keys the service sends, such as `aws:SourceArn`.
///
/// # Errors
///
/// When the database refuses.
pub(crate) fn assume_as_service(
    db: &Transaction<'_>,
    role_arn: &str,
    service: &str,
    name: &str,
    context: &[(&str, &str)],
    lifetime: SignedDuration,
    now: Timestamp,
) -> Result<Option<Credentials>, ApiError> {
    let Some(role) = role_of(db, role_arn)? else { return Ok(None) };
    if !trust_allows(&role, &[("Service", service)], context, now) {
        return Ok(None);
    }
    Ok(Some(mint(db, &role, name, lifetime, now)?))
}

/// What comes of `AssumeRole`. A denial is no error, as it is recorded with the transaction.
#[derive(Debug)]
pub(crate) enum RoleAssumption {
    /// Credentials of a session.
    Granted(Credentials),
    /// The trust policy or the caller's own do not let them, or there is no such role.
    Denied(ApiError),
}

/// `AssumeRole`: credentials when the role's trust policy lets the caller, and the caller's own policies where the trust
/// policy names the account only.
///
/// # Errors
///
/// When the state can't be read or written.
pub(crate) fn assume(
    db: &Transaction<'_>,
    principal: &Principal,
    role_arn: &str,
    name: &str,
    lifetime: SignedDuration,
    context: &RequestContext,
) -> Result<RoleAssumption, ApiError> {
    let caller = principal.arn();
    let denied = || {
        let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
        Ok(RoleAssumption::Denied(ApiError::sender("AccessDenied", message).with_status(http::StatusCode::FORBIDDEN)))
    };
    let Some(role) = role_of(db, role_arn)? else { return denied() };
    let own: Vec<(&str, &str)> = match principal {
        Principal::Administrator { .. } => vec![("AWS", &caller)],
        Principal::Role(session) => vec![("AWS", &caller), ("AWS", &session.role_arn)],
    };
    if !trust_allows(&role, &own, &[], context.now) {
        return denied();
    }
    // A trust policy that names the role itself is enough within one account.
    if !trust_names(&role, &own) {
        let required = RequiredPermission::new("sts:AssumeRole", role_arn);
        if !authorize(db, principal, &[required], context)?.is_allowed() {
            return denied();
        }
    }
    Ok(RoleAssumption::Granted(mint(db, &role, name, lifetime, context.now)?))
}

fn trust_names(role: &StoredResource, own: &[(&str, &str)]) -> bool {
    let trust = role.properties.get("AssumeRolePolicyDocument").unwrap_or(&serde_json::Value::Null);
    read_policy(trust).is_some_and(|policy| {
        policy.statements.iter().any(|statement| {
            own.iter().any(|(_, arn)| statement.principals.contains(&bedplate_iam::Principal::aws(arn)))
        })
    })
}
