//! What is known about Bedrock knowledge bases.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;

/// A number that ages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Number {
    /// The number.
    pub value: u32,
    /// Where this was read.
    pub source: String,
    /// When.
    pub as_of: Day,
}

/// A list that ages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct List {
    /// Its items.
    pub values: Vec<String>,
    /// Where this was read.
    pub source: String,
    /// When.
    pub as_of: Day,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnowledgeBases {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// The regions that have managed knowledge bases.
    pub managed_regions: List,
    /// How many data sources one knowledge base has at most, unless the account's quota was raised.
    pub most_data_sources: Number,
    /// The capacity units that a vector collection without standby replicas is billed for when nobody asks it anything.
    pub opensearch_serverless_idle_ocus: Number,
}

/// The table, read once.
pub fn knowledge_bases() -> &'static KnowledgeBases {
    static TABLE: LazyLock<KnowledgeBases> = LazyLock::new(|| {
        super::embedded("knowledge-bases.json", include_str!("../../../schemas/knowledge-bases.json"))
    });
    &TABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let table = knowledge_bases();
        assert!(table.managed_regions.values.is_sorted());
        assert!(table.most_data_sources.value >= 1 && table.opensearch_serverless_idle_ocus.value >= 1);
    }
}
