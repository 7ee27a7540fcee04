//! What destroying a stack takes away and what it leaves, before anybody is asked.

use serde::Serialize;

/// What destroying a stack does.
#[derive(Debug, Clone, Serialize)]
pub struct DestroyPlan {
    /// The stack's name.
    pub stack: String,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The stack's status now.
    pub status: String,
    /// Its resources, in order of their logical ids.
    pub resources: Vec<PlannedDeletion>,
    /// Files of this stack in the artifact bucket, which go too.
    pub artifacts: ObjectCount,
    /// The artifact bucket, when there is one that is proven to be this account's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_bucket: Option<String>,
    /// What stays: retained resources, and logs that functions write outside the stack.
    pub stays: Vec<Leftover>,
}

/// A resource of a stack that is to be destroyed.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedDeletion {
    /// The logical id.
    pub logical_id: String,
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The physical id, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// What becomes of it.
    pub disposition: Disposition,
    /// Why it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The stack it is in: the one destroyed, or one nested in it.
    #[serde(skip)]
    pub(super) stack_id: String,
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
pub enum Disposition {
    /// It is deleted.
    Deleted,
    /// It stays, and nothing manages it any longer.
    Retained,
    /// It is deleted and a snapshot stays.
    Snapshot,
    /// It has the name of what the stack made and is not proven to be that: it is neither emptied nor deleted.
    LeftAlone,
}

/// How many objects, counted up to a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ObjectCount {
    /// Those counted.
    pub count: u64,
    /// There are more than were counted.
    pub more: bool,
}

/// Something that is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// Its type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its logical id, when it came from the stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_id: Option<String>,
    /// What it is called in the account.
    pub physical_id: String,
    /// Why it is there.
    pub reason: String,
    /// It was meant to stay: its policy retains it. Such a leftover is shown and is no failure.
    pub intended: bool,
}

impl PlannedDeletion {
    /// Whether it is an S3 bucket.
    pub(super) fn is_bucket(&self) -> bool {
        self.resource_type == "AWS::S3::Bucket"
    }

    /// Whether it is a bucket that goes, which has to be empty first. A retained one is not touched.
    pub(super) fn is_to_be_emptied(&self) -> bool {
        self.is_bucket() && self.disposition == Disposition::Deleted && self.objects.is_some()
    }

    /// Takes it out of what goes.
    pub(super) fn leave_alone(&mut self, reason: String) {
        self.disposition = Disposition::LeftAlone;
        self.reason = Some(reason);
        self.data = None;
    }

    /// It as something that stays; none when it goes.
    pub(super) fn leftover(&self) -> Option<Leftover> {
        let (reason, intended) = match self.disposition {
            Disposition::Deleted => return None,
            Disposition::Retained => ("its deletion policy retains it".to_owned(), true),
            Disposition::Snapshot => ("its deletion policy keeps a snapshot".to_owned(), true),
            Disposition::LeftAlone => {
                let why = self.reason.as_deref().unwrap_or("it could not be asked");
                (format!("not proven to be this stack's, so it is left alone: {why}"), false)
            }
        };
        Some(Leftover {
            resource_type: self.resource_type.clone(),
            logical_id: Some(self.logical_id.clone()),
            physical_id: self.physical_id.clone().unwrap_or_default(),
            reason,
            intended,
        })
    }
}

impl DestroyPlan {
    /// What is left alone, by its name in the account.
    pub(super) fn left_alone(&self) -> impl Iterator<Item = &str> {
        let alone = self.resources.iter().filter(|resource| resource.disposition == Disposition::LeftAlone);
        alone.filter_map(|resource| resource.physical_id.as_deref())
    }

    /// The buckets that CloudFormation forgot, which have to be deleted beside the stack.
    pub(super) fn orphaned_buckets(&self) -> impl Iterator<Item = &str> {
        let orphans = self.resources.iter().filter(|resource| resource.orphaned && resource.is_to_be_emptied());
        orphans.filter_map(|resource| resource.physical_id.as_deref())
    }
}
