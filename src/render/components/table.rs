//! Tables.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::expression::Expression;
use crate::render::ids::table_id;
use crate::render::references::{Ask, Kind, References};
use crate::spec::{KeyAttribute, KeyType, Table, TableIndex, escape};

/// Tables.
pub(super) const KIND: Kind = Kind {
    section: "tables",
    add: |assembly, references| {
        for (name, table) in &references.spec().tables {
            add(assembly, references, name, table);
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

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, table: &Table) {
    let pointer = format!("/tables/{}", escape(name));
    let own_name = match &table.name {
        Some(text) => match assembly.keep(references.text(text, &format!("{pointer}/name"))) {
            Some(own_name) => own_name.value(),
            None => return,
        },
        None => Value::Null,
    };
    let id = table_id(name);
    let data = json!({
        "name": own_name,
        "attributes": attributes(table),
        "keys": keys(&table.partition_key, table.sort_key.as_ref()),
        "indexes": table.indexes.iter().map(|(name, index)| index_data(name, index)).collect::<Vec<_>>(),
        "ttl": table.ttl,
        "recovery": table.point_in_time_recovery,
        "output_id": format!("{id}Name"),
        "id": id,
    });
    assembly.add("table", &data, &pointer);
}

/// Every attribute that is a key somewhere, once: DynamoDB wants no other to be defined.
fn attributes(table: &Table) -> Vec<Value> {
    let own = [Some(&table.partition_key), table.sort_key.as_ref()];
    let of_indexes = table.indexes.values().flat_map(|index| [Some(&index.partition_key), index.sort_key.as_ref()]);
    let all: BTreeMap<&str, KeyType> =
        own.into_iter().chain(of_indexes).flatten().map(|key| (key.name.as_str(), key.r#type)).collect();
    all.into_iter().map(|(name, r#type)| json!({ "name": name, "type": letter(r#type) })).collect()
}

fn keys(partition: &KeyAttribute, sort: Option<&KeyAttribute>) -> Vec<Value> {
    let sort = sort.map(|key| json!({ "name": key.name, "role": "RANGE" }));
    [Some(json!({ "name": partition.name, "role": "HASH" })), sort].into_iter().flatten().collect()
}

fn index_data(name: &str, index: &TableIndex) -> Value {
    let projection = match &index.attributes {
        None => "ALL",
        Some(attributes) if attributes.is_empty() => "KEYS_ONLY",
        Some(_) => "INCLUDE",
    };
    json!({
        "name": name,
        "keys": keys(&index.partition_key, index.sort_key.as_ref()),
        "projection": projection,
        "attributes": index.attributes,
    })
}

fn letter(r#type: KeyType) -> &'static str {
    match r#type {
        KeyType::String => "S",
        KeyType::Number => "N",
        KeyType::Binary => "B",
    }
}
