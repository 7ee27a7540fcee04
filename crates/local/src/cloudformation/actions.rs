//! CloudFormation. What a stack makes is made with the administrator's rights here, whoever asks.

use rusqlite::Transaction;

use crate::cloudformation::{stack_of_change_set, stack_of_operation};
use crate::ground::{ACCOUNT_ID, ApiError, RequiredPermission};
use crate::protocol::query::Params;

/// Operations about no stack in particular.
const ANY: &[&str] =
    &["DescribeAccountLimits", "ListStacks", "ListExports", "ListImports", "ValidateTemplate", "GetTemplateSummary"];

/// What an operation needs.
///
/// # Errors
///
/// When the state can't be read.
pub(crate) fn required_permissions(
    db: &Transaction<'_>,
    region: &str,
    operation: &str,
    params: &Params,
) -> Result<Vec<RequiredPermission>, ApiError> {
    let action = format!("cloudformation:{}", operation);
    if ANY.contains(&operation) {
        return Ok(vec![RequiredPermission::new(action, "*")]);
    }
    // What names its stack by something else than the stack's name is about that stack, whatever name stands beside it.
    let mut stacks = Vec::new();
    if let Some(id) = params.text("ChangeSetName").filter(|name| name.starts_with("arn:")) {
        stacks.push(stack_of_change_set(db, id)?.unwrap_or_else(|| "*".to_owned()));
    }
    if let Some(id) = params.text("OperationId").filter(|_| operation == "DescribeEvents") {
        stacks.push(stack_of_operation(db, id)?.unwrap_or_else(|| "*".to_owned()));
    }
    match params.text("StackName") {
        Some(arn) if arn.starts_with("arn:") => stacks.push(arn.to_owned()),
        Some(name) => stacks.push(format!("arn:aws:cloudformation:{}:{ACCOUNT_ID}:stack/{name}/*", region)),
        None if operation == "DescribeStacks" => {
            stacks.push(format!("arn:aws:cloudformation:{}:{ACCOUNT_ID}:stack/*/*", region));
        }
        None if stacks.is_empty() => stacks.push("*".to_owned()),
        None => {}
    }
    Ok(stacks.into_iter().map(|stack| RequiredPermission::new(action.clone(), stack)).collect())
}
