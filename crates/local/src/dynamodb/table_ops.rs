//! Operations on tables: looking only, since stacks make them.

use rusqlite::{Connection, Transaction};
use serde_json::{Value, json};

use super::arguments::{DynamoDbRequest, constraint};
use super::error::DynamoDbError;
use super::rows;
use super::table::{Projection, TYPE, Table, TableKeys};
use crate::ground::resource_table;
use crate::ground::scalar::text;

/// Most names of a page. Source: `ListTables` in the DynamoDB API reference.
const PAGE: u32 = 100;

pub(super) fn describe(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    let name = call.required("TableName")?;
    let table = call.table(db).map_err(|refused| {
        if refused.code == "ResourceNotFoundException" { DynamoDbError::no_table_named(name) } else { refused }
    })?;
    Ok(json!({ "Table": description(db, &table)? }))
}

pub(super) fn list(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    let limit = call.number("Limit", 1)?.unwrap_or(PAGE);
    if limit > PAGE {
        return Err(constraint(&limit.to_string(), "Limit", "Member must have value less than or equal to 100"));
    }
    let mut names: Vec<String> =
        resource_table::of_type(db, TYPE, Some(&call.region))?.into_iter().map(|thing| thing.id).collect();
    names.sort();
    if let Some(start) = call.text("ExclusiveStartTableName")? {
        names.retain(|name| name.as_str() > start);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = names.len() > limit;
    names.truncate(limit);
    let mut answer = json!({ "TableNames": names });
    if more {
        answer["LastEvaluatedTableName"] = json!(names.last());
    }
    Ok(answer)
}

fn description(db: &Connection, table: &Table) -> Result<Value, DynamoDbError> {
    let properties = &table.thing.properties;
    let property = |name: &str| properties.get(name).filter(|value| !value.is_null());
    let arn = table.thing.attributes.get("Arn").cloned().unwrap_or(Value::Null);
    let (count, size) = rows::totals(db, table)?;
    let on_demand = property("BillingMode").and_then(Value::as_str) == Some("PAY_PER_REQUEST");
    let throughput = |given: Option<&Value>| {
        let units = |name: &str| {
            given.and_then(|given| text(given, name)).and_then(|units| units.parse::<u64>().ok()).unwrap_or(0)
        };
        json!({
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": units("ReadCapacityUnits"),
            "WriteCapacityUnits": units("WriteCapacityUnits"),
        })
    };
    let mut told = json!({
        "TableName": table.name,
        "TableArn": arn,
        "TableStatus": "ACTIVE",
        "KeySchema": schema(&table.keys),
        "AttributeDefinitions": property("AttributeDefinitions").cloned().unwrap_or_else(|| json!([])),
        "ItemCount": count,
        "TableSizeBytes": size,
        "ProvisionedThroughput": throughput(property("ProvisionedThroughput")),
        "DeletionProtectionEnabled": text(properties, "DeletionProtectionEnabled").as_deref() == Some("true"),
    });
    for (name, from) in [("TableId", "Id"), ("CreationDateTime", "Created")] {
        if let Some(value) = table.thing.state.get(from) {
            told[name] = value.clone();
        }
    }
    if on_demand {
        told["BillingModeSummary"] = json!({ "BillingMode": "PAY_PER_REQUEST" });
    }
    for (section, global) in [("LocalSecondaryIndexes", false), ("GlobalSecondaryIndexes", true)] {
        let mut indexes = Vec::new();
        for index in table.indexes.iter().filter(|index| index.global == global) {
            let mut one = json!({
                "IndexName": index.name,
                "IndexArn": format!("{}/index/{}", arn.as_str().unwrap_or_default(), index.name),
                "KeySchema": index.keys.as_ref().map(schema),
                "Projection": match &index.projection {
                    Projection::All => json!({ "ProjectionType": "ALL" }),
                    Projection::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
                    Projection::Include(names) => json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names }),
                },
            });
            if global {
                let given = property(section).and_then(Value::as_array).into_iter().flatten();
                let own = given.into_iter().find(|one| one.get("IndexName") == Some(&json!(index.name)));
                one["IndexStatus"] = json!("ACTIVE");
                one["ProvisionedThroughput"] = throughput(own.and_then(|own| own.get("ProvisionedThroughput")));
            }
            indexes.push(one);
        }
        if !indexes.is_empty() {
            told[section] = Value::Array(indexes);
        }
    }
    Ok(told)
}

fn schema(keys: &TableKeys) -> Value {
    let mut schema = vec![json!({ "AttributeName": keys.hash.name, "KeyType": "HASH" })];
    schema.extend(keys.range.iter().map(|part| json!({ "AttributeName": part.name, "KeyType": "RANGE" })));
    Value::Array(schema)
}
