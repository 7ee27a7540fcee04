//! Rows of a table: written where there is no item of their key, and never again. What an application has changed since
//! stays as it is; what it has deleted comes back with the next deploy.

use crate::aws::{CallError, Item};
use crate::engine::abort::Abort;
use crate::engine::effect::Effect;
use crate::engine::events::{EventEmitter, EventKind};
use crate::engine::run::Run;
use crate::engine::side_by_side::side_by_side;

/// Writes in flight at once: a table that is paid by request takes hundreds a second from its beginning.
const WRITES: usize = 8;

/// How many of the rows have an item of their key.
pub(super) async fn present(run: &Run<'_>, table: &str, key: &[String], rows: &[Item]) -> Result<usize, CallError> {
    let keys: Vec<Item> = rows
        .iter()
        .map(|row| key.iter().filter_map(|name| Some((name.clone(), row.get(name)?.clone()))).collect())
        .collect();
    run.clients.present_items(table, &keys).await
}

/// Whether DynamoDB says that the table has other keys than the rows. Its words are those of its API reference, "Error handling
/// with DynamoDB" (read 2026-11).
pub(super) fn have_other_keys(error: &CallError) -> bool {
    error.is("ValidationException") && error.says("key element does not match the schema")
}

/// Writes those that are absent. A batch would overwrite, so each is a write of its own, on the condition that its key is
/// not there.
pub(super) async fn write(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    table: &str,
    key: &[String],
    rows: &[Item],
    component: &str,
) -> Result<(), Abort> {
    let present = run.attempt(present(run, table, key, rows)).await?;
    let mut written = 0;
    if present < rows.len() {
        let partition = key.first().map(String::as_str).unwrap_or_default();
        let writes = rows.iter().map(|row| {
            let effect = Effect::RowsWritten { table: table.to_owned(), count: 1 };
            // Where there is an item of its key it is not written.
            let put = run.clients.put_item_if_absent(table, partition, row);
            run.ledger().carry_out_counted(effect, put, |put| u64::from(*put))
        });
        let put: Vec<bool> = run.attempt(side_by_side(writes, WRITES)).await?;
        written = put.into_iter().filter(|put| *put).count();
    }
    emitter.emit(EventKind::RowsReady {
        component: component.to_owned(),
        written,
        present: rows.len().saturating_sub(written),
    });
    Ok(())
}
