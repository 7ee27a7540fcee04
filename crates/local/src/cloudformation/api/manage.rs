//! Creating, updating and deleting stacks at once, and what guards them.

use serde_json::{Value, json};

use super::{CloudFormationCall, check_stack_name, existing, living};
use crate::cloudformation::engine::OperationRequest;
use crate::cloudformation::error::{CloudFormationResult, already_exists, no_stack_brackets};
use crate::cloudformation::model::{OnFailure, Phase, Stack};
use crate::cloudformation::prepare::{self, Way};
use crate::cloudformation::status::{OperationType, Status};
use crate::cloudformation::{changes, limits, policy, retention, source, stacks, tables};
use crate::ground::ApiError;

/// What answers the call when the stack's status does not allow it.
pub(super) fn cannot(stack: &Stack, doing: &str) -> ApiError {
    ApiError::validation(format!("Stack:{} is in {} state and can not be {doing}.", stack.id, stack.status))
}

/// The failure behaviour asked for.
pub(super) fn on_failure(text: Option<&str>, disable_rollback: Option<bool>) -> CloudFormationResult<OnFailure> {
    match (text, disable_rollback) {
        (Some(_), Some(_)) => {
            // The answer of AWS as boto/boto#2781 has it (2014).
            Err(ApiError::validation("Either DisableRollback or OnFailure can be specified, not both."))
        }
        (Some("DO_NOTHING"), None) | (None, Some(true)) => Ok(OnFailure::DoNothing),
        (Some("ROLLBACK"), None) | (None, None | Some(false)) => Ok(OnFailure::Rollback),
        (Some("DELETE"), None) => Ok(OnFailure::Delete),
        (Some(other), None) => Err(ApiError::validation(format!(
            "1 validation error detected: Value '{other}' at 'onFailure' failed to satisfy constraint: Member must \
             satisfy enum value set: [ROLLBACK, DELETE, DO_NOTHING]"
        ))),
    }
}

