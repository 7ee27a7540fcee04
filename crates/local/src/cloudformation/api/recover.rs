//! Getting a stack out of a failed update or creation.

use serde_json::{Value, json};

use super::{CloudFormationCall, living};
use crate::cloudformation::engine::OperationRequest;
use crate::cloudformation::error::CloudFormationResult;
use crate::cloudformation::status::{OperationType, Status};
use crate::cloudformation::tables;
use crate::ground::ApiError;

impl CloudFormationCall<'_> {
    pub(super) async fn continue_update_rollback(self) -> CloudFormationResult<Value> {
        let (region, named, token) = (self.region(), self.required("StackName")?, self.token());
        self.touch(&named).await?;
        let skip: Vec<String> = self.params.texts("ResourcesToSkip").into_iter().map(str::to_owned).collect();
        let operation = self
            .write(move |journal| {
                let mut stack = living(journal.db, &region, &named)?;
                if journal.repeated(&stack, token.as_deref(), OperationType::ContinueRollback)? {
                    return Ok(None);
                }
                if stack.status != Status::UpdateRollbackFailed {
                    return Err(ApiError::validation(format!(
                        "Stack [{}] is not in UPDATE_ROLLBACK_FAILED state",
                        stack.id
                    )));
                }
                for id in &skip {
                    let row = tables::resource(journal.db, &stack.id, id)?;
                    if row.is_none_or(|row| row.status != Status::UpdateFailed) {
                        return Err(ApiError::validation(format!(
                            "The resource(s) specified in the ResourcesToSkip list must be in UPDATE_FAILED state and exist in the stack: [{id}]"
                        )));
                    }
                }
                Ok(Some(journal.begin_continue(&mut stack, OperationRequest { token, skip, ..OperationRequest::default() })?))
            })
            .await?;
        if let Some(operation) = operation {
            self.engine.start(&operation.id);
        }
        Ok(json!({}))
    }

    pub(super) async fn cancel_update(self) -> CloudFormationResult<Value> {
        let (region, named) = (self.region(), self.required("StackName")?);
        self.touch(&named).await?;
        self.write(move |journal| {
            let stack = living(journal.db, &region, &named)?;
            let running = tables::running_operation(journal.db, &stack.id)?;
            match running.filter(|_| stack.status == Status::UpdateInProgress) {
                Some(mut operation) => {
                    operation.cancelled = true;
                    tables::save_operation(journal.db, &operation)?;
                    Ok(Value::Null)
                }
                None => Err(ApiError::validation(format!(
                    "CancelUpdateStack cannot be called from current stack status {}",
                    stack.status
                ))),
            }
        })
        .await
    }

    pub(super) async fn rollback_stack(self) -> CloudFormationResult<Value> {
        let (region, named, token) = (self.region(), self.required("StackName")?, self.token());
        self.touch(&named).await?;
        let (stack_id, operation_id) = self
            .write(move |journal| {
                let mut stack = living(journal.db, &region, &named)?;
                if journal.repeated(&stack, token.as_deref(), OperationType::Rollback)? {
                    let id = stack.operations.last().map(|(_, id)| id.clone()).unwrap_or_default();
                    return Ok((stack.id, id));
                }
                if !matches!(stack.status, Status::CreateFailed | Status::UpdateFailed) {
                    return Err(ApiError::validation(format!(
                        "RollbackStack cannot be called from current stack status {}",
                        stack.status
                    )));
                }
                let operation =
                    journal.begin_rollback(&mut stack, OperationRequest { token, ..OperationRequest::default() })?;
                Ok((stack.id, operation.id))
            })
            .await?;
        self.engine.start(&operation_id);
        Ok(json!({"StackId": stack_id, "OperationId": operation_id}))
    }
}
