//! Decisions kept, and told by statement: which statement was ever needed, and what was denied.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::Serialize;

use super::policies;
use crate::ground::resource_table;
use crate::ground::store::{Store, StoreError};
use bedplate_iam::Effect;

/// Decisions kept of one role; beyond it those longest ago are forgotten.
const MOST: i64 = 5_000;

/// One decision.
pub(super) struct Entry<'a> {
    pub role: &'a str,
    pub principal: &'a str,
    pub action: &'a str,
    pub resource: &'a str,
    pub allowed: bool,
    /// The policy whose statement decided; empty when none did.
    pub policy: &'a str,
    pub statement: usize,
    pub sid: &'a str,
    pub message: &'a str,
}

/// Keeps a decision; the same one again is counted.
pub(super) fn keep(db: &Connection, entry: &Entry<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let id: i64 = db
        .prepare_cached(
            "INSERT INTO identity_decision
                (role, principal, action, resource, allowed, policy, statement, sid, message, count, last)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10)
             ON CONFLICT DO UPDATE SET count = count + 1, last = ?10, message = ?9, sid = ?8 RETURNING id",
        )?
        .query_row(
            params![
                entry.role,
                entry.principal,
                entry.action,
                entry.resource,
                entry.allowed,
                entry.policy,
                i64::try_from(entry.statement).unwrap_or(i64::MAX),
                entry.sid,
                entry.message,
                now.as_second()
            ],
            |row| row.get(0),
        )?;
    // Now and then is often enough.
    if id % 256 == 0 {
        db.prepare_cached(
            "DELETE FROM identity_decision WHERE role = ?1 AND id NOT IN
                (SELECT id FROM identity_decision WHERE role = ?1 ORDER BY last DESC, id DESC LIMIT ?2)",
        )?
        .execute(params![entry.role, MOST])?;
    }
    Ok(())
}

/// A request that was denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denied {
    /// The role's name.
    pub role: String,
    /// The principal's ARN.
    pub principal: String,
    /// For example `s3:PutObject`.
    pub action: String,
    /// The ARN asked about.
    pub resource: String,
    /// How often.
    pub count: i64,
    /// When last, in seconds since 1970.
    pub last: i64,
    /// What the caller was told.
    pub message: String,
}

/// What was denied, the latest first.
///
/// # Errors
///
/// When the database refuses.
pub(crate) fn denials(db: &Connection) -> rusqlite::Result<Vec<Denied>> {
    let mut found = db.prepare_cached(
        "SELECT role, principal, action, resource, count, last, message FROM identity_decision
         WHERE allowed = 0 ORDER BY last DESC, id DESC",
    )?;
    let rows = found.query_map([], |row| {
        Ok(Denied {
            role: row.get(0)?,
            principal: row.get(1)?,
            action: row.get(2)?,
            resource: row.get(3)?,
            count: row.get(4)?,
            last: row.get(5)?,
            message: row.get(6)?,
        })
    })?;
    rows.collect()
}

/// How often one statement of a role decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementUse {
    /// The stack that made the role.
    pub stack: String,
    /// The role's logical id in that stack.
    pub logical_id: String,
    /// The role's name.
    pub role: String,
    /// The policy's name.
    pub policy: String,
    /// The statement's place in the policy, from 0.
    pub statement: usize,
    /// The statement's own name, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// `Allow` or `Deny`.
    pub effect: &'static str,
    /// Its actions.
    pub actions: Vec<String>,
    /// Its resources.
    pub resources: Vec<String>,
    /// Its actions that were asked for, each with how often.
    pub used: Vec<(String, i64)>,
}

impl StatementUse {
    /// How often it decided.
    pub fn count(&self) -> i64 {
        self.used.iter().map(|(_, count)| count).sum()
    }
}

/// What the roles of stacks were used for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Each statement of each role.
    pub statements: Vec<StatementUse>,
    /// What was denied.
    pub denials: Vec<Denied>,
}

impl Report {
    /// Of the roles of one stack and those nested in it, by the stack's name; of all stacks when none is given.
    ///
    /// # Errors
    ///
    /// When the state can't be read.
    pub async fn of(store: &Store, stack: Option<String>) -> Result<Self, StoreError> {
        store
            .read(move |tx| {
                let mut report = Self::default();
                let mut roles = Vec::new();
                let mut made = resource_table::of_type(tx, "AWS::IAM::Role", None)?;
                // In an order that does not depend on which was made first.
                made.sort_by(|one, other| (&one.stack_id, &one.logical_id).cmp(&(&other.stack_id, &other.logical_id)));
                for role in made {
                    let name = role.stack_id.split('/').nth(1).unwrap_or_default().to_owned();
                    let wanted =
                        stack.as_deref().is_none_or(|stack| name == stack || name.starts_with(&format!("{stack}-")));
                    if !wanted {
                        continue;
                    }
                    for named in policies::of_role(tx, &role)? {
                        for (index, statement) in named.policy.statements.iter().enumerate() {
                            report.statements.push(StatementUse {
                                stack: name.clone(),
                                logical_id: role.logical_id.clone(),
                                role: role.id.clone(),
                                policy: named.name.clone(),
                                statement: index,
                                sid: statement.sid.clone(),
                                effect: if statement.effect == Effect::Allow { "Allow" } else { "Deny" },
                                actions: listed(statement.actions.iter(), statement.not_actions.iter()),
                                resources: listed(
                                    statement.resources.iter().filter_map(|value| value.as_str()),
                                    statement.not_resources.iter().filter_map(|value| value.as_str()),
                                ),
                                used: used(tx, &role.id, &named.name, index)?,
                            });
                        }
                    }
                    roles.push(role.id);
                }
                report.denials = denials(tx)?;
                report.denials.retain(|denied| roles.contains(&denied.role));
                Ok(report)
            })
            .await
    }
}

fn listed<T: AsRef<str>>(these: impl Iterator<Item = T>, but: impl Iterator<Item = T>) -> Vec<String> {
    these
        .map(|text| text.as_ref().to_owned())
        .chain(but.map(|text| format!("everything but {}", text.as_ref())))
        .collect()
}

fn used(db: &Connection, role: &str, policy: &str, statement: usize) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut found = db.prepare_cached(
        "SELECT action, sum(count) FROM identity_decision WHERE role = ?1 AND policy = ?2 AND statement = ?3
         GROUP BY action ORDER BY action",
    )?;
    let rows = found.query_map(params![role, policy, i64::try_from(statement).unwrap_or(i64::MAX)], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    rows.collect()
}
