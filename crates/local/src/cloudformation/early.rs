//! What is validated before anything is deployed: properties, names that are taken, buckets that are not empty.
//!
//! Names, modes and words as clients of the API have shown them; read with `DescribeEvents`.

use rusqlite::Transaction;
use serde_json::Value;

use super::journal::Journal;
use super::model::{Change, ChangeSet, Stack, StackEvent, StackTarget, Validation, mask};
use super::status::OperationType;
use super::{properties, tables};
use crate::ground::resource_table;
use crate::ground::{ACCOUNT_ID, ApiError};
use crate::resources::{Site, planned_id};
use crate::s3::Buckets;
use crate::{logs, ssm};
use bedplate_cfn::intrinsics::has_unknown;

/// One failed validation and the resource it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedValidation {
    logical_id: String,
    resource_type: String,
    physical_id: String,
    validation: Validation,
}

/// Validates a target against what exists.
pub fn validate(
    tx: &Transaction<'_>,
    stack: &Stack,
    target: &StackTarget,
    changes: &[Change],
) -> Result<Vec<FailedValidation>, ApiError> {
    let template = super::engine::template_of(target)?;
    let mut failed = Vec::new();
    for change in changes {
        let text = |name: &str| change.resource.get(name).and_then(Value::as_str).unwrap_or_default();
        let (action, logical_id, resource_type) = (text("Action"), text("LogicalResourceId"), text("ResourceType"));
        if action == "Remove" {
            emptiness(tx, change, &mut failed)?;
            continue;
        }
        let after: Value = change.after.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let properties = after.get("Properties").cloned().unwrap_or_default();
        let found = |name: &str, reason: String, path: String, fails: bool| FailedValidation {
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            physical_id: text("PhysicalResourceId").to_owned(),
            validation: Validation { name: name.to_owned(), fails, reason, path },
        };
        let errors = match template.resource(logical_id) {
            Some(_) => properties::errors(tx, &stack.region, resource_type, &properties)?,
            None => Vec::new(),
        };
        for (reason, path) in worded(logical_id, errors) {
            failed.push(found("PROPERTY_VALIDATION", reason, path, true));
        }
        let replaced = text("Replacement") == "True";
        if (action == "Add" || replaced)
            && let Some((scope, id)) = planned(stack, logical_id, resource_type, &properties)
            && exists(tx, resource_type, &scope, &id, stack)?
        {
            let reason = format!("Resource of type '{resource_type}' with identifier '{id}' already exists.");
            failed.push(found("NAME_CONFLICT_VALIDATION", reason, format!("/Resources/{logical_id}"), true));
        }
    }
    Ok(failed)
}

/// Where a resource will be and its id, where its template decides that.
fn planned(stack: &Stack, logical_id: &str, resource_type: &str, properties: &Value) -> Option<(String, String)> {
    if has_unknown(properties) {
        return None;
    }
    let site = Site {
        account: ACCOUNT_ID.to_owned(),
        region: stack.region.clone(),
        stack_id: stack.id.clone(),
        stack_name: stack.name.clone(),
        logical_id: logical_id.to_owned(),
        resource_type: resource_type.to_owned(),
    };
    planned_id(&site, properties)
}

/// The first resource that would be added and is there already, made by no stack: its logical id, and its own.
pub fn to_import(
    tx: &Transaction<'_>,
    stack: &Stack,
    changes: &[Change],
) -> Result<Option<(String, String)>, ApiError> {
    for change in changes {
        let text = |name: &str| change.resource.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("Action") != "Add" {
            continue;
        }
        let after: Value = change.after.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let properties = after.get("Properties").cloned().unwrap_or_default();
        let (logical_id, resource_type) = (text("LogicalResourceId"), text("ResourceType"));
        if let Some((scope, id)) = planned(stack, logical_id, resource_type, &properties)
            && no_stacks(tx, resource_type, &scope, &id, &stack.region)?
        {
            return Ok(Some((logical_id.to_owned(), id)));
        }
    }
    Ok(None)
}

/// Whether something of that id exists that was made by the API of its service, and not by a stack.
fn no_stacks(tx: &Transaction<'_>, resource_type: &str, scope: &str, id: &str, region: &str) -> Result<bool, ApiError> {
    let made = resource_table::find(tx, resource_type, scope, id)?;
    if let Some(made) = made {
        return Ok(made.stack_id.is_empty());
    }
    Ok(match resource_type {
        "AWS::S3::Bucket" => Buckets::exists(tx, id)?,
        "AWS::Logs::LogGroup" => logs::store::has_group(tx, region, id)?,
        "AWS::SSM::Parameter" => ssm::store::find(tx, region, id, None)?.is_some(),
        _ => false,
    })
}

