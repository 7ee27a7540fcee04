//! Operations on up to 25 or 100 items at once.

use std::collections::BTreeSet;

use rusqlite::Transaction;
use serde_json::{Map, Value, json};

use super::arguments::{DynamoDbRequest, check_size, constraint, missing};
use super::attribute::{item_json, item_size, read_item};
use super::error::DynamoDbError;
use super::expression::{Placeholders, project, projection};
use super::rows::{self, ItemKey};
use super::table::Table;

/// Most writes of a batch. Source: `BatchWriteItem` in the DynamoDB API reference.
const WRITES: usize = 25;
/// Most keys of a batch. Source: `BatchGetItem` in the DynamoDB API reference.
const KEYS: usize = 100;
/// Most bytes of a batch that is read; what is beyond comes back unprocessed. Source: as above.
const READ: usize = 16 << 20;

fn requests(call: &DynamoDbRequest) -> Result<&Map<String, Value>, DynamoDbError> {
    let requests = call.get("RequestItems").ok_or_else(|| missing("RequestItems"))?;
    let requests = requests.as_object().ok_or_else(|| DynamoDbError::unreadable("Unexpected value type in payload"))?;
    if requests.is_empty() {
        return Err(constraint("{}", "RequestItems", "Member must have length greater than or equal to 1"));
    }
    Ok(requests)
}

enum Write {
    Put(super::attribute::Item),
    Delete(super::attribute::Item),
}

pub(super) fn write(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    call.refuse("BatchWriteItem", &[])?;
    let requests = requests(call)?;
    let total: usize = requests.values().filter_map(Value::as_array).map(Vec::len).sum();
    if total > WRITES {
        return Err(constraint(
            "{...}",
            "RequestItems",
            "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have \
             length greater than or equal to 1]",
        ));
    }
    // Everything is looked at before anything is written.
    let mut writes = Vec::new();
    for (name, list) in requests {
        let table = Table::find(db, &call.region, name)?;
        let list = list.as_array().ok_or_else(|| DynamoDbError::unreadable("Unexpected value type in payload"))?;
        let mut places = BTreeSet::new();
        for request in list {
            let put = request.get("PutRequest").filter(|value| !value.is_null());
            let delete = request.get("DeleteRequest").filter(|value| !value.is_null());
            let write = match (put, delete) {
                (Some(put), None) => Write::Put(read_item(put.get("Item").unwrap_or(&Value::Null))?),
                (None, Some(delete)) => Write::Delete(read_item(delete.get("Key").unwrap_or(&Value::Null))?),
                (Some(_), Some(_)) => {
                    return Err(DynamoDbError::invalid(
                        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the \
                         supported datatypes",
                    ));
                }
                (None, None) => return Err(DynamoDbError::invalid("Each write request must put or delete an item")),
            };
            let place = match &write {
                Write::Put(item) => {
                    table.check_item(item)?;
                    check_size(item, false)?;
                    ItemKey::of(&table.keys, item)
                }
                Write::Delete(key) => {
                    table.check_key(key)?;
                    ItemKey::of(&table.keys, key)
                }
            };
            if !places.insert(place) {
                return Err(DynamoDbError::invalid("Provided list of item keys contains duplicates"));
            }
            writes.push((table.clone(), write));
        }
    }
    for (table, write) in writes {
        match write {
            Write::Put(item) => rows::put(db, &table, &item)?,
            Write::Delete(key) => rows::delete(db, &table, &key)?,
        }
    }
    Ok(json!({ "UnprocessedItems": {} }))
}

pub(super) fn get(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    call.refuse("BatchGetItem", &[])?;
    let requests = requests(call)?;
    let keys = |wanted: &Value| wanted.get("Keys").and_then(Value::as_array).map_or(0, Vec::len);
    if requests.values().map(keys).sum::<usize>() > KEYS {
        return Err(DynamoDbError::invalid("Too many items requested for the BatchGetItem call"));
    }
    let mut responses = Map::new();
    let mut unprocessed = Map::new();
    let mut size = 0;
    for (name, wanted) in requests {
        let table = Table::find(db, &call.region, name)?;
        if wanted.get("AttributesToGet").is_some_and(|value| !value.is_null()) {
            return Err(DynamoDbError::not_simulated("BatchGetItem with AttributesToGet"));
        }
        let text = super::arguments::text(wanted.get("ProjectionExpression").filter(|value| !value.is_null()))?;
        let placeholders = Placeholders::read(wanted, &[("ProjectionExpression", text.is_some())])?;
        let paths = text.map(|text| projection(text, &placeholders)).transpose()?;
        placeholders.all_used()?;
        let list = wanted.get("Keys").and_then(Value::as_array).ok_or_else(|| missing("Keys"))?;
        let mut found = Vec::new();
        let mut left = Vec::new();
        let mut places = BTreeSet::new();
        for given in list {
            let key = read_item(given)?;
            table.check_key(&key)?;
            if !places.insert(ItemKey::of(&table.keys, &key)) {
                return Err(DynamoDbError::invalid("Provided list of item keys contains duplicates"));
            }
            let Some(item) = rows::get(db, &table, &key)? else { continue };
            if size + item_size(&item) > READ {
                left.push(given.clone());
                continue;
            }
            size += item_size(&item);
            found.push(match &paths {
                Some(paths) => item_json(&project(&item, paths)),
                None => item_json(&item),
            });
        }
        responses.insert(name.clone(), Value::Array(found));
        if !left.is_empty() {
            let mut rest = wanted.clone();
            rest["Keys"] = Value::Array(left);
            unprocessed.insert(name.clone(), rest);
        }
    }
    Ok(json!({ "Responses": responses, "UnprocessedKeys": unprocessed }))
}
