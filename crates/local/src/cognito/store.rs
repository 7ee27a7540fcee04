//! The tables of people, keys and refresh tokens. Times are milliseconds since 1970.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value};

use crate::ground::store::Schema;

/// The tables.
pub const SCHEMA: Schema = Schema {
    room: "cognito",
    steps: &["
        CREATE TABLE cognito_user (
            pool TEXT NOT NULL, name TEXT NOT NULL, sub TEXT NOT NULL, attributes TEXT NOT NULL, status TEXT NOT NULL,
            enabled INTEGER NOT NULL, salt BLOB, hash BLOB, created INTEGER NOT NULL, modified INTEGER NOT NULL,
            PRIMARY KEY (pool, name)) STRICT, WITHOUT ROWID;
        CREATE TABLE cognito_key (
            pool TEXT PRIMARY KEY, id TEXT NOT NULL, private BLOB NOT NULL, public BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE cognito_refresh (
            digest BLOB PRIMARY KEY, pool TEXT NOT NULL, client TEXT NOT NULL, name TEXT NOT NULL,
            origin TEXT NOT NULL, signed_in INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    "],
};

/// Who has a password that counts.
pub const CONFIRMED: &str = "CONFIRMED";
/// Who has signed up and is not confirmed yet.
pub const UNCONFIRMED: &str = "UNCONFIRMED";
/// Whose password an administrator gave for the first time only.
pub const FORCE_CHANGE: &str = "FORCE_CHANGE_PASSWORD";

/// A person.
#[derive(Clone, PartialEq)]
pub struct User {
    /// The name in the pool.
    pub name: String,
    /// A UUID.
    pub sub: String,
    /// All attributes but `sub`, as texts.
    pub attributes: Map<String, Value>,
    /// One of the constants above.
    pub status: String,
    /// Whether the person may sign in at all.
    pub enabled: bool,
    /// The password's salt and hash.
    pub password: Option<(Vec<u8>, Vec<u8>)>,
    /// When it was made.
    pub created: i64,
    /// When it was changed last.
    pub modified: i64,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("status", &self.status).finish_non_exhaustive()
    }
}

impl User {
    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        if name == "sub" {
            return Some(&self.sub);
        }
        self.attributes.get(name).and_then(Value::as_str)
    }
}

const COLUMNS: &str = "name, sub, attributes, status, enabled, salt, hash, created, modified";

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    let attributes: String = row.get(2)?;
    let (salt, hash): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(5)?, row.get(6)?);
    Ok(User {
        name: row.get(0)?,
        sub: row.get(1)?,
        attributes: serde_json::from_str(&attributes).unwrap_or_default(),
        status: row.get(3)?,
        enabled: row.get(4)?,
        password: salt.zip(hash),
        created: row.get(7)?,
        modified: row.get(8)?,
    })
}

/// The people of a pool, oldest first.
///
/// # Errors
///
/// When the database refuses.
pub fn users(db: &Connection, pool: &str) -> rusqlite::Result<Vec<User>> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM cognito_user WHERE pool = ?1 ORDER BY created, name"))?;
    statement.query_map([pool], user)?.collect()
}

/// Writes a person, new or changed.
///
/// # Errors
///
/// When the database refuses.
pub fn save(db: &Connection, pool: &str, user: &User) -> rusqlite::Result<()> {
    let (salt, hash) = match &user.password {
        Some((salt, hash)) => (Some(salt), Some(hash)),
        None => (None, None),
    };
    db.prepare_cached(
        "INSERT INTO cognito_user (pool, name, sub, attributes, status, enabled, salt, hash, created, modified)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (pool, name) DO UPDATE SET attributes = ?4, status = ?5, enabled = ?6, salt = ?7, hash = ?8,
         modified = ?10",
    )?
    .execute(params![
        pool,
        user.name,
        user.sub,
        Value::Object(user.attributes.clone()).to_string(),
        user.status,
        user.enabled,
        salt,
        hash,
        user.created,
        user.modified
    ])?;
    Ok(())
}

/// Deletes a person, and what refreshes their tokens.
///
/// # Errors
///
/// When the database refuses.
pub fn delete(db: &Connection, pool: &str, name: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM cognito_user WHERE pool = ?1 AND name = ?2", [pool, name])?;
    db.execute("DELETE FROM cognito_refresh WHERE pool = ?1 AND name = ?2", [pool, name])?;
    Ok(())
}

/// Forgets all of a pool.
///
/// # Errors
///
/// When the database refuses.
pub fn forget(db: &Connection, pool: &str) -> rusqlite::Result<()> {
    for table in ["cognito_user", "cognito_key", "cognito_refresh"] {
        db.execute(&format!("DELETE FROM {table} WHERE pool = ?1"), [pool])?;
    }
    Ok(())
}

/// A key: its id, and both of its parts in DER.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// As tokens name it.
    pub id: String,
    /// PKCS#8.
    pub private: Vec<u8>,
    /// PKCS#1 `RSAPublicKey`.
    pub public: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The key of a pool, once it has one.
///
/// # Errors
///
/// When the database refuses.
pub fn key(db: &Connection, pool: &str) -> rusqlite::Result<Option<SigningKey>> {
    db.prepare_cached("SELECT id, private, public FROM cognito_key WHERE pool = ?1")?
        .query_row([pool], |row| Ok(SigningKey { id: row.get(0)?, private: row.get(1)?, public: row.get(2)? }))
        .optional()
}

/// Gives a pool its key.
///
/// # Errors
///
/// When the database refuses.
pub fn set_key(db: &Connection, pool: &str, key: &SigningKey) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO cognito_key (pool, id, private, public) VALUES (?1, ?2, ?3, ?4)",
        params![pool, key.id, key.private, key.public],
    )?;
    Ok(())
}

/// What a refresh token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// The pool.
    pub pool: String,
    /// The client it was given to.
    pub client: String,
    /// The person's name in the pool.
    pub name: String,
    /// The id that all tokens of one sign-in share.
    pub origin: String,
    /// When the person signed in.
    pub signed_in: i64,
    /// When it ends.
    pub expires: i64,
}

/// Keeps a refresh token by its digest.
///
/// # Errors
///
/// When the database refuses.
pub fn keep_refresh(db: &Connection, digest: &[u8], it: &Refresh) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO cognito_refresh (digest, pool, client, name, origin, signed_in, expires) VALUES (?1,?2,?3,?4,?5,?6,?7)",
    )?
    .execute(params![digest, it.pool, it.client, it.name, it.origin, it.signed_in, it.expires])?;
    Ok(())
}

/// What a refresh token stands for, if it is one.
///
/// # Errors
///
/// When the database refuses.
pub fn refresh(db: &Connection, digest: &[u8]) -> rusqlite::Result<Option<Refresh>> {
    db.prepare_cached("SELECT pool, client, name, origin, signed_in, expires FROM cognito_refresh WHERE digest = ?1")?
        .query_row([digest], |row| {
            Ok(Refresh {
                pool: row.get(0)?,
                client: row.get(1)?,
                name: row.get(2)?,
                origin: row.get(3)?,
                signed_in: row.get(4)?,
                expires: row.get(5)?,
            })
        })
        .optional()
}
