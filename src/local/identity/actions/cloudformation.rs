//! CloudFormation. What a stack makes is made with the administrator's rights here, whoever asks.

use rusqlite::Transaction;

use super::Asked;
use crate::local::ACCOUNT_ID;
use crate::local::errors::ApiError;
use crate::local::identity::Need;

/// Operations about no stack in particular.
const ANY: &[&str] =
    &["DescribeAccountLimits", "ListStacks", "ListExports", "ListImports", "ValidateTemplate", "GetTemplateSummary"];

pub(super) fn needs(_: &Transaction<'_>, asked: &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError> {
    let action = format!("cloudformation:{}", asked.operation);
    let stack = asked.form("StackName").or_else(|| asked.form("StackId"));
    let resource = match stack {
        _ if ANY.contains(&asked.operation) => "*".to_owned(),
        Some(arn) if arn.starts_with("arn:") => arn,
        Some(name) => format!("arn:aws:cloudformation:{}:{ACCOUNT_ID}:stack/{name}/*", asked.region),
        None if asked.operation == "DescribeStacks" => {
            format!("arn:aws:cloudformation:{}:{ACCOUNT_ID}:stack/*/*", asked.region)
        }
        // A change set's ARN does not tell its stack.
        None => "*".to_owned(),
    };
    Ok(Some(vec![Need::new(action, resource)]))
}
