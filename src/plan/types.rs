//! The plan as data.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::risk_kinds::{Risk, RiskKind};
use crate::cfn::Template;
use crate::finding::{Place, TemplatePlaces};

/// What a plan is made for; everything in it is known before any change.
#[derive(Debug, Clone, Default)]
pub struct DesiredStack<'a> {
    /// The stack's name.
    pub stack: &'a str,
    /// The account, when it was asked.
    pub account: Option<&'a str>,
    /// The region.
    pub region: &'a str,
    /// The template.
    pub template: Option<&'a Template>,
    /// Parameter values by name.
    pub parameters: BTreeMap<String, String>,
    /// Where in the spec each part of the template comes from.
    pub places: TemplatePlaces,
    /// The same of each logical id as JSON pointers.
    pub pointers: BTreeMap<String, String>,
    /// The artifacts of the template and whether they are uploaded already.
    pub artifacts: Vec<PlannedArtifact>,
}

impl DesiredStack<'_> {
    /// Where in the spec a part of a resource comes from, by a path such as `Properties.Timeout`; none when that is where the
    /// resource does.
    pub(super) fn place_in(&self, id: &str, path: &str) -> Option<Place> {
        let whole = self.places.of(id)?;
        let part = self.places.at(&self.template?.pointer(&format!("Resources.{id}.{path}"), '.'))?;
        Some(part.clone()).filter(|part| part != whole)
    }
}

/// What the stack has now.
#[derive(Debug, Clone, Default)]
pub struct Current<'a> {
    /// The stack's status, none when there is no stack.
    pub status: Option<&'a str>,
    /// The template it was made from.
    pub template: Option<&'a Template>,
    /// Its parameter values; those of `NoEcho` parameters read `****`.
    pub parameters: BTreeMap<String, String>,
}

/// What a deployment would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The stack's name.
    pub stack: String,
    /// The account; none in an offline plan.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// What happens to the stack as a whole.
    pub kind: PlanKind,
    /// The change set it was read from, which is the one that is executed; none when it was made from templates.
    pub change_set: Option<String>,
    /// What happens to each resource, in order of what it does and then of its logical id.
    pub changes: Vec<PlannedChange>,
    /// Permissions that something gets beyond what it has now.
    pub iam_broadening: Vec<Broadening>,
    /// Data that would be gone.
    pub data_loss: Vec<DataLoss>,
    /// What needs more than a general yes, since the stack exists.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub risks: Vec<Risk>,
    /// Parameters whose values change.
    pub parameters: Vec<ParameterChange>,
    /// What the template refers to in S3.
    pub artifacts: Vec<PlannedArtifact>,
    /// What buckets and tables are filled with once the stack is complete.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub content: Vec<PlannedContent>,
}

/// What happens to the stack as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanKind {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It stays as it is.
    NoChange,
    /// Its creation failed earlier and left nothing worth keeping: it is deleted and made again.
    Recreate,
}

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// What is done.
    pub action: Action,
    /// The logical id.
    pub logical_id: String,
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The physical id, when it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// What becomes of the present physical resource when that is not deletion: `Retain` or `Snapshot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// Why, property by property.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<Reason>,
    /// How many more reasons there are than are given.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub more_reasons: usize,
    /// Where in the spec it comes from; none for what the spec no longer has.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing, default)]
    pub place: Option<Place>,
}

/// What is done to a resource. The order is that of a plan: what takes away comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is deleted, or let go when its policy retains it.
    Remove,
    /// A new one is made and the present one deleted.
    Replace,
    /// Whether it is replaced depends on values known only while it runs.
    MaybeReplace,
    /// It is changed in place.
    Modify,
    /// It is taken into the stack.
    Import,
    /// It is made.
    Add,
}

impl Action {
    /// The symbol that stands for it in text; those of OpenTofu where it has one.
    pub fn symbol(self) -> &'static str {
        match self {
            Action::Add => "+",
            Action::Modify => "~",
            Action::Replace => "±",
            Action::MaybeReplace => "?",
            Action::Remove => "-",
            Action::Import => "=",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Add => "add",
            Action::Modify => "modify",
            Action::Replace => "replace",
            Action::MaybeReplace => "maybe replace",
            Action::Remove => "remove",
            Action::Import => "import",
        })
    }
}

/// What becomes of a resource that leaves the stack without being deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// It stays in the account and nothing manages it any longer.
    Retained,
    /// A snapshot stays.
    Snapshot,
}

/// Why a resource changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason {
    /// The property's path within the resource, such as `Properties.Timeout`.
    pub path: String,
    /// The value before; long ones are shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The value after; none when it is removed or not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What this property does to the resource.
    pub recreation: Recreation,
    /// The parameter or resource whose change brings this one about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// The value after is known only while it runs.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub known_after_apply: bool,
    /// Where in the spec the property comes from, when a key of the resource's component says it.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing, default)]
    pub place: Option<Place>,
}

/// Whether changing a property makes a new resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recreation {
    /// It is changed in place.
    Never,
    /// It depends.
    Conditionally,
    /// A new resource is made.
    Always,
}

/// A permission that is not there now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Broadening {
    /// The resource that carries the policy.
    pub logical_id: String,
    /// The property it is in.
    pub property: String,
    /// What is gained.
    #[serde(flatten)]
    pub gain: Gain,
}

