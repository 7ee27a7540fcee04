//! The table of parameters, a row a version, and a parameter by any of its names. Times are milliseconds since 1970.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::ground::ACCOUNT_ID;
use crate::ground::store::Schema;

/// How many versions are kept. Source: Systems Manager user guide, "Working with parameter versions".
const VERSIONS: i64 = 100;

/// The table; parameters that stacks made before there was any are taken over.
pub const SCHEMA: Schema = Schema {
    room: "ssm",
    steps: &["
        CREATE TABLE ssm_parameter (
            region TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL,
            sealed TEXT, description TEXT, pattern TEXT, modified INTEGER NOT NULL,
            PRIMARY KEY (region, name, version)) STRICT, WITHOUT ROWID;
        INSERT INTO ssm_parameter (region, name, version, type, value, description, pattern, modified)
            SELECT region, physical_id, 1, coalesce(json_extract(properties, '$.Type'), 'String'),
                   CAST(coalesce(json_extract(properties, '$.Value'), '') AS TEXT),
                   json_extract(properties, '$.Description'), json_extract(properties, '$.AllowedPattern'),
                   unixepoch() * 1000
            FROM resource WHERE type = 'AWS::SSM::Parameter';
    "],
};

/// One version of a parameter.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// From 1.
    pub version: i64,
    /// `String`, `StringList` or `SecureString`.
    pub kind: String,
    /// Its value.
    pub value: String,
    /// What stands for a secure value that is not asked to be decrypted.
    pub sealed: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What its values must match.
    pub pattern: Option<String>,
    /// When it was made.
    pub modified: i64,
}

impl std::fmt::Debug for Parameter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A secure value stays out of whatever prints this.
        f.debug_struct("Parameter").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "name, version, type, value, sealed, description, pattern, modified";

fn parameter(row: &Row<'_>) -> rusqlite::Result<Parameter> {
    Ok(Parameter {
        name: row.get(0)?,
        version: row.get(1)?,
        kind: row.get(2)?,
        value: row.get(3)?,
        sealed: row.get(4)?,
        description: row.get(5)?,
        pattern: row.get(6)?,
        modified: row.get(7)?,
    })
}

/// Whether a name, or an ARN, is one of the public parameters that AWS keeps for everybody: nobody else's begin so. Source:
/// Systems Manager user guide, "Discovering public parameters".
pub fn is_public(name: &str) -> bool {
    name.starts_with("/aws/") || name.split_once(":parameter/aws/").is_some_and(|(arn, _)| arn.starts_with("arn:"))
}

/// Writes a new version; the oldest beyond those that are kept goes.
///
/// # Errors
///
/// When the database refuses, or has that version.
pub fn add(db: &Connection, region: &str, new: &Parameter) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO ssm_parameter (region, name, version, type, value, sealed, description, pattern, modified)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        region,
        new.name,
        new.version,
        new.kind,
        new.value,
        new.sealed,
        new.description,
        new.pattern,
        new.modified
    ])?;
    db.prepare_cached("DELETE FROM ssm_parameter WHERE region = ?1 AND name = ?2 AND version <= ?3")?
        .execute(params![region, new.name, new.version - VERSIONS])?;
    Ok(())
}

/// A version of a parameter; the latest when none is given.
///
/// # Errors
///
/// When the database refuses.
pub fn find(db: &Connection, region: &str, name: &str, version: Option<i64>) -> rusqlite::Result<Option<Parameter>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM ssm_parameter WHERE region = ?1 AND name = ?2 AND (?3 IS NULL OR version = ?3)
         ORDER BY version DESC LIMIT 1"
    ))?
    .query_row(params![region, name, version], parameter)
    .optional()
}

/// The latest version of every parameter, by name.
///
/// # Errors
///
/// When the database refuses.
pub fn all(db: &Connection, region: &str) -> rusqlite::Result<Vec<Parameter>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM ssm_parameter AS latest WHERE region = ?1
         AND version = (SELECT max(version) FROM ssm_parameter WHERE region = ?1 AND name = latest.name) ORDER BY name"
    ))?;
    statement.query_map([region], parameter)?.collect()
}

