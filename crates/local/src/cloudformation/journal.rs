//! Writing what happens: a new status together with its event, in one transaction.

use rusqlite::Transaction;
use serde_json::Value;

use super::custom;
use super::model::{Stack, StackEvent, StackOperation, StackResource, mask, mask_text_values, mask_values, stamp};
use super::status::Status;
use super::tables::{self, Sql};
use crate::ground::Host;

/// The type of a stack itself in events.
pub const STACK_TYPE: &str = "AWS::CloudFormation::Stack";

/// A transaction and what else is needed to write in it.
#[derive(Debug, Clone, Copy)]
pub struct Journal<'a> {
    /// The transaction.
    pub db: &'a Transaction<'a>,
    /// Sources of time and identities.
    pub host: &'a Host,
}

impl Journal<'_> {
    /// The moment, as the API writes it.
    pub fn now(&self) -> String {
        stamp(self.host.clock.now())
    }

    /// A new UUID as text.
    pub fn uuid(&self) -> String {
        self.host.ids.uuid().to_string()
    }

    /// A reason without the values that the stack is not to show.
    fn without_secrets(&self, stack_id: &str, reason: Option<String>) -> Sql<Option<String>> {
        let Some(reason) = reason else { return Ok(None) };
        Ok(Some(mask_text_values(&reason, &custom::hidden(self.db, stack_id)?)))
    }

    /// Gives a stack a new status, writes it, and adds the event.
    pub fn stack(
        &self,
        stack: &mut Stack,
        operation: &StackOperation,
        status: Status,
        reason: Option<String>,
    ) -> Sql<()> {
        let reason = self.without_secrets(&stack.id, reason)?;
        stack.status = status;
        stack.reason.clone_from(&reason);
        // When its deletion began, or that of what a failed creation had made; and in the end, when it was over.
        let begins = matches!(status, Status::DeleteInProgress | Status::RollbackInProgress);
        if begins || status == Status::DeleteComplete {
            stack.deleted = Some(self.now());
        }
        tables::save_stack(self.db, stack)?;
        let event = StackEvent {
            id: self.uuid(),
            stack_id: stack.id.clone(),
            stack_name: stack.name.clone(),
            operation_id: operation.id.clone(),
            operation_type: operation.kind,
            logical_id: stack.name.clone(),
            physical_id: stack.id.clone(),
            resource_type: STACK_TYPE.to_owned(),
            time: self.now(),
            status: Some(status),
            reason,
            properties: None,
            token: operation.token.clone(),
            validation: None,
        };
        tables::add_event(self.db, &event)
    }

    /// Gives a resource a new status, writes it, and adds the event.
    pub fn resource(
        &self,
        stack: &Stack,
        operation: &StackOperation,
        resource: &mut StackResource,
        status: Status,
        reason: Option<String>,
    ) -> Sql<()> {
        let reason = self.without_secrets(&stack.id, reason)?;
        resource.status = status;
        resource.reason.clone_from(&reason);
        resource.updated = self.now();
        tables::save_resource(self.db, resource)?;
        let (id, properties) = match &resource.physical {
            Some(thing) => (thing.id.clone(), Some(&thing.properties)),
            None => (String::new(), None),
        };
        self.event_of(stack, operation, resource, &id, properties, status, reason)
    }

    /// Adds an event of a resource about a thing that may not be the one it stands for now.
    #[expect(clippy::too_many_arguments, reason = "an event is that many things")]
    pub fn event_of(
        &self,
        stack: &Stack,
        operation: &StackOperation,
        resource: &StackResource,
        physical_id: &str,
        properties: Option<&Value>,
        status: Status,
        reason: Option<String>,
    ) -> Sql<()> {
        let properties = match properties {
            Some(properties) => {
                let masked = mask(properties.to_string(), &stack.target);
                Some(mask_values(masked, &custom::hidden(self.db, &stack.id)?))
            }
            None => None,
        };
        let reason = self.without_secrets(&stack.id, reason)?;
        let event = StackEvent {
            id: format!("{}-{}-{}", resource.logical_id, status, self.uuid()),
            stack_id: stack.id.clone(),
            stack_name: stack.name.clone(),
            operation_id: operation.id.clone(),
            operation_type: operation.kind,
            logical_id: resource.logical_id.clone(),
            physical_id: physical_id.to_owned(),
            resource_type: resource.resource_type.clone(),
            time: self.now(),
            status: Some(status),
            reason,
            properties,
            token: operation.token.clone(),
            validation: None,
        };
        tables::add_event(self.db, &event)
    }
}
