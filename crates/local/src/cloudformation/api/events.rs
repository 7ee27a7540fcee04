//! Events of stacks and of operations.

use serde_json::{Value, json};

use super::{CloudFormationCall, existing, shapes};
use crate::cloudformation::error::{CloudFormationResult, no_change_set};
use crate::cloudformation::tables::{self, EventsOf};
use crate::ground::ApiError;

impl CloudFormationCall<'_> {
    fn before(self) -> CloudFormationResult<Option<i64>> {
        self.params
            .text("NextToken")
            .map(|token| token.parse().map_err(|_| ApiError::validation("The specified NextToken is not valid")))
            .transpose()
    }

    pub(super) async fn describe_stack_events(self) -> CloudFormationResult<Value> {
        let (region, named, before) = (self.region(), self.required("StackName")?, self.before()?);
        self.touch(&named).await?;
        self.read(move |tx| {
            let stack = tables::stack(tx, &region, &named)?
                .ok_or_else(|| ApiError::validation(format!("Stack [{named}] does not exist")))?;
            let (mut events, next) = tables::events(tx, EventsOf::Stack(&stack.id), before)?;
            // Validations belong to operations, not to the stack's own history.
            events.retain(|event| event.validation.is_none());
            let shown: Value = events.iter().map(shapes::stack_event).collect();
            Ok(shapes::compact(json!({"StackEvents": shown, "NextToken": next.map(|next| next.to_string())})))
        })
        .await
    }

    pub(super) async fn describe_events(self) -> CloudFormationResult<Value> {
        let region = self.region();
        let (named, set, operation) = (self.text("StackName"), self.text("ChangeSetName"), self.text("OperationId"));
        let failed = self.params.get("Filters").and_then(|filters| filters.get("FailedEvents"));
        let failed = failed.and_then(Value::as_str) == Some("true");
        let before = self.before()?;
        if let Some(named) = &named {
            self.touch(named).await?;
        }
        self.read(move |tx| {
            let none = || ApiError::validation("One of ChangeSetName, OperationId or StackName must be specified");
            let (mut events, next) = if let Some(id) = &operation {
                tables::events(tx, EventsOf::Operation(id), before)?
            } else if let Some(set) = &set {
                let found = if set.starts_with("arn:") {
                    tables::change_set_by_id(tx, set)?
                } else {
                    let stack = named.as_ref().ok_or_else(none)?;
                    let stack = existing(tx, &region, stack)?;
                    tables::change_set_by_name(tx, &stack.id, set)?
                };
                let found = found.ok_or_else(|| no_change_set(set))?;
                tables::events(tx, EventsOf::Operation(&found.operation_id), before)?
            } else {
                let stack = existing(tx, &region, named.as_ref().ok_or_else(none)?)?;
                tables::events(tx, EventsOf::Stack(&stack.id), before)?
            };
            if failed {
                events.retain(shapes::tells_failure);
            }
            let shown: Value = events.iter().map(shapes::operation_event).collect();
            Ok(shapes::compact(json!({"OperationEvents": shown, "NextToken": next.map(|next| next.to_string())})))
        })
        .await
    }
}
