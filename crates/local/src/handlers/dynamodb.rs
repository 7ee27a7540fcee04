//! DynamoDB: tables, whose items the DynamoDB API then serves.

use serde_json::{Value, json};

use crate::dynamodb::forget;
use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};
use bedplate_cfn::service_rules::keys_wrong;

fn refused(message: &str) -> Failure {
    Failure::handler("InvalidRequest", format!("{message} (Service: DynamoDb, Status Code: 400)"))
}

fn index_names(properties: &Value) -> Vec<&str> {
    let indexes = properties.get("GlobalSecondaryIndexes").and_then(Value::as_array).into_iter().flatten();
    indexes.filter_map(|index| index.get("IndexName").and_then(Value::as_str)).collect()
}

pub(super) struct TableHandler;

impl Handler for TableHandler {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        if let Some(wrong) = keys_wrong(properties) {
            return Err(refused(&wrong));
        }
        let state = json!({ "Id": work.ids.uuid().to_string(), "Created": work.now.as_second() });
        generic::create_with(work, properties, state)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, old: &Value, new: &Value) -> Result<Made, Failure> {
        if let Some(wrong) = keys_wrong(new) {
            return Err(refused(&wrong));
        }
        let (before, after) = (index_names(old), index_names(new));
        let changed = before.iter().filter(|name| !after.contains(name)).count()
            + after.iter().filter(|name| !before.contains(name)).count();
        if changed > 1 {
            return Err(Failure::handler(
                "InvalidRequest",
                "Cannot perform more than one GSI creation or deletion in a single update",
            ));
        }
        generic::update(work, id, new)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, properties: &Value) -> Result<(), Failure> {
        if text(properties, "DeletionProtectionEnabled").as_deref() == Some("true") {
            return Err(refused(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection \
                 first.",
            ));
        }
        forget(work.db, &work.site.region, id)?;
        generic::delete(work, id)
    }
}