/// Every version of every parameter, by name, the latest last.
///
/// # Errors
///
/// When the database refuses.
pub fn all_versions(db: &Connection, region: &str) -> rusqlite::Result<BTreeMap<String, Vec<Parameter>>> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM ssm_parameter WHERE region = ?1 ORDER BY name, version"))?;
    let mut found: BTreeMap<String, Vec<Parameter>> = BTreeMap::new();
    for row in statement.query_map([region], parameter)? {
        let row = row?;
        found.entry(row.name.clone()).or_default().push(row);
    }
    Ok(found)
}

/// Deletes a parameter; says whether there was one.
///
/// # Errors
///
/// When the database refuses.
pub fn delete(db: &Connection, region: &str, name: &str) -> rusqlite::Result<bool> {
    Ok(db.execute("DELETE FROM ssm_parameter WHERE region = ?1 AND name = ?2", [region, name])? > 0)
}

/// What a caller names: a parameter, and a version or a label of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name, out of an ARN where one is given.
    pub name: String,
    /// What follows the colon.
    pub selector: Option<String>,
}

impl Named {
    /// Reads a name or an ARN, each perhaps with `:` and a version or label.
    pub fn of(text: &str, region: &str) -> Self {
        let prefix = format!("arn:aws:ssm:{region}:{ACCOUNT_ID}:parameter/");
        let (name, selector) = match text.strip_prefix(&prefix) {
            Some(rest) => {
                let (name, selector) = split(rest);
                // The ARN of `/a/b` has one slash where the name begins, and so has that of `a`.
                (if name.contains('/') { format!("/{name}") } else { name.to_owned() }, selector)
            }
            None if text.starts_with("arn:") => (text.to_owned(), None),
            None => {
                let (name, selector) = split(text);
                (name.to_owned(), selector)
            }
        };
        Self { name, selector: selector.map(str::to_owned) }
    }

    /// Looks the parameter up.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub fn find(&self, db: &Connection, region: &str) -> rusqlite::Result<ParameterLookup> {
        // A label is a name for a version; there are none here.
        let version = self.selector.as_ref().map(|selector| selector.parse().unwrap_or(0));
        // The ARN of `/a`, with one part, looks like that of `a`.
        for name in [self.name.clone(), format!("/{}", self.name)] {
            if let Some(found) = find(db, region, &name, version)? {
                return Ok(ParameterLookup::Found(found));
            }
            if version.is_some() && find(db, region, &name, None)?.is_some() {
                return Ok(ParameterLookup::NoVersion);
            }
            if self.name.starts_with('/') {
                break;
            }
        }
        Ok(ParameterLookup::NoParameter)
    }
}

/// What looking a parameter up comes to.
#[derive(Debug)]
pub enum ParameterLookup {
    /// It is there.
    Found(Parameter),
    /// There is no such parameter.
    NoParameter,
    /// There is, but not of that version or label.
    NoVersion,
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((name, selector)) => (name, Some(selector)),
        None => (text, None),
    }
}

/// The ARN of a parameter.
pub fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:ssm:{region}:{ACCOUNT_ID}:parameter/{}", name.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_are_read_with_their_versions() {
        for (text, name, selector) in [
            ("/app/key", "/app/key", None),
            ("key:3", "key", Some("3")),
            ("arn:aws:ssm:us-west-2:123456789012:parameter/app/key", "/app/key", None),
            ("arn:aws:ssm:us-west-2:123456789012:parameter/key:latest", "key", Some("latest")),
        ] {
            let named = Named::of(text, "us-west-2");
            assert_eq!((named.name.as_str(), named.selector.as_deref()), (name, selector), "{text}");
        }
        assert_eq!(arn("us-west-2", "/app/key"), "arn:aws:ssm:us-west-2:123456789012:parameter/app/key");
    }
}
