//! The keys of DynamoDB tables.

use serde_json::Value;

/// What is wrong with the keys and the capacity a table is to be made with, in DynamoDB's words.
pub fn keys_wrong(properties: &Value) -> Option<String> {
    let list = |holder: &Value, name: &str| holder.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let names = |holder: &Value, section: &str| -> Vec<String> {
        let entries = list(holder, section);
        entries.iter().filter_map(|one| one.get("AttributeName").and_then(Value::as_str)).map(str::to_owned).collect()
    };
    let invalid = |message: String| Some(format!("One or more parameter values were invalid: {message}"));
    let defined = names(properties, "AttributeDefinitions");
    let roles: Vec<_> = list(properties, "KeySchema")
        .iter()
        .map(|key| key.get("KeyType").and_then(Value::as_str).unwrap_or_default().to_owned())
        .collect();
    match roles.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["HASH"] | ["HASH", "RANGE"] => {}
        ["HASH", ..] => return Some("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type".into()),
        _ => return Some("Invalid KeySchema: The first KeySchemaElement is not a HASH key type".into()),
    }
    let own = names(properties, "KeySchema");
    let shown = |names: &[String]| format!("[{}]", names.join(", "));
    if let Some(missing) = own.iter().find(|name| !defined.contains(name)) {
        return invalid(format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{missing}], \
             AttributeDefinitions: {}",
            shown(&defined)
        ));
    }
    if own.first() == own.get(1) {
        return invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name".to_owned());
    }
    let mut used = own.clone();
    let locals = list(properties, "LocalSecondaryIndexes");
    if !locals.is_empty() && own.len() < 2 {
        return invalid(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
                .to_owned(),
        );
    }
    for index in locals.iter().chain(&list(properties, "GlobalSecondaryIndexes")) {
        let keys = names(index, "KeySchema");
        let missing: Vec<String> = keys.iter().filter(|name| !defined.contains(name)).cloned().collect();
        if !missing.is_empty() {
            return invalid(format!(
                "Some index key attributes are not defined in AttributeDefinitions. Keys: {}, AttributeDefinitions: {}",
                shown(&missing),
                shown(&defined)
            ));
        }
        used.extend(keys);
    }
    for index in &locals {
        if names(index, "KeySchema").first() != own.first() {
            return invalid(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index".into(),
            );
        }
    }
    if defined.iter().any(|name| !used.contains(name)) {
        return invalid(if used.len() == own.len() {
            "Number of attributes in KeySchema does not exactly match number of attributes defined in \
             AttributeDefinitions"
                .to_owned()
        } else {
            format!(
                "Some AttributeDefinitions are not used. AttributeDefinitions: {}, keys used: {}",
                shown(&defined),
                shown(&used)
            )
        });
    }
    let on_demand = properties.get("BillingMode").and_then(Value::as_str) == Some("PAY_PER_REQUEST");
    match (on_demand, properties.get("ProvisionedThroughput").is_some()) {
        (true, true) => invalid(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
                .to_owned(),
        ),
        (false, false) => invalid(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
                .to_owned(),
        ),
        _ => None,
    }
}
