//! What the services answer, in our own words: no type of an SDK leaves this module.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}

/// A stack as `DescribeStacks` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StackSummary {
    /// The name.
    pub name: String,
    /// The ARN, which stays valid after the stack is deleted.
    pub id: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
    /// Why it has that status.
    pub reason: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its parameters; values of `NoEcho` parameters come as `****`.
    pub parameters: BTreeMap<String, String>,
    /// Its outputs, in order of their names.
    pub outputs: Vec<Output>,
    /// Deleting it is refused.
    pub termination_protection: bool,
    /// The stack it is nested in.
    pub parent: Option<String>,
}

impl StackSummary {
    /// The state it is in.
    pub fn state(&self) -> StackState {
        StackState::from_status(&self.status)
    }
}

/// A stack's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Output {
    /// The output's logical id.
    pub key: String,
    /// Its value.
    pub value: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name other stacks import it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<String>,
}

/// What a stack status means for the next operation.
/// Source: "Stack status codes" in the CloudFormation user guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackState {
    /// Something is running; nothing else can start.
    InProgress,
    /// In a good state that can be updated.
    Good,
    /// An update failed and the stack is back in its last good state.
    RolledBackUpdate,
    /// A change set of type CREATE was made and never executed: there is nothing in it.
    Review,
    /// Creation failed: the stack never reached a good state and can only be deleted.
    FailedCreate,
    /// An update failed without rollback; it can be updated or rolled back.
    FailedUpdate,
    /// Rolling an update back failed: it has to be continued by hand.
    StuckRollback,
    /// Deleting it failed.
    FailedDelete,
    /// Gone.
    Deleted,
}

impl StackState {
    /// Reads a status; one that is not known yet counts by its ending.
    pub fn from_status(status: &str) -> Self {
        match status {
            "REVIEW_IN_PROGRESS" => StackState::Review,
            "DELETE_COMPLETE" => StackState::Deleted,
            "DELETE_FAILED" => StackState::FailedDelete,
            "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" => StackState::FailedCreate,
            "UPDATE_ROLLBACK_FAILED" | "IMPORT_ROLLBACK_FAILED" => StackState::StuckRollback,
            "UPDATE_ROLLBACK_COMPLETE" => StackState::RolledBackUpdate,
            "UPDATE_FAILED" => StackState::FailedUpdate,
            other if other.ends_with("_IN_PROGRESS") => StackState::InProgress,
            other if other.ends_with("_FAILED") => StackState::FailedUpdate,
            _ => StackState::Good,
        }
    }
}

/// One event of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StackEvent {
    /// Unique; a page is read until one that was seen.
    pub id: String,
    /// The ARN of the stack it is about.
    pub stack_id: String,
    /// The name of that stack.
    pub stack_name: String,
    /// The resource, or the stack's own name.
    pub logical_id: String,
    /// The physical id, once there is one; the stack's ARN for the stack itself.
    pub physical_id: String,
    /// The resource's type.
    pub resource_type: String,
    /// Such as `CREATE_FAILED`.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// When it happened, by the service's clock.
    pub at: Option<Timestamp>,
    /// The token of the operation it belongs to.
    pub token: Option<String>,
}

impl StackEvent {
    /// Whether it is about the stack itself and not a resource in it.
    pub fn is_stack(&self) -> bool {
        self.physical_id == self.stack_id && self.resource_type == "AWS::CloudFormation::Stack"
    }
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StackResource {
    /// The logical id.
    pub logical_id: String,
    /// The physical id, once there is one.
    pub physical_id: Option<String>,
    /// The type.
    pub resource_type: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
}

/// What CloudFormation's own validation before a deployment found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidationResult {
    /// The resource it is about.
    pub logical_id: Option<String>,
    /// The resource's type.
    pub resource_type: Option<String>,
    /// The validation's name, such as `NAME_CONFLICT_VALIDATION`.
    pub name: Option<String>,
    /// The path of the property.
    pub path: Option<String>,
    /// What is wrong.
    pub reason: Option<String>,
    /// It stops the deployment; else it is a warning.
    pub fails: bool,
}

/// A change set as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedChangeSet {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub made: Option<Timestamp>,
    /// It was never executed.
    pub unused: bool,
    /// It is still being made.
    pub pending: bool,
}

/// What a new change set is made of.
#[derive(Debug, Clone, Default)]
pub struct ChangeSetRequest {
    /// The stack's name or ARN.
    pub stack: String,
    /// The change set's name, at most 128 characters.
    pub name: String,
    /// Whether it makes the stack or changes it.
    pub kind: ChangeSetKind,
    /// The template, as its text or as the URL of an S3 object.
    pub template: TemplateSource,
    /// Parameter values by name; [`ParameterValue::Previous`] keeps what the stack has.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Such as `CAPABILITY_IAM`.
    pub capabilities: Vec<String>,
    /// Tags of the stack.
    pub tags: BTreeMap<String, String>,
    /// Makes a repeated request the same request.
    pub token: String,
    /// For a new stack: its empty shell is there already, left by an earlier run.
    pub has_shell: bool,
}

/// What a change set does to the stack as a whole, and what becomes of the stack when that fails.
///
/// CloudFormation takes the second in one of two places: as `OnStackFailure` when the change set is made, which only a
/// new stack can have, or as `DisableRollback` when it runs; where the first was given, the second must be absent,
/// whatever its value. So one value decides both. Source: the documentation of both parameters in botocore 1.43.106,
/// read 2026-11.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChangeSetKind {
    /// The stack exists; it is rolled back when the update fails.
    #[default]
    Update,
    /// The stack is new; it is rolled back when its creation fails.
    Create,
    /// The stack is new; it is deleted when its creation fails.
    CreateOrDelete,
}

impl ChangeSetKind {
    /// Whether the stack does not exist yet.
    pub fn creates(self) -> bool {
        self != ChangeSetKind::Update
    }
}

impl ChangeSetRequest {
    /// Whether its name carries this request's own number, and so can be no other's.
    pub fn is_named_by_us(&self) -> bool {
        let number: String =
            self.token.trim_start_matches("bedplate-").chars().filter(|c| *c != '-').take(12).collect();
        number.len() == 12 && self.name.ends_with(&number)
    }
}

/// A template on its way to CloudFormation.
#[derive(Debug, Clone)]
pub enum TemplateSource {
    /// In the request: up to 51,200 bytes.
    Body(String),
    /// In S3: up to 1 MB.
    Url(String),
}

impl Default for TemplateSource {
    fn default() -> Self {
        TemplateSource::Body(String::new())
    }
}

/// A parameter on its way to CloudFormation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterValue {
    /// A value.
    Value(String),
    /// What the stack has now.
    Previous,
}

/// An object version to delete, or a delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// The object's key.
    pub key: String,
    /// Its version; none in a bucket that never had versioning.
    pub version: Option<String>,
}

/// A page of a bucket's versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// Versions and delete markers.
    pub versions: Vec<ObjectVersion>,
    /// There is more.
    pub truncated: bool,
    /// Where the next page starts.
    pub next: Option<(String, Option<String>)>,
}

/// A multipart upload that was never finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// The object's key.
    pub key: String,
    /// The upload's id.
    pub upload_id: String,
}
