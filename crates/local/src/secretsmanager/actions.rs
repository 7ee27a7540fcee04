//! Secrets Manager. A secret asked for by its name is decided by its ARN, which ends in six more characters.

use rusqlite::Transaction;
use serde_json::Value;

use crate::ground::{ACCOUNT_ID, ApiError, RequiredPermission};
use crate::protocol::api_request::ApiRequest;
use crate::secretsmanager::store;

/// What an operation needs.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn required_permissions(
    db: &Transaction<'_>,
    asked: &ApiRequest,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let action = format!("secretsmanager:{}", asked.operation);
    let body = &asked.body;
    if asked.operation == "BatchGetSecretValue" {
        let mut required_permissions = vec![RequiredPermission::new(action, "*")];
        if body.get("Filters").is_some_and(|filters| !filters.is_null()) {
            required_permissions.push(RequiredPermission::new("secretsmanager:ListSecrets", "*"));
        }
        for named in body.get("SecretIdList").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            required_permissions.push(RequiredPermission::new("secretsmanager:GetSecretValue", arn(db, asked, named)?));
        }
        return Ok(required_permissions);
    }
    let Some(named) = body.get("SecretId").and_then(Value::as_str) else {
        return Ok(vec![RequiredPermission::new(action, "*")]);
    };
    let need = RequiredPermission::new(action, arn(db, asked, named)?);
    if asked.operation != "GetSecretValue" {
        return Ok(vec![need]);
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let need = match (text("VersionStage"), text("VersionId")) {
        (Some(stage), _) => need.with("secretsmanager:VersionStage", stage),
        (None, None) => need.with("secretsmanager:VersionStage", store::CURRENT),
        (None, Some(id)) => need.with("secretsmanager:VersionId", id),
    };
    Ok(vec![need])
}

/// The ARN of a secret that is there; otherwise the one it would have, as far as its name says.
fn arn(db: &Transaction<'_>, asked: &ApiRequest, named: &str) -> Result<String, ApiError> {
    Ok(match store::find(db, &asked.region, named)? {
        Some(secret) => secret.id,
        None if named.starts_with("arn:") => named.to_owned(),
        None => format!("arn:aws:secretsmanager:{}:{ACCOUNT_ID}:secret:{named}", asked.region),
    })
}