/// Whether something of that id exists, of this stack or of another.
fn exists(tx: &Transaction<'_>, resource_type: &str, scope: &str, id: &str, stack: &Stack) -> Result<bool, ApiError> {
    // A bucket that was deleted by other means than its stack leaves its name free.
    if resource_type == "AWS::S3::Bucket" {
        return Buckets::exists(tx, id);
    }
    // A name that moves to another resource of the same stack is CloudFormation's own business.
    Ok(resource_table::find(tx, resource_type, scope, id)?.is_some_and(|thing| thing.stack_id != stack.id))
}

/// Property errors in the words of the validation, with their paths.
fn worded(logical_id: &str, errors: Vec<String>) -> Vec<(String, String)> {
    errors
        .into_iter()
        .map(|error| {
            let (at, message) = error.split_once(": ").unwrap_or(("#", error.as_str()));
            let path = format!("/Resources/{logical_id}/Properties{}", at.trim_start_matches('#'));
            (reworded(message), path)
        })
        .collect()
}

fn reworded(message: &str) -> String {
    let inside = message.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(name, _)| name);
    match inside {
        Some(name) if message.starts_with("required key") => format!("Required property [{name}] not found"),
        Some(name) if message.starts_with("extraneous key") => format!("Unsupported property [{name}]"),
        _ => message.to_owned(),
    }
}

/// A bucket that goes and holds something: only a warning, as it may be emptied before.
fn emptiness(tx: &Transaction<'_>, change: &Change, failed: &mut Vec<FailedValidation>) -> Result<(), ApiError> {
    let text = |name: &str| change.resource.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("ResourceType") != "AWS::S3::Bucket" || text("PolicyAction") == "Retain" {
        return Ok(());
    }
    let bucket = text("PhysicalResourceId");
    if Buckets::exists(tx, bucket)? && !Buckets::is_empty(tx, bucket)? {
        failed.push(FailedValidation {
            logical_id: text("LogicalResourceId").to_owned(),
            resource_type: text("ResourceType").to_owned(),
            physical_id: bucket.to_owned(),
            validation: Validation {
                name: "BUCKET_EMPTINESS_VALIDATION".to_owned(),
                fails: false,
                reason: format!(
                    "The bucket '{bucket}' is not empty. You must either delete all objects and versions or use the \
                     deletion policy to retain it, otherwise the delete operation will fail."
                ),
                path: format!("/Resources/{}", text("LogicalResourceId")),
            },
        });
    }
    Ok(())
}

/// How many failed validations of one change set are told. Our own.
const MOST_TOLD: usize = 1_000;

/// Records failed validations as events of the change set's operation, and gives the change set's reason if any fails it.
pub fn record(
    journal: &Journal<'_>,
    stack: &Stack,
    set: &ChangeSet,
    failed: &[FailedValidation],
) -> Result<Option<String>, ApiError> {
    for one in failed.iter().take(MOST_TOLD) {
        tables::add_event(
            journal.db,
            &StackEvent {
                id: journal.uuid(),
                stack_id: stack.id.clone(),
                stack_name: stack.name.clone(),
                operation_id: set.operation_id.clone(),
                operation_type: OperationType::CreateChangeset,
                logical_id: one.logical_id.clone(),
                physical_id: one.physical_id.clone(),
                resource_type: one.resource_type.clone(),
                time: journal.now(),
                status: None,
                reason: None,
                properties: None,
                token: set.token.clone(),
                validation: Some(Validation {
                    reason: mask(one.validation.reason.clone(), &set.target),
                    ..one.validation.clone()
                }),
            },
        )?;
    }
    let mut hooks = Vec::new();
    for (name, hook) in [
        ("PROPERTY_VALIDATION", "AWS::EarlyValidation::PropertyValidation"),
        ("NAME_CONFLICT_VALIDATION", "AWS::EarlyValidation::ResourceExistenceCheck"),
    ] {
        if failed.iter().any(|one| one.validation.fails && one.validation.name == name) {
            hooks.push(hook);
        }
    }
    Ok((!hooks.is_empty()).then(|| {
        format!(
            "The following hook(s)/validation failed: [{}]. To troubleshoot Early Validation errors, use the DescribeEvents \
             API for detailed failure information.",
            hooks.join(", ")
        )
    }))
}
