//! What is remembered of stacks, their resources, change sets, operations and events.
//!
//! Each is stored as one JSON document with the few columns that are searched beside it (`tables`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use crate::ground::sources::stamp;

use super::status::{ExecutionStatus, OperationType, Status};

/// A tag of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// A parameter with the value it has for one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackParameter {
    /// Its name.
    pub key: String,
    /// Its value, as given or by default.
    pub value: String,
    /// Shown as `****` wherever it is described.
    pub no_echo: bool,
    /// Whether a `CommaDelimitedList` or another list type.
    pub list: bool,
    /// What Parameter Store had under the value, for parameters of `AWS::SSM::Parameter::Value<…>` types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
}

impl StackParameter {
    /// What `Ref` gives.
    pub fn given(&self) -> &str {
        self.resolved.as_deref().unwrap_or(&self.value)
    }
}

/// Everything that decides what a stack's resources are to be: what one deployment aims at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StackTarget {
    /// The template's text as it was sent.
    pub template: String,
    /// The template with its transforms expanded.
    pub processed: Value,
    /// All parameters of the template.
    pub parameters: Vec<StackParameter>,
    /// The stack's tags.
    pub tags: Vec<Tag>,
    /// The capabilities acknowledged.
    pub capabilities: Vec<String>,
    /// Stored and shown, never called.
    pub notification_arns: Vec<String>,
    /// Stored and shown, never called.
    pub role_arn: Option<String>,
    /// Whether resources made by the operation are deleted on rollback whatever their policy.
    #[serde(default)]
    pub retain_except_on_create: bool,
}

impl StackTarget {
    /// The stack's tags by key.
    pub fn tags_by_key(&self) -> BTreeMap<String, String> {
        self.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
    }
}

/// An output of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackOutput {
    /// Its logical id.
    pub key: String,
    /// Its value.
    pub value: String,
    /// What the template says it is.
    pub description: Option<String>,
    /// The name it is exported by.
    pub export: Option<String>,
}

/// One stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// Its name, unique among the stacks of a region that are not deleted.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Where it stands.
    pub status: Status,
    /// Why it stands there.
    pub reason: Option<String>,
    /// What is deployed, or being deployed.
    pub target: StackTarget,
    /// Its outputs.
    pub outputs: Vec<StackOutput>,
    /// RFC 3339, UTC.
    pub created: String,
    /// When the last update began.
    pub updated: Option<String>,
    /// When deletion ended.
    pub deleted: Option<String>,
    /// The change set last executed.
    pub change_set_id: Option<String>,
    /// Whether deletion is refused.
    pub termination_protection: bool,
    /// Whether a failed operation leaves things as they are.
    pub disable_rollback: bool,
    /// Minutes after which a creation fails.
    pub timeout_minutes: Option<u32>,
    /// The stack policy's text.
    pub policy: Option<String>,
    /// The stack this one is nested in.
    pub parent: Option<String>,
    /// The outermost stack this one is nested in.
    pub root: Option<String>,
    /// The last operations: kind and id, newest last.
    pub operations: Vec<(OperationType, String)>,
    /// Client request tokens seen, with the operation each of them began.
    pub tokens: Vec<(String, OperationType)>,
    /// Whether the deletion is forced.
    pub force_delete: bool,
}

/// One thing in the world that a resource of a stack stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Physical {
    /// What `Ref` gives.
    pub id: String,
    /// For example `AWS::S3::Bucket`.
    pub resource_type: String,
    /// Its properties, with every function resolved.
    pub properties: Value,
    /// What `Fn::GetAtt` gives, by attribute.
    pub attributes: Map<String, Value>,
}

/// What the operation under way has done to a resource, so that it can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// It did not exist before.
    Created,
    /// It is the same thing with other properties.
    Updated,
    /// It is another thing now; `previous` still exists.
    Replaced,
    /// The template no longer has it; it still exists.
    Removed,
}

/// How far one phase of an operation has come with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStep {
    /// Under way: the world may already have been changed.
    Started,
    /// Over.
    Finished,
    /// Over, badly.
    Failed,
}