/// What a policy gains.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "gain", rename_all = "kebab-case")]
pub enum Gain {
    /// Actions on resources, those of a statement together; of long lists the first, and how many more.
    Action {
        /// The action, perhaps with wildcards; several by commas.
        action: String,
        /// The resource; references as `${…}`; several by commas.
        resource: String,
    },
    /// Someone who may use it and could not.
    Principal {
        /// Who.
        principal: String,
    },
    /// A refusal that is gone.
    DenyGone {
        /// The actions that were refused.
        actions: String,
        /// What they were refused on.
        resources: String,
    },
    /// Everything in a policy made elsewhere.
    Attached {
        /// The policy's ARN.
        policy: String,
    },
    /// Everything a role may do that something else now acts with.
    Role {
        /// The role; references as `${…}`.
        role: String,
    },
    /// What a permissions boundary kept from it, which is gone or another one.
    Unbounded {
        /// The boundary until now.
        boundary: String,
    },
    /// What a resource of this type gives by being there, as `schemas/grants.json` says it.
    Given {
        /// What, in words.
        what: String,
    },
    /// Something this program cannot work out: the document is made by a function or a macro, or a value in it is known to
    /// the service only.
    Unreadable,
    /// So many more than are named: a plan is read by people, and the whole is in the template.
    More {
        /// How many.
        count: usize,
    },
}

impl Gain {
    /// A sentence that says it of something, such as a role's logical id.
    pub fn of(&self, subject: &str) -> String {
        match self {
            Gain::Principal { principal } => format!("{subject} can be used by `{principal}`"),
            gain => format!("{subject} gets {gain}"),
        }
    }
}

impl fmt::Display for Gain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gain::Action { action, resource } => write!(f, "`{action}` on `{resource}`"),
            Gain::Principal { principal } => write!(f, "use by `{principal}`"),
            Gain::DenyGone { actions, resources } => write!(f, "`{actions}` on `{resources}`, denied until now"),
            Gain::Attached { policy } => write!(f, "everything in the policy `{policy}`"),
            Gain::Role { role } => write!(f, "the rights of the role `{role}`"),
            Gain::Unbounded { boundary } => write!(f, "what the permissions boundary `{boundary}` kept from it"),
            Gain::Given { what } => f.write_str(what),
            Gain::More { count } => write!(f, "{count} more"),
            Gain::Unreadable => f.write_str("something that cannot be worked out from the template"),
        }
    }
}

/// Data that would be gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DataLoss {
    /// The resource that holds it.
    pub logical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its physical id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// What takes it away.
    pub action: Action,
    /// What is lost, in words.
    pub what: String,
}

/// A parameter whose value changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ParameterChange {
    /// Its name.
    pub name: String,
    /// The value now; `****` for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The value wanted; `****` for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A file the template refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedArtifact {
    /// The component it belongs to, such as `functions.design`.
    pub component: String,
    /// Its key in the artifact bucket.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// It is in the bucket already.
    pub present: bool,
    /// It has to be built first, and what it holds is not known: key and size stand for nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub to_build: bool,
}

/// What a bucket or a table is filled with once the stack is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PlannedContent {
    /// Documents of a bucket.
    Documents {
        /// Such as `buckets.handbook`.
        component: String,
        /// How many go up.
        upload: usize,
        /// Their size in bytes.
        bytes: u64,
        /// How many are deleted, because they were uploaded and the folder no longer has them.
        remove: usize,
        /// How many of those that go up take the place of an object that was not uploaded for this component.
        #[serde(skip_serializing_if = "is_zero", default)]
        overwrite: usize,
        /// How many are there already.
        unchanged: usize,
    },
    /// Rows of a table.
    Rows {
        /// Such as `tables.accounts`.
        component: String,
        /// How many are written.
        write: usize,
        /// How many have an item of their key already, which stays as it is.
        present: usize,
    },
    /// Documents of a bucket, read into a knowledge base.
    Ingestion {
        /// Such as `knowledge-bases.bank.sources.documents`.
        component: String,
        /// Whether there is anything new to read.
        read: bool,
    },
}

impl PlannedContent {
    /// Whether there is anything to do.
    pub fn has_changes(&self) -> bool {
        match self {
            PlannedContent::Documents { upload, remove, .. } => *upload > 0 || *remove > 0,
            PlannedContent::Rows { write, .. } => *write > 0,
            PlannedContent::Ingestion { read, .. } => *read,
        }
    }

    /// What it is the content of.
    pub fn component(&self) -> &str {
        match self {
            PlannedContent::Documents { component, .. }
            | PlannedContent::Rows { component, .. }
            | PlannedContent::Ingestion { component, .. } => component,
        }
    }
}

/// A number that says nothing.
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Plan {
    /// The kinds of risk it has, in order.
    pub fn risk_kinds(&self) -> Vec<RiskKind> {
        let mut kinds: Vec<RiskKind> = self.risks.iter().map(|risk| risk.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// Whether a deployment would do anything.
    pub fn has_changes(&self) -> bool {
        self.kind != PlanKind::NoChange || self.content.iter().any(PlannedContent::has_changes)
    }

    /// How many resources each action is done to, in the order of the plan.
    pub fn counts(&self) -> BTreeMap<Action, usize> {
        let mut counts = BTreeMap::new();
        for change in &self.changes {
            *counts.entry(change.action).or_default() += 1;
        }
        counts
    }
}
