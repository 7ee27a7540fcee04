//! What happens to a stack, as it happens, and what CloudFormation's own validation found.

use aws_sdk_cloudformation::types::{EventFilter, EventType, HookFailureMode, OperationEvent};

use super::clients::Clients;
use super::error::CallError;
use super::timestamps::timestamp;
use super::types::{StackEvent, ValidationResult};

/// A page holds about a hundred events; an operation on the largest stack (500 resources) makes some 2,000.
const MAX_PAGES: usize = 100;
/// Stack statuses an operation begins with.
const STARTS: &[&str] = &["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"];

/// How far to read.
enum Read {
    /// This event and further.
    On,
    /// This event and no further.
    Last,
    /// Not even this event.
    Enough,
}

impl Clients {
    /// The newest events of a stack down to (not including) the one seen last, oldest first. Takes a turn of the pace
    /// for every page.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn stack_events(&self, stack: &str, last_seen: Option<&str>) -> Result<Vec<StackEvent>, CallError> {
        self.events_back_to(stack, |event| if last_seen == Some(event.id.as_str()) { Read::Enough } else { Read::On })
            .await
    }

    /// The events of the operation a stack went through last, oldest first. A rollback belongs to the operation it
    /// undoes.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn last_operation(&self, stack: &str) -> Result<Vec<StackEvent>, CallError> {
        self.events_back_to(stack, |event| {
            let begins = STARTS.contains(&event.status.as_str());
            if event.is_stack() && begins { Read::Last } else { Read::On }
        })
        .await
    }

    /// Reads from the newest event backwards, page by page, as far as it is told; gives them oldest first.
    async fn events_back_to(
        &self,
        stack: &str,
        far: impl Fn(&StackEvent) -> Read,
    ) -> Result<Vec<StackEvent>, CallError> {
        let mut events = Vec::new();
        let mut token = None;
        'pages: for _ in 0..MAX_PAGES {
            self.pace().turn().await;
            let request = self.inner.cloudformation.describe_stack_events().stack_name(stack).set_next_token(token);
            let page = request.send().await.map_err(|error| self.error("cloudformation:DescribeStackEvents", error))?;
            for event in page.stack_events.unwrap_or_default() {
                let event = stack_event(event);
                match far(&event) {
                    Read::Enough => break 'pages,
                    Read::Last => {
                        events.push(event);
                        break 'pages;
                    }
                    Read::On => events.push(event),
                }
            }
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        events.reverse();
        Ok(events)
    }

    /// The id of a stack's newest event: where following an operation starts.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn newest_event(&self, stack: &str) -> Result<Option<String>, CallError> {
        self.pace().turn().await;
        let request = self.inner.cloudformation.describe_stack_events().stack_name(stack);
        let page = request.send().await.map_err(|error| self.error("cloudformation:DescribeStackEvents", error))?;
        Ok(page.stack_events.unwrap_or_default().into_iter().next().and_then(|event| event.event_id))
    }

    /// What the validation before a deployment found in a change set. An endpoint that does not know the call has
    /// found nothing.
    ///
    /// # Errors
    /// When the call is denied or does not get through.
    pub async fn validation_results(&self, stack: &str, change_set: &str) -> Result<Vec<ValidationResult>, CallError> {
        let filter = EventFilter::builder().failed_events(true).build();
        let request =
            self.inner.cloudformation.describe_events().stack_name(stack).change_set_name(change_set).filters(filter);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = self.error("cloudformation:DescribeEvents", error);
                return match error.kind {
                    super::error::CallErrorKind::Refused
                    | super::error::CallErrorKind::NotFound
                    | super::error::CallErrorKind::Unreadable => Ok(Vec::new()),
                    _ => Err(error),
                };
            }
        };
        let events = answer.operation_events.unwrap_or_default();
        Ok(events.into_iter().filter(is_validation).map(validation_result).collect())
    }
}

fn is_validation(event: &OperationEvent) -> bool {
    event.event_type == Some(EventType::ValidationError)
}

fn validation_result(event: OperationEvent) -> ValidationResult {
    ValidationResult {
        logical_id: event.logical_resource_id,
        resource_type: event.resource_type,
        name: event.validation_name,
        path: event.validation_path,
        reason: event.validation_status_reason,
        fails: event.validation_failure_mode != Some(HookFailureMode::Warn),
    }
}

fn stack_event(event: aws_sdk_cloudformation::types::StackEvent) -> StackEvent {
    StackEvent {
        id: event.event_id.unwrap_or_default(),
        stack_id: event.stack_id.unwrap_or_default(),
        stack_name: event.stack_name.unwrap_or_default(),
        logical_id: event.logical_resource_id.unwrap_or_default(),
        physical_id: event.physical_resource_id.unwrap_or_default(),
        resource_type: event.resource_type.unwrap_or_default(),
        status: event.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: event.resource_status_reason.filter(|reason| !reason.is_empty()),
        at: event.timestamp.as_ref().and_then(timestamp),
        token: event.client_request_token.filter(|token| !token.is_empty()),
    }
}
