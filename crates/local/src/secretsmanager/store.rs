//! The table of secrets' values, and a secret by any of its names. Times are milliseconds since 1970.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use crate::ground::resource_table::{self, StoredResource};
use crate::ground::store::Schema;

/// The type of secrets.
pub const SECRET: &str = "AWS::SecretsManager::Secret";
/// The label of the version that counts.
pub const CURRENT: &str = "AWSCURRENT";
/// The label of the version that counted before.
pub const PREVIOUS: &str = "AWSPREVIOUS";

/// The table; texts that stacks gave secrets before there was any are taken over.
pub const SCHEMA: Schema = Schema {
    room: "secretsmanager",
    steps: &["
        CREATE TABLE secret_version (
            number INTEGER PRIMARY KEY, arn TEXT NOT NULL, id TEXT NOT NULL, text TEXT, bytes TEXT,
            stages TEXT NOT NULL, created INTEGER NOT NULL, UNIQUE (arn, id)) STRICT;
        CREATE TABLE secret_access (arn TEXT PRIMARY KEY, day INTEGER NOT NULL) STRICT;
        INSERT INTO secret_version (arn, id, text, stages, created)
            SELECT physical_id,
                   lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-'
                         || hex(randomblob(2)) || '-' || hex(randomblob(6))),
                   CAST(json_extract(properties, '$.SecretString') AS TEXT), '[\"AWSCURRENT\"]', unixepoch() * 1000
            FROM resource
            WHERE type = 'AWS::SecretsManager::Secret' AND json_extract(properties, '$.SecretString') IS NOT NULL;
    "],
};

/// One version of a secret's value.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretVersion {
    /// Its id, a UUID unless a caller gave another.
    pub id: String,
    /// The value, when it is text.
    pub text: Option<String>,
    /// The value in Base64, when it is bytes.
    pub bytes: Option<String>,
    /// Its staging labels.
    pub stages: Vec<String>,
    /// When it was made.
    pub created: i64,
}

impl std::fmt::Debug for SecretVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The value stays out of whatever prints this.
        f.debug_struct("Version").field("id", &self.id).field("stages", &self.stages).finish_non_exhaustive()
    }
}

fn version(row: &Row<'_>) -> rusqlite::Result<SecretVersion> {
    let stages: String = row.get(3)?;
    Ok(SecretVersion {
        id: row.get(0)?,
        text: row.get(1)?,
        bytes: row.get(2)?,
        stages: serde_json::from_str(&stages).unwrap_or_default(),
        created: row.get(4)?,
    })
}

/// All versions of a secret, oldest first; those without a label too.
///
/// # Errors
///
/// When the database refuses.
pub fn versions(db: &Connection, arn: &str) -> rusqlite::Result<Vec<SecretVersion>> {
    let mut statement = db
        .prepare_cached("SELECT id, text, bytes, stages, created FROM secret_version WHERE arn = ?1 ORDER BY number")?;
    statement.query_map([arn], version)?.collect()
}

