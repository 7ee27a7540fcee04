//! What resources give somebody by being there, beside what their policy documents say.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;

/// A type that gives something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Giving {
    /// The resource type.
    #[serde(rename = "type")]
    pub type_: String,
    /// What, in words after "it gets"; none where the statement and what is open say all.
    pub gives: Option<String>,
    /// The properties whose change may give more; none: all.
    #[serde(default)]
    pub properties: Vec<String>,
    /// The statement that its properties spell in other words.
    pub statement: Option<Spelled>,
    /// What of it is open to anyone.
    #[serde(default)]
    pub open: Vec<Open>,
    /// Where this was read.
    pub source: String,
    /// The day of the source.
    pub as_of: Day,
}

/// A statement spelled by properties: `Principal` and `Action` are named so, the others here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spelled {
    /// The property that names what it is about.
    pub resource: String,
    /// Properties that narrow who.
    pub narrowed: Vec<Narrowed>,
}

/// A property that stands for a condition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Narrowed {
    /// The property, inside others by dots.
    pub property: String,
    /// The operator of the condition.
    pub operator: String,
    /// Its key.
    pub key: String,
}

/// A setting by which anyone gets in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Open {
    /// The property, at any depth.
    pub at: String,
    /// The value that opens; none: any.
    pub is: Option<String>,
    /// Whether it opens too where the property is not set.
    #[serde(default)]
    pub or_absent: bool,
    /// What it means, as a sentence.
    pub means: String,
}

/// A type that is named like a grant and is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Harmless {
    /// The resource type.
    #[serde(rename = "type")]
    pub type_: String,
    /// What it is instead.
    pub why: String,
    /// Where this was read.
    pub source: String,
    /// The day of the source.
    pub as_of: Day,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grants {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// Ends of names by which a type is taken for a grant.
    pub names: Vec<String>,
    /// Types that give something.
    pub types: Vec<Giving>,
    /// Types that do not, whatever they are called.
    pub harmless: Vec<Harmless>,
}

/// The table, read once.
pub fn grants() -> &'static Grants {
    static GRANTS: LazyLock<Grants> =
        LazyLock::new(|| super::embedded("grants.json", include_str!("../../../schemas/grants.json")));
    &GRANTS
}

impl Grants {
    /// The row of a type.
    pub fn of(&self, resource_type: &str) -> Option<&Giving> {
        self.types.iter().find(|row| row.type_ == resource_type)
    }

    /// Whether a type of which nothing is known is named like a grant.
    pub fn is_named_like_one(&self, resource_type: &str) -> bool {
        let last = resource_type.rsplit("::").next().unwrap_or_default();
        self.names.iter().any(|end| last.ends_with(end.as_str()))
            && self.of(resource_type).is_none()
            && !self.harmless.iter().any(|row| row.type_ == resource_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let table: Grants = serde_json::from_str(include_str!("../../../schemas/grants.json")).expect("a table");
        assert!(table.types.is_sorted_by(|a, b| a.type_ < b.type_), "sorted, and each once");
        assert!(table.harmless.is_sorted_by(|a, b| a.type_ < b.type_), "sorted, and each once");
        assert!(table.harmless.iter().all(|row| table.of(&row.type_).is_none()), "in one list only");
        assert!(table.types.iter().all(|row| row.gives.is_some() || row.statement.is_some() || !row.open.is_empty()));
        assert!(
            table.is_named_like_one("AWS::Some::GrantOfTomorrowPolicy") && table.is_named_like_one("My::Own::Share")
        );
        assert!(!table.is_named_like_one("AWS::AutoScaling::ScalingPolicy"));
        assert!(!table.is_named_like_one("AWS::S3::Bucket"));
    }
}
