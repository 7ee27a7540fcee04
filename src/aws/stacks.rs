//! Stacks: reading, deleting, following.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{Stack, StackResourceSummary, TemplateStage};

use super::change_sets::tag_list;
use super::clients::Clients;
use super::error::CallError;
use super::timestamps::timestamp;
use super::types::{Output, StackResource, StackSummary};

impl Clients {
    /// A stack by name or ARN; none when there is no such stack. A name does not find a deleted stack, an ARN does.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn stack(&self, name: &str) -> Result<Option<StackSummary>, CallError> {
        let answer = self.inner.cloudformation.describe_stacks().stack_name(name).send().await;
        match answer {
            Ok(answer) => Ok(answer.stacks.unwrap_or_default().into_iter().next().map(stack_summary)),
            Err(error) => {
                let error = self.error("cloudformation:DescribeStacks", error);
                // The service has no code of its own for it.
                if error.says("does not exist") { Ok(None) } else { Err(error) }
            }
        }
    }

    /// All stacks of the account and region that are not deleted.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn stacks(&self) -> Result<Vec<StackSummary>, CallError> {
        let mut pages = self.inner.cloudformation.describe_stacks().into_paginator().send();
        let mut stacks = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.error("cloudformation:DescribeStacks", error))?;
            stacks.extend(page.stacks.unwrap_or_default().into_iter().map(stack_summary));
        }
        Ok(stacks)
    }

    /// The resources of a stack, in the service's order.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn stack_resources(&self, stack: &str) -> Result<Vec<StackResource>, CallError> {
        let mut pages = self.inner.cloudformation.list_stack_resources().stack_name(stack).into_paginator().send();
        let mut resources = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.error("cloudformation:ListStackResources", error))?;
            resources.extend(page.stack_resource_summaries.unwrap_or_default().into_iter().map(stack_resource));
        }
        Ok(resources)
    }

    /// The template a stack was made from, as its author wrote it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn template_of(&self, stack: &str) -> Result<String, CallError> {
        let answer = self.inner.cloudformation.get_template().stack_name(stack).send().await;
        let answer = answer.map_err(|error| self.error("cloudformation:GetTemplate", error))?;
        answer.template_body.ok_or_else(|| self.unreadable("cloudformation:GetTemplate", "it holds no template"))
    }

    /// The template a stack was made from, its transforms carried out.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn processed_template_of(&self, stack: &str) -> Result<String, CallError> {
        let request = self.inner.cloudformation.get_template().stack_name(stack);
        let answer = request.template_stage(TemplateStage::Processed).send().await;
        let answer = answer.map_err(|error| self.error("cloudformation:GetTemplate", error))?;
        answer.template_body.ok_or_else(|| self.unreadable("cloudformation:GetTemplate", "it holds no template"))
    }

    /// The stacks that import what a stack exports under a name.
    ///
    /// # Errors
    /// When a call fails for another reason than that nobody imports it.
    pub async fn importers(&self, export: &str) -> Result<Vec<String>, CallError> {
        let mut pages = self.inner.cloudformation.list_imports().export_name(export).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => names.extend(page.imports.unwrap_or_default()),
                Err(error) => {
                    let error = self.error("cloudformation:ListImports", error);
                    // The service has no empty answer for it.
                    return if error.says("not imported") { Ok(names) } else { Err(error) };
                }
            }
        }
        Ok(names)
    }

    /// Starts deleting a stack; deleting one that is not there is no error.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_stack(&self, stack: &str, token: &str) -> Result<(), CallError> {
        self.delete_stack_but(stack, token, &[]).await
    }

    /// Starts deleting a stack and lets go of the resources named. CloudFormation takes names only for a stack whose
    /// deletion has failed before.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_stack_but(&self, stack: &str, token: &str, retain: &[String]) -> Result<(), CallError> {
        let retained = (!retain.is_empty()).then(|| retain.to_vec());
        let request = self.inner.cloudformation.delete_stack().stack_name(stack).client_request_token(token);
        let request = request.set_retain_resources(retained);
        request.send().await.map_err(|error| self.error("cloudformation:DeleteStack", error))?;
        Ok(())
    }

    /// Makes a stack from a template that needs no artifacts, in one call.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_stack(
        &self,
        name: &str,
        template: &str,
        tags: &BTreeMap<String, String>,
        token: &str,
    ) -> Result<String, CallError> {
        let request = self
            .inner
            .cloudformation
            .create_stack()
            .stack_name(name)
            .template_body(template)
            .set_tags(Some(tag_list(tags)))
            .client_request_token(token)
            .on_failure(aws_sdk_cloudformation::types::OnFailure::Delete);
        let answer = request.send().await.map_err(|error| self.error("cloudformation:CreateStack", error))?;
        answer.stack_id.ok_or_else(|| self.unreadable("cloudformation:CreateStack", "it names no stack"))
    }
}

fn stack_summary(stack: Stack) -> StackSummary {
    let mut outputs: Vec<Output> = stack
        .outputs
        .unwrap_or_default()
        .into_iter()
        .filter_map(|output| {
            Some(Output {
                key: output.output_key?,
                value: output.output_value.unwrap_or_default(),
                description: output.description,
                export: output.export_name,
            })
        })
        .collect();
    outputs.sort_by(|a, b| a.key.cmp(&b.key));
    let pairs = |key: Option<String>, value: Option<String>| Some((key?, value.unwrap_or_default()));
    StackSummary {
        name: stack.stack_name.unwrap_or_default(),
        id: stack.stack_id.unwrap_or_default(),
        status: stack.stack_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: stack.stack_status_reason.filter(|reason| !reason.is_empty()),
        created: stack.creation_time.as_ref().and_then(timestamp),
        updated: stack.last_updated_time.as_ref().and_then(timestamp),
        tags: stack.tags.unwrap_or_default().into_iter().filter_map(|tag| pairs(tag.key, tag.value)).collect(),
        parameters: stack
            .parameters
            .unwrap_or_default()
            .into_iter()
            .filter_map(|parameter| pairs(parameter.parameter_key, parameter.parameter_value))
            .collect(),
        outputs,
        termination_protection: stack.enable_termination_protection.unwrap_or_default(),
        parent: stack.parent_id,
    }
}

fn stack_resource(resource: StackResourceSummary) -> StackResource {
    StackResource {
        logical_id: resource.logical_resource_id.unwrap_or_default(),
        physical_id: resource.physical_resource_id.filter(|id| !id.is_empty()),
        resource_type: resource.resource_type.unwrap_or_default(),
        status: resource.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
    }
}
