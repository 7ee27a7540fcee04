//! One phase of one operation: what all its steps share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Transaction;
use serde_json::Value;

use crate::cloudformation::environment::{Known, environment, scope};
use crate::cloudformation::journal::Journal;
use crate::cloudformation::model::{Phase, Physical, Stack, StackOperation, StackResource, StackTarget};
use crate::cloudformation::tables;
use crate::ground::store::undone;
use crate::ground::{ACCOUNT_ID, ApiError, Host, Injection};
use crate::resources::{Failure, Handler, Handlers, ResourceWork, Site};
use crate::secretsmanager::reveal::reveal;
use bedplate_cfn::diff::State;
use bedplate_cfn::diff::with_stack_tags;
use bedplate_cfn::finding::code;
use bedplate_cfn::intrinsics::{Environment, Problem, resolve_at};
use bedplate_cfn::{ResourceGraph, Schemas, Template};

/// What the steps of a phase work from; nobody else changes the stack while its lease is held.
#[derive(Debug)]
pub struct Run {
    /// Store, clock, identities, injections.
    pub host: Arc<Host>,
    /// The behaviour of resource types.
    pub handlers: Handlers,
    /// The stack as it was when the phase began.
    pub stack: Stack,
    /// The operation.
    pub operation: StackOperation,
    /// The target's template, transforms expanded.
    pub template: Template,
    /// Pseudo parameters.
    pub environment: Environment,
    /// What exists, kept up to date by the steps.
    known: Mutex<Known>,
    /// Which resources the target has, and what each waits for.
    pub graph: BTreeMap<String, BTreeSet<String>>,
    /// The resources of the target in the order of its template.
    pub order: Vec<String>,
    /// The type of each resource there is or is to be.
    types: BTreeMap<String, String>,
}

impl Run {
    /// Reads what a phase needs.
    ///
    /// # Errors
    ///
    /// When the state can't be read, or holds a template that is none.
    pub fn load(
        db: &Transaction<'_>,
        host: Arc<Host>,
        handlers: Handlers,
        operation: StackOperation,
    ) -> Result<Self, ApiError> {
        let stack = tables::stack_by_id(db, &operation.stack_id)?
            .ok_or_else(|| ApiError::internal(format!("The stack {} is gone", operation.stack_id)))?;
        let template = template_of(&stack.target)?;
        let environment = environment(&stack, &stack.target, ACCOUNT_ID);
        let known = Known::of(db, &stack)?;
        let (order, graph) = {
            let scope = scope(&template, &stack.target, &environment, &known)
                .map_err(|problem| ApiError::internal(problem.message))?;
            let conditions = scope.conditions();
            let graph = ResourceGraph::with(&template, &|name| conditions.get(name).copied());
            let order: Vec<String> = graph.resources().map(str::to_owned).collect();
            let needs = order
                .iter()
                .map(|name| (name.clone(), graph.dependencies(name).map(str::to_owned).collect()))
                .collect();
            (order, needs)
        };
        let mut types: BTreeMap<String, String> =
            template.resources().map(|resource| (resource.logical_id.to_owned(), resource.type_.to_owned())).collect();
        if operation.phase != Phase::Deploy {
            let rows = tables::resources(db, &stack.id)?;
            types.extend(rows.into_iter().map(|row| (row.logical_id, row.resource_type)));
        }
        Ok(Self {
            host,
            handlers,
            stack,
            operation,
            template,
            environment,
            known: Mutex::new(known),
            graph,
            order,
            types,
        })
    }

    /// The type of a resource of this phase.
    pub fn known_type(&self, logical_id: &str) -> Option<&str> {
        self.types.get(logical_id).map(String::as_str)
    }

    /// What is known of the resources now.
    pub fn known(&self) -> MutexGuard<'_, Known> {
        // A step that panicked left the map as it was before.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An export that the target imports and no stack has: then nothing of it is begun.
    ///
    /// Source: events of AWS in widdix/aws-s3-virusscan#39 (2018) and aws-amplify/amplify-js#6367 (2020).
    ///
    /// # Errors
    ///
    /// When the state can't be read, or what of the target can't be resolved at all.
    pub fn missing_export(&self, db: &Transaction<'_>) -> Result<Option<String>, ApiError> {
        let mut known = Known::of(db, &self.stack)?;
        known.planning = true;
        let scope = scope(&self.template, &self.stack.target, &self.environment, &known)
            .map_err(|problem| ApiError::internal(problem.message))?;
        for resource in scope.resources() {
            // What can't be resolved is its resource's own failure.
            let _ = State::of(resource, &scope, &BTreeMap::new());
        }
        for output in self.template.outputs().filter(|output| scope.exists(output.condition())) {
            let _ = resolve_at(output.value(), &scope, "");
        }
        Ok(known.take_missing().pop_first())
    }

