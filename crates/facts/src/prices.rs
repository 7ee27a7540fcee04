//! What AWS asks for things that cost while they wait.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;

/// Hours of a month, as AWS's own examples count them.
pub const HOURS_OF_A_MONTH: f64 = 730.0;

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Price {
    /// What is paid for, such as `opensearch-serverless-ocu`.
    pub id: String,
    /// US dollars.
    pub usd: f64,
    /// For how much and how long, such as `OCU and hour`.
    pub per: String,
    /// Where this was read.
    pub source: String,
    /// When.
    pub as_of: Day,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Prices {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// The rows, by id.
    pub prices: Vec<Price>,
}

/// The table, read once.
pub fn prices() -> &'static Prices {
    static PRICES: LazyLock<Prices> =
        LazyLock::new(|| super::embedded("prices.json", include_str!("../../../schemas/prices.json")));
    &PRICES
}

impl Prices {
    /// The row of an id.
    pub fn get(&self, id: &str) -> Option<&Price> {
        self.prices.iter().find(|price| price.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let prices: Prices = serde_json::from_str(include_str!("../../../schemas/prices.json")).expect("a table");
        assert!(prices.prices.is_sorted_by(|a, b| a.id < b.id), "sorted, no id twice");
        assert!(prices.prices.iter().all(|price| price.usd > 0.0 && !price.per.is_empty() && !price.source.is_empty()));
    }
}
