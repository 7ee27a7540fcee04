//! What is known about Lambda runtimes.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;
use super::models::Status;

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Runtime {
    /// For example `python3.13`.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// From this day Lambda no longer maintains it.
    pub deprecated: Option<Day>,
    /// From this day no function can be created on it.
    pub create_block: Option<Day>,
    /// From this day no function on it can be updated.
    pub update_block: Option<Day>,
    /// The runtime to use in its place.
    pub replacement: Option<String>,
    /// Where this was read.
    pub source: String,
}

/// What a function's environment may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EnvironmentLimits {
    /// How to read it.
    pub about: String,
    /// Variables that Lambda sets and refuses.
    pub reserved: Vec<String>,
    /// The most bytes of all names and values together.
    pub most_bytes: usize,
    /// Where this was read.
    pub source: String,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Runtimes {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// What environments may hold.
    pub environment: EnvironmentLimits,
    /// The rows.
    pub runtimes: Vec<Runtime>,
}

/// The table, read once.
pub fn runtimes() -> &'static Runtimes {
    static RUNTIMES: LazyLock<Runtimes> =
        LazyLock::new(|| super::embedded("runtimes.json", include_str!("../../../schemas/runtimes.json")));
    &RUNTIMES
}

impl Runtimes {
    /// The row of a runtime.
    pub fn get(&self, id: &str) -> Option<&Runtime> {
        self.runtimes.iter().find(|runtime| runtime.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let table: Runtimes = serde_json::from_str(include_str!("../../../schemas/runtimes.json")).expect("a table");
        for runtime in &table.runtimes {
            let ends = |day: Option<Day>| day.is_none_or(|day| Some(day) >= runtime.create_block);
            match runtime.replacement.as_deref() {
                Some(other) => {
                    let other = table.get(other).expect("a runtime");
                    assert!(other.status == Status::Active && ends(other.create_block), "{}", runtime.id);
                }
                None => assert_eq!(runtime.status, Status::Active, "{}", runtime.id),
            }
            assert!(runtime.create_block.zip(runtime.update_block).is_none_or(|(create, update)| create <= update));
        }
    }

    #[test]
    fn dates_are_read() {
        assert_eq!(runtimes().get("python3.10").and_then(|it| it.create_block), Day::parse("2027-02-01"));
        assert!(Day::parse("2027-07") < Day::parse("2027-07-02"));
        assert_eq!(Day::parse("2026-11-22").zip(Day::parse("2026-12-01")).map(|(a, b)| a.days_until(b)), Some(9));
        assert_eq!(Day::parse("soon"), None);
    }
}
