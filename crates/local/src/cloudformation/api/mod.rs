//! The operations of the CloudFormation API.

mod change_sets;
mod describe;
mod events;
mod exports;
mod manage;
mod recover;
mod shapes;
mod templates;

use std::sync::Arc;

use futures::future::BoxFuture;
use rusqlite::Transaction;
use serde_json::{Value, json};

use super::engine::Engine;
use super::error::{CloudFormationResult, no_stack, no_stack_brackets, not_simulated};
use super::journal::Journal;
use super::model::{Stack, StackTarget, Tag};
use super::prepare::StackRequest;
use super::{source, tables};
use crate::ground::ApiError;
use crate::protocol::query::Params;
use crate::protocol::service::CallContext;

/// One call.
#[derive(Clone, Copy)]
pub struct CloudFormationCall<'a> {
    /// The engine of this process.
    pub engine: &'a Arc<Engine>,
    /// Region, account, time.
    pub ctx: &'a CallContext,
    /// What was sent.
    pub params: &'a Params,
}

type CloudFormationHandler = for<'a> fn(CloudFormationCall<'a>) -> BoxFuture<'a, CloudFormationResult<Value>>;

/// The operations.
const OPERATIONS: &[(&str, CloudFormationHandler)] = &[
    ("CancelUpdateStack", |call| Box::pin(call.cancel_update())),
    ("ContinueUpdateRollback", |call| Box::pin(call.continue_update_rollback())),
    ("CreateChangeSet", |call| Box::pin(call.create_change_set())),
    ("CreateStack", |call| Box::pin(call.create_stack())),
    ("DeleteChangeSet", |call| Box::pin(call.delete_change_set())),
    ("DeleteStack", |call| Box::pin(call.delete_stack())),
    ("DescribeAccountLimits", |_| Box::pin(async { Ok(account_limits()) })),
    ("DescribeChangeSet", |call| Box::pin(call.describe_change_set())),
    ("DescribeEvents", |call| Box::pin(call.describe_events())),
    ("DescribeStackEvents", |call| Box::pin(call.describe_stack_events())),
    ("DescribeStackResource", |call| Box::pin(call.describe_stack_resource())),
    ("DescribeStackResources", |call| Box::pin(call.describe_stack_resources())),
    ("DescribeStacks", |call| Box::pin(call.describe_stacks())),
    ("ExecuteChangeSet", |call| Box::pin(call.execute_change_set())),
    ("GetStackPolicy", |call| Box::pin(call.get_stack_policy())),
    ("GetTemplate", |call| Box::pin(call.get_template())),
    ("GetTemplateSummary", |call| Box::pin(call.get_template_summary())),
    ("ListChangeSets", |call| Box::pin(call.list_change_sets())),
    ("ListExports", |call| Box::pin(call.list_exports())),
    ("ListImports", |call| Box::pin(call.list_imports())),
    ("ListStackResources", |call| Box::pin(call.list_stack_resources())),
    ("ListStacks", |call| Box::pin(call.list_stacks())),
    ("RollbackStack", |call| Box::pin(call.rollback_stack())),
    ("SetStackPolicy", |call| Box::pin(call.set_stack_policy())),
    ("UpdateStack", |call| Box::pin(call.update_stack())),
    ("UpdateTerminationProtection", |call| Box::pin(call.update_termination_protection())),
    ("ValidateTemplate", |call| Box::pin(call.validate_template())),
];

/// The operations that are simulated.
pub(super) fn operations() -> Vec<&'static str> {
    OPERATIONS.iter().map(|(name, _)| *name).collect()
}

/// What the account may have. Source: CloudFormation quotas.
fn account_limits() -> Value {
    json!({"AccountLimits": [
        {"Name": "StackLimit", "Value": 2000}, {"Name": "StackOutputsLimit", "Value": 200},
    ]})
}

