//! Beginning operations, each in the transaction that checked that it may begin.

use crate::cloudformation::error::{CloudFormationResult, token_used};
use crate::cloudformation::journal::Journal;
use crate::cloudformation::model::{OnFailure, Phase, Stack, StackOperation, StackTarget};
use crate::cloudformation::status::{OperationType, Status};
use crate::cloudformation::{custom, tables};

/// How many operations a stack remembers.
const REMEMBERED: usize = 10;
/// How many client request tokens a stack remembers.
const REMEMBERED_TOKENS: usize = 100;

/// What a caller says of any operation.
#[derive(Debug, Clone, Default)]
pub struct OperationRequest {
    /// The client request token.
    pub token: Option<String>,
    /// What to do when a creation fails.
    pub on_failure: OnFailure,
    /// Whether a failed update is left as it is.
    pub disable_rollback: bool,
    /// The change set that is run.
    pub change_set_id: Option<String>,
    /// Logical ids not to be touched.
    pub skip: Vec<String>,
    /// A stack policy for this update alone.
    pub policy: Option<String>,
    /// The id, when one was given out before.
    pub operation_id: Option<String>,
}

impl Journal<'_> {
    /// Whether a token began this kind of operation on the stack already; then the call is a repetition.
    ///
    /// # Errors
    ///
    /// It began an operation of another kind.
    pub fn repeated(&self, stack: &Stack, token: Option<&str>, kind: OperationType) -> CloudFormationResult<bool> {
        let Some(token) = token else { return Ok(false) };
        match stack.tokens.iter().find(|(known, _)| known == token) {
            Some((_, known)) if *known == kind => Ok(true),
            Some(_) => Err(token_used(token)),
            None => Ok(false),
        }
    }

    fn operation(
        &self,
        stack: &mut Stack,
        kind: OperationType,
        phase: Phase,
        request: OperationRequest,
    ) -> CloudFormationResult<StackOperation> {
        let operation = StackOperation {
            id: request.operation_id.unwrap_or_else(|| self.uuid()),
            stack_id: stack.id.clone(),
            kind,
            phase,
            token: request.token.clone(),
            on_failure: request.on_failure,
            disable_rollback: request.disable_rollback,
            previous: None,
            previous_outputs: stack.outputs.clone(),
            previous_status: Some(stack.status),
            change_set_id: request.change_set_id,
            skip: request.skip,
            policy: request.policy,
            cancelled: false,
            started: self.now(),
        };
        stack.operations.push((kind, operation.id.clone()));
        let surplus = stack.operations.len().saturating_sub(REMEMBERED);
        for (_, id) in stack.operations.drain(..surplus) {
            tables::remove_operation(self.db, &id)?;
        }
        if let Some(token) = request.token {
            stack.tokens.push((token, kind));
            let surplus = stack.tokens.len().saturating_sub(REMEMBERED_TOKENS);
            stack.tokens.drain(..surplus);
        }
        Ok(operation)
    }

    /// Begins to create a stack, new or under review.
    pub fn begin_create(
        &self,
        stack: &mut Stack,
        target: StackTarget,
        request: OperationRequest,
    ) -> CloudFormationResult<StackOperation> {
        stack.disable_rollback = request.on_failure == OnFailure::DoNothing;
        let operation = self.operation(stack, OperationType::CreateStack, Phase::Deploy, request)?;
        stack.target = target;
        stack.change_set_id.clone_from(&operation.change_set_id);
        if operation.change_set_id.is_some() {
            stack.updated = Some(self.now());
        }
        self.begun(stack, &operation, Status::CreateInProgress)?;
        Ok(operation)
    }

    /// Begins to update a stack.
    pub fn begin_update(
        &self,
        stack: &mut Stack,
        target: StackTarget,
        request: OperationRequest,
    ) -> CloudFormationResult<StackOperation> {
        stack.disable_rollback = request.disable_rollback;
        let retry = stack.status == Status::UpdateFailed;
        let earlier = if retry { self.last_previous(stack)? } else { None };
        let mut operation = self.operation(stack, OperationType::UpdateStack, Phase::Deploy, request)?;
        // An update that was left where it failed is taken back to before that, not to the failed attempt.
        operation.previous = Some(earlier.unwrap_or_else(|| stack.target.clone()));
        stack.target = target;
        stack.updated = Some(self.now());
        if operation.change_set_id.is_some() {
            stack.change_set_id.clone_from(&operation.change_set_id);
        }
        self.begun(stack, &operation, Status::UpdateInProgress)?;
        Ok(operation)
    }

    /// What was deployed before the stack's last update.
    pub fn last_previous(&self, stack: &Stack) -> CloudFormationResult<Option<StackTarget>> {
        for (_, id) in stack.operations.iter().rev() {
            if let Some(previous) = tables::operation(self.db, id)?.and_then(|operation| operation.previous) {
                return Ok(Some(previous));
            }
        }
        Ok(None)
    }

    /// Begins to delete a stack.
    pub fn begin_delete(&self, stack: &mut Stack, request: OperationRequest) -> CloudFormationResult<StackOperation> {
        let operation = self.operation(stack, OperationType::DeleteStack, Phase::Delete, request)?;
        self.begun(stack, &operation, Status::DeleteInProgress)?;
        Ok(operation)
    }

    /// Takes up a rollback of an update that failed.
    pub fn begin_continue(&self, stack: &mut Stack, request: OperationRequest) -> CloudFormationResult<StackOperation> {
        let previous = self.last_previous(stack)?;
        let mut operation = self.operation(stack, OperationType::ContinueRollback, Phase::Revert, request)?;
        operation.previous = previous;
        self.begun(stack, &operation, Status::UpdateRollbackInProgress)?;
        Ok(operation)
    }

    /// Begins to take back what was left where it failed.
    pub fn begin_rollback(&self, stack: &mut Stack, request: OperationRequest) -> CloudFormationResult<StackOperation> {
        let creation = stack.status == Status::CreateFailed;
        let previous = if creation { None } else { self.last_previous(stack)? };
        let phase = if creation { Phase::Undo } else { Phase::Revert };
        let mut operation = self.operation(stack, OperationType::Rollback, phase, request)?;
        if let Some(previous) = &previous {
            stack.target = previous.clone();
        }
        operation.previous = previous;
        let status = if creation { Status::RollbackInProgress } else { Status::UpdateRollbackInProgress };
        self.begun(stack, &operation, status)?;
        Ok(operation)
    }

    fn begun(&self, stack: &mut Stack, operation: &StackOperation, status: Status) -> CloudFormationResult<()> {
        custom::hide_parameters(self.db, &stack.id, &stack.target)?;
        tables::save_operation(self.db, operation)?;
        Ok(self.stack(stack, operation, status, Some("User Initiated".to_owned()))?)
    }
}
