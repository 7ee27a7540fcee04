//! CloudFormation. What a stack makes is made with the administrator's rights here, whoever asks.

use rusqlite::Transaction;

use crate::cloudformation::{stack_of_change_set, stack_of_operation};
use crate::ground::{ACCOUNT_ID, ApiError, RequiredPermission};
use crate::identity::asked::Asked;

/// Operations about no stack in particular.
const ANY: &[&str] =
    &["DescribeAccountLimits", "ListStacks", "ListExports", "ListImports", "ValidateTemplate", "GetTemplateSummary"];

/// What an operation needs; nothing when it is not known.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn required_permissions(
    db: &Transaction<'_>,
    asked: &Asked<'_>,
) -> Result<Option<Vec<RequiredPermission>>, ApiError> {
    let action = format!("cloudformation:{}", asked.operation);
    if ANY.contains(&asked.operation) {
        return Ok(Some(vec![RequiredPermission::new(action, "*")]));
    }
    // What names its stack by something else than the stack's name is about that stack, whatever name stands beside it.
    let mut stacks = Vec::new();
    if let Some(id) = asked.text("ChangeSetName").filter(|name| name.starts_with("arn:")) {
        stacks.push(stack_of_change_set(db, id)?.unwrap_or_else(|| "*".to_owned()));
    }
    if let Some(id) = asked.text("OperationId").filter(|_| asked.operation == "DescribeEvents") {
        stacks.push(stack_of_operation(db, id)?.unwrap_or_else(|| "*".to_owned()));
    }
    match asked.text("StackName") {
        Some(arn) if arn.starts_with("arn:") => stacks.push(arn.to_owned()),
        Some(name) => stacks.push(format!("arn:aws:cloudformation:{}:{ACCOUNT_ID}:stack/{name}/*", asked.region)),
        None if asked.operation == "DescribeStacks" => {
            stacks.push(format!("arn:aws:cloudformation:{}:{ACCOUNT_ID}:stack/*/*", asked.region));
        }
        None if stacks.is_empty() => stacks.push("*".to_owned()),
        None => {}
    }
    Ok(Some(stacks.into_iter().map(|stack| RequiredPermission::new(action.clone(), stack)).collect()))
}
