//! Tables: names, keys and indexes, by the limits of DynamoDB's API.

use crate::finding::code;
use std::collections::BTreeMap;

use super::context::Rules;
use crate::spec::text::{Piece, Text};
use crate::spec::types::{KeyAttribute, KeyType, Table, TableIndex};
use crate::spec::words::{cut, escape, path};

/// Global secondary indexes of one table.
const MOST_INDEXES: usize = 20;

/// Attributes an index names beside its keys; all indexes of a table together name five times as many.
const MOST_ATTRIBUTES: usize = 20;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, table) in &spec.tables {
        let base = format!("/tables/{}", escape(name));
        if let Some(text) = &table.name {
            table_name(rules, &format!("{base}/name"), text);
        }
        keys(rules, &base, table);
        indexes(rules, &base, table);
        if table.ttl.as_ref().is_some_and(|ttl| ttl.is_empty() || ttl.len() > 255) {
            let message = "`ttl` is not the name of an attribute".to_owned();
            rules.error(code::S171, &format!("{base}/ttl"), message, "name the attribute, with 1 to 255 bytes");
        }
    }
}

fn table_name(rules: &mut Rules<'_>, pointer: &str, text: &Text) {
    let pieces = text.pieces().unwrap_or_default();
    let literal = |piece: &Piece| match piece {
        Piece::Literal(literal) => Some(literal.clone()),
        Piece::Reference(_) => None,
    };
    let known: String = pieces.iter().filter_map(literal).collect();
    let whole = pieces.iter().all(|piece| literal(piece).is_some());
    if !is_name(&known) || known.len() > 255 || (whole && known.len() < 3) {
        let message = format!("`{}` cannot be the name of a table", cut(text.source()));
        rules.error(code::S170, pointer, message, "use 3 to 255 letters, digits, `.`, `-` and `_`");
    }
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// The keys of a table and of its indexes: one attribute has one type, and is one key of a pair.
fn keys(rules: &mut Rules<'_>, base: &str, table: &Table) {
    let mut types: BTreeMap<&str, (KeyType, String)> = BTreeMap::new();
    let mut pairs = vec![(base.to_owned(), &table.partition_key, table.sort_key.as_ref())];
    for (name, index) in &table.indexes {
        pairs.push((format!("{base}/indexes/{}", escape(name)), &index.partition_key, index.sort_key.as_ref()));
    }
    for (place, partition, sort) in pairs {
        if let Some(sort) = sort.filter(|sort| sort.name == partition.name) {
            let message = format!("`{}` is the partition key already", cut(&sort.name));
            let help = "order items by another attribute, or leave `sort-key` out";
            rules.error(code::S171, &format!("{place}/sort-key"), message, help);
        }
        let keys = [("partition-key", Some(partition)), ("sort-key", sort)];
        for (key, attribute) in keys.into_iter().filter_map(|(key, attribute)| Some((key, attribute?))) {
            let pointer = format!("{place}/{key}");
            attribute_name(rules, &pointer, attribute);
            match types.get(attribute.name.as_str()) {
                Some((other, first)) if *other != attribute.r#type => {
                    let message = format!("`{}` has another type at `{}`", cut(&attribute.name), path(first));
                    rules.error(
                        code::S171,
                        &pointer,
                        message,
                        "an attribute that is a key has one type in all of a table",
                    );
                }
                Some(_) => {}
                None => {
                    types.insert(&attribute.name, (attribute.r#type, pointer));
                }
            }
        }
    }
}

fn attribute_name(rules: &mut Rules<'_>, pointer: &str, attribute: &KeyAttribute) {
    if attribute.name.is_empty() || attribute.name.len() > 255 {
        let message = format!("`{}` cannot be the name of an attribute", cut(&attribute.name));
        rules.error(code::S171, &format!("{pointer}/name"), message, "use 1 to 255 bytes");
    }
}

fn indexes(rules: &mut Rules<'_>, base: &str, table: &Table) {
    if table.indexes.len() > MOST_INDEXES {
        let message = format!("a table takes {MOST_INDEXES} indexes, and here are {}", table.indexes.len());
        rules.error_at_key(code::S172, &format!("{base}/indexes"), message, "keep those that are queried");
    }
    for (name, index) in &table.indexes {
        let pointer = format!("{base}/indexes/{}", escape(name));
        if name.len() < 3 || name.len() > 255 || !is_name(name) {
            let message = format!("`{}` cannot be the name of an index", cut(name));
            rules.error_at_key(code::S170, &pointer, message, "use 3 to 255 letters, digits, `.`, `-` and `_`");
        }
        attributes(rules, &pointer, index);
    }
    let all: usize = table.indexes.values().flat_map(|index| &index.attributes).map(Vec::len).sum();
    if all > 5 * MOST_ATTRIBUTES {
        let message =
            format!("the indexes of a table name {all} attributes and DynamoDB takes {}", 5 * MOST_ATTRIBUTES);
        let help = "leave `attributes` out where most of them are wanted: then all are found";
        rules.error_at_key(code::S172, &format!("{base}/indexes"), message, help);
    }
}

fn attributes(rules: &mut Rules<'_>, base: &str, index: &TableIndex) {
    let Some(attributes) = &index.attributes else { return };
    let pointer = format!("{base}/attributes");
    if attributes.len() > MOST_ATTRIBUTES {
        let message = format!("an index names {MOST_ATTRIBUTES} attributes at most, and here are {}", attributes.len());
        rules.error(code::S172, &pointer, message, "leave `attributes` out: then all are found");
    }
    for (position, attribute) in attributes.iter().enumerate() {
        let here = format!("{pointer}/{position}");
        if attribute.is_empty() || attribute.len() > 255 {
            let message = format!("`{}` cannot be the name of an attribute", cut(attribute));
            rules.error(code::S171, &here, message, "use 1 to 255 bytes");
        }
        if attributes.iter().take(position).any(|other| other == attribute) {
            let message = format!("`{}` is listed twice", cut(attribute));
            rules.error(code::S172, &here, message, "remove one");
        }
    }
}
