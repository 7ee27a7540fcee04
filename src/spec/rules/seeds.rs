//! Rows that tables start with: readable, with the keys their tables need.

use super::context::Rules;
use crate::finding::code;
use crate::spec::seeds::{beside, pointer, rows};

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, table) in &spec.tables {
        let pointer = pointer(name);
        let (Some(path), Some(text)) = (&table.seed, rules.files.get(&pointer)) else { continue };
        match rows(table, text, path, &beside(rules.file, path)) {
            Ok(rows) if rows.is_empty() => {
                let message = format!("the seed of `tables.{name}` holds no rows");
                rules.warning(code::S073, &pointer, message, "add rows, or remove `seed`");
            }
            Ok(_) => {}
            Err(findings) => {
                if !rules.is_full() {
                    rules.findings.extend(findings);
                }
            }
        }
    }
}
