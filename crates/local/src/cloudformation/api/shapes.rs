//! Records in the shapes of the API.

use serde_json::{Map, Value, json};

use crate::cloudformation::model::{Stack, StackEvent, StackResource, StackTarget, Tag};
use crate::cloudformation::status::{OperationType, Status};

/// Tags.
pub fn tags(tags: &[Tag]) -> Value {
    tags.iter().map(|tag| json!({"Key": tag.key, "Value": tag.value})).collect()
}

/// Parameters, hidden values hidden.
pub fn parameters(target: &StackTarget) -> Value {
    target
        .parameters
        .iter()
        .map(|parameter| {
            let value = if parameter.no_echo { "****" } else { &parameter.value };
            let resolved =
                parameter.resolved.as_ref().map(|resolved| if parameter.no_echo { "****" } else { resolved });
            compact(json!({"ParameterKey": parameter.key, "ParameterValue": value, "ResolvedValue": resolved}))
        })
        .collect()
}

/// The description in a target's template.
pub fn description(target: &StackTarget) -> Option<String> {
    target.processed.get("Description").and_then(Value::as_str).map(str::to_owned)
}

/// Nothing for a list that is empty: the members that AWS leaves out then.
pub fn some(list: Value) -> Value {
    match list {
        Value::Array(items) if items.is_empty() => Value::Null,
        list => list,
    }
}

/// An object without its nulls.
pub fn compact(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn operations(stack: &Stack) -> Value {
    stack
        .operations
        .iter()
        .rev()
        .take(1)
        .map(|(kind, id)| json!({"OperationType": kind.as_str(), "OperationId": id}))
        .collect()
}

/// A `Stack`. Which members it has in which status is as in the answers of AWS that localstack/localstack recorded (2026-03,
/// 344 of them).
pub fn stack(stack: &Stack) -> Value {
    let outputs: Value = stack
        .outputs
        .iter()
        .map(|output| {
            compact(json!({
                "OutputKey": output.key,
                "OutputValue": output.value,
                "Description": output.description,
                "ExportName": output.export,
            }))
        })
        .collect();
    let shown = !matches!(stack.status, Status::ReviewInProgress);
    let gone = stack.status == Status::DeleteComplete;
    let change_set = stack.change_set_id.as_ref().filter(|_| !gone && stack.status != Status::RollbackComplete);
    compact(json!({
        "StackId": stack.id,
        "StackName": stack.name,
        "ChangeSetId": change_set,
        "Description": description(&stack.target),
        "Parameters": some(parameters(&stack.target)),
        "CreationTime": stack.created,
        "DeletionTime": stack.deleted,
        "LastUpdatedTime": stack.updated,
        "RollbackConfiguration": {},
        "StackStatus": stack.status.as_str(),
        "StackStatusReason": stack.reason,
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": stack.target.notification_arns,
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": some(json!(stack.target.capabilities)),
        "Outputs": if shown { some(outputs) } else { Value::Null },
        "RoleARN": stack.target.role_arn,
        "Tags": tags(&stack.target.tags),
        "EnableTerminationProtection": (!gone).then_some(stack.termination_protection),
        "ParentId": stack.parent,
        "RootId": stack.root,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        "RetainExceptOnCreate": stack.target.retain_except_on_create.then_some(true),
        "DeletionMode": stack.force_delete.then_some("FORCE_DELETE_STACK"),
        "LastOperations": operations(stack),
    }))
}

/// A `StackSummary`.
pub fn summary(stack: &Stack) -> Value {
    compact(json!({
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": description(&stack.target),
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status.as_str(),
        "StackStatusReason": stack.reason,
        "ParentId": stack.parent,
        "RootId": stack.root,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        "LastOperations": operations(stack),
    }))
}

/// What the three ways to describe a resource have in common; `time` names the member with the time.
pub fn resource(row: &StackResource, time: &str) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("LogicalResourceId".to_owned(), json!(row.logical_id));
    if let Some(thing) = &row.physical {
        shown.insert("PhysicalResourceId".to_owned(), json!(thing.id));
    }
    shown.insert("ResourceType".to_owned(), json!(row.resource_type));
    shown.insert(time.to_owned(), json!(row.updated));
    shown.insert("ResourceStatus".to_owned(), json!(row.status.as_str()));
    if let Some(reason) = &row.reason {
        shown.insert("ResourceStatusReason".to_owned(), json!(reason));
    }
    shown.insert("DriftInformation".to_owned(), json!({"StackResourceDriftStatus": "NOT_CHECKED"}));
    shown
}

/// A `StackEvent`.
pub fn stack_event(event: &StackEvent) -> Value {
    compact(json!({
        "StackId": event.stack_id,
        "EventId": event.id,
        "StackName": event.stack_name,
        "OperationId": event.operation_id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.resource_type,
        "Timestamp": event.time,
        "ResourceStatus": event.status.map(Status::as_str),
        "ResourceStatusReason": event.reason,
        "ResourceProperties": event.properties,
        "ClientRequestToken": event.token,
    }))
}

/// An `OperationEvent`.
pub fn operation_event(event: &StackEvent) -> Value {
    let own = event.logical_id == event.stack_name && event.physical_id == event.stack_id;
    let (kind, mut shown) = match (&event.validation, event.status) {
        (Some(validation), _) => (
            "VALIDATION_ERROR",
            json!({
                "ValidationFailureMode": if validation.fails { "FAIL" } else { "WARN" },
                "ValidationName": validation.name,
                "ValidationStatus": "FAILED",
                "ValidationStatusReason": validation.reason,
                "ValidationPath": validation.path,
            }),
        ),
        (None, Some(status)) if status.failed() && !own => ("PROVISIONING_ERROR", json!({})),
        _ if own => ("STACK_EVENT", json!({})),
        _ => ("PROGRESS_EVENT", json!({})),
    };
    let common = json!({
        "EventId": event.id,
        "StackId": event.stack_id,
        "OperationId": event.operation_id,
        "OperationType": event.operation_type.as_str(),
        "OperationStatus": if own { operation_status(event.operation_type, event.status) } else { None },
        "EventType": kind,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.resource_type,
        "Timestamp": event.time,
        "ResourceStatus": event.status.map(Status::as_str),
        "ResourceStatusReason": event.reason,
        "ResourceProperties": event.properties,
        "ClientRequestToken": event.token,
    });
    if let (Some(shown), Value::Object(common)) = (shown.as_object_mut(), common) {
        shown.extend(common);
    }
    compact(shown)
}

/// How an operation stands after an event of its stack.
fn operation_status(kind: OperationType, status: Option<Status>) -> Option<&'static str> {
    let status = status?;
    Some(match (kind, status) {
        (_, status) if status.in_progress() => "IN_PROGRESS",
        (OperationType::CreateStack, Status::CreateComplete)
        | (OperationType::UpdateStack, Status::UpdateComplete)
        | (OperationType::DeleteStack, Status::DeleteComplete)
        | (OperationType::ContinueRollback, Status::UpdateRollbackComplete)
        | (OperationType::Rollback, Status::RollbackComplete | Status::UpdateRollbackComplete) => "SUCCEEDED",
        _ => "FAILED",
    })
}

/// Whether an event tells of a failure.
pub fn tells_failure(event: &StackEvent) -> bool {
    event.validation.is_some() || event.status.is_some_and(Status::failed)
}
