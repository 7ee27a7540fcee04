//! Parameter Store. A path is decided as a resource of its own: who may read `/app` may read all below it.

use rusqlite::Transaction;
use serde_json::Value;

use crate::ground::{ApiError, RequiredPermission};
use crate::protocol::api_request::ApiRequest;
use crate::ssm::store::{Named, arn};

/// What an operation needs.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn required_permissions(
    _: &Transaction<'_>,
    asked: &ApiRequest,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let action = format!("ssm:{}", asked.operation);
    let body = &asked.body;
    let of =
        |name: &str| RequiredPermission::new(action.clone(), arn(&asked.region, &Named::of(name, &asked.region).name));
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let required_permissions = match asked.operation.as_str() {
        "GetParameters" => {
            let names = body.get("Names").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            names.map(of).collect()
        }
        "GetParametersByPath" => vec![of(text("Path").unwrap_or_default())],
        "DescribeParameters" => vec![RequiredPermission::new(action, "*")],
        _ => vec![of(text("Name").unwrap_or_default())],
    };
    Ok(required_permissions)
}
