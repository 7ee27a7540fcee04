//! DynamoDB.

use rusqlite::Transaction;
use serde_json::Value;

use crate::ground::{ACCOUNT_ID, ApiError, RequiredPermission};
use crate::protocol::api_request::ApiRequest;

/// A table's ARN, of its name or ARN.
fn table_arn(region: &str, table: &str) -> String {
    // A table is found by its name in the region of the request, whatever stands before the name.
    let name = table.split_once(":table/").filter(|_| table.starts_with("arn:")).map_or(table, |(_, name)| name);
    format!("arn:aws:dynamodb:{region}:{ACCOUNT_ID}:table/{name}")
}

/// What an operation needs.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn required_permissions(
    _: &Transaction<'_>,
    asked: &ApiRequest,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let body = &asked.body;
    let action = format!("dynamodb:{}", asked.operation);
    let need = |table: &str| RequiredPermission::new(action.clone(), table_arn(&asked.region, table));
    Ok(match asked.operation.as_str() {
        // Asked about no table in particular, DynamoDB asks about all.
        "ListTables" => vec![need("*")],
        "DescribeLimits" | "DescribeEndpoints" => vec![RequiredPermission::new(action, "*")],
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body.get("RequestItems").and_then(Value::as_object);
            tables.into_iter().flatten().map(|(table, _)| need(table)).collect()
        }
        // A transaction needs the rights of what it does.
        "TransactGetItems" | "TransactWriteItems" => {
            let items = body.get("TransactItems").and_then(Value::as_array);
            let parts = items.into_iter().flatten().filter_map(Value::as_object).flatten();
            parts
                .filter_map(|(kind, part)| {
                    let table = part.get("TableName")?.as_str()?;
                    let action = if kind == "ConditionCheck" {
                        "dynamodb:ConditionCheckItem".to_owned()
                    } else {
                        format!("dynamodb:{kind}Item")
                    };
                    Some(RequiredPermission::new(action, table_arn(&asked.region, table)))
                })
                .collect()
        }
        _ => {
            let arn = table_arn(&asked.region, asked.text("TableName").unwrap_or_default());
            // Only reading goes through an index; elsewhere the name of one means nothing.
            let reads = matches!(asked.operation.as_str(), "Query" | "Scan");
            vec![match asked.text("IndexName").filter(|_| reads) {
                Some(index) => RequiredPermission::new(action, format!("{arn}/index/{index}")),
                None => RequiredPermission::new(action, arn),
            }]
        }
    })
}