/// Adds a version with labels, which other versions lose; the version that was current becomes the previous one.
///
/// # Errors
///
/// When the database refuses.
pub fn add(db: &Connection, arn: &str, new: &SecretVersion) -> rusqlite::Result<()> {
    let becomes_current = new.stages.iter().any(|stage| stage == CURRENT);
    for mut old in versions(db, arn)? {
        let was_current = old.stages.iter().any(|stage| stage == CURRENT);
        let before = old.stages.clone();
        let loses = |stage: &String| new.stages.contains(stage) || (becomes_current && stage == PREVIOUS);
        old.stages.retain(|stage| !loses(stage));
        if was_current && becomes_current {
            old.stages.push(PREVIOUS.to_owned());
        }
        if old.stages != before {
            db.prepare_cached("UPDATE secret_version SET stages = ?3 WHERE arn = ?1 AND id = ?2")?.execute(params![
                arn,
                old.id,
                json!(old.stages).to_string()
            ])?;
        }
    }
    db.prepare_cached(
        "INSERT INTO secret_version (arn, id, text, bytes, stages, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![arn, new.id, new.text, new.bytes, json!(new.stages).to_string(), new.created])?;
    Ok(())
}

/// Forgets all values of a secret.
///
/// # Errors
///
/// When the database refuses.
pub fn forget(db: &Connection, arn: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM secret_version WHERE arn = ?1", [arn])?;
    db.execute("DELETE FROM secret_access WHERE arn = ?1", [arn])?;
    Ok(())
}

/// Notes that a value was read; AWS tells the day only.
///
/// # Errors
///
/// When the database refuses.
pub fn touched(db: &Connection, arn: &str, now: i64) -> rusqlite::Result<()> {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    db.prepare_cached(
        "INSERT INTO secret_access (arn, day) VALUES (?1, ?2) ON CONFLICT (arn) DO UPDATE SET day = ?2 WHERE day < ?2",
    )?
    .execute(params![arn, now - now.rem_euclid(DAY)])?;
    Ok(())
}

/// The day a value was read last, at its beginning.
///
/// # Errors
///
/// When the database refuses.
pub fn last_touched(db: &Connection, arn: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT day FROM secret_access WHERE arn = ?1")?.query_row([arn], |row| row.get(0)).optional()
}

/// The name of a secret, from its ARN: what follows `:secret:`, without the hyphen and six characters at its end.
pub fn name_of(arn: &str) -> &str {
    let tail = arn.split_once(":secret:").map_or(arn, |(_, tail)| tail);
    tail.len().checked_sub(7).and_then(|end| tail.get(..end)).unwrap_or(tail)
}

/// A secret by its name, its ARN, or its ARN without the six characters at the end.
///
/// # Errors
///
/// When the database refuses.
pub fn find(db: &Connection, region: &str, named: &str) -> rusqlite::Result<Option<StoredResource>> {
    if named.starts_with("arn:") {
        // An ARN names its own region, and a secret of another is not found here.
        let found = resource_table::find(db, SECRET, region, named)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let fits = |arn: &str| {
        if named.starts_with("arn:") {
            arn.strip_prefix(named).is_some_and(|rest| rest.len() == 7 && rest.starts_with('-'))
        } else {
            name_of(arn) == named
        }
    };
    Ok(resource_table::of_type(db, SECRET, Some(region))?.into_iter().find(|thing| fits(&thing.id)))
}

/// The version a stage or an id names; the current one when neither is given.
///
/// # Errors
///
/// What is not there, in the service's words.
pub fn select<'v>(
    versions: &'v [SecretVersion],
    id: Option<&str>,
    stage: Option<&str>,
) -> Result<&'v SecretVersion, (&'static str, String)> {
    let missing = |what: String| {
        ("ResourceNotFoundException", format!("Secrets Manager can't find the specified secret value for {what}"))
    };
    let labelled = |version: &&SecretVersion, stage: &str| version.stages.iter().any(|own| own == stage);
    match (id, stage) {
        (Some(id), stage) => {
            let found = versions.iter().find(|version| version.id == id);
            let found = found.ok_or_else(|| missing(format!("VersionId: {id}")))?;
            match stage {
                Some(stage) if !labelled(&found, stage) => Err((
                    "InvalidRequestException",
                    "You provided a VersionStage that is not associated to the provided VersionId.".to_owned(),
                )),
                _ => Ok(found),
            }
        }
        (None, stage) => {
            let stage = stage.unwrap_or(CURRENT);
            let found = versions.iter().find(|version| labelled(version, stage));
            found.ok_or_else(|| missing(format!("staging label: {stage}")))
        }
    }
}

/// The version ids with their labels, as `DescribeSecret` shows them: those without a label are not shown.
pub fn stages(versions: &[SecretVersion]) -> Value {
    let labelled = versions.iter().filter(|version| !version.stages.is_empty());
    Value::Object(labelled.map(|version| (version.id.clone(), json!(version.stages))).collect())
}
