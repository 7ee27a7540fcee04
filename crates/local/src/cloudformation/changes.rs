//! What a change set would do, resource by resource, in the words of the API: [`bedplate_cfn::diff`] finds it out.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::environment::{Known, environment, scope};
use super::error::CloudFormationResult;
use super::model::{Change, Stack, StackResource as Row, StackTarget, mask};
use super::tables;
use crate::ground::scalar::scalar;
use crate::ground::{ACCOUNT_ID, ApiError};
use bedplate_cfn::Resource;
use bedplate_cfn::diff::{Action, Before, Detail, Existing, Scoped, Side, State, Update, update};
use bedplate_cfn::intrinsics::{Problem, Scope};

/// What a target would change.
#[derive(Debug)]
pub struct Planned {
    /// Resource by resource.
    pub changes: Vec<Change>,
    /// Why the values of some of them are not known.
    pub warning: Option<String>,
}

/// The changes from what a stack has to a target.
///
/// # Errors
///
/// What of the target can't be resolved.
pub fn changes(db: &Connection, stack: &Stack, target: &StackTarget) -> CloudFormationResult<Planned> {
    let refused = |problem: Problem| ApiError::validation(problem.message);
    let mut known = Known::of(db, stack)?;
    known.planning = true;
    let rows = tables::resources(db, &stack.id)?;
    let template = super::engine::template_of(target)?;
    let new_environment = environment(stack, target, ACCOUNT_ID);
    let new_scope = scope(&template, target, &new_environment, &known).map_err(refused)?;
    let new_tags = target.tags_by_key();
    let new = Side { scope: &new_scope, tags: &new_tags };

    // A stack under review has no template yet.
    let updates = if stack.target.processed.is_null() {
        update(None, new)
    } else {
        let deployed = super::engine::template_of(&stack.target)?;
        let old_environment = environment(stack, &stack.target, ACCOUNT_ID);
        let old_scope = scope(&deployed, &stack.target, &old_environment, &known).map_err(refused)?;
        let old_tags = stack.target.tags_by_key();
        let resources = existing(&rows, &old_scope);
        update(Some(&Before { side: Side { scope: &old_scope, tags: &old_tags }, resources }), new)
    };
    let updates = updates.map_err(refused)?;
    let row_of = |update: &Update| rows.iter().find(|row| row.logical_id == update.change.logical_id);
    let changes = updates.iter().map(|update| shown(update, row_of(update), &stack.target)).collect();
    Ok(Planned { changes, warning: warning(&known, &new_scope) })
}

/// What is said of resources that import what no stack exports. The words are those of an answer of AWS that
/// localstack/localstack recorded (2026-03, `test_describe_change_set_import_non_existent_export`).
fn warning(known: &Known, scope: &Scope<'_>) -> Option<String> {
    if known.take_missing().is_empty() {
        return None;
    }
    let failed: Vec<String> = scope
        .resources()
        .filter_map(|resource| {
            // What can't be resolved was refused before.
            let _ = State::of(resource, scope, &BTreeMap::new());
            let name = known.take_missing().pop_first()?;
            Some(format!(
                "ChangeSet creation failed for resource [{}] because: No export named {name}",
                resource.logical_id
            ))
        })
        .collect();
    let because = if failed.is_empty() { return None } else { failed.join("; ") };
    Some(format!("[WARN] --include-property-values option can return incomplete ChangeSet data because: {because}"))
}

/// The resources of a stack as they are, rather than as its template would have them: an update may have been left half
/// done, and what a template refers to outside the stack may have changed.
fn existing<'a>(rows: &'a [Row], old: &Scope<'_>) -> Vec<Existing<'a>> {
    let declared = |row: &'a Row| {
        let declared = Resource::new(&row.logical_id, &row.resource_type, row.declaration.as_object()?);
        let state = row.physical.as_ref().map(|thing| State::made(declared, thing.properties.clone(), old));
        Some(Existing { declared, state })
    };
    rows.iter().filter_map(declared).collect()
}

/// A change as it is kept and described.
fn shown(update: &Update, row: Option<&Row>, previous: &StackTarget) -> Change {
    let change = &update.change;
    let physical = row.and_then(|row| row.physical.as_ref()).map(|thing| thing.id.as_str());
    let mut resource = Map::new();
    let mut set = |name: &str, value: Value| {
        resource.insert(name.to_owned(), value);
    };
    if let Some(policy) = &change.policy_action {
        set("PolicyAction", word(policy));
    }
    set("Action", word(&change.action));
    set("LogicalResourceId", json!(change.logical_id));
    if change.action != Action::Add {
        set("PhysicalResourceId", json!(physical));
    }
    set("ResourceType", json!(change.type_));
    if let Some(replacement) = &change.replacement {
        set("Replacement", word(replacement));
    }
    set("Scope", change.scope.iter().map(word).collect());
    set("Details", change.details.iter().map(detail).collect());
    let context = |state: &State| state.context().to_string();
    Change {
        resource: Value::Object(resource),
        // Secrets of that time; the target's own are hidden when it is shown, for they are validated before.
        before: update.before.as_ref().map(|state| mask(context(state), previous)),
        after: update.after.as_ref().map(context),
        values: change
            .details
            .iter()
            .map(values)
            .map(|(before, after)| (before.map(|text| mask(text, previous)), after))
            .collect(),
    }
}

fn detail(detail: &Detail) -> Value {
    let mut place = Map::new();
    place.insert("Attribute".to_owned(), word(&detail.attribute));
    place.insert("RequiresRecreation".to_owned(), word(&detail.requires_recreation));
    if is_property(detail) {
        let kind = match (&detail.before, &detail.after) {
            (None, _) => "Add",
            (_, None) => "Remove",
            _ => "Modify",
        };
        place.insert("Path".to_owned(), json!(detail.path));
        place.insert("AttributeChangeType".to_owned(), json!(kind));
    }
    // The API names the property of changes in `Properties` only.
    if let Some(name) = detail.name.as_ref().filter(|_| detail.attribute == Scoped::Properties) {
        place.insert("Name".to_owned(), json!(name));
    }
    let mut shown = Map::new();
    shown.insert("Target".to_owned(), Value::Object(place));
    shown.insert("Evaluation".to_owned(), word(&detail.evaluation));
    shown.insert("ChangeSource".to_owned(), word(&detail.change_source));
    if let Some(entity) = &detail.causing_entity {
        shown.insert("CausingEntity".to_owned(), json!(entity));
    }
    Value::Object(shown)
}

/// `BeforeValue` and `AfterValue` of a detail.
fn values(detail: &Detail) -> (Option<String>, Option<String>) {
    let text = |value: &Option<Value>| {
        let value = value.as_ref().filter(|_| is_property(detail))?;
        Some(scalar(value).unwrap_or_else(|| value.to_string()))
    };
    (text(&detail.before), text(&detail.after))
}

fn is_property(detail: &Detail) -> bool {
    matches!(detail.attribute, Scoped::Properties | Scoped::Tags)
}

/// A value of an enumeration by the name the API gives it.
fn word<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
