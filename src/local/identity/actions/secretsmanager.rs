//! Secrets Manager. A secret asked for by its name is decided by its ARN, which ends in six more characters.

use rusqlite::Transaction;
use serde_json::Value;

use super::Asked;
use crate::local::ACCOUNT_ID;
use crate::local::errors::ApiError;
use crate::local::identity::Need;
use crate::local::resources::world;

pub(super) fn needs(db: &Transaction<'_>, asked: &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError> {
    let action = format!("secretsmanager:{}", asked.operation);
    let body = asked.json();
    let Some(secret) = body.get("SecretId").and_then(Value::as_str) else {
        return Ok(Some(vec![Need::new(action, "*")]));
    };
    if secret.starts_with("arn:") {
        return Ok(Some(vec![Need::new(action, secret)]));
    }
    let prefix = format!("arn:aws:secretsmanager:{}:{ACCOUNT_ID}:secret:{secret}", asked.region);
    let known = world::of_type(db, "AWS::SecretsManager::Secret", Some(asked.region))?
        .into_iter()
        .find(|thing| thing.id.strip_prefix(&prefix).is_some_and(|rest| rest.len() == 7 && rest.starts_with('-')));
    Ok(Some(vec![Need::new(action, known.map_or(prefix, |thing| thing.id))]))
}
