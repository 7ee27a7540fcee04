//! The policies on resources of all services that have them.

use rusqlite::Transaction;
use serde_json::Value;

use crate::ground::permissions::{NamedPolicy, read_policy};
use crate::ground::{ACCOUNT_ID, ApiError};
use crate::lambda::permissions::policy;
use crate::s3::policy_of as policy_of_bucket;
use crate::secretsmanager::{policy_of as policy_of_secret, store};

/// The policy on the resource of an ARN, where the resource has one.
pub(super) fn of_resource(db: &Transaction<'_>, arn: &str) -> Result<Option<NamedPolicy>, ApiError> {
    if let Some(path) = arn.strip_prefix("arn:aws:s3:::") {
        let bucket = path.split('/').next().unwrap_or(path);
        let policy = policy_of_bucket(db, bucket)?.and_then(|text| read_policy(&Value::String(text)));
        return Ok(policy.map(|policy| NamedPolicy { name: format!("the policy of the bucket {bucket}"), policy }));
    }
    if let Some((region, function)) =
        arn.strip_prefix("arn:aws:lambda:").and_then(|rest| rest.split_once(&format!(":{ACCOUNT_ID}:function:")))
    {
        let policy = policy(db, region, function)?;
        return Ok(Some(NamedPolicy { name: format!("the policy of the function {function}"), policy }));
    }
    if let Some(region) = arn.strip_prefix("arn:aws:secretsmanager:").and_then(|rest| rest.split(':').next())
        && let Some(secret) = store::find(db, region, arn)?
        && let Some(policy) = policy_of_secret(db, &secret)?.as_ref().and_then(read_policy)
    {
        let name = store::name_of(&secret.id);
        return Ok(Some(NamedPolicy { name: format!("the policy of the secret {name}"), policy }));
    }
    Ok(None)
}