impl CloudFormationCall<'_> {
    /// A stack policy in the request, in its body or by its URL.
    async fn stack_policy(self, body: &str, url: &str) -> CloudFormationResult<Option<String>> {
        let text = match (self.text(body), self.text(url)) {
            (Some(_), Some(_)) => {
                return Err(ApiError::validation(format!("You cannot specify both {url} and {body}")));
            }
            (Some(text), None) => Some(text),
            (None, Some(url)) => Some(source::from_url(&self.engine.host, &url).await?),
            (None, None) => None,
        };
        match &text {
            Some(text) if !policy::well_formed(text) => {
                Err(ApiError::validation("Error validating stack policy: Invalid stack policy"))
            }
            _ => Ok(text),
        }
    }

    pub(super) async fn create_stack(self) -> CloudFormationResult<Value> {
        let name = self.required("StackName")?;
        check_stack_name(&name)?;
        self.refuse_unsimulated()?;
        let region = self.region();
        let token = self.token();
        let text = self.template_text(None).await?;
        let given = self.given(text, None)?;
        let (_, config_disable) = self.deployment_config();
        let disable = self.params.flag("DisableRollback")?.or(config_disable);
        let on_failure = on_failure(self.params.text("OnFailure"), disable)?;
        let policy = self.stack_policy("StackPolicyBody", "StackPolicyURL").await?;
        let protection = self.flag("EnableTerminationProtection")?;
        let timeout = self.params.number("TimeoutInMinutes")?.and_then(|minutes| u32::try_from(minutes).ok());
        let (stack_id, operation_id) = self
            .write(move |journal| {
                if let Some(stack) = tables::stack_by_name(journal.db, &region, &name)? {
                    if journal.repeated(&stack, token.as_deref(), OperationType::CreateStack)? {
                        let id = stack.operations.last().map(|(_, id)| id.clone()).unwrap_or_default();
                        return Ok((stack.id, id));
                    }
                    return Err(already_exists(format!("Stack [{name}] already exists")));
                }
                limits::room_for_stack(journal.db, &region)?;
                let target = prepare::target(journal.db, given, None, &region, Way::Directly)?;
                let mut stack = stacks::fresh(journal, &name, &region);
                stack.termination_protection = protection;
                stack.timeout_minutes = timeout;
                stack.policy = policy;
                let request = OperationRequest { token, on_failure, ..OperationRequest::default() };
                let operation = journal.begin_create(&mut stack, target, request)?;
                Ok((stack.id, operation.id))
            })
            .await?;
        self.engine.start(&operation_id);
        Ok(json!({"StackId": stack_id, "OperationId": operation_id}))
    }

    pub(super) async fn update_stack(self) -> CloudFormationResult<Value> {
        let named = self.required("StackName")?;
        self.refuse_unsimulated()?;
        self.touch(&named).await?;
        let (region, token) = (self.region(), self.token());
        let (of, name) = (region.clone(), named.clone());
        let previous = self.read(move |tx| living(tx, &of, &name)).await?.target;
        let text = self.template_text(Some(&previous)).await?;
        let given = self.given(text, Some(&previous))?;
        let (_, config_disable) = self.deployment_config();
        let disable_rollback = self.params.flag("DisableRollback")?.or(config_disable).unwrap_or(false);
        let policy = self.stack_policy("StackPolicyBody", "StackPolicyURL").await?;
        let during = self.stack_policy("StackPolicyDuringUpdateBody", "StackPolicyDuringUpdateURL").await?;
        let (stack_id, operation_id) = self
            .write(move |journal| {
                let mut stack = living(journal.db, &region, &named)?;
                if journal.repeated(&stack, token.as_deref(), OperationType::UpdateStack)? {
                    let id = stack.operations.last().map(|(_, id)| id.clone()).unwrap_or_default();
                    return Ok((stack.id, id));
                }
                if !stack.status.can_update() {
                    return Err(cannot(&stack, "updated"));
                }
                let target = prepare::target(journal.db, given, Some(&stack.target), &region, Way::Directly)?;
                if nothing_new(journal.db, &stack, &target)? {
                    return Err(ApiError::validation("No updates are to be performed."));
                }
                if let Some(policy) = policy {
                    stack.policy = Some(policy);
                }
                let request =
                    OperationRequest { token, disable_rollback, policy: during, ..OperationRequest::default() };
                let operation = journal.begin_update(&mut stack, target, request)?;
                Ok((stack.id, operation.id))
            })
            .await?;
        self.engine.start(&operation_id);
        Ok(json!({"StackId": stack_id, "OperationId": operation_id}))
    }

    pub(super) async fn delete_stack(self) -> CloudFormationResult<Value> {
        let named = self.required("StackName")?;
        self.touch(&named).await?;
        let (region, token) = (self.region(), self.token());
        let retain: Vec<String> = self.params.texts("RetainResources").into_iter().map(str::to_owned).collect();
        let force = self.params.text("DeletionMode") == Some("FORCE_DELETE_STACK");
        let operation = self
            .write(move |journal| {
                // Deleting what does not exist is no error.
                let Some(mut stack) = tables::stack(journal.db, &region, &named)? else { return Ok(None) };
                if matches!(stack.status, Status::DeleteComplete | Status::DeleteInProgress) {
                    return Ok(None);
                }
                if journal.repeated(&stack, token.as_deref(), OperationType::DeleteStack)? {
                    return Ok(None);
                }
                if stack.termination_protection {
                    return Err(ApiError::validation(format!(
                        "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                        stack.name
                    )));
                }
                if stack.status == Status::ReviewInProgress {
                    for set in tables::change_sets(journal.db, &stack.id)? {
                        tables::remove_change_set(journal.db, &set.id)?;
                    }
                }
                if stack.status == Status::CreateInProgress
                    && let Some(mut operation) = tables::running_operation(journal.db, &stack.id)?
                {
                    // The creation ends where it is, and everything goes.
                    operation.cancelled = true;
                    operation.on_failure = OnFailure::Delete;
                    tables::save_operation(journal.db, &operation)?;
                    return Ok(Some(operation));
                }
                if stack.status.in_progress() {
                    return Err(ApiError::validation(format!(
                        "Stack [{}] cannot be deleted while in status {}",
                        stack.id, stack.status
                    )));
                }
                if !retain.is_empty() && stack.status != Status::DeleteFailed {
                    return Err(ApiError::validation(format!(
                        "Invalid operation on stack [{}]. Resources to retain can only be specified when the stack is in the DELETE_FAILED state.",
                        stack.id
                    )));
                }
                if force && stack.status != Status::DeleteFailed {
                    return Err(ApiError::validation(
                        "DeletionMode FORCE_DELETE_STACK can only be used when the stack is in the DELETE_FAILED state.",
                    ));
                }
                let unknown: Vec<String> = {
                    let rows = tables::resources(journal.db, &stack.id)?;
                    retain.iter().filter(|id| !rows.iter().any(|row| row.logical_id == **id)).cloned().collect()
                };
                if !unknown.is_empty() {
                    return Err(ApiError::validation(format!(
                        "The specified resources to retain must be in a valid state. Resources [{}] do not exist in the stack.",
                        unknown.join(", ")
                    )));
                }
                if let Some(reason) = stacks::export_in_use(journal.db, &stack)? {
                    // CloudFormation takes the call, and the stack is back where it was, with the reason.
                    stack.reason = Some(reason);
                    tables::save_stack(journal.db, &stack)?;
                    return Ok(None);
                }
                stack.force_delete = force;
                // A stack under review was never made: there is no template to go by and nothing to delete.
                let review = stack.status == Status::ReviewInProgress;
                let request = OperationRequest { token, skip: retain, ..OperationRequest::default() };
                let mut operation = journal.begin_delete(&mut stack, request)?;
                if review {
                    operation.phase = Phase::Over;
                    tables::save_operation(journal.db, &operation)?;
                    retention::strip(journal.db, &mut stack)?;
                    journal.stack(&mut stack, &operation, Status::DeleteComplete, None)?;
                    retention::forget_operations(journal.db, &stack.id)?;
                    retention::prune(journal.db, journal.host.clock.now())?;
                    return Ok(None);
                }
                Ok(Some(operation))
            })
            .await?;
        if let Some(operation) = operation {
            self.engine.start(&operation.id);
        }
        Ok(Value::Null)
    }

    pub(super) async fn update_termination_protection(self) -> CloudFormationResult<Value> {
        let (region, named) = (self.region(), self.required("StackName")?);
        self.params.required("EnableTerminationProtection")?;
        let enable = self.flag("EnableTerminationProtection")?;
        self.write(move |journal| {
            let mut stack = living(journal.db, &region, &named)?;
            if stack.parent.is_some() {
                return Err(ApiError::validation(format!(
                    "TerminationProtection cannot be set on a nested stack [{}]; set it on its root stack",
                    stack.name
                )));
            }
            stack.termination_protection = enable;
            tables::save_stack(journal.db, &stack)?;
            Ok(json!({"StackId": stack.id}))
        })
        .await
    }

    pub(super) async fn set_stack_policy(self) -> CloudFormationResult<Value> {
        let (region, named) = (self.region(), self.required("StackName")?);
        let policy = self.stack_policy("StackPolicyBody", "StackPolicyURL").await?;
        self.write(move |journal| {
            let mut stack = tables::stack(journal.db, &region, &named)?.ok_or_else(|| no_stack_brackets(&named))?;
            if let Some(policy) = policy {
                stack.policy = Some(policy);
                tables::save_stack(journal.db, &stack)?;
            }
            Ok(Value::Null)
        })
        .await
    }

    pub(super) async fn get_stack_policy(self) -> CloudFormationResult<Value> {
        let (region, named) = (self.region(), self.required("StackName")?);
        self.read(move |tx| {
            let stack = existing(tx, &region, &named)?;
            Ok(super::shapes::compact(json!({"StackPolicyBody": stack.policy})))
        })
        .await
    }
}

/// Whether a target is what the stack has: same resources, tags, outputs.
pub(super) fn nothing_new(
    db: &rusqlite::Connection,
    stack: &Stack,
    target: &crate::cloudformation::model::StackTarget,
) -> CloudFormationResult<bool> {
    if stack.status == Status::UpdateFailed
        || stack.target.tags != target.tags
        || stack.target.processed.get("Outputs") != target.processed.get("Outputs")
        || stack.target.notification_arns != target.notification_arns
    {
        return Ok(false);
    }
    let same_values = || {
        let outputs = target.processed.get("Outputs").map(Value::to_string).unwrap_or_default();
        stack.target.parameters.iter().all(|old| {
            let now = target.parameters.iter().find(|new| new.key == old.key);
            now.is_none_or(|now| now.value == old.value) || !outputs.contains(&old.key)
        })
    };
    Ok(same_values() && changes::changes(db, stack, target)?.changes.is_empty())
}
