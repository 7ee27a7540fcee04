//! What is known about Bedrock models.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;
use bedplate_text::suggestion::nearest_within;

/// Where a model stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Offered to everyone.
    Active,
    /// Works for who already uses it; closed to new customers.
    Legacy,
    /// Gone.
    Retired,
}

/// What an account needs before a model answers it, where the caller's own rights are not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// An agreement in AWS Marketplace, which the first call starts.
    Agreement,
    /// That, and the form of the model's maker, once an account.
    Form,
}

/// One row of the table. What is absent is not known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// The base model's id.
    pub id: String,
    /// Who made it.
    pub provider: String,
    /// What it gives back: `text`, `image`, `embedding`, `speech` or `video`.
    pub output: String,
    /// Where it stands.
    pub status: Status,
    /// The day after which it answers nobody.
    pub end_of_life: Option<Day>,
    /// The id to use in its place.
    pub replacement: Option<String>,
    /// The regions where it is called by its own id, as two witnesses say; nothing where nobody has looked.
    pub in_region: Option<Vec<String>>,
    /// More of them, as one witness alone says.
    #[serde(default)]
    pub in_region_unsure: Vec<String>,
    /// By the prefix of an inference profile, the regions it is called from, as two witnesses say.
    #[serde(default)]
    pub profiles: BTreeMap<String, Vec<String>>,
    /// More of them, as one witness alone says.
    #[serde(default)]
    pub profiles_unsure: BTreeMap<String, Vec<String>>,
    /// What an account needs before its first call.
    pub access: Option<Access>,
    /// The witnesses that know it, by their names in [`Models::witnesses`].
    #[serde(default)]
    pub seen_in: Vec<String>,
    /// Fields that one witness alone says.
    #[serde(default)]
    pub one_source: Vec<String>,
    /// Whether it takes temperature, top_p and top_k.
    pub sampling: Option<bool>,
    /// An embedding model's sizes, its default first.
    #[serde(default)]
    pub dimensions: Vec<u32>,
    /// Where this was read.
    pub source: String,
    /// When.
    pub as_of: Day,
}

impl Model {
    /// Whether more than one source says what stands in a field: for what one alone says nothing is refused.
    pub fn is_certain(&self, field: &str) -> bool {
        !self.one_source.iter().any(|known| known == field)
    }
}

/// A public table of models.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Witness {
    /// What and where it is.
    pub source: String,
    /// The day of its facts, when it says one.
    pub as_of: Option<Day>,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Models {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// What an inference profile's id starts with.
    pub profile_prefixes: Vec<String>,
    /// The regions that two witnesses have looked at.
    pub regions: Vec<String>,
    /// The public tables that the ways of calling are from.
    pub witnesses: BTreeMap<String, Witness>,
    /// The rows, by id.
    pub models: Vec<Model>,
}

/// The table, read once.
pub fn models() -> &'static Models {
    static MODELS: LazyLock<Models> =
        LazyLock::new(|| super::embedded("models.json", include_str!("../../../schemas/models.json")));
    &MODELS
}

impl Models {
    /// The row of a base model's id, or of the model behind a profile's id.
    pub fn get(&self, id: &str) -> Option<&Model> {
        let base = self.profile_of(id).map_or(id, |(_, model)| model);
        self.models.iter().find(|model| model.id == base)
    }

    /// The prefix and the model of a system inference profile's id: `us.amazon.nova-2-lite-v1:0` is `us` and the rest.
    pub fn profile_of<'a>(&self, id: &'a str) -> Option<(&'a str, &'a str)> {
        let (prefix, model) = id.split_once('.')?;
        (model.contains('.') && self.profile_prefixes.iter().any(|known| known == prefix)).then_some((prefix, model))
    }

    /// The id nearest to one that is not in the table, with the same profile prefix, when it is near enough to be a slip.
    pub fn nearest(&self, id: &str) -> Option<String> {
        let (prefix, base) = self.profile_of(id).map_or((None, id), |(prefix, base)| (Some(prefix), base));
        let model = nearest_within(base, self.models.iter().map(|model| model.id.as_str()), 4)?;
        Some(match prefix {
            Some(prefix) => format!("{prefix}.{model}"),
            None => model.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let models: Models = serde_json::from_str(include_str!("../../../schemas/models.json")).expect("a table");
        assert!(models.models.is_sorted_by(|a, b| a.id < b.id), "sorted, no id twice");
        for model in &models.models {
            assert!(
                model.status == Status::Active
                    || model.replacement.is_some()
                    || !["text", "image"].contains(&model.output.as_str()),
                "{} is gone and names nothing in its place",
                model.id
            );
            if let Some(replacement) = &model.replacement {
                let found = models.get(replacement).unwrap_or_else(|| panic!("{replacement} is in no row"));
                assert_eq!(found.status, Status::Active, "{replacement} replaces {}", model.id);
                let by_own_id = found.in_region.as_ref().is_none_or(|regions| !regions.is_empty());
                assert!(by_own_id || models.profile_of(replacement).is_some(), "{replacement} is only behind profiles");
            }
            let places = model.profiles.values().chain(model.profiles_unsure.values()).flatten();
            let places = places.chain(model.in_region.iter().flatten()).chain(&model.in_region_unsure);
            for region in places {
                assert!(crate::regions().partition(region).is_some(), "{}: {region} is no region", model.id);
            }
            assert!(model.seen_in.iter().all(|name| models.witnesses.contains_key(name)), "{}", model.id);
        }
    }

    #[test]
    fn profiles_are_told_from_models() {
        assert_eq!(models().profile_of("us.amazon.nova-2-lite-v1:0"), Some(("us", "amazon.nova-2-lite-v1:0")));
        assert_eq!(models().profile_of("amazon.nova-lite-v1:0"), None);
        assert_eq!(models().profile_of("us.nothing"), None);
        assert_eq!(models().get("us.amazon.nova-2-lite-v1:0").map(|model| model.output.as_str()), Some("text"));
    }

    #[test]
    fn a_slip_finds_the_nearest() {
        assert_eq!(
            models().nearest("stability.stable-image-cor-v1:1").as_deref(),
            Some("stability.stable-image-core-v1:1")
        );
        assert_eq!(models().nearest("us.amazon.nova2-lite-v1:0").as_deref(), Some("us.amazon.nova-2-lite-v1:0"));
        assert_eq!(models().nearest("mycompany.model"), None);
    }
}
