//! Describing stacks and their resources.

use serde_json::{Map, Value, json};

use super::{CloudFormationCall, existing, page, shapes};
use crate::cloudformation::error::{CloudFormationResult, no_stack};
use crate::cloudformation::model::{Stack, StackResource};
use crate::cloudformation::status::Status;
use crate::cloudformation::tables;
use crate::ground::ApiError;

/// Stacks in one answer.
const STACKS: usize = 100;

impl CloudFormationCall<'_> {
    pub(super) async fn describe_stacks(self) -> CloudFormationResult<Value> {
        let (region, named, token) = (self.region(), self.text("StackName"), self.text("NextToken"));
        if let Some(named) = &named {
            self.touch(named).await?;
        }
        self.read(move |tx| {
            let stacks = match &named {
                Some(named) => vec![existing(tx, &region, named)?],
                None => tables::stacks(tx, &region, false)?,
            };
            let (stacks, next) = page(stacks, token.as_deref(), STACKS)?;
            let stacks: Value = stacks.iter().map(shapes::stack).collect();
            Ok(shapes::compact(json!({"Stacks": stacks, "NextToken": next})))
        })
        .await
    }

    pub(super) async fn list_stacks(self) -> CloudFormationResult<Value> {
        let (region, token) = (self.region(), self.text("NextToken"));
        let wanted: Vec<String> = self.params.texts("StackStatusFilter").into_iter().map(str::to_owned).collect();
        self.read(move |tx| {
            let mut stacks = tables::stacks(tx, &region, true)?;
            stacks.retain(|stack| wanted.is_empty() || wanted.iter().any(|status| status == stack.status.as_str()));
            let (stacks, next) = page(stacks, token.as_deref(), STACKS)?;
            let summaries: Value = stacks.iter().map(shapes::summary).collect();
            Ok(shapes::compact(json!({"StackSummaries": summaries, "NextToken": next})))
        })
        .await
    }

    pub(super) async fn describe_stack_resource(self) -> CloudFormationResult<Value> {
        let (region, named) = (self.region(), self.required("StackName")?);
        let logical_id = self.required("LogicalResourceId")?;
        self.touch(&named).await?;
        self.read(move |tx| {
            let stack = existing(tx, &region, &named)?;
            let row = tables::resource(tx, &stack.id, &logical_id)?.ok_or_else(|| {
                ApiError::validation(format!("Resource {logical_id} does not exist for stack {named}"))
            })?;
            let mut shown = with_stack(&stack, shapes::resource(&row, "LastUpdatedTimestamp"));
            if let Some(metadata) = row.declaration.get("Metadata") {
                shown.insert("Metadata".to_owned(), json!(metadata.to_string()));
            }
            Ok(json!({"StackResourceDetail": shown}))
        })
        .await
    }

    pub(super) async fn describe_stack_resources(self) -> CloudFormationResult<Value> {
        let region = self.region();
        let (named, physical) = (self.text("StackName"), self.text("PhysicalResourceId"));
        let logical_id = self.text("LogicalResourceId");
        if let Some(named) = &named {
            self.touch(named).await?;
        }
        self.read(move |tx| {
            let stack = match (&named, &physical) {
                (Some(_), Some(_)) => {
                    return Err(ApiError::validation(
                        "You cannot specify both StackName and PhysicalResourceId in the same request",
                    ));
                }
                (Some(named), None) => existing(tx, &region, named)?,
                (None, Some(id)) => {
                    let rows = tables::resources_by_physical_id(tx, id)?;
                    let found = match rows.last() {
                        Some(row) => tables::stack_by_id(tx, &row.stack_id)?,
                        None => None,
                    };
                    found.ok_or_else(|| ApiError::validation(format!("Stack for {id} does not exist")))?
                }
                (None, None) => {
                    return Err(ApiError::validation("Either StackName or PhysicalResourceId must be specified"));
                }
            };
            let shown: Value = tables::resources(tx, &stack.id)?
                .iter()
                .filter(|row| logical_id.as_ref().is_none_or(|wanted| *wanted == row.logical_id))
                .take(100)
                .map(|row| Value::Object(with_stack(&stack, shapes::resource(row, "Timestamp"))))
                .collect();
            Ok(json!({"StackResources": shown}))
        })
        .await
    }

    pub(super) async fn list_stack_resources(self) -> CloudFormationResult<Value> {
        let (region, named, token) = (self.region(), self.required("StackName")?, self.text("NextToken"));
        self.touch(&named).await?;
        self.read(move |tx| {
            let stack = tables::stack(tx, &region, &named)?.ok_or_else(|| no_stack(&named))?;
            let mut rows: Vec<StackResource> = tables::resources(tx, &stack.id)?;
            rows.retain(|row| {
                stack.status == Status::DeleteComplete || row.status != Status::DeleteComplete || row.physical.is_some()
            });
            let (rows, next) = page(rows, token.as_deref(), STACKS)?;
            let shown: Value =
                rows.iter().map(|row| Value::Object(shapes::resource(row, "LastUpdatedTimestamp"))).collect();
            Ok(shapes::compact(json!({"StackResourceSummaries": shown, "NextToken": next})))
        })
        .await
    }
}

fn with_stack(stack: &Stack, resource: Map<String, Value>) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("StackName".to_owned(), json!(stack.name));
    shown.insert("StackId".to_owned(), json!(stack.id));
    shown.extend(resource);
    shown
}
