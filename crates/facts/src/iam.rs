//! Where IAM offers nothing narrower: actions without a resource to name, services that send no source.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;

/// An action that can be granted on `*` only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ActionException {
    /// For example `bedrock:RetrieveAndGenerate`.
    pub action: String,
    /// Why there is nothing narrower, and what narrows it instead.
    pub why: String,
    /// Where this was read.
    pub source: String,
    /// The day of the source.
    pub as_of: Day,
}

/// A service that is not documented to say for whom it assumes a role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrustException {
    /// For example `lambda.amazonaws.com`.
    pub service: String,
    /// What is known, and why no condition is the safer choice.
    pub why: String,
    /// Where this was read.
    pub source: String,
    /// The day of the source.
    pub as_of: Day,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamExceptions {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// Actions that take no resource.
    pub actions: Vec<ActionException>,
    /// Services whose trust has no condition on the source.
    pub trusts: Vec<TrustException>,
}

/// The table, read once.
pub fn iam_exceptions() -> &'static IamExceptions {
    static EXCEPTIONS: LazyLock<IamExceptions> =
        LazyLock::new(|| super::embedded("iam-exceptions.json", include_str!("../../../schemas/iam-exceptions.json")));
    &EXCEPTIONS
}

impl IamExceptions {
    /// Whether an action can be granted on `*` only. Actions are compared as IAM does, without regard to case; one with
    /// a wildcard is never such an action.
    pub fn takes_no_resource(&self, action: &str) -> bool {
        self.actions.iter().any(|entry| entry.action.eq_ignore_ascii_case(action))
    }

    /// Whether a service is trusted without a condition on the source.
    pub fn sends_no_source(&self, service: &str) -> bool {
        self.trusts.iter().any(|entry| entry.service == service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let table: IamExceptions =
            serde_json::from_str(include_str!("../../../schemas/iam-exceptions.json")).expect("a table");
        assert!(table.actions.is_sorted_by(|a, b| a.action < b.action), "sorted, and each once");
        assert!(table.actions.iter().all(|entry| !entry.action.contains('*') && entry.action.contains(':')));
        assert!(table.trusts.is_sorted_by(|a, b| a.service < b.service), "sorted, and each once");
    }

    #[test]
    fn actions_are_compared_without_case_and_as_a_whole() {
        let table = iam_exceptions();
        assert!(table.takes_no_resource("bedrock:retrieveandgenerate"));
        assert!(!table.takes_no_resource("bedrock:Retrieve*"));
        assert!(!table.takes_no_resource("bedrock:Retrieve"));
    }
}
