//! The regions of AWS.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;
use bedplate_text::suggestion::nearest_within;

/// How many letters a slip in a region's name may differ by.
const SLIP: usize = 3;

/// The table, from botocore's list of endpoints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Regions {
    /// How to read it.
    pub about: String,
    /// Where the names were read.
    pub source: String,
    /// When.
    pub as_of: Day,
    /// Their names, by partition.
    pub partitions: BTreeMap<String, Vec<String>>,
}

/// The table, read once.
pub fn regions() -> &'static Regions {
    static REGIONS: LazyLock<Regions> =
        LazyLock::new(|| super::embedded("regions.json", include_str!("../../../schemas/regions.json")));
    &REGIONS
}

impl Regions {
    /// The partition of a region that there is.
    pub fn partition(&self, name: &str) -> Option<&str> {
        let is_there = |names: &[String]| names.iter().any(|known| known == name);
        self.partitions.iter().find(|(_, names)| is_there(names)).map(|(partition, _)| partition.as_str())
    }

    /// The region whose name is nearest to one that there is not, when it is near enough to be a slip.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest_within(name, self.partitions.values().flatten().map(String::as_str), SLIP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_from_slips() {
        assert_eq!(regions().partition("us-west-2"), Some("aws"));
        assert_eq!(regions().partition("us-gov-west-1"), Some("aws-us-gov"));
        assert_eq!(regions().partition("us-eats-1"), None);
        assert_eq!(regions().nearest("us-eats-1"), Some("us-east-1"));
        assert!(regions().nearest("us-west-5").is_some_and(|name| name.starts_with("us-west-")));
        assert_eq!(regions().nearest("bogus"), None);
    }
}
