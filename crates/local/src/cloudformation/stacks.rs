//! Stacks as a whole: new ones, and what keeps one from going.

use rusqlite::Connection;

use super::journal::Journal;
use super::model::{Stack, StackTarget};
use super::status::Status;
use super::tables;
use crate::ground::{ACCOUNT_ID, ApiError};

/// A stack that does not exist yet.
pub fn fresh(journal: &Journal<'_>, name: &str, region: &str) -> Stack {
    Stack {
        id: format!("arn:{}:cloudformation:{region}:{ACCOUNT_ID}:stack/{name}/{}", partition(region), journal.uuid()),
        name: name.to_owned(),
        region: region.to_owned(),
        status: Status::ReviewInProgress,
        reason: None,
        target: StackTarget::default(),
        outputs: Vec::new(),
        created: journal.now(),
        updated: None,
        deleted: None,
        change_set_id: None,
        termination_protection: false,
        disable_rollback: false,
        timeout_minutes: None,
        policy: None,
        parent: None,
        root: None,
        operations: Vec::new(),
        tokens: Vec::new(),
        force_delete: false,
    }
}

/// The partition of a region's ARNs.
pub fn partition(region: &str) -> String {
    bedplate_cfn::intrinsics::Environment::new("", region, "").partition
}

/// Why an export keeps a stack from being deleted, if one does.
///
/// # Errors
///
/// When the state can't be read.
pub fn export_in_use(db: &Connection, stack: &Stack) -> Result<Option<String>, ApiError> {
    for export in tables::exports(db, &stack.region)?.iter().filter(|export| export.stack_id == stack.id) {
        let users: Vec<String> = tables::importers(db, &stack.region, &export.name)?
            .into_iter()
            .filter(|user| *user != stack.name)
            .collect();
        if !users.is_empty() {
            return Ok(Some(format!(
                "Export {} cannot be deleted as it is in use by {}",
                export.name,
                users.join(" and ")
            )));
        }
    }
    Ok(None)
}