/// One resource of a stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackResource {
    /// The stack it is in.
    pub stack_id: String,
    /// Its name in the template.
    pub logical_id: String,
    /// For example `AWS::S3::Bucket`.
    pub resource_type: String,
    /// Where it stands.
    pub status: Status,
    /// Why it stands there.
    pub reason: Option<String>,
    /// When its status last changed.
    pub updated: String,
    /// The thing it stands for, once there is one.
    pub physical: Option<Physical>,
    /// The declaration it was last deployed from, functions unresolved.
    pub declaration: Value,
    /// Logical ids it depends on.
    pub depends: Vec<String>,
    /// The thing it stood for before the operation under way, with the declaration of that time.
    pub previous: Option<Physical>,
    /// The declaration and dependencies from before the operation under way.
    pub previous_declaration: Option<(Value, Vec<String>)>,
    /// What the operation under way did to it.
    pub done: Option<Done>,
    /// The phase of an operation it was last part of, and how far that came: `operation id/phase`.
    pub step: Option<(String, OperationStep)>,
}

/// A part of an operation; each begins with an event of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Creating and updating, in the order of dependencies.
    Deploy,
    /// Deleting what a successful update left over.
    Cleanup,
    /// Putting updated resources back.
    Revert,
    /// Deleting what a failed update had made.
    RevertCleanup,
    /// Deleting everything, against the order of dependencies, because creation failed.
    Undo,
    /// Deleting everything, against the order of dependencies, on request.
    Delete,
    /// Nothing is left to do.
    Over,
}

impl Phase {
    /// A short name, for the resources' step.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Deploy => "deploy",
            Phase::Cleanup => "cleanup",
            Phase::Revert => "revert",
            Phase::RevertCleanup => "revert-cleanup",
            Phase::Undo => "undo",
            Phase::Delete => "delete",
            Phase::Over => "over",
        }
    }
}

/// What to do when a creation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnFailure {
    /// Leave everything as it is.
    DoNothing,
    /// Delete what was made, keep the stack's record.
    #[default]
    Rollback,
    /// Delete what was made and the stack.
    Delete,
}

impl OnFailure {
    /// The name as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            OnFailure::DoNothing => "DO_NOTHING",
            OnFailure::Rollback => "ROLLBACK",
            OnFailure::Delete => "DELETE",
        }
    }
}

/// A create, update, delete or rollback of one stack. It stays on record until over, so that any process can take it up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackOperation {
    /// A UUID.
    pub id: String,
    /// Its stack.
    pub stack_id: String,
    /// What it does.
    pub kind: OperationType,
    /// Where it is.
    pub phase: Phase,
    /// The caller's token, shown on each event.
    pub token: Option<String>,
    /// What to do when a creation fails.
    pub on_failure: OnFailure,
    /// Whether a failed update is left as it is.
    pub disable_rollback: bool,
    /// What was deployed before an update.
    pub previous: Option<StackTarget>,
    /// Outputs from before an update.
    pub previous_outputs: Vec<StackOutput>,
    /// The stack's status from before the operation.
    pub previous_status: Option<Status>,
    /// The change set it runs.
    pub change_set_id: Option<String>,
    /// Logical ids not to be deleted, or to be skipped in a rollback.
    pub skip: Vec<String>,
    /// A stack policy for this update alone.
    pub policy: Option<String>,
    /// Whether `CancelUpdateStack` was called.
    pub cancelled: bool,
    /// RFC 3339, UTC.
    pub started: String,
}

/// What a change set would do to one resource, as the API describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The `ResourceChange` structure without its contexts.
    pub resource: Value,
    /// `BeforeContext`, shown on request.
    pub before: Option<String>,
    /// `AfterContext`, shown on request.
    pub after: Option<String>,
    /// `BeforeValue` and `AfterValue` of each of the details, in their order; shown on request.
    pub values: Vec<(Option<String>, Option<String>)>,
}

/// One change set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// Its ARN.
    pub id: String,
    /// Its name, unique in its stack.
    pub name: String,
    /// Its stack.
    pub stack_id: String,
    /// Its stack's name.
    pub stack_name: String,
    /// Whether it creates the stack.
    pub creates: bool,
    /// `CREATE_COMPLETE` or `FAILED`.
    pub complete: bool,
    /// Why it failed.
    pub reason: Option<String>,
    /// Whether it can be run.
    pub execution: ExecutionStatus,
    /// What it would deploy.
    pub target: StackTarget,
    /// What that changes.
    pub changes: Vec<Change>,
    /// What its author says of it.
    pub description: Option<String>,
    /// RFC 3339, UTC.
    pub created: String,
    /// As asked for; decides at execution.
    pub on_failure: Option<OnFailure>,
    /// As asked for.
    pub include_nested: bool,
    /// `STANDARD` or `EXPRESS`, when given.
    pub deployment_mode: Option<String>,
    /// `DeploymentConfig.DisableRollback`, when given.
    pub disable_rollback: Option<bool>,
    /// The caller's token.
    pub token: Option<String>,
    /// The operation that made it.
    pub operation_id: String,
    /// Why some values of its changes are not known; shown with them.
    #[serde(default)]
    pub warning: Option<String>,
}

