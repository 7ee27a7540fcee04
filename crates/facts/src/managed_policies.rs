//! The managed policies of AWS: which there are, and the documents of those that are used most.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bedplate_text::suggestion::nearest;
use serde::Deserialize;
use serde_json::Value;

/// The table of AWS's managed policies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManagedPolicies {
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "source")]
    _source: String,
    as_of: String,
    names: BTreeSet<String>,
    policies: BTreeMap<String, Value>,
}

/// What is known of a managed policy of AWS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ManagedPolicy<'a> {
    /// Its document.
    Held(&'a Value),
    /// That it exists.
    Named,
    /// That it exists, and only roles of AWS's services have it.
    ServiceLinked,
    /// There was none of that name on the day of the table.
    Unknown,
}

/// What ARNs of policies of services' own roles begin with, after `policy/`.
const SERVICE_LINKED: &str = "aws-service-role/";

impl ManagedPolicies {
    /// The day of the table.
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// The policy that a name without a policy may stand for: of that name under another path, or of a name like it.
    pub fn suggest(&self, name: &str) -> Option<&str> {
        let bare = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let same = self.names().find(|known| bare(known) == bare(name));
        same.or_else(|| nearest(name, self.names()))
    }

    /// The names, with their paths.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// What is known of a policy by its ARN; none for one that is not AWS's own.
    pub fn look_up(&self, arn: &str) -> Option<ManagedPolicy<'_>> {
        let name = name_of(arn)?;
        Some(match self.policies.get(name) {
            Some(document) => ManagedPolicy::Held(document),
            None if !self.names.contains(name) => ManagedPolicy::Unknown,
            None if name.starts_with(SERVICE_LINKED) => ManagedPolicy::ServiceLinked,
            None => ManagedPolicy::Named,
        })
    }
}

/// The name, with its path, in the ARN of a policy of AWS's own, in whatever partition.
fn name_of(arn: &str) -> Option<&str> {
    let (partition, rest) = arn.strip_prefix("arn:")?.split_once(':')?;
    rest.strip_prefix("iam::aws:policy/").filter(|_| partition == "aws" || partition.starts_with("aws-"))
}

/// The table.
pub fn managed_policies() -> &'static ManagedPolicies {
    static TABLE: LazyLock<ManagedPolicies> = LazyLock::new(|| {
        super::embedded("managed-policies.json", include_str!("../../../schemas/managed-policies.json"))
    });
    &TABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_told_apart_by_name_and_path() {
        let table = managed_policies();
        assert!(table.names().count() > 1_000 && table.policies.len() > 50);
        assert!(table.policies.keys().all(|name| table.names.contains(name)));
        let of = |name: &str| table.look_up(&format!("arn:aws:iam::aws:policy/{name}"));
        assert!(matches!(of("service-role/AWSLambdaBasicExecutionRole"), Some(ManagedPolicy::Held(_))));
        assert_eq!(of("AWSLambdaBasicExecutionRole"), Some(ManagedPolicy::Unknown), "it has a path");
        assert_eq!(of("AmazonWorkMailFullAccess"), Some(ManagedPolicy::Named));
        assert_eq!(of("aws-service-role/AmazonECSServiceRolePolicy"), Some(ManagedPolicy::ServiceLinked));
        assert!(table.look_up("arn:aws-cn:iam::aws:policy/AdministratorAccess").is_some());
        let suggested = table.suggest("AWSLambdaBasicExecutionRole");
        assert_eq!(suggested, Some("service-role/AWSLambdaBasicExecutionRole"));
        assert_eq!(table.suggest("AmazonS3ReadOnlyAcess"), Some("AmazonS3ReadOnlyAccess"));
        for other in ["arn:aws:iam::123456789012:policy/own", "AdministratorAccess", "arn:x:iam::aws:policy/y", ""] {
            assert_eq!(table.look_up(other), None, "{other}");
        }
    }
}
