//! Operations on one item.

use rusqlite::Transaction;
use serde_json::{Value, json};

use super::arguments::{DynamoDbRequest, check_size, constraint};
use super::attribute::{Item, item_json, read_item};
use super::error::DynamoDbError;
use super::expression::{Condition, Placeholders, Update, project, projection};
use super::rows;

pub(super) fn put(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    call.refuse("PutItem", &["Expected", "ConditionalOperator"])?;
    let back = returned(call, &["NONE", "ALL_OLD"])?;
    let item = call.item("Item")?;
    let (condition, _) = condition(call, &["ConditionExpression"])?;
    let table = call.table(db)?;
    table.check_item(&item)?;
    check_size(&item, false)?;
    let old = rows::get(db, &table, &table.keys.pick(&item))?;
    held(call, condition.as_ref(), old.as_ref())?;
    rows::put(db, &table, &item)?;
    Ok(answer(old.filter(|_| back == "ALL_OLD")))
}

pub(super) fn get(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    call.refuse("GetItem", &["AttributesToGet"])?;
    let key = call.item("Key")?;
    let text = call.text("ProjectionExpression")?;
    let placeholders = Placeholders::read(&call.value(), &[("ProjectionExpression", text.is_some())])?;
    let paths = text.map(|text| projection(text, &placeholders)).transpose()?;
    placeholders.all_used()?;
    let table = call.table(db)?;
    table.check_key(&key)?;
    Ok(match (rows::get(db, &table, &key)?, paths) {
        (Some(item), Some(paths)) => json!({ "Item": item_json(&project(&item, &paths)) }),
        (Some(item), None) => json!({ "Item": item_json(&item) }),
        (None, _) => json!({}),
    })
}

pub(super) fn delete(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    call.refuse("DeleteItem", &["Expected", "ConditionalOperator"])?;
    let back = returned(call, &["NONE", "ALL_OLD"])?;
    let key = call.item("Key")?;
    let (condition, _) = condition(call, &["ConditionExpression"])?;
    let table = call.table(db)?;
    table.check_key(&key)?;
    let old = rows::get(db, &table, &key)?;
    held(call, condition.as_ref(), old.as_ref())?;
    rows::delete(db, &table, &key)?;
    Ok(answer(old.filter(|_| back == "ALL_OLD")))
}

pub(super) fn update(db: &Transaction<'_>, call: &DynamoDbRequest) -> Result<Value, DynamoDbError> {
    call.refuse("UpdateItem", &["Expected", "ConditionalOperator", "AttributeUpdates"])?;
    let back = returned(call, &["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"])?;
    let key = call.item("Key")?;
    let (condition, update) = condition(call, &["UpdateExpression", "ConditionExpression"])?;
    let update = update.unwrap_or_default();
    let table = call.table(db)?;
    table.check_key(&key)?;
    let paths = update.paths();
    if let Some(path) = paths.iter().find(|path| table.keys.has(path.attribute())) {
        return Err(DynamoDbError::values(format!(
            "Cannot update attribute {}. This attribute is part of the key",
            path.attribute()
        )));
    }
    let old = rows::get(db, &table, &key)?;
    held(call, condition.as_ref(), old.as_ref())?;
    let new = update.apply(old.as_ref().unwrap_or(&key))?;
    // The keys of indexes may have changed.
    table.check_item(&new)?;
    check_size(&new, true)?;
    // What is put deep into what is deep may nest too deep.
    read_item(&item_json(&new))?;
    rows::put(db, &table, &new)?;
    let parts = |item: &Item| Some(project(item, &paths)).filter(|item| !item.is_empty());
    Ok(answer(match back {
        "ALL_OLD" => old,
        "UPDATED_OLD" => old.as_ref().and_then(parts),
        "ALL_NEW" => Some(new),
        "UPDATED_NEW" => parts(&new),
        _ => None,
    }))
}

fn answer(attributes: Option<Item>) -> Value {
    attributes.map_or_else(|| json!({}), |item| json!({ "Attributes": item_json(&item) }))
}

/// What a call wants back.
fn returned<'c>(call: &DynamoDbRequest, choices: &[&'c str]) -> Result<&'c str, DynamoDbError> {
    let all = ["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"];
    let given = call.text("ReturnValues")?.unwrap_or("NONE");
    if !all.contains(&given) {
        return Err(constraint(
            given,
            "ReturnValues",
            &format!("Member must satisfy enum value set: [{}]", all.join(", ")),
        ));
    }
    let choice = choices.iter().find(|choice| **choice == given);
    choice.copied().ok_or_else(|| DynamoDbError::invalid("Return values set to invalid value"))
}

/// The condition of a write and, where it may have one, the update, all placeholders used.
fn condition(
    call: &DynamoDbRequest,
    expressions: &[&str],
) -> Result<(Option<Condition>, Option<Update>), DynamoDbError> {
    let given: Vec<(&str, bool)> = expressions.iter().map(|name| (*name, call.get(name).is_some())).collect();
    let placeholders = Placeholders::read(&call.value(), &given)?;
    let update = match call.text("UpdateExpression")? {
        Some(text) if expressions.contains(&"UpdateExpression") => Some(Update::parse(text, &placeholders)?),
        _ => None,
    };
    let condition = call.text("ConditionExpression")?;
    let condition = condition.map(|text| Condition::parse("ConditionExpression", text, &placeholders)).transpose()?;
    placeholders.all_used()?;
    Ok((condition, update))
}

/// Refuses a write whose condition does not hold.
fn held(call: &DynamoDbRequest, condition: Option<&Condition>, old: Option<&Item>) -> Result<(), DynamoDbError> {
    let none = Item::new();
    if condition.is_none_or(|condition| condition.holds(old.unwrap_or(&none))) {
        return Ok(());
    }
    let wanted = call.choice("ReturnValuesOnConditionCheckFailure", &["NONE", "ALL_OLD"])? == "ALL_OLD";
    Err(DynamoDbError::condition(old.filter(|_| wanted).map(item_json)))
}