/// One event, of a stack, of one of its resources, or of a validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackEvent {
    /// Unique.
    pub id: String,
    /// The stack it belongs to.
    pub stack_id: String,
    /// That stack's name.
    pub stack_name: String,
    /// The operation it belongs to.
    pub operation_id: String,
    /// That operation's kind.
    pub operation_type: OperationType,
    /// The resource, or the stack's own name.
    pub logical_id: String,
    /// The thing, or the stack's ARN; empty while there is none.
    pub physical_id: String,
    /// For example `AWS::S3::Bucket`.
    pub resource_type: String,
    /// RFC 3339, UTC.
    pub time: String,
    /// The new status; none for a validation.
    pub status: Option<Status>,
    /// Why.
    pub reason: Option<String>,
    /// The properties used, as JSON text.
    pub properties: Option<String>,
    /// The caller's token.
    pub token: Option<String>,
    /// The validation that failed.
    pub validation: Option<Validation>,
}

/// A pre-deployment validation that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// For example `PROPERTY_VALIDATION`.
    pub name: String,
    /// Whether it fails the change set, or only warns.
    pub fails: bool,
    /// What is wrong.
    pub reason: String,
    /// Where in the template, for example `/Resources/Posters/Properties`.
    pub path: String,
}

impl StackTarget {
    /// Its size as the tree of its stack counts it: resources, and bytes of the template.
    pub fn size(&self) -> (i64, i64) {
        let resources = self.processed.get("Resources").and_then(Value::as_object).map_or(0, Map::len);
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        (whole(resources), whole(self.template.len()))
    }
}

/// What stands for a hidden value.
pub const MASK: &str = "****";
/// A secret shorter than this is not searched for inside other texts.
const SHORTEST_SECRET: usize = 4;

/// A text without the values of a target's hidden parameters.
pub fn mask(text: String, target: &StackTarget) -> String {
    let hidden = target.parameters.iter().filter(|parameter| parameter.no_echo && !parameter.value.is_empty());
    let secrets = hidden.flat_map(|parameter| [Some(parameter.value.as_str()), parameter.resolved.as_deref()]);
    hide(text, secrets.flatten().collect())
}

/// A text without some values.
pub fn mask_values(text: String, values: &[String]) -> String {
    hide(text, values.iter().map(String::as_str).collect())
}

/// The same for a text that is no document.
pub fn mask_text_values(text: &str, values: &[String]) -> String {
    let mut values: Vec<&str> = values.iter().map(String::as_str).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    mask_text(text, &values)
}

fn hide(text: String, mut secrets: Vec<&str>) -> String {
    if secrets.is_empty() {
        return text;
    }
    // The longest first, lest one that is part of another leaves the rest of it standing.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    match serde_json::from_str::<Value>(&text) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
            mask_value(&mut value, &secrets);
            value.to_string()
        }
        _ => mask_text(&text, &secrets),
    }
}

/// The values of a document; names are the template's and hold no secret.
fn mask_value(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::String(text) => *text = mask_text(text, secrets),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_value(item, secrets)),
        Value::Object(members) => members.values_mut().for_each(|member| mask_value(member, secrets)),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => {
            if secrets.contains(&value.to_string().as_str()) {
                *value = Value::String(MASK.to_owned());
            }
        }
    }
}

/// A secret that is the whole value is hidden however short it is; inside other text a short one would turn up
/// everywhere.
fn mask_text(text: &str, secrets: &[&str]) -> String {
    if secrets.contains(&text) {
        return MASK.to_owned();
    }
    let long = secrets.iter().filter(|secret| secret.chars().count() >= SHORTEST_SECRET);
    long.fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_hidden_as_a_whole_value_and_nowhere_else() {
        let context = r#"{"Name":"e","Type":"every","e":["e",{"Key":"sesame street"}]}"#;
        let mut value = serde_json::from_str(context).expect("JSON");
        mask_value(&mut value, &["sesame", "e"]);
        assert_eq!(value.to_string(), r#"{"Name":"****","Type":"every","e":["****",{"Key":"**** street"}]}"#);
        assert_eq!(mask_text("e", &["e"]), "****");
    }
}
