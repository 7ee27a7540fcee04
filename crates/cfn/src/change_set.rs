//! A change set as CloudFormation describes it: data two modules share, one that asks for it and one that reads it.
//!
//! Field names are those of the service's own JSON (`DescribeChangeSet` in the API reference), so that a recorded
//! answer deserialises as it stands.

use serde::{Deserialize, Serialize};

/// A change set with all its pages of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChangeSet {
    /// The change set's ARN.
    pub change_set_id: String,
    /// Its name.
    pub change_set_name: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The stack's name.
    pub stack_name: String,
    /// `CREATE_PENDING`, `CREATE_IN_PROGRESS`, `CREATE_COMPLETE`, `FAILED`, `DELETE_…`.
    pub status: String,
    /// Why it has that status.
    pub status_reason: Option<String>,
    /// `UNAVAILABLE`, `AVAILABLE`, `EXECUTE_…`, `OBSOLETE`.
    pub execution_status: String,
    /// What would be done, in the service's order.
    pub changes: Vec<Change>,
    /// The parameter values it was made with; values of `NoEcho` parameters come as `****`.
    pub parameters: Vec<ChangeSetParameter>,
}

/// One entry of a change set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Change {
    /// `Resource`; there is no other kind so far.
    pub r#type: String,
    /// What happens to the resource.
    pub resource_change: Option<ResourceChangeSummary>,
}

/// A parameter's name and value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChangeSetParameter {
    /// The parameter's name.
    pub parameter_key: String,
    /// Its value.
    pub parameter_value: Option<String>,
    /// The stack's present value is kept.
    pub use_previous_value: Option<bool>,
}

/// What happens to one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResourceChangeSummary {
    /// `Add`, `Modify`, `Remove`, `Import`, `Dynamic` or `SyncWithActual`.
    pub action: String,
    /// What becomes of the physical resource: `Delete`, `Retain`, `Snapshot`, `ReplaceAndDelete`, `ReplaceAndRetain`,
    /// `ReplaceAndSnapshot`.
    pub policy_action: Option<String>,
    /// The resource's logical id.
    pub logical_resource_id: String,
    /// Its physical id, once it has one.
    pub physical_resource_id: Option<String>,
    /// Its type.
    pub resource_type: String,
    /// `True`, `False` or `Conditional`.
    pub replacement: Option<String>,
    /// Which attributes change: `Properties`, `Metadata`, `Tags`, …
    pub scope: Vec<String>,
    /// Property by property.
    pub details: Vec<ChangeDetail>,
    /// The nested change set, for a nested stack.
    pub change_set_id: Option<String>,
    /// The resource's properties before, as JSON text.
    pub before_context: Option<String>,
    /// The resource's properties after, as JSON text; what is not known yet reads `{{changeSet:KNOWN_AFTER_APPLY}}`.
    pub after_context: Option<String>,
}

/// One reason for a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChangeDetail {
    /// What changes.
    pub target: Option<ChangeTarget>,
    /// `Static` when the new value is known, `Dynamic` when it depends on another resource.
    pub evaluation: Option<String>,
    /// `DirectModification`, `ParameterReference`, `ResourceReference`, `ResourceAttribute`, `Automatic`.
    pub change_source: Option<String>,
    /// The parameter or resource that causes it.
    pub causing_entity: Option<String>,
}

/// The attribute or property a detail is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ChangeTarget {
    /// `Properties`, `Metadata`, `Tags`, …
    pub attribute: Option<String>,
    /// The top-level property.
    pub name: Option<String>,
    /// `Never`, `Conditionally` or `Always`.
    pub requires_recreation: Option<String>,
    /// The path of the property, such as `/Properties/Timeout`.
    pub path: Option<String>,
    /// The value before.
    pub before_value: Option<String>,
    /// The value after.
    pub after_value: Option<String>,
    /// `Add`, `Remove`, `Modify` or `SyncWithActual`.
    pub attribute_change_type: Option<String>,
}