impl CloudFormationCall<'_> {
    /// Answers an action.
    ///
    /// # Errors
    ///
    /// As CloudFormation would, and a refusal of what is not simulated.
    pub async fn answer(self, action: &str) -> CloudFormationResult<Value> {
        match OPERATIONS.iter().find(|(name, _)| *name == action) {
            Some((_, operation)) => operation(self).await,
            None => Err(ApiError::not_implemented("cloudformation", action)),
        }
    }

    /// Reads in a transaction with the journal of one.
    async fn read<T: Send + 'static>(
        self,
        work: impl FnOnce(&Transaction<'_>) -> CloudFormationResult<T> + Send + 'static,
    ) -> CloudFormationResult<T> {
        self.engine.host.store.read(work).await
    }

    /// Writes in a transaction.
    async fn write<T: Send + 'static>(
        self,
        work: impl FnOnce(&Journal<'_>) -> CloudFormationResult<T> + Send + 'static,
    ) -> CloudFormationResult<T> {
        let host = Arc::clone(&self.engine.host);
        self.engine.host.store.write(move |tx| work(&Journal { db: tx, host: &host })).await
    }

    fn region(self) -> String {
        self.ctx.region.clone()
    }

    fn text(self, name: &str) -> Option<String> {
        self.params.text(name).map(str::to_owned)
    }

    fn required(self, name: &str) -> CloudFormationResult<String> {
        self.params.required(name).map(str::to_owned)
    }

    fn flag(self, name: &str) -> CloudFormationResult<bool> {
        Ok(self.params.flag(name)?.unwrap_or(false))
    }

    fn token(self) -> Option<String> {
        self.text("ClientRequestToken").filter(|token| !token.is_empty())
    }

    /// Takes up what another process may have left on the stack named.
    async fn touch(self, named: &str) -> CloudFormationResult<()> {
        let (region, named) = (self.region(), named.to_owned());
        let stack = self.read(move |tx| Ok(tables::stack(tx, &region, &named)?)).await?;
        if let Some(stack) = stack.filter(|stack| stack.status.in_progress()) {
            self.engine.resume(&stack.id).await?;
        }
        Ok(())
    }

    /// The template's text: in the request, by URL, or the one deployed.
    async fn template_text(self, previous: Option<&StackTarget>) -> CloudFormationResult<String> {
        let body = self.text("TemplateBody").filter(|text| !text.is_empty());
        let url = self.text("TemplateURL").filter(|text| !text.is_empty());
        let reuse = self.flag("UsePreviousTemplate")?;
        match (body, url, reuse) {
            (Some(text), None, false) => source::inline(&text),
            (None, Some(url), false) => source::from_url(&self.engine.host, &url).await,
            (None, None, true) => previous
                .map(|previous| previous.template.clone())
                .ok_or_else(|| ApiError::validation("UsePreviousTemplate is only for stacks that exist")),
            (None, None, false) => Err(ApiError::validation("Either Template URL or Template Body must be specified.")),
            _ => Err(ApiError::validation(
                "Only one of TemplateURL, TemplateBody or UsePreviousTemplate may be specified.",
            )),
        }
    }

    /// What the request says of the deployment, given its template.
    fn given(self, template: String, previous: Option<&StackTarget>) -> CloudFormationResult<StackRequest> {
        let mut parameters = Vec::new();
        for parameter in self.params.list("Parameters") {
            let member = |name: &str| parameter.get(name).and_then(Value::as_str);
            let Some(key) = member("ParameterKey") else {
                return Err(ApiError::validation("Parameter keys must be given"));
            };
            let previous = member("UsePreviousValue") == Some("true");
            let value = member("ParameterValue").map(str::to_owned);
            if previous && value.is_some() {
                return Err(ApiError::validation(format!(
                    "Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                )));
            }
            if parameters.iter().any(|(other, _)| other == key) {
                return Err(ApiError::validation(format!("Parameter {key} is specified more than once")));
            }
            parameters.push((key.to_owned(), if previous { None } else { Some(value.unwrap_or_default()) }));
        }
        let tags = if self.params.has("Tags") {
            self.params
                .list("Tags")
                .iter()
                .map(|tag| Tag {
                    key: tag.get("Key").and_then(Value::as_str).unwrap_or_default().to_owned(),
                    value: tag.get("Value").and_then(Value::as_str).unwrap_or_default().to_owned(),
                })
                .collect()
        } else {
            previous.map(|previous| previous.tags.clone()).unwrap_or_default()
        };
        let texts = |name: &str| self.params.texts(name).into_iter().map(str::to_owned).collect();
        let named = self.params.text("StackName").unwrap_or_default();
        let name = named.split_once(":stack/").map_or(named, |(_, rest)| rest.split('/').next().unwrap_or(rest));
        Ok(StackRequest {
            stack_name: name.to_owned(),
            template,
            parameters,
            tags,
            capabilities: texts("Capabilities"),
            notification_arns: texts("NotificationARNs"),
            role_arn: self.text("RoleARN"),
            resource_types: texts("ResourceTypes"),
            retain_except_on_create: self.flag("RetainExceptOnCreate")?,
        })
    }

    /// Refuses options that would have to do something here and don't.
    fn refuse_unsimulated(self) -> CloudFormationResult<()> {
        let triggers = self.params.get("RollbackConfiguration").and_then(|all| all.get("RollbackTriggers"));
        if triggers.and_then(Value::as_array).is_some_and(|triggers| !triggers.is_empty()) {
            return Err(not_simulated("rollback triggers (there are no alarms to watch)"));
        }
        match self.params.get("DeploymentConfig").and_then(|config| config.get("Mode")).and_then(Value::as_str) {
            None | Some("STANDARD" | "EXPRESS") => Ok(()),
            Some(other) => Err(ApiError::validation(format!(
                "1 validation error detected: Value '{other}' at 'deploymentConfig.mode' failed to satisfy constraint: \
                 Member must satisfy enum value set: [STANDARD, EXPRESS]"
            ))),
        }
    }

    /// `DeploymentConfig.Mode` and `.DisableRollback`, when given.
    fn deployment_config(self) -> (Option<String>, Option<bool>) {
        let config = self.params.get("DeploymentConfig");
        let member = |name: &str| config.and_then(|config| config.get(name)).and_then(Value::as_str);
        (member("Mode").map(str::to_owned), member("DisableRollback").map(|flag| flag == "true"))
    }
}

/// The stack named, deleted ones by ARN too.
fn existing(tx: &Transaction<'_>, region: &str, named: &str) -> CloudFormationResult<Stack> {
    tables::stack(tx, region, named)?.ok_or_else(|| no_stack(named))
}

/// The stack named, which must not be deleted.
fn living(tx: &Transaction<'_>, region: &str, named: &str) -> CloudFormationResult<Stack> {
    tables::stack(tx, region, named)?
        .filter(|stack| stack.status != super::status::Status::DeleteComplete)
        .ok_or_else(|| no_stack_brackets(named))
}

/// Refuses names that no stack can have.
fn check_stack_name(name: &str) -> CloudFormationResult<()> {
    let good = name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if good {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    )))
}

/// One page of a list whose next token is an offset.
fn page<T>(items: Vec<T>, token: Option<&str>, size: usize) -> CloudFormationResult<(Vec<T>, Option<String>)> {
    let start = match token {
        None => 0,
        Some(token) => {
            token.parse::<usize>().map_err(|_| ApiError::validation("The specified NextToken is not valid"))?
        }
    };
    let total = items.len();
    let page: Vec<T> = items.into_iter().skip(start).take(size).collect();
    let end = start.saturating_add(page.len());
    Ok((page, (end < total).then(|| end.to_string())))
}
