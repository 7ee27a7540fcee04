//! What is known about the engines of agents.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;

/// The older engine's state.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Classic {
    /// From this day it takes no new customers.
    pub closed_since: Day,
    /// Where this was read.
    pub source: String,
    /// When.
    pub as_of: Day,
}

/// A quota.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AgentLimit {
    /// For example `classic-action-groups`.
    pub id: String,
    /// How many there can be.
    pub most: usize,
    /// Of what.
    pub what: String,
    /// Where this was read.
    pub source: String,
    /// When.
    pub as_of: Day,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Agents {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// Bedrock Agents Classic.
    pub classic: Option<Classic>,
    /// Quotas, by id.
    pub limits: Vec<AgentLimit>,
}

/// The table, read once.
pub fn agents() -> &'static Agents {
    static AGENTS: LazyLock<Agents> =
        LazyLock::new(|| super::embedded("agents.json", include_str!("../../../schemas/agents.json")));
    &AGENTS
}

impl Agents {
    /// The quota of an id.
    pub fn limit(&self, id: &str) -> Option<&AgentLimit> {
        self.limits.iter().find(|limit| limit.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let agents: Agents = serde_json::from_str(include_str!("../../../schemas/agents.json")).expect("a table");
        assert!(agents.limits.is_sorted_by(|a, b| a.id < b.id), "sorted, no id twice");
        assert!(agents.limits.iter().all(|limit| limit.most > 0 && !limit.source.is_empty()));
        assert!(agents.classic.is_some_and(|classic| classic.closed_since < agents.as_of));
    }
}