    /// The journal of a transaction.
    pub fn journal<'a>(&'a self, db: &'a Transaction<'a>) -> Journal<'a> {
        Journal { db, host: &self.host }
    }

    /// The key of this operation's current phase in a resource's step.
    pub fn step_key(&self) -> String {
        format!("{}/{}", self.operation.id, self.operation.phase.as_str())
    }

    /// Where a resource is made.
    pub fn site(&self, logical_id: &str, resource_type: &str) -> Site {
        Site {
            account: ACCOUNT_ID.to_owned(),
            region: self.stack.region.clone(),
            stack_id: self.stack.id.clone(),
            stack_name: self.stack.name.clone(),
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
        }
    }

    /// The behaviour of a resource type.
    pub fn handler(&self, resource_type: &str) -> &'static dyn Handler {
        (self.handlers)(resource_type)
    }

    /// Work on a resource within a transaction.
    pub fn work<'a>(&'a self, db: &'a Transaction<'a>, site: &'a Site) -> ResourceWork<'a> {
        ResourceWork { db, site, now: self.host.clock.now(), ids: &self.host.ids, policies: self.host.policies }
    }

    /// A resource's properties as the target has them, functions resolved and the stack's tags added, and its metadata.
    ///
    /// # Errors
    ///
    /// What can't be resolved.
    pub fn resolved(&self, db: &Transaction<'_>, logical_id: &str) -> Result<(Value, Value), Problem> {
        let known = self.known();
        let scope = scope(&self.template, &self.stack.target, &self.environment, &known)?;
        let Some(resource) = self.template.resource(logical_id) else {
            return Err(Problem::new(code::T101, format!("Resource {logical_id} is not in the template")));
        };
        let properties = match resource.attribute("Properties") {
            Some(value) => resolve_at(value, &scope, &format!("Resources/{logical_id}/Properties"))?,
            None => Value::Object(serde_json::Map::new()),
        };
        let metadata = match resource.metadata() {
            Some(value) => resolve_at(value, &scope, &format!("Resources/{logical_id}/Metadata"))?,
            None => Value::Null,
        };
        for name in known.imported() {
            tables::add_import(db, &self.stack.region, &name, &self.stack.id)
                .map_err(|error| Problem::new(code::T107, error.to_string()))?;
        }
        let schema = Schemas::embedded().get(resource.type_);
        let tagged = with_stack_tags(schema.as_deref(), properties, &self.stack.target.tags_by_key());
        Ok((tagged, metadata))
    }

    /// Properties with the values of the secrets they refer to; `None` when they refer to none.
    ///
    /// # Errors
    ///
    /// A secret, a version or a key of one that is not there.
    pub fn revealed(&self, db: &Transaction<'_>, properties: &Value) -> Result<Option<Value>, Failure> {
        reveal(db, &self.stack.region, properties).map_err(Failure::plain)
    }

    /// Notes what a resource stands for now.
    pub fn set_known(&self, logical_id: &str, thing: &Physical) {
        self.known().set(logical_id, thing.clone());
    }

    /// The failure asked for, on the command line or in the resource's metadata.
    pub fn injected(&self, resource: &StackResource, doing: &str) -> Option<Failure> {
        let by_metadata = match resource.declaration.pointer("/Metadata/Bedplate/Fail") {
            Some(Value::String(reason)) if doing == "Create" || doing == "Update" => Some(reason.as_str()),
            Some(Value::Object(by_step)) => by_step.get(doing).and_then(Value::as_str),
            _ => None,
        };
        let by_option = || {
            let wanted = |injection: &&Injection| injection.logical_id == resource.logical_id;
            let reason = self.host.fail.iter().find(wanted).map(|injection| injection.reason.as_str());
            reason.filter(|_| doing == "Create" || doing == "Update")
        };
        by_metadata.or_else(by_option).map(|reason| Failure::handler("GeneralServiceException", reason))
    }
}

/// The processed template of a target.
///
/// # Errors
///
/// When the record holds none.
pub fn template_of(target: &StackTarget) -> Result<Template, ApiError> {
    Template::from_value(target.processed.clone()).map_err(|findings| {
        ApiError::internal(findings.first().map_or_else(String::new, |finding| finding.message.clone()))
    })
}

/// Runs a handler so that its failure leaves nothing behind, while the transaction goes on.
///
/// # Errors
///
/// Outside: the database's own. Inside: the handler's.
pub fn undoable<T>(
    db: &Transaction<'_>,
    work: impl FnOnce() -> Result<T, Failure>,
) -> rusqlite::Result<Result<T, Failure>> {
    db.execute_batch("SAVEPOINT handler")?;
    let result = work();
    if db.is_autocommit() {
        return Err(undone());
    }
    db.execute_batch(if result.is_ok() { "RELEASE handler" } else { "ROLLBACK TO handler; RELEASE handler" })?;
    Ok(result)
}
