//! Looking without touching: one stack's state and history, its outputs, and all stacks Bedplate made.

use jiff::Timestamp;
use serde::Serialize;

use super::causes::is_cause;
use super::claim::Claim;
use crate::aws::{Clients, Output, StackEvent, StackResource, StackState, StackSummary};
use crate::cfn::Template;
use crate::finding::Finding;

/// The tag that says which use case a stack is.
pub const USE_CASE_TAG: &str = "bedplate:use-case";

/// A stack's state and how it came to it.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The stack.
    pub stack: StackSummary,
    /// Seconds since it was made.
    pub age: Option<u64>,
    /// An operation is under way.
    pub in_progress: bool,
    /// Its resources, in order of their logical ids.
    pub resources: Vec<StackResource>,
    /// The events of the last operation, oldest first.
    pub last_operation: Vec<StackEvent>,
    /// What failed in it, the cause first.
    pub causes: Vec<StackEvent>,
    /// The spec renders to another template than the one deployed; none when that was not asked.
    pub spec_changed: Option<bool>,
}

/// A stack's state; none when there is no such stack. `template` is what the spec renders to now.
///
/// # Errors
/// When a call fails, the account is not the target's, or the stack is not the one that `claim` says.
pub async fn status(
    clients: &Clients,
    stack: &str,
    claim: &Claim,
    template: Option<&Template>,
) -> Result<Option<Status>, Finding> {
    let account = clients.identity().await?.account.clone();
    let Some(stack) = clients.stack(stack).await? else { return Ok(None) };
    claim.refuse_foreign_read(&stack)?;
    let (resources, events, deployed) = tokio::join!(
        clients.stack_resources(&stack.id),
        clients.last_operation(&stack.id),
        clients.template_of(&stack.id)
    );
    let (mut resources, last_operation) = (resources?, events?);
    // A stack that was never executed has no template; that is no reason to tell nothing of it.
    let deployed = deployed.ok().and_then(|text| Template::parse(&text).ok());
    resources.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    let now = Timestamp::now();
    let age = stack.created.and_then(|created| u64::try_from(now.duration_since(created).as_secs()).ok());
    Ok(Some(Status {
        account,
        region: clients.region().to_owned(),
        age,
        in_progress: stack.state() == StackState::InProgress,
        resources,
        causes: last_operation.iter().filter(|event| is_cause(event)).cloned().collect(),
        last_operation,
        spec_changed: template.and_then(|now| deployed.map(|then| then.digest() != now.digest())),
        stack,
    }))
}

/// A stack's outputs; none when there is no such stack.
///
/// # Errors
/// When a call fails, the account is not the target's, or the stack is not the one that `claim` says.
pub async fn outputs(clients: &Clients, stack: &str, claim: &Claim) -> Result<Option<Vec<Output>>, Finding> {
    clients.identity().await?;
    let stack = clients.stack(stack).await?.filter(|stack| stack.state() != StackState::Review);
    let Some(stack) = stack else { return Ok(None) };
    claim.refuse_foreign(&stack)?;
    Ok(Some(stack.outputs))
}

/// All stacks of use cases in the account and region, in order of their names.
///
/// # Errors
/// When a call fails or the account is not the target's.
pub async fn list(clients: &Clients) -> Result<Vec<StackSummary>, Finding> {
    clients.identity().await?;
    let mut stacks = clients.stacks().await?;
    stacks.retain(|stack| stack.tags.contains_key(USE_CASE_TAG) && stack.parent.is_none());
    stacks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(stacks)
}
