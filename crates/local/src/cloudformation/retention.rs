//! What is kept of stacks that are gone, and of events: as much as helps to see what happened, and no secret.

use jiff::{Timestamp, ToSpan as _};
use rusqlite::Connection;
use serde_json::{Map, Value};

use super::custom;
use super::model::{MASK, Stack, mask_text_values, mask_values, stamp};
use super::tables::{self, Sql};

/// How long a deleted stack is kept. Source: the API reference of `ListStacks`, 90 days.
const DAYS: i64 = 90;
/// How many deleted stacks are kept, the last ones. Our own.
const DELETED_STACKS: usize = 500;
/// How many bytes the events of all deleted stacks may have. Our own.
const DELETED_BYTES: i64 = 64 << 20;

/// Takes from a stack that is gone, and from all that is on record of it, every value that it was given: parameters that are
/// not to be shown and whatever they went into, properties, and the targets of its operations.
pub fn strip(db: &Connection, stack: &mut Stack) -> Sql<()> {
    let hidden = custom::hidden(db, &stack.id)?;
    let hide = |text: &mut String| *text = mask_text_values(text, &hidden);
    for parameter in &mut stack.target.parameters {
        if parameter.no_echo {
            parameter.value = MASK.to_owned();
            parameter.resolved = parameter.resolved.as_ref().map(|_| MASK.to_owned());
        } else {
            hide(&mut parameter.value);
            parameter.resolved.iter_mut().for_each(hide);
        }
    }
    for output in &mut stack.outputs {
        hide(&mut output.value);
        output.export.iter_mut().for_each(hide);
    }
    stack.reason.iter_mut().for_each(hide);
    if !hidden.is_empty() {
        let processed = mask_values(stack.target.processed.to_string(), &hidden);
        stack.target.processed = serde_json::from_str(&processed).unwrap_or_default();
    }
    for mut row in tables::resources(db, &stack.id)? {
        row.declaration = Value::Object(Map::new());
        row.previous = None;
        row.previous_declaration = None;
        row.reason.iter_mut().for_each(hide);
        if let Some(thing) = &mut row.physical {
            thing.properties = Value::Null;
            thing.attributes = Map::new();
        }
        tables::save_resource(db, &row)?;
    }
    custom::forget(db, &stack.id)?;
    for set in tables::change_sets(db, &stack.id)? {
        tables::remove_change_set(db, &set.id)?;
    }
    Ok(())
}

/// Forgets what operations of a stack that is gone would have needed.
pub fn forget_operations(db: &Connection, stack_id: &str) -> Sql<()> {
    db.prepare_cached("DELETE FROM cfn_operation WHERE stack_id = ?1")?.execute([stack_id])?;
    Ok(())
}

/// Forgets the deleted stacks that are too old, or too many. Says how many.
pub fn prune(db: &Connection, now: Timestamp) -> Sql<usize> {
    let oldest = stamp(now.checked_sub((DAYS * 24).hours()).unwrap_or(Timestamp::MIN));
    let mut statement = db.prepare_cached(
        "SELECT id, coalesce(deleted, ''), (SELECT coalesce(sum(octet_length(doc)), 0) FROM cfn_event WHERE stack_id = id)
         FROM cfn_stack WHERE live = 0 ORDER BY deleted DESC, rowid DESC",
    )?;
    let deleted = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?)))?
        .collect::<Sql<Vec<_>>>()?;
    let (mut bytes, mut pruned) = (0_i64, 0);
    for (index, (id, at, size)) in deleted.iter().enumerate() {
        bytes = bytes.saturating_add(*size);
        if index < DELETED_STACKS && bytes <= DELETED_BYTES && *at >= oldest {
            continue;
        }
        for sql in [
            "DELETE FROM cfn_event WHERE stack_id = ?1",
            "DELETE FROM cfn_resource WHERE stack_id = ?1",
            "DELETE FROM cfn_operation WHERE stack_id = ?1",
            "DELETE FROM cfn_change_set WHERE stack_id = ?1",
            "DELETE FROM cfn_stack WHERE id = ?1",
        ] {
            db.prepare_cached(sql)?.execute([id])?;
        }
        pruned += 1;
    }
    Ok(pruned)
}

/// Brings the records of stacks that an older version deleted to what is kept of one now, and forgets what is too old.
pub fn tidy(db: &Connection, now: Timestamp) -> Sql<()> {
    let unstripped = db
        .prepare(
            "SELECT DISTINCT stack_id FROM cfn_operation JOIN cfn_stack ON cfn_stack.id = stack_id WHERE live = 0",
        )?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Sql<Vec<_>>>()?;
    prune(db, now)?;
    for id in unstripped {
        if let Some(mut stack) = tables::stack_by_id(db, &id)? {
            strip(db, &mut stack)?;
            tables::save_stack(db, &stack)?;
            forget_operations(db, &id)?;
        }
    }
    Ok(())
}
