//! A stack's outputs and exports, once its resources are there.

use rusqlite::Transaction;

use super::run::Run;
use crate::cloudformation::environment::scope;
use crate::cloudformation::model::{Stack, StackOutput};
use crate::cloudformation::tables;
use crate::ground::ApiError;
use crate::ground::scalar::scalar;
use bedplate_cfn::intrinsics::resolve_at;

/// Resolves the outputs and publishes the exports.
///
/// # Errors
///
/// Why the deployment fails here, as its rollback says.
pub fn settle(run: &Run, tx: &Transaction<'_>, stack: &mut Stack) -> Result<(), String> {
    let known = run.known();
    let text = |error: rusqlite::Error| error.to_string();
    let (outputs, imported) = {
        let scope =
            scope(&run.template, &run.stack.target, &run.environment, &known).map_err(|problem| problem.message)?;
        let mut outputs = Vec::new();
        for output in run.template.outputs().filter(|output| scope.exists(output.condition())) {
            let path = format!("Outputs/{}", output.name);
            let value = resolve_at(output.value(), &scope, &path).map_err(|problem| problem.message)?;
            let Some(value) = scalar(&value) else {
                return Err(format!(
                    "Template format error: Output {} is malformed. The Value field of every Outputs member must evaluate to a String.",
                    output.name
                ));
            };
            let export = match output.export() {
                Some(name) => scalar(&resolve_at(name, &scope, &path).map_err(|problem| problem.message)?),
                None => None,
            };
            outputs.push(StackOutput {
                key: output.name.to_owned(),
                value,
                description: output.description().map(str::to_owned),
                export,
            });
        }
        (outputs, known.imported())
    };
    drop(known);
    for name in imported {
        tables::add_import(tx, &stack.region, &name, &stack.id).map_err(text)?;
    }
    publish(tx, stack, &outputs)?;
    stack.outputs = outputs;
    Ok(())
}

/// Replaces the stack's exports, unless one that goes or changes is in use, or one that comes is another stack's.
fn publish(tx: &Transaction<'_>, stack: &Stack, outputs: &[StackOutput]) -> Result<(), String> {
    let text = |error: rusqlite::Error| error.to_string();
    let new: Vec<(String, String)> =
        outputs.iter().filter_map(|output| output.export.clone().map(|name| (name, output.value.clone()))).collect();
    let all = tables::exports(tx, &stack.region).map_err(text)?;
    for (index, (name, _)) in new.iter().enumerate() {
        if new.iter().take(index).any(|(other, _)| other == name) {
            return Err(format!("Duplicate Export names. Export {name} is used more than once. "));
        }
        if let Some(other) = all.iter().find(|export| export.name == *name && export.stack_id != stack.id) {
            let owner = tables::stack_by_id(tx, &other.stack_id)
                .map_err(text)?
                .map_or(other.stack_id.clone(), |stack| stack.name);
            return Err(format!("Export with name {name} is already exported by stack {owner}. "));
        }
    }
    for old in all.iter().filter(|export| export.stack_id == stack.id) {
        let now = new.iter().find(|(name, _)| *name == old.name);
        let doing = match now {
            None => "deleted",
            Some((_, value)) if *value != old.value => "updated",
            Some(_) => continue,
        };
        let users = tables::importers(tx, &stack.region, &old.name).map_err(text)?;
        if !users.is_empty() {
            return Err(format!("Export {} cannot be {doing} as it is in use by {}", old.name, users.join(" and ")));
        }
    }
    tables::set_exports(tx, &stack.region, &stack.id, &new).map_err(text)
}

/// Forgets the imports that what is deployed no longer has.
///
/// # Errors
///
/// When the state can't be written.
pub fn keep_imports(run: &Run, tx: &Transaction<'_>, stack: &Stack) -> Result<(), ApiError> {
    let fresh = Run::load(tx, run.host.clone(), run.handlers, run.operation.clone())?;
    for name in &fresh.order {
        // A resource that can't be resolved any more imports nothing.
        let _ = fresh.resolved(tx, name);
    }
    let mut keep = fresh.known().imported();
    {
        let known = fresh.known();
        if let Ok(scope) = scope(&fresh.template, &fresh.stack.target, &fresh.environment, &known) {
            for output in fresh.template.outputs() {
                let _ = resolve_at(output.value(), &scope, "");
            }
        }
        keep.extend(known.imported());
    }
    Ok(tables::keep_imports(tx, &stack.id, &keep)?)
}
