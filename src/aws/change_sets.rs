//! Change sets: made, described, executed, removed.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    Capability, Change, ChangeSetStatus, ChangeSetType, ExecutionStatus, OnStackFailure, Parameter, ResourceChange,
    ResourceChangeDetail, Tag,
};

use super::clients::Clients;
use super::error::CallError;
use super::timestamps::timestamp;
use super::types::{ChangeSetKind, ChangeSetRequest, ListedChangeSet, ParameterValue, TemplateSource};
use crate::cfn::change_set as data;

impl Clients {
    /// Asks for a change set and gives its ARN and the stack's. It is not ready yet.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_change_set(&self, request: &ChangeSetRequest) -> Result<(String, String), CallError> {
        let kind = if request.kind.creates() { ChangeSetType::Create } else { ChangeSetType::Update };
        let mut call = self
            .inner
            .cloudformation
            .create_change_set()
            .stack_name(&request.stack)
            .change_set_name(&request.name)
            .change_set_type(kind)
            .client_token(&request.token)
            .set_parameters(Some(request.parameters.iter().map(|(key, value)| parameter(key, value)).collect()))
            .set_capabilities(Some(request.capabilities.iter().map(|name| Capability::from(name.as_str())).collect()))
            .set_tags(Some(tag_list(&request.tags)))
            .include_nested_stacks(true);
        call = match &request.template {
            TemplateSource::Body(text) => call.template_body(text),
            TemplateSource::Url(url) => call.template_url(url),
        };
        if request.kind == ChangeSetKind::CreateOrDelete {
            call = call.on_stack_failure(OnStackFailure::Delete);
        }
        let answer = call.send().await.map_err(|error| self.error("cloudformation:CreateChangeSet", error))?;
        match (answer.id, answer.stack_id) {
            (Some(id), Some(stack)) => Ok((id, stack)),
            _ => Err(self.unreadable("cloudformation:CreateChangeSet", "it names no change set")),
        }
    }

    /// A change set by its ARN, with all its changes and the values they change between.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn change_set(&self, id: &str) -> Result<data::ChangeSet, CallError> {
        let mut set: Option<data::ChangeSet> = None;
        let mut token = None;
        loop {
            let call = self
                .inner
                .cloudformation
                .describe_change_set()
                .change_set_name(id)
                .include_property_values(true)
                .set_next_token(token);
            let page = call.send().await.map_err(|error| self.error("cloudformation:DescribeChangeSet", error))?;
            token = page.next_token.clone();
            let page = change_set(page);
            match &mut set {
                None => set = Some(page),
                Some(set) => set.changes.extend(page.changes),
            }
            if token.is_none() {
                return Ok(set.unwrap_or_default());
            }
        }
    }

    /// The ARNs of a change set named by its stack's name and its own, and of the stack; none when there is no such one.
    ///
    /// # Errors
    /// When the call fails for another reason than absence.
    pub async fn change_set_ids(&self, stack: &str, name: &str) -> Result<Option<(String, String)>, CallError> {
        let call = self.inner.cloudformation.describe_change_set().stack_name(stack).change_set_name(name);
        match call.send().await {
            Ok(answer) => Ok(answer.change_set_id.zip(answer.stack_id)),
            Err(error) => {
                let error = self.error("cloudformation:DescribeChangeSet", error);
                let gone = error.is("ChangeSetNotFound") || error.says("does not exist");
                if gone { Ok(None) } else { Err(error) }
            }
        }
    }

    /// Executes a change set of this kind. Unless the kind says that a failed stack is deleted, it is rolled back on
    /// failure, whatever the service's default is.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn execute_change_set(&self, id: &str, token: &str, kind: ChangeSetKind) -> Result<(), CallError> {
        let disable_rollback = match kind {
            ChangeSetKind::Update | ChangeSetKind::Create => Some(false),
            ChangeSetKind::CreateOrDelete => None,
        };
        let call = self
            .inner
            .cloudformation
            .execute_change_set()
            .change_set_name(id)
            .client_request_token(token)
            .set_disable_rollback(disable_rollback);
        call.send().await.map_err(|error| self.error("cloudformation:ExecuteChangeSet", error))?;
        Ok(())
    }

    /// The names of a stack's change sets.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn change_set_names(&self, stack: &str) -> Result<Vec<String>, CallError> {
        Ok(self.change_sets(stack).await?.into_iter().map(|set| set.name).collect())
    }

    /// A stack's change sets.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn change_sets(&self, stack: &str) -> Result<Vec<ListedChangeSet>, CallError> {
        let mut pages = self.inner.cloudformation.list_change_sets().stack_name(stack).into_paginator().send();
        let mut sets = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.error("cloudformation:ListChangeSets", error))?;
            sets.extend(page.summaries.unwrap_or_default().into_iter().filter_map(|set| {
                Some(ListedChangeSet {
                    name: set.change_set_name?,
                    made: set.creation_time.as_ref().and_then(timestamp),
                    pending: set.status.is_some_and(|status| {
                        matches!(status, ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress)
                    }),
                    unused: set.execution_status.is_some_and(|status| {
                        matches!(status, ExecutionStatus::Available | ExecutionStatus::Unavailable)
                    }),
                })
            }));
        }
        Ok(sets)
    }

    /// The tags a change set would give its stack. A stack that was only made for change sets has none of its own until
    /// one of them is executed.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn change_set_tags(&self, stack: &str, name: &str) -> Result<BTreeMap<String, String>, CallError> {
        let call = self.inner.cloudformation.describe_change_set().stack_name(stack).change_set_name(name);
        let answer = call.send().await.map_err(|error| self.error("cloudformation:DescribeChangeSet", error))?;
        let tags = answer.tags.unwrap_or_default().into_iter();
        Ok(tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect())
    }

    /// Removes a change set; one that is gone already is no error.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_change_set(&self, id: &str) -> Result<(), CallError> {
        match self.inner.cloudformation.delete_change_set().change_set_name(id).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = self.error("cloudformation:DeleteChangeSet", error);
                let gone = error.is("ChangeSetNotFound") || error.says("does not exist");
                if gone { Ok(()) } else { Err(error) }
            }
        }
    }
}

pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn parameter(key: &str, value: &ParameterValue) -> Parameter {
    let builder = Parameter::builder().parameter_key(key);
    match value {
        ParameterValue::Value(value) => builder.parameter_value(value).build(),
        ParameterValue::Previous => builder.use_previous_value(true).build(),
    }
}

fn change_set(page: DescribeChangeSetOutput) -> data::ChangeSet {
    data::ChangeSet {
        change_set_id: page.change_set_id.unwrap_or_default(),
        change_set_name: page.change_set_name.unwrap_or_default(),
        stack_id: page.stack_id.unwrap_or_default(),
        stack_name: page.stack_name.unwrap_or_default(),
        status: page.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        status_reason: page.status_reason.filter(|reason| !reason.is_empty()),
        execution_status: page.execution_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        changes: page.changes.unwrap_or_default().into_iter().map(change).collect(),
        parameters: page
            .parameters
            .unwrap_or_default()
            .into_iter()
            .map(|parameter| data::ChangeSetParameter {
                parameter_key: parameter.parameter_key.unwrap_or_default(),
                parameter_value: parameter.parameter_value,
                use_previous_value: parameter.use_previous_value,
            })
            .collect(),
    }
}

fn change(change: Change) -> data::Change {
    data::Change {
        r#type: change.r#type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        resource_change: change.resource_change.map(resource_change),
    }
}

fn resource_change(change: ResourceChange) -> data::ResourceChangeSummary {
    data::ResourceChangeSummary {
        action: change.action.map(|action| action.as_str().to_owned()).unwrap_or_default(),
        policy_action: change.policy_action.map(|action| action.as_str().to_owned()),
        logical_resource_id: change.logical_resource_id.unwrap_or_default(),
        physical_resource_id: change.physical_resource_id.filter(|id| !id.is_empty()),
        resource_type: change.resource_type.unwrap_or_default(),
        replacement: change.replacement.map(|replacement| replacement.as_str().to_owned()),
        scope: change.scope.unwrap_or_default().iter().map(|scope| scope.as_str().to_owned()).collect(),
        details: change.details.unwrap_or_default().into_iter().map(detail).collect(),
        change_set_id: change.change_set_id,
        before_context: change.before_context,
        after_context: change.after_context,
    }
}

fn detail(detail: ResourceChangeDetail) -> data::ChangeDetail {
    data::ChangeDetail {
        target: detail.target.map(|target| data::ChangeTarget {
            attribute: target.attribute.map(|attribute| attribute.as_str().to_owned()),
            name: target.name,
            requires_recreation: target.requires_recreation.map(|recreation| recreation.as_str().to_owned()),
            path: target.path,
            before_value: target.before_value,
            after_value: target.after_value,
            attribute_change_type: target.attribute_change_type.map(|kind| kind.as_str().to_owned()),
        }),
        evaluation: detail.evaluation.map(|evaluation| evaluation.as_str().to_owned()),
        change_source: detail.change_source.map(|source| source.as_str().to_owned()),
        causing_entity: detail.causing_entity,
    }
}
