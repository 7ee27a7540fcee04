//! Tables.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::table_id;
use crate::render::references::{Ask, Kind, References};
use crate::spec::{KeyAttribute, KeyType, Table, TableIndex, escape};

/// Tables.
pub(super) const KIND: Kind = Kind {
    section: "tables",
    add: |assembly, references| {
        // Tables with secondary indexes are made one after the other: DynamoDB makes one at a time. Source: the text of
        // CreateTable in botocore 1.44.8.
        let mut last = None;
        for (name, table) in &references.spec().tables {
            let after = if table.indexes.is_empty() { None } else { last.replace(table_id(name)) };
            add(assembly, references, name, table, after);
        }
    },
    attribute: |_, name, attribute| {
        let id = table_id(name);
        Some(match attribute {
            "" | "name" => Expression::reference(id),
            "arn" => Expression::attribute(id, "Arn"),
            _ => return None,
        })
    },
    grant,
};

/// What a verb allows on the items themselves, and what it allows through an index as well.
fn actions(verb: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    Some(match verb {
        "get" => (&["dynamodb:GetItem"], &[]),
        "query" => (&[], &["dynamodb:Query"]),
        "read" => (&["dynamodb:BatchGetItem", "dynamodb:GetItem"], &["dynamodb:Query", "dynamodb:Scan"]),
        "write" => (&["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], &[]),
        "delete" => (&["dynamodb:DeleteItem"], &[]),
        "read-write" => (
            &[
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
            ],
            &["dynamodb:Query", "dynamodb:Scan"],
        ),
        _ => return None,
    })
}

/// Items are reached by the table's ARN; a query or a scan also by an index's, which is the table's with
/// `/index/NAME` behind it.
fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    let (Some((items, searches)), true) = (actions(ask.verb), ask.rest.is_empty()) else {
        return Err(references.cannot(ask));
    };
    let table = Expression::attribute(table_id(ask.name), "Arn");
    let indexed = references.spec().tables.get(ask.name).is_some_and(|table| !table.indexes.is_empty());
    let mut searched = vec![table.value()];
    if indexed {
        searched.push(table.clone().text("/index/*").value());
    }
    let mut statements = Vec::new();
    if !items.is_empty() {
        statements.push(Statement::allow(items.iter().copied(), [table.value()]));
    }
    if !searches.is_empty() {
        statements.push(Statement::allow(searches.iter().copied(), searched));
    }
    Ok(statements)
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, table: &Table, after: Option<String>) {
    let pointer = format!("/tables/{}", escape(name));
    let own_name = match &table.name {
        Some(text) => match assembly.keep(references.text(text, &format!("{pointer}/name"))) {
            Some(own_name) => own_name.value(),
            None => return,
        },
        None => Value::Null,
    };
    let id = table_id(name);
    let indexes = table
        .indexes
        .iter()
        .map(|(name, index)| index_data(&format!("{pointer}/indexes/{}", escape(name)), name, index));
    let data = PartialData::new(&pointer)
        .said("name", "name", own_name)
        .made("after", after)
        .parts("attributes", "", attributes(table, &pointer))
        .parts("keys", "", keys(&pointer, &table.partition_key, table.sort_key.as_ref()))
        .parts("indexes", "indexes", indexes)
        .said("ttl", "ttl", &table.ttl)
        .said("recovery", "point-in-time-recovery", table.point_in_time_recovery)
        .made("output_id", format!("{id}Name"))
        .made("id", id);
    assembly.add("table", data);
}

/// The attributes that are keys of a table or of an index at a place, each with its own.
fn key_attributes<'t>(
    pointer: &str,
    partition: &'t KeyAttribute,
    sort: Option<&'t KeyAttribute>,
) -> Vec<(String, &'t KeyAttribute)> {
    let sort = sort.map(|key| (format!("{pointer}/sort-key"), key));
    std::iter::once((format!("{pointer}/partition-key"), partition)).chain(sort).collect()
}

/// Every attribute that is a key somewhere, once: DynamoDB wants no other to be defined.
fn attributes(table: &Table, pointer: &str) -> Vec<PartialData> {
    let own = key_attributes(pointer, &table.partition_key, table.sort_key.as_ref());
    let of_indexes = table.indexes.iter().flat_map(|(name, index)| {
        let pointer = format!("{pointer}/indexes/{}", escape(name));
        key_attributes(&pointer, &index.partition_key, index.sort_key.as_ref())
    });
    let mut all: BTreeMap<&str, (String, KeyType)> = BTreeMap::new();
    for (pointer, key) in own.into_iter().chain(of_indexes) {
        let known = all.entry(key.name.as_str()).or_insert((pointer, key.r#type));
        known.1 = key.r#type;
    }
    let attribute = |(name, (pointer, type_)): (&str, (String, KeyType))| {
        PartialData::new(pointer).said("name", "name", name).said("type", "type", letter(type_))
    };
    all.into_iter().map(attribute).collect()
}

fn keys(pointer: &str, partition: &KeyAttribute, sort: Option<&KeyAttribute>) -> Vec<PartialData> {
    let keys = key_attributes(pointer, partition, sort).into_iter().zip(["HASH", "RANGE"]);
    keys.map(|((pointer, key), role)| PartialData::new(pointer).said("name", "name", &key.name).made("role", role))
        .collect()
}

fn index_data(pointer: &str, name: &str, index: &TableIndex) -> PartialData {
    let projection = match &index.attributes {
        None => "ALL",
        Some(attributes) if attributes.is_empty() => "KEYS_ONLY",
        Some(_) => "INCLUDE",
    };
    PartialData::new(pointer)
        .made("name", name)
        .parts("keys", "", keys(pointer, &index.partition_key, index.sort_key.as_ref()))
        .said("projection", "attributes", projection)
        .said("attributes", "attributes", &index.attributes)
}

fn letter(r#type: KeyType) -> &'static str {
    match r#type {
        KeyType::String => "S",
        KeyType::Number => "N",
        KeyType::Binary => "B",
    }
}
