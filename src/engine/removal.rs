//! What destroying a stack takes away and what it leaves, before anybody is asked.

use serde::Serialize;

use super::outcome::Leftover;

/// What destroying a stack does.
#[derive(Debug, Clone, Serialize)]
pub struct Removal {
    /// The stack's name.
    pub stack: String,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The stack's status now.
    pub status: String,
    /// Its resources, in order of their logical ids.
    pub resources: Vec<RemovedResource>,
    /// Files of this stack in the artifact bucket, which go too.
    pub artifacts: ObjectCount,
    /// What stays: retained resources, and logs that functions write outside the stack.
    pub stays: Vec<Leftover>,
}

/// A resource of a stack that is to be destroyed.
#[derive(Debug, Clone, Serialize)]
pub struct RemovedResource {
    /// The logical id.
    pub logical_id: String,
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The physical id, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
    /// For a bucket: what it holds, versions and delete markers included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<ObjectCount>,
    /// An earlier deployment replaced or removed it and could not delete it: CloudFormation no longer knows it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub orphaned: bool,
    /// The data that goes with it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<&'static str>,
}

/// What becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is deleted.
    Deleted,
    /// It stays, and nothing manages it any longer.
    Retained,
    /// It is deleted and a snapshot stays.
    Snapshot,
}

/// How many objects, counted up to a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ObjectCount {
    /// Those counted.
    pub count: u64,
    /// There are more than were counted.
    pub more: bool,
}

impl RemovedResource {
    /// Whether it is an S3 bucket.
    pub(super) fn is_bucket(&self) -> bool {
        self.resource_type == "AWS::S3::Bucket"
    }
}

impl Removal {
    /// The buckets that go, which have to be empty first. Retained ones are not touched.
    pub(super) fn owned_buckets(&self) -> impl Iterator<Item = &str> {
        self.resources
            .iter()
            .filter(|resource| resource.is_bucket() && resource.fate == Fate::Deleted && resource.objects.is_some())
            .filter_map(|resource| resource.physical_id.as_deref())
    }

    /// The buckets among them that CloudFormation forgot, which have to be deleted beside the stack.
    pub(super) fn orphaned_buckets(&self) -> impl Iterator<Item = &str> {
        let orphans = self.resources.iter().filter(|resource| resource.orphaned && resource.is_bucket());
        orphans.filter_map(|resource| resource.physical_id.as_deref())
    }
}
